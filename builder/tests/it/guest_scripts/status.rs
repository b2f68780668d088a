//! The files by which the host sees how the guest is.

use super::*;

fn status(guest: &Guest, stubs: &str) -> (String, serde_json::Value) {
    guest.run(&format!(
        "{stubs}\n. /etc/wifibox/recover\n. /etc/wifibox/status\nindex=${{index-3}}\nstatus"
    ));
    let json = guest.read("var/log/status.json");
    let value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    (guest.read("var/log/status"), value)
}

#[test]
fn a_guest_in_a_network_says_so() {
    let guest = Guest::new(STATION);
    guest.put("run/sv/wpa_supplicant", &format!("{} 5 0 3\n", std::process::id()));
    fs::create_dir_all(guest.path(&format!("proc/{}", std::process::id()))).unwrap();
    guest.put("run/wifibox/wrong", "interfaces.conf: \"odd\\line\" is not understood\n");
    guest.put("run/wifibox/driverless", "\n");
    guest.put("tmp/resolv.conf", "domain lab.example\nnameserver 192.0.2.1\n");
    guest.put(
        "proc/net/arp",
        "IP address HW type Flags HW address Mask Device\n\
         10.0.0.2 0x1 0x2 02:00:00:00:00:01 * eth0\n192.0.2.1 0x1 0x2 02:00:00:00:00:02 * wlan0\n",
    );
    let stubs = "wpa_cli() { printf 'bssid=02:00:00:00:01:00\\nfreq=2412\\nssid=a \"b\" \\\\xc3\\nkey_mgmt=SAE\\nwpa_state=COMPLETED\\n'; }
        ip() { printf '1: lo    inet 127.0.0.1/8 scope host lo\\n2: eth0    inet 10.0.0.1/24 scope global eth0\\n'; }
        iw() { printf 'global\\ncountry DE: DFS-ETSI\\n'; }
        readlink() { echo /sys/devices/0000:00:06.0/iwlwifi; }
        dmesg() { :; }";
    let (text, json) = status(&guest, stubs);
    assert_eq!(json["version"], 1);
    assert_eq!(json["build_id"], "0123abcd");
    assert_eq!(json["network"]["ssid"], "a \"b\" \\xc3");
    assert_eq!(json["network"]["state"], "COMPLETED");
    assert!(json["network"]["reason"].is_null(), "{json}");
    assert_eq!(json["regulatory_domain"], "DE");
    assert_eq!(json["addresses"][0]["address"], "10.0.0.1/24");
    assert_eq!(json["name_servers"][0], "192.0.2.1");
    assert_eq!(json["clients"].as_array().unwrap().len(), 1);
    assert_eq!(json["daemons"][0]["restarts"], 2);
    assert_eq!(json["problems"][0], "interfaces.conf: \"odd\\line\" is not understood");
    assert!(
        text.contains("network      joined a \"b\" \\xc3 (02:00:00:00:01:00, 2412 MHz, SAE)\n"),
        "{text}"
    );
}

#[test]
fn a_guest_without_a_network_says_why() {
    let dead = "wpa_cli() { :; }; ip() { :; }; iw() { :; }; dmesg() { :; }; readlink() { :; }\n";
    let scanning = "wpa_cli() { case $* in *scan_results) printf 'bssid / frequency\\nx\\ny\\n' ;; *) echo wpa_state=SCANNING ;; esac; }\n";
    let join = "the password of the network \"home\" is wrong";
    let firmware = "dmesg() { echo 'iwlwifi 0000:00:06.0: Direct firmware load for iwlwifi-8000C-36.ucode failed with error -2'; }\n";
    for (stubs, files, expected) in [
        (format!("{dead}index="), vec![], "there is no wireless card, or none with a driver"),
        (format!("{dead}{firmware}index="), vec![], "the card misses its firmware"),
        (dead.to_owned(), vec![], "wpa_supplicant does not run"),
        (format!("{dead}{scanning}"), vec![("run/wifibox/join", join)], join),
        (format!("{dead}{scanning}"), vec![], "no network of wpa_supplicant.conf is in sight"),
        (
            format!("{dead}wpa_cli() {{ echo wpa_state=COMPLETED; }}"),
            vec![
                ("run/wifibox/dhcp", "wlan0"),
                ("run/wifibox/dhcp-answer", "wlan0: no DHCP server answers"),
            ],
            "wlan0: no DHCP server answers",
        ),
        (
            format!(
                "{dead}wpa_cli() {{ echo wpa_state=COMPLETED; }}\nip() {{ echo '3: wlan0    inet 169.254.7.7/16 scope link wlan0'; }}"
            ),
            vec![("run/wifibox/dhcp", "wlan0")],
            "wlan0 has no address yet",
        ),
        (
            dead.to_owned(),
            vec![
                ("sys/class/rfkill/rfkill0/type", "wlan"),
                ("sys/class/rfkill/rfkill0/soft", "1"),
                ("sys/class/rfkill/rfkill0/hard", "0"),
            ],
            "the radio is switched off (rfkill)",
        ),
    ] {
        let guest = Guest::new(STATION);
        for (name, text) in files {
            guest.put(name, &format!("{text}\n"));
        }
        let (text, json) = status(&guest, &stubs);
        assert_eq!(json["network"]["reason"], expected, "{text}");
        assert!(text.contains(&format!("reason       {expected}\n")), "{text}");
    }
}

