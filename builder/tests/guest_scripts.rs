//! The guest's shell scripts, run under BusyBox (or the host's `sh`, where it has none) in a copy of the
//! guest's folders: `/etc`, `/run`, `/sys` and the others lie in a temporary folder, and the programs that
//! would change the machine are functions that write down how they were called. What needs a kernel is
//! tested by `cargo xtask boot-test`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Programs that change the machine: they only write down how they were called.
const STUBS: &str = "
for program in ip modprobe mount umount renice dmesg iw wpa_cli hostapd_cli readlink; do
	eval \"$program() { echo \\\"$program \\$*\\\" >>HERE/calls; }\"
done
sysctl() { ! grep -q 'ip_forward *= *1$' \"$3\" || echo 1 >HERE/proc/sys/net/ipv4/ip_forward; }
";

/// Refuses rules with the word BAD, as iptables-restore refuses what it does not know.
const IPTABLES: &str = "#!/bin/sh
rules=$(cat)
echo \"${0##*/} $*
$rules
--\" >>HERE/filter
case $rules in *BAD*) echo \"${0##*/}: line 3 failed\" >&2; exit 1 ;; esac
";

/// A guest's folders, with overlays laid over each other.
struct Guest {
    folder: tempfile::TempDir,
}

impl Guest {
    /// A guest of these overlays, with an empty configuration.
    fn new(overlays: &[&str]) -> Self {
        let guest = Self { folder: tempfile::tempdir().unwrap() };
        for place in [
            "run/sv",
            "run/wifibox",
            "run/net",
            "tmp",
            "var/log",
            "var/lib/misc",
            "proc/self",
            "proc/sys/kernel",
            "proc/sys/net/ipv4",
            "proc/sys/net/ipv6/conf/all",
            "proc/sys/net/ipv6/conf/default",
            "proc/net",
            "sys/class/net/eth0",
            "sys/class/net/wlan0",
            "media/etc",
            "bin",
        ] {
            fs::create_dir_all(guest.path(place)).unwrap();
        }
        for (name, text) in [
            ("proc/uptime", "100.00 90.00\n"),
            ("proc/mounts", "tmpfs /var tmpfs rw 0 0\n"),
            ("proc/net/arp", "IP address HW type Flags HW address Mask Device\n"),
            ("proc/meminfo", "MemTotal: 94208 kB\nMemFree: 1 kB\nMemAvailable: 50000 kB\n"),
            ("etc/fstab", ""),
            ("etc/passwd", "root::0:0:root:/root:/bin/sh\n"),
            ("etc/group", "root:x:0:\nwheel:x:10:\nnogroup:x:65534:\n"),
            ("etc/wifibox/modules", "9p\n"),
            ("etc/wifibox/build-id", "0123abcd\n"),
            ("console", ""),
            ("calls", ""),
            ("filter", ""),
        ] {
            guest.put(name, text);
        }
        for overlay in overlays {
            guest.lay(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays").join(overlay), "");
        }
        let functions = fs::read_to_string(guest.path("etc/wifibox/functions")).unwrap();
        guest.put("etc/wifibox/functions", &(functions + &STUBS.replace("HERE", &guest.here())));
        for name in ["iptables-restore", "ip6tables-restore", "iptables"] {
            let text = IPTABLES.replace("HERE", &guest.here());
            guest.put(&format!("bin/{name}"), &text);
            fs::set_permissions(
                guest.path(&format!("bin/{name}")),
                PermissionsExt::from_mode(0o755),
            )
            .unwrap();
        }
        guest
    }

    /// Copies an overlay's folder with all its paths moved below this one's.
    fn lay(&self, from: &Path, to: &str) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let place = if to.is_empty() { name.to_owned() } else { format!("{to}/{name}") };
            if path.is_dir() {
                self.lay(&path, &place);
                continue;
            }
            self.put(&place, &relocate(&fs::read_to_string(&path).unwrap(), &self.here()));
            fs::set_permissions(self.path(&place), PermissionsExt::from_mode(0o755)).unwrap();
        }
    }

    fn here(&self) -> String {
        self.folder.path().to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&text).replace(&self.here(), "")
    }

    /// A command that runs a script with the guest's functions at hand.
    fn command(&self, script: &str) -> Command {
        let script = format!(
            "config={0}/media/etc\n. {0}/etc/wifibox/functions\n{1}",
            self.here(),
            relocate(script, &self.here())
        );
        let mut command = shell();
        command
            .arg("-c")
            .arg(script)
            .env("PATH", format!("{}/bin:{}", self.here(), std::env::var("PATH").unwrap()));
        command
    }

    /// What a script prints; it must not complain.
    fn run(&self, script: &str) -> String {
        let Output { status, stdout, stderr } = self.command(script).output().unwrap();
        let errors = String::from_utf8_lossy(&stderr);
        assert!(status.success() && errors.is_empty(), "{status}: {errors}");
        String::from_utf8(stdout).unwrap().replace(&self.here(), "")
    }

    /// The lines of the console, without the guest's name before them.
    fn console(&self) -> Vec<String> {
        let text = self.read("console");
        text.lines().map(|line| line.trim_start_matches("wifibox: ").to_owned()).collect()
    }

    /// How programs were called, by their first word.
    fn calls(&self, program: &str) -> Vec<String> {
        let text = self.read("calls");
        let lines = text.lines().filter(|line| line.split(' ').next() == Some(program));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Configures the interfaces by this interfaces.conf: how `ip` was called, and who asks for DHCP.
    fn interfaces(&self, text: &str) -> (Vec<String>, String) {
        self.put("media/etc/interfaces.conf", text);
        self.run(". /etc/wifibox/network");
        let mut calls = self.calls("ip");
        assert_eq!(calls.remove(0), "ip link set dev lo up");
        (calls, self.read("run/wifibox/dhcp"))
    }
}

