//! Tests of the guest's shell scripts that need no guest: that a shell can read all of them, and what
//! OpenWrt's part that parses configuration makes of it. Those of the other guests are in
//! `builder/tests/it/guest_scripts.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn overlays() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Runs `script` with `sh` and gives its standard output.
fn shell(script: &str) -> String {
    let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_shell_can_read_every_script() {
    let mut all = Vec::new();
    files(&overlays(), &mut all);
    let mut count = 0;
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let sourced = path.parent().unwrap().ends_with("etc/wifibox");
        if text.starts_with("#!/bin/sh") || sourced {
            let status = Command::new("sh").arg("-n").arg(&path).status().unwrap();
            assert!(status.success(), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 15, "only {count} scripts found");
}

/// The lines that `import` feeds to UCI for a guest of `role` with these files in its share.
fn import(role: &str, files: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let read = |path: &str| fs::read_to_string(overlays().join(path)).unwrap();
    let functions = read("openwrt/procd/etc/wifibox/functions").replace("/media/etc", &here);
    let role = read(&format!("openwrt-{role}/procd/etc/wifibox/role"));
    let import = read("openwrt/procd/etc/wifibox/import")
        .replace("/proc/sys/kernel/hostname", "/dev/null")
        .replace("/etc/wifibox/hypervisor", &format!("{here}/hypervisor"))
        .replace("/etc/config/", &format!("{here}/taken-"));
    let stubs = "say() { echo \"say $*\"; }; sysctl() { :; }\n\
                 uci() { [ \"$2\" != get ] || return 1; [ \"$1\" != get ] || return 1; echo \"$*\"; }";
    let output = shell(&format!("{functions}\n{role}\n{stubs}\n{import}"));
    output.lines().map(str::to_owned).collect()
}

#[test]
fn openwrt_takes_addresses_and_leases_of_the_share() {
    let interfaces = "iface eth0 inet static\n  address 10.9.0.1\n  netmask 255.255.0.0\n\
                      iface eth0 inet6 static\n  address fd00::1/64\niface wlan0 dhcp\n";
    let leases = "start 10.9.1.2\nend\t10.9.1.20\nopt\tdns\t%%DNS%% 8.8.8.8\nopt lease 600\n";
    let files = [("hostname", "box\n"), ("interfaces.conf", interfaces), ("udhcpd.conf", leases)];
    assert_eq!(
        import("station", &files),
        [
            "set system.@system[0].hostname=box",
            // Lists are made anew, for the guest may have kept them on its disk.
            "-q delete network.lan.ip6addr",
            "set network.lan.proto=static",
            "set network.lan.ipaddr=10.9.0.1",
            "-q delete network.lan.netmask",
            "add_list network.lan.ip6addr=fd00::1/64",
            "set network.lan.netmask=255.255.0.0",
            "set network.wwan.proto=dhcp",
            "-q delete network.wwan.ip6addr",
            "-q delete dhcp.lan.dhcp_option",
            "set dhcp.lan.leasetime=600s",
            // Without an answer of UCI the mask is that of 10.9.1.0/24.
            "set dhcp.lan.start=2",
            "set dhcp.lan.limit=19",
            "commit",
        ]
    );
}

#[test]
fn under_xen_openwrts_cable_to_its_host_is_a_bridge() {
    let hypervisor =
        fs::read_to_string(overlays().join("xen/procd/etc/wifibox/hypervisor")).unwrap();
    let files =
        [("hypervisor", hypervisor.as_str()), ("hostname", "box\n"), ("interfaces.conf", "")];
    for (role, network) in [("station", "lan"), ("access-point", "wan")] {
        let lines = import(role, &files);
        let device = format!("set network.{network}.device=br-lan");
        for line in
            ["set network.br_lan.type=bridge", "add_list network.br_lan.ports=eth0", &device]
        {
            assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
        }
        assert_eq!(lines.iter().filter(|line| line.ends_with(".device=br-lan")).count(), 1);
    }
    let lines = import("station", &[&files[..], &[("uci/network", "")]].concat());
    assert!(!lines.iter().any(|line| line.contains("br-lan")), "{lines:?}");
}

#[test]
fn openwrts_own_files_take_precedence() {
    let files = [
        ("hostname", "box\n"),
        ("interfaces.conf", "iface eth0 inet static\n  address 10.9.0.1\n"),
        ("uci/network", "config interface 'lan'\n"),
        ("udhcpd.conf", "opt dns 9.9.9.9 1.1.1.1\n"),
    ];
    assert_eq!(
        import("access-point", &files),
        [
            "set system.@system[0].hostname=box",
            "-q delete dhcp.lan.dhcp_option",
            "add_list dhcp.lan.dhcp_option=6,9.9.9.9,1.1.1.1",
            "commit"
        ]
    );
}

/// wpa_supplicant's file that a station makes of wireless settings; `answers` are UCI's, by option.
fn supplicant(answers: &str) -> String {
    let script = overlays().join("openwrt-station/procd/etc/wifibox/wireless");
    let script = fs::read_to_string(script).unwrap();
    let stubs =
        "say() { echo \"say $*\"; }; frequencies() { [ \"$1\" != 5g ] || echo '5180 5200 '; }";
    shell(&format!(
        "{script}\n{stubs}\nuci() {{ case ${{3#wireless.}} in {answers} *) return 1 ;; esac; }}\nsupplicant"
    ))
}

#[test]
fn a_station_joins_what_openwrts_wireless_settings_name() {
    let of = |more: &str| {
        supplicant(&format!(
            "*'[0]') echo wifi-iface ;; *'[0].ssid') echo home ;; *'[0].device') echo radio0 ;;
             *'[0].key') echo 'its password' ;; radio0.band) echo 5g ;; radio0.country) echo DE ;; {more}"
        ))
    };
    assert_eq!(
        of("*.mode) echo sta ;; *.encryption) echo sae-mixed ;;"),
        "ctrl_interface=/var/run/wpa_supplicant\ncountry=DE\nnetwork={\n\tssid=\"home\"\n\tscan_ssid=1\n\
         \tscan_freq=5180 5200\n\tfreq_list=5180 5200\n\tkey_mgmt=WPA-PSK SAE\n\tieee80211w=1\n\
         \tpsk=\"its password\"\n}\n"
    );
    // Not what this guest does: it says so, and joins nothing.
    for other in ["*.mode) echo ap ;;", "*.mode) echo sta ;; *.encryption) echo wpa2 ;;"] {
        let text = of(other);
        assert!(text.contains("say uci/wireless") && !text.contains("network={"), "{text}");
    }
}
