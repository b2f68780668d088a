//! The packet filter is closed until the share's rules are in place.

use super::*;

/// A guest after its start with these rules and the sample's sysctl.conf, which has forwarding on.
fn started(rules: Option<&str>) -> Guest {
    let guest = Guest::new(STATION);
    guest.put("media/etc/hostname", "box\r\n");
    guest.put("media/etc/interfaces.conf", "iface eth0 inet static\n  address 10.0.0.1/24\n");
    guest.put("media/etc/sysctl.conf", "net.ipv4.ip_forward = 1\r\n");
    guest.put("proc/sys/net/ipv4/ip_forward", "0\n");
    if let Some(rules) = rules {
        guest.put("media/etc/iptables", rules);
    }
    boot(&guest);
    guest
}

#[test]
fn rules_that_are_refused_leave_the_guest_closed() {
    let guest = started(Some(&rules("-A FORWARD BAD")));
    assert_eq!(guest.read("proc/sys/net/ipv4/ip_forward"), "0\n");
    let loaded = guest.read("filter");
    let last = loaded.split("--\n").filter(|text| text.starts_with("iptables")).last().unwrap();
    assert!(last.contains(":FORWARD DROP") && last.contains(":INPUT DROP"), "{loaded}");
    let console = guest.console();
    let line = console.iter().find(|line| line.contains("refused")).unwrap();
    assert!(line.contains("iptables was refused") && line.contains("line 3 failed"), "{line}");
    assert_eq!(guest.read("proc/sys/kernel/hostname"), "box\n");
}

#[test]
fn without_rules_nothing_is_forwarded() {
    for rules in [None, Some("*nat\n-A POSTROUTING -o wlan0 -j MASQUERADE\nCOMMIT\n")] {
        let guest = started(rules);
        assert_eq!(guest.read("proc/sys/net/ipv4/ip_forward"), "0\n", "{rules:?}");
        assert!(guest.read("filter").contains(":FORWARD DROP"), "{rules:?}");
        assert!(guest.read("run/wifibox/wrong").contains("nothing is forwarded"), "{rules:?}");
    }
}

#[test]
fn rules_that_are_taken_open_it() {
    // Written by an editor of another system, and without an end.
    let guest =
        started(Some(rules("-A FORWARD -i eth0 -j ACCEPT").replace('\n', "\r\n").trim_end()));
    assert_eq!(guest.read("proc/sys/net/ipv4/ip_forward"), "1\n");
    let loaded = guest.read("filter");
    assert!(
        !loaded.contains('\r') && loaded.contains("COMMIT\n--\nip6tables-restore"),
        "{loaded:?}"
    );
    // IPv6 has no rules of its own here.
    assert!(loaded.contains(":INPUT DROP"), "{loaded}");
    assert_eq!(guest.read("proc/sys/net/ipv6/conf/all/forwarding"), "0\n");
}

#[test]
fn rules_that_were_changed_are_put_in_place_again() {
    let guest = started(Some(&rules("-A FORWARD -i eth0 -j ACCEPT")));
    let reload = || {
        let script = "\"$config/../../usr/bin/reload-filter\"";
        let output = guest.command(script).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    // Nobody wrote rules for IPv6, which is no fault.
    guest.put("media/etc/iptables", &rules("-A FORWARD -i eth0 -p tcp -j ACCEPT"));
    assert_eq!(reload(), (true, "the filter is in place\n".to_owned()));
    assert!(guest.read("filter").contains("-i eth0 -p tcp"));
    for (file, forwards) in [("ip6tables", "1\n"), ("iptables", "0\n")] {
        let right = rules("-A FORWARD -i eth0 -j ACCEPT");
        guest.put(&format!("media/etc/{file}"), &rules("-A FORWARD BAD"));
        assert_eq!(reload(), (false, String::new()), "{file}");
        assert_eq!(guest.read("proc/sys/net/ipv4/ip_forward"), forwards, "{file}");
        guest.put(&format!("media/etc/{file}"), &right);
        assert!(reload().0, "{file}");
    }
}