/// BusyBox's shell, or else the host's.
fn shell() -> Command {
    let mut busybox = Command::new("busybox");
    if busybox.arg("true").output().is_ok_and(|output| output.status.success()) {
        let mut command = Command::new("busybox");
        command.arg("sh");
        return command;
    }
    Command::new("sh")
}

/// Moves the absolute paths of a script below a folder.
fn relocate(text: &str, here: &str) -> String {
    let mut moved = String::new();
    for (at, character) in text.char_indices() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back().unwrap_or(' ');
        let begins = !before.is_alphanumeric() && !"./}*".contains(before);
        let ours = ["etc", "run", "sys", "proc", "var", "tmp", "media"].iter().any(|name| {
            rest.strip_prefix('/').is_some_and(|rest| {
                rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['/', ' ', '\n']))
            })
        });
        if begins && rest.starts_with("/dev/console") {
            moved.push_str(here);
            moved.push_str("/console #");
        } else if begins && ours {
            moved.push_str(here);
        }
        moved.push(character);
    }
    // The console is a file here, to which everything is added.
    moved.replace(&format!(">{here}/console #/dev/console"), &format!(">>{here}/console"))
}

const STATION: &[&str] =
    &["common/all", "common/root", "station/root", "uds_passthru/root", "forwarding/root"];

fn rules(forward: &str) -> String {
    format!("*filter\n:FORWARD ACCEPT [0:0]\n{forward}\nCOMMIT\n")
}

/// Runs the whole of /etc/rc.
fn boot(guest: &Guest) {
    let rc = guest.read("etc/rc");
    guest.run(&rc.replace("mkdir /run/lock /run/sv /run/wifibox", ""));
}

mod filter {
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
}

mod cards {
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
            fs::create_dir_all(
                guest.path(&format!("sys/bus/pci/devices/0000:00:{slot}.0/net/{name}")),
            )
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
}

mod interfaces {
    use super::*;

    const ADDRESS: [&str; 2] =
        ["ip link set dev eth0 up", "ip addr add 10.0.0.1/255.255.255.0 dev eth0"];

    #[test]
    fn the_netmask_may_come_first() {
        let guest = Guest::new(STATION);
        let (calls, dhcp) = guest.interfaces(
            "iface eth0 inet static\n  netmask 255.255.255.0\n  address 10.0.0.1\niface wlan0 inet dhcp\n",
        );
        assert_eq!(calls[..2], ADDRESS);
        assert_eq!(dhcp, "wlan0\n");
        assert!(guest.console().is_empty(), "{:?}", guest.console());
    }

