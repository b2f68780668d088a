//! Drivers and names of network cards.

use super::*;

fn device(guest: &Guest, bus: &str, name: &str, class: &str, alias: &str) {
    let place = format!("sys/bus/{bus}/devices/{name}");
    guest.put(&format!("{place}/class"), &format!("{class}\n"));
    guest.put(&format!("{place}/modalias"), &format!("{alias}\n"));
}

#[test]
fn drivers_are_found_by_alias_and_not_by_class() {
    let guest = Guest::new(&["common/root", "wired/root"]);
    // Surface's 88W8897 and many cards of Atheros call themselves Ethernet controllers.
    device(&guest, "pci", "0000:00:06.0", "0x020000", "pci:v000011ABd00002B38sv*");
    device(&guest, "pci", "0000:00:07.0", "0x028000", "pci:v00008086d00002725sv*");
    device(&guest, "virtio", "virtio3", "", "virtio:d00000001v00001AF4");
    guest.run(". /etc/wifibox/radio");
    assert_eq!(
        guest.calls("modprobe"),
        [
            "modprobe -a -q virtio:d00000001v00001AF4",
            "modprobe -a -q pci:v000011ABd00002B38sv* pci:v00008086d00002725sv*",
        ]
    );
    // Still without a driver, which is said once.
    guest.run(". /etc/wifibox/radio");
    assert_eq!(guest.console().len(), 1, "{:?}", guest.console());
}

#[test]
fn what_has_a_phy80211_is_no_cable() {
    let guest = Guest::new(&["common/root", "wired/root"]);
    for (slot, name) in [("05", "eth0"), ("06", "wlan0"), ("07", "eth1")] {
        device(&guest, "pci", &format!("0000:00:{slot}.0"), "0x020000", "pci:x");
        fs::create_dir_all(guest.path(&format!("sys/bus/pci/devices/0000:00:{slot}.0/net/{name}")))
            .unwrap();
    }
    guest.put("sys/bus/pci/devices/0000:00:06.0/net/wlan0/phy80211/name", "phy0\n");
    let wired = guest.run(". /etc/wifibox/wired; echo $wired");
    assert_eq!(wired, "wan0\n");
    assert_eq!(guest.calls("ip"), ["ip link set dev eth1 name wan0"]);
}

#[test]
fn the_virtual_cable_is_eth0_whatever_was_there_first() {
    let guest = Guest::new(&["common/root"]);
    fs::create_dir_all(guest.path("sys/bus/virtio/devices/virtio3/net/eth1")).unwrap();
    guest.run(". /etc/wifibox/radio");
    assert_eq!(
        guest.calls("ip"),
        ["ip link set dev eth0 name card0", "ip link set dev eth1 name eth0"]
    );
}

#[test]
fn what_drives_a_part_that_the_machine_lacks_is_no_alarm() {
    let guest = Guest::new(STATION);
    guest.stub(
        "modprobe() { echo \"modprobe: can't load module crc32c_intel (x.ko): No such device\"; \
         echo \"modprobe: can't load module gcm (y.ko): unknown symbol in module\"; return 1; }\n",
    );
    guest.put("media/etc/hostname", "box\n");
    guest.put("media/etc/interfaces.conf", "iface eth0 inet manual\n");
    guest.put("media/etc/iptables", &rules(""));
    boot(&guest);
    let console = guest.console();
    assert!(!console.iter().any(|line| line.contains("crc32c_intel")), "{console:?}");
    assert!(console.iter().any(|line| line.contains("gcm (y.ko)")), "{console:?}");
}
