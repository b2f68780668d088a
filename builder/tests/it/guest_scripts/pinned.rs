//! An access point whose country, channels and power are the image's: what the host configures counts within them only.

use super::*;

const OVERLAYS: &[&str] = &["common/root", "access-point/root", "region/root"];

/// A guest with these channels.
fn guest(channels: &str) -> Guest {
    let guest = Guest::new(OVERLAYS);
    let region = format!("country=DE\nchannels='{channels}'\npower=15\n");
    guest.put("etc/wifibox/region", &region);
    guest
}

/// What hostapd gets of a user's file, and what is said about it.
fn pinned(channels: &str, file: &str) -> (Vec<String>, Vec<String>) {
    let guest = guest(channels);
    guest.put("media/etc/hostapd.conf", file);
    let text = guest.run(". /etc/wifibox/air; on_air /media/etc/hostapd.conf");
    (text.lines().map(str::to_owned).collect(), guest.console())
}

/// The lines of the air that hostapd gets for a file of these lines; the file's others come before them, unchanged.
fn air(channels: &str, lines: &str) -> (Vec<String>, usize) {
    let file = format!("interface=wlan0\nssid=a name = with #\n{}", lines.replace(' ', "\n"));
    let (text, said) = pinned(channels, &file);
    assert_eq!(text[..2], ["interface=wlan0", "ssid=a name = with #"]);
    (text[2..].to_vec(), said.len())
}

#[test]
fn country_and_channel_are_the_regions() {
    let at_1 = ["country_code=DE", "ieee80211d=1", "channel=1", "chanlist=1 6", "hw_mode=g"];
    for (lines, said) in [
        ("", 0),
        ("country_code=DE hw_mode=g channel=1", 0),
        ("country_code=US country3=0x04 hw_mode=g channel=13", 2),
        ("channel=acs_survey acs_num_scans=5 freqlist=2484 chanlist=14", 1),
        ("channel=0", 1),
        ("channel=36 op_class=115 hw_mode=a ieee80211h=0 ieee80211d=0", 1),
        ("channel=6 channel=1; channel=14", 3),
        ("country_code=DE\r channel=1\r", 0),
    ] {
        let (air, console) = air("1 6", lines);
        assert_eq!(air, at_1, "{lines}");
        assert_eq!(console, said, "{lines}");
    }
    let (air, console) = air("1 6", "channel=1 channel=6");
    assert_eq!(air[2], "channel=6");
    assert_eq!(console, 1, "hostapd, too, takes the last");
}

#[test]
fn another_channel_of_the_same_band_is_taken() {
    let (air, said) = air("1 6 100 104", "hw_mode=a channel=36");
    let dfs = ["channel=100", "chanlist=100 104", "hw_mode=a", "ieee80211h=1"];
    assert_eq!(air[2..], dfs);
    assert_eq!(said, 1);
}

#[test]
fn width_stays_within_the_channels() {
    let wide = "vht_oper_chwidth=1 vht_oper_centr_freq_seg0_idx=155 channel=40";
    let (all, said) = air("36 40 44 48", wide);
    assert_eq!(all[..2], ["vht_oper_chwidth=1", "vht_oper_centr_freq_seg0_idx=42"]);
    assert_eq!(said, 0);
    let (three, said) = air("36 40 44", wide);
    assert!(!three.iter().any(|line| line.contains("oper")), "{three:?}");
    assert_eq!(said, 1);
    let (none, said) = air("36 40 44 48", "he_oper_chwidth=2 channel=36 he_oper_chwidth=0");
    assert!(!none.iter().any(|line| line.contains("oper")), "{none:?}");
    assert_eq!(said, 1);
    for (channels, channel, given, taken) in [
        ("36 40", 36, "[HT40-][SHORT-GI-20]", "ht_capab=[HT40+][SHORT-GI-20]"),
        ("36 40", 40, "[HT40+]", "ht_capab=[HT40-]"),
        ("36 44", 36, "[LDPC][HT40+]", "ht_capab=[LDPC]"),
        ("149 153", 153, "[HT40-]", "ht_capab=[HT40-]"),
        ("1 5 9", 5, "[HT40-]", "ht_capab=[HT40-]"),
        ("1 5 9", 5, "[HT40+]", "ht_capab=[HT40+]"),
        ("1 5 9", 1, "[HT40-]", "ht_capab=[HT40+]"),
        ("1 6 11", 6, "[HT40+]", "ht_capab="),
        ("1 6 11", 6, "[SHORT-GI-20]", "ht_capab=[SHORT-GI-20]"),
    ] {
        let (air, _) = air(channels, &format!("ht_capab={given} channel={channel}"));
        assert_eq!(air[0], taken, "{channels}: {given} at {channel}");
    }
}

#[test]
fn the_power_is_limited() {
    let guest = guest("1");
    guest.run(". /etc/wifibox/air; limit_power");
    assert_eq!(guest.calls("iw"), ["iw dev wlan0 set txpower limit 1500"]);
}

#[test]
fn no_command_of_the_hosts_files_is_run() {
    let commands = "iface eth0\n pre-up touch HERE/run/a\n up touch HERE/run/b\n down touch HERE/run/c\n address 10.0.0.2/24\n";
    let bring_up = ". /etc/wifibox/interfaces; IFACE=eth0; settings=; auto=; name=; \
                    read_interfaces /media/etc/interfaces.conf; own=$(of eth0 0)$newline; bring_up";
    for pinned in [false, true] {
        let guest = guest("1");
        if !pinned {
            fs::remove_file(guest.path("etc/wifibox/region")).unwrap();
        }
        guest.put("media/etc/interfaces.conf", &commands.replace("HERE", &guest.here()));
        guest.run(bring_up);
        assert_eq!(guest.path("run/a").exists(), !pinned);
        assert_eq!(guest.path("run/b").exists(), !pinned);
        assert_eq!(guest.path("run/wifibox/down").exists(), !pinned);
        assert!(guest.calls("ip").iter().any(|call| call.contains("addr add 10.0.0.2/24")));
    }
}