    #[test]
    fn line_ends_and_comments_are_as_people_write_them() {
        let guest = Guest::new(STATION);
        let (calls, dhcp) = guest.interfaces(
            "auto eth0 wlan0 # both\r\niface eth0 inet static # the host\r\n\taddress 10.0.0.1 # ours\r\n\
             \tnetmask 255.255.255.0\t# small\r\n\tup echo '#1' >/dev/null\r\niface wlan0 inet dhcp",
        );
        assert_eq!(calls[..2], ADDRESS);
        assert_eq!(dhcp, "wlan0\n");
        assert!(guest.console().is_empty(), "{:?}", guest.console());
    }

    #[test]
    fn stanzas_inherit_and_files_are_sourced() {
        let guest = Guest::new(STATION);
        guest.put("media/etc/more/1.conf", "iface wlan0\n\tuse dhcp\n\tmtu 1400");
        let (calls, dhcp) = guest.interfaces(
            "template host\n\taddress 10.0.0.1\n\tnetmask 255.255.255.0\niface eth0 inherits host\n\
             source more/*.conf\niface eth0\n\tgateway 10.0.0.9\n",
        );
        assert_eq!(
            calls,
            [
                ADDRESS[0],
                ADDRESS[1],
                "ip route add default via 10.0.0.9 dev eth0",
                "ip link set dev wlan0 mtu 1400 up",
            ]
        );
        assert_eq!(dhcp, "wlan0\n");
        assert!(guest.console().is_empty(), "{:?}", guest.console());
    }

    #[test]
    fn any_interface_may_ask_for_an_address() {
        let guest = Guest::new(STATION);
        let (_, dhcp) = guest.interfaces(
            "auto lan7\niface eth0 inet dhcp\niface wlan0 inet dhcp\niface wlan0 inet6 auto\n",
        );
        assert_eq!(dhcp, "eth0\nwlan0\n");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let guest = Guest::new(STATION);
        guest.interfaces(
            "adress 1.2.3.4\niface eth0 inet static\n\taddress 10.0.0.1/24\n\tadress 10.0.0.2\n\
             \twpa-ssid x\niface wlan0 inet ppp\niface wlan0 inet6 dhcp\nsource nothing.conf\n",
        );
        assert_eq!(
            guest.console(),
            [
                "interfaces.conf: 'adress 1.2.3.4' is not understood",
                "interfaces.conf: 'ppp' of the interface wlan0 is not understood",
                "interfaces.conf: there is no 'nothing.conf' on the share",
                "interfaces.conf, eth0: 'adress 10.0.0.2' is not understood",
                "interfaces.conf, eth0: 'wpa-ssid x' is not understood",
                "interfaces.conf, wlan0: DHCP for IPv6 takes a guest with the feature ipv6",
            ]
        );
    }

    #[test]
    fn static_name_servers_reach_the_host() {
        let guest = Guest::new(STATION);
        guest.put("media/etc/udhcpd.conf", "interface eth0\nopt dns %%DNS%% 8.8.8.8");
        guest.interfaces(
            "iface eth0 inet static\n  address 10.0.0.1/24\niface wlan0 inet static\n  \
             address 192.0.2.7/24\n  dns-nameservers 192.0.2.1 192.0.2.2 # ours\n  dns-search lab.example\n",
        );
        assert_eq!(
            guest.read("tmp/resolv.conf"),
            "search lab.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"
        );
        assert!(guest.read("tmp/udhcpd.conf").contains("opt dns 10.0.0.1 192.0.2.2 8.8.8.8\n"));
        assert!(guest.read("filter").contains("--dport 53 -j DNAT --to-destination 192.0.2.1"));
    }
}

mod leases {
    use super::*;

    const TEMPLATE: &str = "# comment\ninterface\teth0\nopt\tsubnet\t255.255.255.0\nopt\tdns\t%%DNS%%\n\
                            opt\tdomain\t%%DOMAIN%% # theirs\nopt\trouter\t10.0.0.1";

    /// /tmp/udhcpd.conf after a network has told this.
    fn told(template: &str, dns: &str, domain: &str, address: bool) -> (String, Guest) {
        let guest = Guest::new(STATION);
        guest.put("media/etc/udhcpd.conf", template);
        guest.put("run/wifibox/dhcp", "wlan0\n");
        if address {
            guest.put("run/wifibox/address.eth0", "10.0.0.1\n");
        }
        guest.run(&format!(
            ". /etc/wifibox/propagate; note wlan0.4 '{dns}' '{domain}' ''; propagate"
        ));
        (guest.read("tmp/udhcpd.conf"), guest)
    }

