//! The files for Xen, and the linter's verdict on wrong ones.

use super::*;
use crate::overrides::Overrides;
use crate::sample;
use wifibox_ground::address::Address;
use wifibox_ground::guest::{AppConfig, Nic, ShareTransport};
use wifibox_ground::guest::{Disk, NetworkCard, Purpose};

fn guest() -> Guest {
    let root = |purpose| Disk {
        purpose,
        file: "root.img".to_owned(),
        device: "xvde".to_owned(),
        read_only: true,
    };
    let mut guest = Guest {
        hypervisor: "xen".to_owned(),
        console: "hvc0".to_owned(),
        transport: ShareTransport::Xen,
        disks: vec![root(Purpose::Root)],
        nics: vec![NetworkCard { model: Nic::XenNetfront, uplink: None }],
        ..sample::guest()
    };
    guest.boot.uefi = None;
    if let Some(direct) = &mut guest.boot.direct {
        direct.cmdline = "quiet console=hvc0 root=/dev/xvde".to_owned();
    }
    guest
}

fn text(guest: &Guest, name: &str) -> String {
    let files = files(guest).unwrap();
    let file = files.iter().find(|file| file.path == format!("xen/{name}"));
    String::from_utf8(file.unwrap().contents.clone()).unwrap()
}

fn problems(text: &str) -> String {
    lint::lint(Kind::Xl, text.as_bytes()).iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_configuration_passes_the_linter_and_every_file_says_what_it_is() {
    let overrides = Overrides {
        passthru: vec![Address::new(0, 3, 0, 0).unwrap(), Address::new(0, 3, 0, 1).unwrap()],
        persistent: true,
        ..Overrides::default()
    };
    let disk = Overrides { configuration_disk: true, ..overrides.clone() };
    let opens = Guest { application: AppConfig::Hostapd, ..guest() };
    for guest in [guest(), opens, overrides.apply(&guest()).unwrap(), disk.apply(&guest()).unwrap()]
    {
        let files = files(&guest).unwrap();
        assert_eq!(files.len(), 8);
        for file in files {
            let text = String::from_utf8(file.contents).unwrap();
            let name = file.path.rsplit('/').next().unwrap();
            let head: String = text.lines().take(3).collect();
            assert!(head.contains(name), "{}: {head}", file.path);
            // Of xenstore's own names some begin so.
            let gaps = !["README", "reconnect.sh"].contains(&name);
            assert!(!text.contains('@') || !gaps, "{}: a gap: {text}", file.path);
            assert!(!text.contains("pvh\"") || name == "README", "{text}");
            if name.ends_with(".cfg") {
                assert_eq!(problems(&text), "", "{}", file.path);
            }
        }
    }
}

#[test]
fn the_driver_domain_has_its_disks_shares_cable_and_cards() {
    let card = Address::new(0, 0x0a, 0x14, 3).unwrap();
    let overrides = Overrides { passthru: vec![card], memory: Some(192), ..Overrides::default() };
    let guest = overrides.apply(&guest()).unwrap();
    for (name, kind) in [("wifibox.cfg", "pv"), ("wifibox-hvm.cfg", "hvm")] {
        let text = text(&guest, name);
        for line in [
            format!("type = \"{kind}\""),
            "memory = 192".to_owned(),
            "kernel = \"/var/lib/xen/images/wifibox/vmlinuz\"".to_owned(),
            "cmdline = \"quiet console=hvc0 root=/dev/xvde\"".to_owned(),
            "disk = [ \"format=raw,vdev=xvde,access=ro,target=/var/lib/xen/images/wifibox/root.img\" ]"
                .to_owned(),
            "pci = [ \"0000:0a:14.3\" ]".to_owned(),
            "driver_domain = 1".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        let var = "tag=var,path=/var/lib/wifibox,security_model=none";
        assert!(text.contains(var), "{text}");
    }
    assert!(text(&guest, "firewall.cfg").contains("\"backend=wifibox,type=vif\""));
    assert!(text(&guest, "xen-pciback.conf").contains("hide=(0000:0a:14.3)"));
}

#[test]
fn a_configuration_disk_takes_the_place_of_shares() {
    let overrides = Overrides { configuration_disk: true, ..Overrides::default() };
    let guest = overrides.apply(&guest()).unwrap();
    let text_of = text(&guest, "wifibox.cfg");
    assert!(!text_of.contains("p9 ="), "{text_of}");
    let disk = "vdev=xvdf,access=ro,target=/var/lib/xen/images/wifibox/config.img";
    assert!(text_of.contains(disk), "{text_of}");
    assert!(text(&guest, "setup.sh").contains("for file in config.img; do"));
}

#[test]
fn the_script_installs_the_domain_and_keeps_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let put = |name: &str, text: &str| {
        let path = output.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for name in ["vmlinuz", "initramfs.img", "root.img"] {
        put(name, name);
    }
    put("etc/wifibox/appliance/hostname.sample", "wifibox\n");
    put("etc/wifibox/wpa_supplicant/wpa_supplicant.conf.sample", "network\n");
    put("var/log/.keep", "");
    for file in files(&guest()).unwrap() {
        put(&format!("host/{}", file.path), &String::from_utf8(file.contents).unwrap());
    }
    let root = folder.path().join("root");
    let run = |more: &[&str]| {
        let script = output.join("host/xen/setup.sh");
        let mut command = std::process::Command::new("sh");
        command.arg(script).arg("--root").arg(&root).args(more);
        let result = command.output().unwrap();
        let errors = String::from_utf8_lossy(&result.stderr).into_owned();
        (result.status.success(), String::from_utf8_lossy(&result.stdout).into_owned() + &errors)
    };
    let (good, said) = run(&["--autostart"]);
    assert!(good && said.contains("name the card"), "{said}");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    assert_eq!(read("var/lib/xen/images/wifibox/root.img"), "root.img");
    assert_eq!(read("etc/wifibox/appliance/hostname"), "wifibox\n");
    assert_eq!(read("etc/wifibox/wpa_supplicant/wpa_supplicant.conf"), "network\n");
    assert!(root.join("var/lib/wifibox/log").is_dir());
    assert!(read("etc/xen/auto/10-wifibox.cfg").contains("type = \"pv\""));
    assert!(read("usr/local/sbin/wifibox-reconnect").contains("xl network-attach"));
    assert!(
        read("etc/systemd/system/wifibox-reconnect.service").contains("sbin/wifibox-reconnect")
    );

    std::fs::write(root.join("etc/wifibox/appliance/hostname"), "mine\n").unwrap();
    std::fs::write(root.join("etc/xen/firewall.cfg"), "mine\n").unwrap();
    put("root.img", "newer");
    assert!(run(&["--hvm"]).0);
    assert_eq!(read("etc/wifibox/appliance/hostname"), "mine\n");
    assert_eq!(read("etc/xen/firewall.cfg"), "mine\n");
    assert_eq!(read("var/lib/xen/images/wifibox/root.img"), "newer");
    assert!(read("etc/xen/wifibox.cfg").contains("type = \"hvm\""));

    let (good, said) = run(&["--pvh"]);
    assert!(!good && said.contains("--pvh"), "{said}");
}

#[test]
fn guests_of_one_dom0_differ_in_name_and_share_a_firewall() {
    let overrides = Overrides {
        name: Some("air".to_owned()),
        firewall_backend: Some("cable".to_owned()),
        ..Overrides::default()
    };
    let guest = overrides.apply(&guest()).unwrap();
    let domain = text(&guest, "wifibox.cfg");
    for part in [
        "name = \"air\"",
        "kernel = \"/var/lib/xen/images/air/vmlinuz\"",
        "path=/etc/air/appliance,",
        "path=/var/lib/air,",
    ] {
        assert!(domain.contains(part), "{part}: {domain}");
    }
    assert!(!domain.contains("/wifibox/"), "{domain}");
    let setup = text(&guest, "setup.sh");
    assert!(
        setup.contains("/etc/xen/auto/10-air.cfg") && !setup.contains("$root/etc/wifibox"),
        "{setup}"
    );
    let firewall = text(&guest, "firewall.cfg");
    let cables = "vif = [\n  \"backend=air,type=vif\",\n  \"backend=cable,type=vif\"\n]\n";
    assert!(firewall.contains(cables) && firewall.contains("domain cable."), "{firewall}");

    let refused = |name: &str, other: Option<&str>| {
        let overrides = Overrides {
            name: Some(name.to_owned()),
            firewall_backend: other.map(str::to_owned),
            ..Overrides::default()
        };
        let guest = overrides.apply(&self::guest()).map_err(|error| error.to_string());
        guest.and_then(|guest| files(&guest).map_err(|error| error.to_string())).unwrap_err()
    };
    assert!(refused("firewall", None).contains("--name"));
    assert!(refused("air", Some("air")).contains("the guest itself"));
    assert!(refused("air", Some("a b")).contains("letters"));
}

#[test]
fn other_machines_and_guests_are_refused() {
    let arm = Guest { architecture: "aarch64".to_owned(), ..guest() };
    assert!(files(&arm).unwrap_err().to_string().contains("x86_64"));
    let mut without = guest();
    without.boot.direct = None;
    assert!(files(&without).unwrap_err().to_string().contains("kernel"));
    assert!(
        Hypervisor::Xen
            .files(&sample::guest())
            .unwrap_err()
            .to_string()
            .contains("--hypervisor xen")
    );
}

#[test]
fn the_linter_names_what_xl_passes_over() {
    let good = "name = 'x'\ntype = \"pv\"\nkernel = \"/k\" # a comment\nmemory = 0x80\n";
    assert_eq!(problems(good), "");
    for (more, what) in [
        ("memroy = 64", "line 5: xl knows no \"memroy\""),
        ("vcpus = \"two\"", "vcpus must be a number"),
        ("disk = \"format=raw\"", "disk must be a list"),
        ("name = \"y\"", "line 5: name is set twice"),
        ("pci = [ \"0000:03:00\" ]", "\"0000:03:00\" is no address"),
        ("pci = [ \"03:00.0,permisive=1\" ]", "unknown option \"permisive\""),
        ("vif = [ 'mac=00:16:3e:00:00:01,brigde=x' ]", "unknown option \"brigde\""),
        ("p9 = [ \"tag=a,path=/b,readonly=1\" ]", "unknown option \"readonly\""),
        ("maxmem = 64", "memory (128) is above maxmem (64)"),
        ("vif = [ \"x\" \"y\" ]", "expected a number, a string"),
        ("vif", "expected NAME = VALUE"),
    ] {
        let found = problems(&format!("{good}{more}\n"));
        assert!(found.contains(what), "{more}: {found}");
    }
    let hvm = "name = \"x\"\ntype = \"hvm\"\n";
    for (more, what) in [
        ("disk = [ \"format=raw,vdev=xvda,access=ro,target=/x\" ]", "take xvde"),
        ("vif = [ \"backend=wifibox\" ]", "write type=vif"),
    ] {
        let found = problems(&format!("{hvm}{more}\n"));
        assert!(found.contains(what), "{more}: {found}");
    }
    let pvh =
        "name = \"x\"\ntype = \"pvh\"\nkernel = \"/k\"\npci = [\n  \"0000:03:00.0\", # a card\n]\n";
    assert!(problems(pvh).contains("line 4: Xen hands no PCI device"), "{}", problems(pvh));
    assert!(problems("type = \"pv\"\n").contains("no kernel"));
}
