//! Commands that change nothing in the guest, with the reason for each.

use crate::error::Reason;
use crate::eval::{Machine, Run};

/// The reason for commands that act on a running system.
const RUNNING: &str = "it acts on a running system, and none runs";
/// The reason for commands whose result the builder makes itself.
const BUILDER: &str = "the builder makes it for the image";
/// The reason for commands that regenerate caches and indexes.
const CACHE: &str = "it makes an index that programs do without";
/// The reason for commands that keep records for package management.
const NOTES: &str = "it keeps notes for package management only";

/// Commands without an effect.
const NOTHING: &[(&str, &str)] = &[
    ("invoke-rc.d", RUNNING),
    ("deb-systemd-invoke", RUNNING),
    ("systemctl", RUNNING),
    ("service", RUNNING),
    ("rc-service", RUNNING),
    ("start-stop-daemon", RUNNING),
    ("udevadm", RUNNING),
    ("kill", RUNNING),
    ("killall", RUNNING),
    ("pkill", RUNNING),
    ("sysctl", RUNNING),
    ("modprobe", RUNNING),
    ("insmod", RUNNING),
    ("rmmod", RUNNING),
    ("telinit", RUNNING),
    ("initctl", RUNNING),
    ("sync", RUNNING),
    ("sleep", RUNNING),
    ("logger", RUNNING),
    ("dbus-send", RUNNING),
    ("apparmor_parser", RUNNING),
    ("aa-status", RUNNING),
    ("aa-enabled", RUNNING),
    ("aa-exec", RUNNING),
    ("busctl", RUNNING),
    ("loginctl", RUNNING),
    ("rfkill", RUNNING),
    ("restorecon", "labels of SELinux are not kept"),
    ("chcon", "labels of SELinux are not kept"),
    ("selinuxenabled", "labels of SELinux are not kept"),
    ("update-initramfs", BUILDER),
    ("depmod", BUILDER),
    ("mkinitfs", BUILDER),
    ("linux-update-symlinks", BUILDER),
    ("linux-check-removal", BUILDER),
    ("linux-run-hooks", BUILDER),
    ("linux-version", BUILDER),
    ("update-grub", BUILDER),
    ("ldconfig", CACHE),
    ("mandb", CACHE),
    ("update-mime-database", CACHE),
    ("update-desktop-database", CACHE),
    ("update-icon-caches", CACHE),
    ("gtk-update-icon-cache", CACHE),
    ("fc-cache", CACHE),
    ("install-info", CACHE),
    ("update-mime", CACHE),
    ("update-menus", CACHE),
    ("update-fonts-dir", CACHE),
    ("update-fonts-scale", CACHE),
    ("update-fonts-alias", CACHE),
    ("glib-compile-schemas", CACHE),
    ("selinux_compile_fcontexts", CACHE),
    ("gdk-pixbuf-query-loaders", CACHE),
    ("py3compile", "it compiles Python's files, which Python does without"),
    ("py3clean", "it removes Python's compiled files, which there are none of"),
    ("pycompile", "it compiles Python's files, which Python does without"),
    ("pypy3compile", "it compiles Python's files, which Python does without"),
    ("rpm", NOTES),
    ("dpkg-trigger", NOTES),
    ("ucfq", NOTES),
    ("update-binfmts", NOTES),
];

pub(super) fn run(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> Run<Option<i32>> {
    if let Some((_, why)) = NOTHING.iter().find(|(known, _)| *known == name) {
        // Questions to a running system have the answer that none runs.
        let asks = ["is-active", "is-enabled", "is-system-running", "status", "show", "settle"];
        let first = arguments.iter().find(|argument| !argument.starts_with('-'));
        let asked = first.is_some_and(|first| asks.contains(&first.as_str()));
        machine.nothing(why)?;
        let status = match name {
            "systemctl" if asked => 3,
            "selinuxenabled" | "aa-status" | "aa-enabled" | "modprobe" | "dbus-send" => 1,
            _ => 0,
        };
        return Ok(Some(status));
    }
    let host = match name {
        "uname" => return uname(machine, arguments).map(Some),
        "perl" => return perl(machine, arguments).map(Some),
        "ischroot" => return Ok(Some(0)),
        "date" | "hostname" | "hostnamectl" | "who" | "ps" | "pidof" | "pgrep" | "nproc"
        | "free" | "mount" | "umount" | "df" | "blkid" | "lsblk" | "lspci" | "lsmod" | "ip"
        | "ifconfig" | "dmidecode" | "tty" | "uptime" | "findmnt" | "mountpoint" | "lscpu"
        | "domainname" | "dnsdomainname" | "uuidgen" => name,
        _ => return Ok(None),
    };
    machine.refuse(Reason::Host(host.to_owned()))
}

/// `uname`: of the guest's kernel, where that is known.
fn uname(machine: &mut Machine<'_>, arguments: &[String]) -> Run {
    let machine_name = match machine.world.architecture.as_str() {
        "amd64" | "x86_64" => "x86_64",
        "arm64" | "aarch64" => "aarch64",
        other => return machine.unsupported(format!("uname on the architecture {other}")),
    };
    let text = match arguments.first().map(String::as_str) {
        None | Some("-s") => "Linux".to_owned(),
        Some("-m" | "-p" | "-i") => machine_name.to_owned(),
        Some("-o") => "GNU/Linux".to_owned(),
        Some("-r") => match machine.world.kernel.clone() {
            Some(release) => release,
            None => return machine.refuse(Reason::Host("uname -r".to_owned())),
        },
        Some(other) => return machine.refuse(Reason::Host(format!("uname {other}"))),
    };
    machine.out(&format!("{text}\n"))?;
    Ok(0)
}

/// `perl -e ""` asks whether Perl is there.
fn perl(machine: &mut Machine<'_>, arguments: &[String]) -> Run {
    if !matches!(arguments, [e, text] if e == "-e" && matches!(text.trim(), "" | "1" | "exit 0")) {
        return machine.unsupported("a program in Perl");
    }
    match super::program(machine, "perl")? {
        Some(_) => Ok(0),
        None => machine.fail(127, "perl: not found"),
    }
}
