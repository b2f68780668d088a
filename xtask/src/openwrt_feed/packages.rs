//! The packages of the feed: Debian's programs under the names of OpenWrt's packages, and stand-ins of
//! our own for what only OpenWrt has.

use super::Failure;
use crate::lender::Lender;

/// A package, whatever its format will be.
#[derive(Default)]
pub struct Made {
    /// Its name.
    pub name: &'static str,
    /// Its dependencies.
    pub depends: Vec<&'static str>,
    /// An account that it requires: `user=uid:group=gid`.
    pub account: Option<&'static str>,
    /// Files by path: mode and content.
    pub files: Vec<(String, u32, Vec<u8>)>,
    /// Links by path.
    pub links: Vec<(String, String)>,
    /// Empty directories.
    pub directories: Vec<&'static str>,
}

/// The files of our own: `own!("PACKAGE": "PATH", ...)`.
macro_rules! own {
    ($package:literal: $($path:literal),+) => {
        ($package, &[$(($path, include_str!(concat!("files/", $package, "/", $path)))),+])
    };
}

/// Files of a package by path.
type Own = (&'static str, &'static [(&'static str, &'static str)]);

const OWN: [Own; 10] = [
    own!("base-files": "etc/passwd", "etc/group", "etc/shadow", "etc/rc.common",
        "etc/sysctl.d/10-default.conf", "etc/init.d/boot", "etc/init.d/sysctl", "lib/functions.sh"),
    own!("procd": "sbin/init", "etc/inittab", "lib/procd/rcS", "lib/procd/supervise",
        "lib/functions/procd.sh"),
    own!("ubox": "sbin/kmodloader"),
    own!("logd": "etc/init.d/log"),
    own!("ubus": "bin/ubus"),
    own!("uci": "sbin/uci"),
    own!("netifd": "etc/init.d/network", "lib/netifd/up", "lib/netifd/dhcp"),
    own!("firewall4": "etc/init.d/firewall", "lib/firewall4/device"),
    own!("dnsmasq": "etc/init.d/dnsmasq"),
    own!("wpad-mbedtls": "etc/init.d/wpad"),
];

/// Names that the guest asks for, and of which it uses nothing here.
const EMPTY: [&str; 5] = ["fstools", "jshn", "jsonfilter", "ubusd", "urngd"];

/// The regulatory database, which Debian's kernel takes as Debian has signed it only.
const DATABASE: [&str; 2] = ["regulatory.db", "regulatory.db.p7s"];

/// Debian's programs, by the package of OpenWrt that has them.
const LENT: [(&str, &[&str]); 6] = [
    ("busybox", &["bin/busybox"]),
    ("dnsmasq", &["usr/sbin/dnsmasq"]),
    ("e2fsprogs", &["usr/sbin/mke2fs"]),
    ("iw", &["usr/sbin/iw"]),
    ("nftables-json", &["usr/sbin/nft"]),
    ("wpad-mbedtls", &["usr/sbin/hostapd", "usr/sbin/wpa_supplicant"]),
];

/// The libraries of the C library itself; the others are in their own package.
const LIBC: [&str; 4] = ["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libresolv.so.2"];
const OTHER_LIBRARIES: &str = "libdebian";

/// All packages; the first is the C library.
///
/// # Errors
/// `lender` lacks a program or a library.
pub fn all(lender: &Lender) -> Result<Vec<Made>, Failure> {
    let mut made = vec![Made { name: "libc", ..Made::default() }];
    made.push(Made { name: OTHER_LIBRARIES, depends: vec!["libc"], ..Made::default() });
    let mut programs = Vec::new();
    for (name, files) in OWN {
        let package = of(&mut made, name);
        for (path, text) in files {
            package.files.push(((*path).to_owned(), mode(path, text), text.as_bytes().to_vec()));
        }
    }
    for (name, files) in LENT {
        let package = of(&mut made, name);
        package.depends.extend(["libc", OTHER_LIBRARIES]);
        for path in files {
            let program = lender.program(path.rsplit('/').next().unwrap_or(path))?;
            package.files.push(((*path).to_owned(), 0o755, program.to_vec()));
            programs.push(program);
        }
    }
    for name in DATABASE {
        let file = (format!("lib/firmware/{name}"), 0o644, lender.firmware(name)?.to_vec());
        of(&mut made, "wireless-regdb").files.push(file);
    }
    for name in EMPTY {
        let about = format!("{name}: a stand-in without content, made by a test\n").into_bytes();
        let file = (format!("usr/share/stand-ins/{name}"), 0o644, about);
        of(&mut made, name).files.push(file);
    }
    for (name, library) in lender.libraries(&programs)? {
        let libc = LIBC.contains(&name.as_str());
        let folder = if libc { "lib" } else { "usr/lib" };
        let file = (format!("{folder}/{name}"), 0o755, library.to_vec());
        of(&mut made, if libc { "libc" } else { OTHER_LIBRARIES }).files.push(file);
    }
    let link = |path: &str, target: &str| (path.to_owned(), target.to_owned());
    let applets = lender.applets();
    let applets = applets.iter().map(|name| link(&format!("bin/{name}"), "busybox"));
    of(&mut made, "busybox").links.extend(applets);
    let base = of(&mut made, "base-files");
    base.links.extend([link("var", "tmp"), link("lib64", "lib")]);
    base.directories = vec!["dev", "mnt", "overlay", "proc", "rom", "root", "run", "sys", "tmp"];
    let loaders = ["insmod", "lsmod", "modprobe", "rmmod"];
    let loaders = loaders.map(|name| link(&format!("sbin/{name}"), "../bin/busybox"));
    of(&mut made, "ubox").links.extend(loaders);
    // The kernel calls it by this name when its host asks it to power off.
    of(&mut made, "busybox").links.push(link("sbin/poweroff", "../bin/busybox"));
    of(&mut made, "e2fsprogs").links.push(link("usr/sbin/mkfs.ext4", "mke2fs"));
    of(&mut made, "dnsmasq").account = Some("dnsmasq=453:dnsmasq=453");
    for (name, needs) in [
        ("base-files", &["libc", "busybox", "procd"][..]),
        ("firewall4", &["nftables-json", "uci"]),
        ("netifd", &["busybox", "uci", "ubus"]),
        ("procd", &["busybox", "ubox"]),
    ] {
        of(&mut made, name).depends.extend_from_slice(needs);
    }
    Ok(made)
}

/// The package `name`, which is made if it is new.
fn of<'a>(made: &'a mut Vec<Made>, name: &'static str) -> &'a mut Made {
    let at = made.iter().position(|package| package.name == name).unwrap_or_else(|| {
        made.push(Made { name, ..Made::default() });
        made.len() - 1
    });
    &mut made[at]
}

/// Programs are executable, and what has passwords is nobody else's.
fn mode(path: &str, text: &str) -> u32 {
    match path {
        "etc/shadow" => 0o600,
        _ if text.starts_with("#!") => 0o755,
        _ => 0o644,
    }
}
