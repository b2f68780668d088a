//! Packages under Alpine's names for what the installed system lacks, with the programs of a guest on Debian.

use wifibox_testkit::apkrepo::Package;

use super::Failure;
use crate::lender::{LIBRARIES, Lender};

const VERSION: &str = "1-r0";
/// Where the programs look for their extensions.
const EXTENSIONS: &str = "usr/lib/x86_64-linux-gnu/xtables/";
const FIRMWARE: &str = "usr/lib/firmware/regulatory.db";
const STUB: &str = "usr/lib/systemd/boot/efi/linuxx64.efi.stub";
/// Names by which iptables is called.
const IPTABLES: [&str; 6] = [
    "iptables",
    "iptables-restore",
    "iptables-save",
    "ip6tables",
    "ip6tables-restore",
    "ip6tables-save",
];
/// Programs by package, with the path that Alpine has them at.
const PROGRAMS: [(&str, &str, &str); 6] = [
    ("busybox-extras", "busybox", "bin/busybox-extras"),
    ("iptables", "xtables-nft-multi", "usr/sbin/xtables-nft-multi"),
    ("iw", "iw", "usr/sbin/iw"),
    ("radvd", "radvd", "usr/sbin/radvd"),
    ("socat", "socat", "usr/bin/socat"),
    ("wpa_supplicant", "wpa_supplicant", "sbin/wpa_supplicant"),
];

/// All of them; the first has the libraries.
///
/// # Errors
/// `lender` lacks something.
pub fn all(lender: &Lender, efi_stub: Vec<u8>) -> Result<Vec<Package>, Failure> {
    let mut programs = Vec::new();
    let mut packages = Vec::new();
    for (name, program, path) in PROGRAMS {
        let content = lender.program(program)?;
        programs.push(content);
        let package = Package::new(name, VERSION).info("depend", "libraries-lent");
        packages.push(package.file(path, 0o755, content));
    }
    let iptables = packages.iter_mut().find(|package| package.name == "iptables");
    if let Some(iptables) = iptables {
        for (path, content) in lender.below(EXTENSIONS) {
            programs.push(content);
            *iptables = iptables.clone().file(path, 0o644, content);
        }
        // Some go by several names.
        for (path, target) in lender.links_below(EXTENSIONS) {
            *iptables = iptables.clone().symlink(path, target);
        }
        for name in IPTABLES {
            *iptables = iptables.clone().symlink(&format!("usr/sbin/{name}"), "xtables-nft-multi");
        }
    }
    let mut regulatory = Package::new("wireless-regdb", VERSION);
    for (path, content) in lender.below(FIRMWARE) {
        let path = path.replacen("usr/lib", "lib", 1).replace("-debian", "");
        regulatory = regulatory.file(&path, 0o644, content);
    }
    packages.push(regulatory);
    packages.push(Package::new("systemd-efistub", VERSION).file(STUB, 0o644, efi_stub));
    // Where the programs name their linker.
    let mut libraries = Package::new("libraries-lent", VERSION).symlink("lib64", "lib");
    for (name, content) in lender.libraries(&programs)? {
        let is_linker = name.starts_with("ld-linux");
        let folder = if is_linker { "lib/" } else { LIBRARIES };
        libraries = libraries.file(&format!("{folder}{name}"), 0o755, content);
    }
    packages.insert(0, libraries);
    Ok(packages)
}