    #[test]
    fn the_last_line_counts_also_without_an_end() {
        for template in [TEMPLATE.to_owned(), TEMPLATE.replace('\n', "\r\n")] {
            let (text, guest) = told(&template, "192.0.2.1", "lab.example", true);
            // Comments leave empty lines, so that the numbers of lines stay.
            assert_eq!(
                text,
                "\ninterface\teth0\nopt\tsubnet\t255.255.255.0\nopt\tdns\t10.0.0.1\n\
                 opt\tdomain\tlab.example\nopt\trouter\t10.0.0.1\n"
            );
            let script = guest.read("etc/sv/udhcpd").replace("exec udhcpd", "exec true");
            guest.run(&script);
            let last = guest.read("run/sv/udhcpd.conf");
            assert!(last.contains("router\t10.0.0.1\nlease_file "), "{last:?}");
        }
    }

    #[test]
    fn the_guest_is_the_hosts_name_server_and_asks_that_of_each_network() {
        let (text, guest) = told(TEMPLATE, "192.0.2.1 192.0.2.2", "", true);
        assert!(text.contains("opt\tdns\t10.0.0.1 192.0.2.2\n"), "{text}");
        guest.run(". /etc/wifibox/propagate; note wlan0.4 '198.51.100.1' '' ''; propagate");
        let text = guest.read("filter");
        let targets: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("-p udp"))
            .filter_map(|line| line.rsplit(' ').next())
            .collect();
        assert_eq!(targets, ["192.0.2.1", "198.51.100.1"]);
        // Whatever the host had asked there, the chain is made anew.
        assert_eq!(text.matches("iptables-restore -n\n*nat\n:WIFIBOX-DNS - [0:0]\n").count(), 2);
        // Out of the network there is nobody to ask.
        guest.run(". /etc/wifibox/propagate; forget wlan0.4; propagate");
        assert!(guest.read("filter").ends_with("*nat\n:WIFIBOX-DNS - [0:0]\nCOMMIT\n--\niptables -t nat -C PREROUTING -i eth0 -d 10.0.0.1 -j WIFIBOX-DNS\n\n--\n"), "{}", guest.read("filter"));
    }

    #[test]
    fn without_an_address_of_its_own_it_names_the_networks_servers() {
        let (text, _) = told(TEMPLATE, "192.0.2.1 192.0.2.2", "", false);
        assert!(text.contains("opt\tdns\t192.0.2.1 192.0.2.2\n"), "{text}");
    }

    #[test]
    fn a_hostile_networks_words_stay_out() {
        let (text, guest) = told(TEMPLATE, "192.0.2.1;reboot", "x/;w /etc/passwd", true);
        assert!(!text.contains("passwd") && !text.contains("reboot"), "{text}");
        assert!(!guest.read("filter").contains("reboot"));
    }

    #[test]
    fn ipv6_is_announced_as_far_as_it_leads() {
        const RADVD: &str = "interface eth0\n{\n\tAdvSendAdvert on;\n\tAdvManagedFlag on;\n\
                             \tRDNSS %%DNS%% {\n\t};\n};\n";
        let guest = Guest::new(STATION);
        guest.put("media/etc/radvd.conf", RADVD);
        guest.put("run/wifibox/dhcp", "wlan0\n");
        let zero = "0".repeat(32);
        guest.put(
            "proc/net/ipv6_route",
            &format!("{zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200 lo\n"),
        );
        guest.run(". /etc/wifibox/propagate; recall; fill_radvd");
        let text = guest.read("tmp/radvd.conf");
        assert!(text.contains("AdvSendAdvert on;AdvDefaultLifetime 0;"), "{text}");
        assert!(!text.contains("Managed") && !text.contains("RDNSS"), "{text}");
        let router = format!("fe80{}1", "0".repeat(27));
        guest.put(
            "proc/net/ipv6_route",
            &format!("{zero} 00 {zero} 00 {router} 00000400 1 0 00000003    wlan0\n"),
        );
        guest.run(". /etc/wifibox/propagate; note wlan0.ra 2001:db8::1 '' ''; recall; fill_radvd");
        let text = guest.read("tmp/radvd.conf");
        assert!(!text.contains("DefaultLifetime"), "{text}");
        assert!(text.contains("RDNSS 2001:db8::1 {"), "{text}");
    }
}

