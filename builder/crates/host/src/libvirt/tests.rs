//! Domains and networks; `ci/host-files.sh` holds them against libvirt's own schemas.

use super::*;
use crate::Overrides;
use crate::overrides::parse_address;
use crate::sample::guest;

fn text(guest: &Guest, name: &str) -> String {
    let files = files(guest).unwrap();
    let file = files.iter().find(|file| file.path == format!("libvirt/{name}")).unwrap();
    String::from_utf8(file.contents.clone()).unwrap()
}

#[test]
fn a_domain_has_what_the_guest_has() {
    let overrides = Overrides {
        passthru: vec![parse_address("0000:0a:14.3").unwrap()],
        persistent: true,
        ..Overrides::default()
    };
    let guest = overrides.apply(&guest()).unwrap();
    let uefi = text(&guest, "wifibox.xml");
    for part in [
        "<os firmware='efi'>",
        "<source file='/var/lib/libvirt/images/wifibox/root.img'/>",
        "<target dev='vdc' bus='virtio'/>",
        "<target dir='app_config'/>",
        "<address domain='0x0000' bus='0x0a' slot='0x14' function='0x3'/>",
        "<model type='e1000'/>",
    ] {
        assert!(uefi.contains(part), "{part}: {uefi}");
    }
    assert!(!uefi.contains("<kernel>"));
    assert_eq!(uefi.matches("<readonly/>").count(), 3, "ESP, root and the share config");
    let direct = text(&guest, "wifibox-direct.xml");
    assert!(direct.contains("<cmdline>quiet console=ttyS0,115200 root=/dev/vdb</cmdline>"));
    assert!(!direct.contains("firmware='efi'"));
}

#[test]
fn what_xml_gives_a_meaning_is_escaped() {
    let mut guest = guest();
    guest.flavor = "a--b".to_owned();
    guest.boot.direct.as_mut().unwrap().cmdline = "a=<&'\">".to_owned();
    let text = text(&guest, "wifibox-direct.xml");
    assert!(text.contains("<cmdline>a=&lt;&amp;&apos;\"&gt;</cmdline>"), "{text}");
    let comment = text.split("-->").next().unwrap().trim_start_matches("<!--");
    assert!(!comment.contains("--"), "{comment}");
}

#[test]
fn a_station_serves_addresses_itself() {
    assert!(!text(&guest(), "network.xml").contains("<ip "));
    let mut guest = guest();
    guest.role = "access-point".to_owned();
    assert!(text(&guest, "network.xml").contains("<ip address='10.0.0.1'"));
    guest.nics[0].uplink = Some("br0".to_owned());
    assert_eq!(files(&guest).unwrap().len(), 2, "no network of its own");
    assert!(text(&guest, "wifibox.xml").contains("<source bridge='br0'/>"));
}
