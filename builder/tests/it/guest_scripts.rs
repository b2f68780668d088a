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
const IPTABLES: &str = "\
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
            guest.program(name, &IPTABLES.replace("HERE", &guest.here()));
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

    /// A program of the guest: a shell script.
    fn program(&self, name: &str, script: &str) {
        let name = format!("bin/{name}");
        self.put(&name, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(&name), PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// More functions in the place of programs.
    fn stub(&self, text: &str) {
        let path = self.path("etc/wifibox/functions");
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, old + text).unwrap();
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

    /// Runs a script and returns its output; it must not complain.
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

mod applets;
mod cards;
mod daemons;
mod filter;
mod interfaces;
mod leases;
mod pinned;
mod status;
mod variables;
mod whole;

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