mod daemons {
    use super::*;

    #[test]
    fn groups_that_the_guest_lacks_are_made() {
        let guest = Guest::new(STATION);
        let file = "ctrl_interface=DIR=/run/wpa GROUP=netdev\r\nctrl_interface_group=wheel\n\
                    ctrl_interface_group=0\nctrl_interface_group=staff";
        guest.put("media/etc/conf", file);
        guest.run("file=/media/etc/conf; . /etc/wifibox/groups; need_groups $file");
        assert_eq!(
            guest.read("run/wifibox/group"),
            "root:x:0:\nwheel:x:10:\nnogroup:x:65534:\nnetdev:x:60001:\nstaff:x:60001:\n"
        );
        assert_eq!(guest.console().len(), 2);
    }

    #[test]
    fn the_recipes_guests_have_the_group_of_freebsds_sample() {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes/guest.yaml");
        let text = fs::read_to_string(recipe).unwrap();
        assert!(text.contains("{ name: wheel, gid: 10 }"));
    }

    /// What uds_passthru starts with this file: the parameters of socat.
    fn passed_on(text: &str) -> String {
        let guest = Guest::new(STATION);
        guest.put("media/etc/uds_passthru.conf", text);
        let script = guest
            .read("etc/sv/uds_passthru")
            .replace("until [ -S \"$1\" ]; do sleep 1; done", "")
            .replace("sleep 2", "exit")
            .replace("ip -4 addr show dev eth0", "eth0");
        let stubs = "eth0() { printf '2: eth0: <UP>\\n    inet 10.0.0.1/24 scope global eth0\\n'; }\n\
                     socat() { echo \"$*\"; }\n";
        let text = guest.run(&(stubs.to_owned() + &script));
        assert!(guest.console().is_empty(), "{:?}", guest.console());
        text
    }

    #[test]
    fn control_sockets_take_the_network_of_eth0_where_none_is_named() {
        let socket =
            "sockets=\"path=/var/run/wpa_supplicant/wlan0,user=root,group=0,mode=770,port=1200\"";
        let expected = "TCP4-LISTEN:1200,bind=10.0.0.1,so-bindtodevice=eth0,range=";
        for (text, range) in [
            (format!("{socket}\n"), "10.0.0.1/24,"),
            (format!("network=10.0.0.1:255.255.255.0\r\n{socket}\r\n"), "10.0.0.1:255.255.255.0,"),
        ] {
            let started = passed_on(&text);
            assert!(started.contains(&format!("{expected}{range}")), "{started}");
        }
    }

    #[test]
    fn the_last_entry_of_forwarding_conf_counts_also_without_an_end() {
        let guest = Guest::new(STATION);
        guest.put(
            "media/etc/forwarding.conf",
            "# comment\nUDP4-RECV:1 UDP4:10.0.0.2:1 # why\r\nA B\nodd\nC D",
        );
        let script = guest.read("etc/sv/forwarding").replace("sleep 2", "exit");
        let mut lines: Vec<String> = guest
            .run(&format!("socat() {{ echo \"$*\"; }}\n{script}"))
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        assert_eq!(lines, ["-ly A B", "-ly C D", "-ly UDP4-RECV:1 UDP4:10.0.0.2:1"]);
        assert_eq!(guest.console().len(), 1, "{:?}", guest.console());
    }

    #[test]
    fn a_wrong_file_and_a_wrong_password_are_said_in_one_line() {
        let guest = Guest::new(STATION);
        let said = "Successfully initialized wpa_supplicant\nLine 4: Invalid passphrase length 3 (expected: 8..63) '\"abc\"'.\n\
                    Line 4: failed to parse psk '\"abc\"'.\nLine 6: failed to parse network block.\n\
                    wlan0: CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"home\" auth_failures=1 duration=10 reason=WRONG_KEY\n\
                    wlan0: CTRL-EVENT-SSID-TEMP-DISABLED id=0 ssid=\"home\" auth_failures=2 duration=20 reason=WRONG_KEY\n";
        guest.put("run/said", said);
        let log = guest.run(". /etc/wifibox/hear; hear wpa_supplicant /etc/w.conf </run/said");
        assert!(!log.contains("\"abc\"'.\nLine 6"), "{log}");
        assert!(log.contains("failed to parse psk\n"), "{log}");
        assert!(
            guest
                .read("run/sv/wpa_supplicant.reason")
                .starts_with("/etc/w.conf, line 4: Invalid passphrase")
        );
        assert_eq!(guest.console(), ["the password of the network \"home\" is wrong"]);
        guest.run("explain wpa_supplicant /etc/w.conf; explain wpa_supplicant /etc/w.conf");
        assert_eq!(guest.console().len(), 2, "said once: {:?}", guest.console());
        assert!(guest.console()[1].contains("/etc/w.conf, line 4"), "{:?}", guest.console());
    }

