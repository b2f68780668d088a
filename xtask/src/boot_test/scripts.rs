//! Tests of the guest's shell scripts that need no guest: that a shell can read all of them, and
//! what the parts that parse configuration make of it.

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

/// A part of /etc/rc with its folders moved below `folder`.
fn part(name: &str, folder: &Path) -> String {
    let path = overlays().join("common/root/etc/wifibox").join(name);
    let here = folder.display();
    fs::read_to_string(path)
        .unwrap()
        // First, for the others put a folder below the real /tmp.
        .replace("/tmp/", &format!("{here}/tmp/"))
        .replace("/run/wifibox", &format!("{here}/run"))
        .replace("/sys/class/net", &format!("{here}/net"))
}

/// What `network` does with an interfaces.conf: the calls of `ip`, and the DHCP interfaces.
fn network(interfaces: &str) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for name in ["run", "net/eth0", "net/wlan0"] {
        fs::create_dir_all(here.join(name)).unwrap();
    }
    fs::write(here.join("interfaces.conf"), interfaces).unwrap();
    let stubs = "say() { echo \"say $*\"; }; ip() { echo \"ip $*\"; }";
    let script = format!("config={}\n{stubs}\n{}", here.display(), part("network", here));
    let lines = shell(&script).lines().map(|line| line.trim().to_owned()).collect();
    (lines, fs::read_to_string(here.join("run/dhcp")).unwrap())
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

#[test]
fn a_station_gets_its_address_and_a_dhcp_client() {
    let text = "# comment\niface eth0 inet static\n  address 10.0.0.1\n  netmask 255.255.255.0\n\n\
                iface wlan0 dhcp\n";
    let (calls, dhcp) = network(text);
    assert_eq!(
        calls,
        [
            "ip link set dev lo up",
            "ip link set dev eth0 up",
            "ip addr add 10.0.0.1/255.255.255.0 dev eth0",
            "ip link set dev wlan0 up",
        ]
    );
    assert_eq!(dhcp, "wlan0\n");
}

#[test]
fn stanzas_of_one_interface_add_up() {
    let text = "iface eth0 inet static\n\tgateway 10.0.0.1\n\taddress 10.0.0.2/24\n\
                iface eth0 inet6 static\n  address fd00::ffff/64\n  gateway fd00::1\n\
                iface wlan0 inet manual\n";
    let (calls, dhcp) = network(text);
    assert_eq!(
        calls[1..],
        [
            "ip link set dev eth0 up",
            "ip addr add 10.0.0.2/24 dev eth0",
            "ip -6 addr add fd00::ffff/64 dev eth0",
            "ip route add default via 10.0.0.1 dev eth0",
            "ip -6 route add default via fd00::1 dev eth0",
            "ip link set dev wlan0 up",
        ]
    );
    assert_eq!(dhcp, "");
}

#[test]
fn commands_run_in_their_phase_with_the_interface_named() {
    let text = "auto eth0\niface eth0 inet static\n  address 10.9.0.1/16\n  mtu 1400\n  \
                hwaddress ether 02:00:00:00:00:01\n  post-up echo \"after   $IFACE\"\n  \
                pre-up echo before | tr a-z A-Z\n  down echo bye\n  up false\n";
    let (calls, _) = network(text);
    assert_eq!(
        calls[1..],
        [
            "BEFORE",
            "ip link set dev eth0 mtu 1400 address 02:00:00:00:00:01 up",
            "ip addr add 10.9.0.1/16 dev eth0",
            "after   eth0",
            "say interfaces.conf, eth0: 'false' failed",
        ]
    );
}

#[test]
fn interfaces_that_nobody_names_stay_down() {
    let (calls, _) = network("iface eth1 inet static\n  address 10.1.0.1/24\n");
    assert_eq!(calls, ["ip link set dev lo up"]);
}

/// /tmp/udhcpd.conf as made from `template`, when the network told `dns`, `domain` and `search`.
fn udhcpd(template: &str, dns: &str, domain: &str, search: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for name in ["run", "tmp"] {
        fs::create_dir_all(here.join(name)).unwrap();
    }
    fs::write(here.join("run/dhcp"), "wlan0\n").unwrap();
    fs::write(here.join("udhcpd.conf"), template).unwrap();
    let stubs = "restart() { :; }";
    let functions = part("propagate", here);
    let call = if dns.is_empty() {
        "dns='' domain='' search=''; fill_udhcpd".to_owned()
    } else {
        format!("propagate '{dns}' '{domain}' '{search}'")
    };
    shell(&format!("config={}\n{stubs}\n{functions}\n{call}", here.display()));
    fs::read_to_string(here.join("tmp/udhcpd.conf")).unwrap()
}

const TEMPLATE: &str = "# comment\n\ninterface\teth0\nopt\tdns\t%%DNS%% 8.8.8.8\n\
                        opt\tdomain\t%%DOMAIN%%\nopt\tsearch\t%%SEARCH%%\nopt\tlease\t864000\n";

#[test]
fn what_the_network_told_goes_into_the_dhcp_servers_file() {
    let text = udhcpd(TEMPLATE, "192.0.2.1 192.0.2.2", "lab.example", "");
    assert_eq!(
        text,
        "interface\teth0\nopt\tdns\t192.0.2.1 192.0.2.2 8.8.8.8\nopt\tdomain\tlab.example\n\
         opt\tlease\t864000\n"
    );
}

#[test]
fn leases_are_short_until_the_network_has_told() {
    let text = udhcpd(TEMPLATE, "", "", "");
    assert_eq!(text, "interface\teth0\nopt\tdns\t 8.8.8.8\nopt\tlease 20\nmin_lease 20\n");
}

#[test]
fn a_hostile_networks_words_stay_out() {
    let text = udhcpd(TEMPLATE, "192.0.2.1", "x/;w /etc/passwd", "a\nnotify_file /x");
    assert!(!text.contains("passwd") && !text.contains("notify_file"), "{text}");
    assert!(text.contains("192.0.2.1 8.8.8.8"), "{text}");
}

/// What `import` tells UCI for a guest of `role` with these files in its share.
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