/// A guest in a network, with an address.
const JOINED: &str =
    "wpa_cli() { printf 'bssid=02:00:00:00:01:00\\nssid=inn\\nwpa_state=COMPLETED\\n'; }
    ip() { printf '3: wlan0    inet 192.0.2.9/24 scope global wlan0\\n'; }
    iw() { :; }; readlink() { echo /sys/drivers/ath9k; }; dmesg() { :; }\n";

#[test]
fn a_portal_is_found_by_what_answers_in_its_place() {
    let portal = "a captive portal wants its page seen first: http://inn.example/in?a=1";
    let found =
        "HTTP/1.1 302 Found\\r\\nServer: x\\r\\nLocation: http://inn.example/in?a=1\\r\\n\\r\\n";
    for (file, answer, expected) in [
        ("url=http://check.example:81/a/b", "HTTP/1.1 204 No Content\\r\\n\\r\\n", None),
        ("# where\nurl=http://check.example:81/a/b\r", found, Some(portal)),
        (
            "url=http://check.example:81/a/b",
            "HTTP/1.0 200 OK\\r\\n\\r\\nLocation: no head",
            Some("a captive portal wants its page seen first"),
        ),
        (
            "url=http://check.example:81/a/b",
            "",
            Some("no answer from check.example, which portal.conf names"),
        ),
        ("url=https://check.example/", found, Some("portal.conf has no line url=http://...")),
    ] {
        let guest = Guest::new(STATION);
        guest.put("media/etc/portal.conf", file);
        let stub = format!(
            "nc() {{ cat >>HERE/asked; echo \"nc $*\" >>HERE/calls; printf '{answer}'; }}\n"
        )
        .replace("HERE", &guest.here());
        guest.stub(&stub);
        let (_, json) = status(&guest, JOINED);
        assert_eq!(json["network"]["reason"].as_str(), expected, "{file} {answer}");
        if expected.is_none() {
            assert_eq!(guest.calls("nc"), ["nc -w 5 check.example 81"]);
            let asked = guest.read("asked");
            assert!(asked.starts_with("GET /a/b HTTP/1.0\r\nHost: check.example\r\n"), "{asked}");
        }
    }
    let guest = Guest::new(STATION);
    let (_, json) = status(&guest, &format!("{JOINED}nc() {{ exit 1; }}\n"));
    assert!(json["network"]["reason"].is_null(), "nobody is asked unless the user says whom");
}

#[test]
fn what_surrounds_the_network_is_told() {
    let guest = Guest::new(STATION);
    guest.put("sys/class/net/wlan0/phy80211/name", "phy0\n");
    guest.put("sys/class/net/mon0/phy80211/name", "phy0\n");
    guest.put("sys/class/net/wlan1/phy80211/name", "phy1\n");
    guest.put("media/etc/iptables", &rules(""));
    guest.put("run/wifibox/wrong", "iptables: odd\nradvd does not run: x\n");
    guest.put("run/sv/radvd", &format!("{} 5 0 3\n", std::process::id()));
    guest.put("run/sv/radvd.said", "x\n");
    fs::create_dir_all(guest.path(&format!("proc/{}", std::process::id()))).unwrap();
    let df = "df() { printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\ntmpfs 128 128 0 100%% /tmp\\ntmpfs 8192 1 8191 1%% /run\\n'; }";
    guest.run(&format!(
        "{JOINED}{df}\n. /etc/wifibox/recover\n. /etc/wifibox/status\nindex=3\nstatus\n\
         rm /media/etc/iptables\nrm -r /var/log\nstatus"
    ));
    let text = guest.read("var/log/status");
    let json: serde_json::Value = serde_json::from_str(&guest.read("var/log/status.json")).unwrap();
    assert_eq!(json["missing_files"], serde_json::json!(["/media/etc/iptables"]));
    assert_eq!(json["radio"]["others"][0], "wlan1:ath9k", "{text}");
    assert_eq!(json["radio"]["others"].as_array().unwrap().len(), 1);
    assert_eq!(json["full"][0], "/tmp");
    assert_eq!(json["problems"], serde_json::json!(["iptables: odd"]));
    assert!(text.contains("full         /tmp: nothing more can be written there\n"), "{text}");
}