    #[test]
    fn a_daemons_last_word_in_the_log_is_its_reason() {
        let guest = Guest::new(STATION);
        guest.put(
            "var/log/messages",
            "Nov 28 17:00:01 box daemon.info radvd[7]: version 2.19 started\n\
             Nov 28 17:00:01 box daemon.err radvd[7]: syntax error in /tmp/radvd.conf, line 5: oops\n",
        );
        guest.run("explain radvd /media/etc/radvd.conf");
        assert!(
            guest.console()[0].starts_with(
                "radvd does not run: syntax error in /media/etc/radvd.conf, line 5: oops"
            ),
            "{:?}",
            guest.console()
        );
    }

    /// How long a service waits that died young so often, in seconds (sleeping is skipped).
    fn delay(young: u32, change: bool) -> u32 {
        let guest = Guest::new(STATION);
        guest.put("media/etc/file", "");
        guest.put("run/sv/name", &format!("999999 99 {young} 4\n"));
        guest.put("run/sv/name.read", "");
        let touch = if change { "touch -d 2050-01-01 /media/etc/file" } else { ":" };
        guest.run(&format!(
            "sleep() {{ echo z >>/run/slept; {touch}; }}; service name /media/etc/file"
        ));
        assert!(guest.read("run/sv/name").ends_with(&format!(" {} 5\n", young + 1)));
        fs::read_to_string(guest.path("run/slept")).unwrap().lines().count() as u32
    }

    #[test]
    fn delays_grow_and_end_when_the_file_is_changed() {
        assert_eq!(
            [0, 1, 2, 3, 5, 6, 50].map(|young| delay(young, false)),
            [3, 6, 12, 24, 96, 300, 300]
        );
        assert_eq!(delay(50, true), 1);
    }

    #[test]
    fn what_a_killed_service_has_started_goes_with_it() {
        let guest = Guest::new(STATION);
        let body = guest.here();
        let script = format!(
            ". {body}/etc/wifibox/functions\nservice name\nsleep 600 &\necho $! >{body}/child.new\n\
             mv {body}/child.new {body}/child\nwait\n"
        );
        let pid_of = |path: &Path| -> i32 {
            let end = Instant::now() + Duration::from_secs(10);
            loop {
                let text = fs::read_to_string(path).unwrap_or_default();
                if let Some(pid) = text.split_whitespace().next().and_then(|word| word.parse().ok())
                {
                    return pid;
                }
                assert!(Instant::now() < end, "no {}", path.display());
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let start = || {
            use std::os::unix::process::CommandExt;
            // As init does it.
            shell().arg("-c").arg(&script).process_group(0).spawn().unwrap()
        };
        let mut first = start();
        let orphan = pid_of(&guest.path("child"));
        first.kill().unwrap();
        first.wait().unwrap();
        fs::remove_file(guest.path("child")).unwrap();
        guest.put("proc/uptime", "200.00 90.00\n");
        let mut second = start();
        let child = pid_of(&guest.path("child"));
        let dead = |pid: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        let end = Instant::now() + Duration::from_secs(5);
        while !dead(orphan) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let survived = !dead(orphan);
        for pid in [second.id() as i32, child, orphan] {
            let _ = Command::new("kill").arg("-9").arg(pid.to_string()).output();
        }
        second.wait().unwrap();
        assert!(!survived, "the child of a killed service lives on");
    }
}

mod status {
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
        let dead =
            "wpa_cli() { :; }; ip() { :; }; iw() { :; }; dmesg() { :; }; readlink() { :; }\n";
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
                vec![("run/wifibox/dhcp-answer", "wlan0: no DHCP server answers")],
                "wlan0: no DHCP server answers",
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
}

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
    assert_eq!(guest.read("run/sv/wpa_supplicant"), "0 -60 0 1\n");
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
