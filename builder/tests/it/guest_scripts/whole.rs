//! Services and programs of the guest that need several of its parts.

use super::*;

#[test]
fn a_card_that_comes_back_is_used_again() {
    let guest = Guest::new(STATION);
    guest.put("run/wifibox/settings", "wlan0 stanza any\nwlan0 method dhcp\nwlan0 mtu 1400\n");
    guest.put("sys/class/net/wlan0/ifindex", "3\n");
    guest.put("run/sv/wpa_supplicant", "4194303 5 0 1\n");
    fs::create_dir_all(guest.path("sys/bus/pci")).unwrap();
    guest.run(
        ". /etc/wifibox/recover\nrecover\nrecover\nmv /sys/class/net/wlan0 /run/away\nrecover\n\
         echo 4 >/run/away/ifindex\nmv /run/away /sys/class/net/wlan0\nrecover\nrecover",
    );
    let console = guest.console();
    assert_eq!(console.len(), 2, "{console:?}");
    assert!(console[0].contains("is gone") && console[1].contains("is back"), "{console:?}");
    assert_eq!(guest.read("sys/bus/pci/rescan"), "1\n");
    assert_eq!(guest.calls("modprobe"), ["modprobe -a -q 9p"]);
    assert_eq!(guest.calls("ip"), ["ip link set dev wlan0 mtu 1400 up"]);
    assert_eq!(guest.read("run/sv/wpa_supplicant"), "0 -60 0 0\n");
}

#[test]
fn a_card_that_does_not_answer_is_taken_out_and_put_in_again() {
    let failed = |number, code: &str| {
        format!("wlan0: CTRL-EVENT-SCAN-FAILED ret={code} retry=1\n").repeat(number)
    };
    let hangs = failed(10, "-110");
    for (said, expected) in [
        (hangs.clone(), true),
        ("Could not set interface wlan0 flags (UP): Input/output error\n".to_owned(), true),
        // A firmware that starts again, an interface that is down, a radio that is switched off.
        (format!("{}wlan0: Trying to associate\n{}", failed(9, "-5"), failed(9, "-5")), false),
        (failed(20, "-100"), false),
        (
            "Could not set interface wlan0 flags (UP): Operation not possible due to RF-kill\n"
                .to_owned(),
            false,
        ),
    ] {
        let guest = Guest::new(STATION);
        let card = "sys/devices/pci0/0000:00:06.0";
        fs::create_dir_all(guest.path(&format!("{card}/net"))).unwrap();
        fs::create_dir_all(guest.path("sys/bus/pci")).unwrap();
        guest.put("sys/class/net/wlan0/ifindex", "3\n");
        symlink(guest.path(card), guest.path("sys/class/net/wlan0/device")).unwrap();
        symlink(guest.path("sys/bus/pci"), guest.path(&format!("{card}/subsystem"))).unwrap();
        guest.put("run/said", &said);
        let hear = "hear wpa_supplicant /etc/w.conf </run/said >/run/log\nrecover\n";
        // The second time is too soon after the first.
        guest.run(&format!(
            "unset -f readlink\n. /etc/wifibox/hear\n. /etc/wifibox/recover\n{hear}{hear}"
        ));
        assert_eq!(guest.path(&format!("{card}/remove")).exists(), expected, "{said}");
        let lines = guest.console();
        let times = lines.iter().filter(|line| line.ends_with("does not answer (100.00)")).count();
        assert_eq!(times, usize::from(expected), "{said}: {lines:?}");
    }
}

#[test]
fn radio_switches_are_shown_and_set() {
    let guest = Guest::new(&["common/root", "debian/root"]);
    for (name, text) in [("name", "phy0"), ("type", "wlan"), ("soft", "0"), ("hard", "1")] {
        guest.put(&format!("sys/class/rfkill/rfkill0/{name}"), &format!("{text}\n"));
    }
    let script = guest.path("usr/bin/rfkill");
    let rfkill = |arguments: &[&str]| {
        let output = shell().arg(&script).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(
        rfkill(&["list"]),
        (true, "0: phy0: wlan\n\tSoft blocked: no\n\tHard blocked: yes\n".to_owned())
    );
    assert!(rfkill(&["block", "wifi"]).0);
    assert_eq!(guest.read("sys/class/rfkill/rfkill0/soft"), "1\n");
    assert!(rfkill(&["unblock", "all"]).0);
    assert_eq!(guest.read("sys/class/rfkill/rfkill0/soft"), "0\n");
    assert!(!rfkill(&["block", "bluetooth"]).0);
    assert!(!rfkill(&["block"]).0);
}

#[test]
fn logread_shows_the_files() {
    let guest = Guest::new(STATION);
    guest.put("var/log/messages.0", "one\n");
    guest.put("var/log/messages", "two\n");
    let profile = guest.read("etc/profile");
    assert_eq!(guest.run(&format!("{profile}\nlogread")), "one\ntwo\n");
}

#[test]
fn links_are_followed_to_the_pci_card() {
    // brcmsmac's interface is on a bus within the card.
    let guest = Guest::new(STATION);
    let card = "sys/devices/pci0/0000:00:06.0";
    fs::create_dir_all(guest.path(&format!("{card}/bcma0:1/net/wlan0/phy80211"))).unwrap();
    fs::create_dir_all(guest.path("sys/bus/pci")).unwrap();
    fs::create_dir_all(guest.path("sys/bus/bcma")).unwrap();
    fs::remove_dir(guest.path("sys/class/net/wlan0")).unwrap();
    for (link, target) in [
        ("sys/class/net/wlan0", format!("{card}/bcma0:1/net/wlan0")),
        (&format!("{card}/bcma0:1/net/wlan0/device"), format!("{card}/bcma0:1")),
        (&format!("{card}/bcma0:1/subsystem"), "sys/bus/bcma".to_owned()),
        (&format!("{card}/subsystem"), "sys/bus/pci".to_owned()),
    ] {
        symlink(guest.path(&target), guest.path(link)).unwrap();
    }
    let script = guest.read("etc/rc.shutdown").replace("kill ", ": ").replace("sleep", ":");
    guest.run(&format!(
        "unset -f readlink; sync() {{ :; }}\n{}",
        script.replace(". /etc/wifibox/functions", "")
    ));
    assert_eq!(guest.read(&format!("{card}/remove")), "1\n");
}
