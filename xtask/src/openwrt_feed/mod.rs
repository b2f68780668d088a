//! `cargo xtask openwrt-feed OUT`: a mirror with one release of OpenWrt, for booting a guest of the base
//! `openwrt` where OpenWrt's servers are out of reach.
//!
//! Layout, indexes, packages and signatures are OpenWrt's, of either format: opkg with usign (24.10), apk v3
//! (25.12). The programs in the packages are those of a guest on Debian; for OpenWrt's own there are
//! stand-ins in `files`, as much as the guest's services ask of them. The keys are made for each run, and
//! their private parts are kept nowhere.

mod packages;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::lender::Lender;
use packages::Made;
use wifibox_testkit::adbrepo::{self, Package};
use wifibox_testkit::opkgrepo::{self, Ipk, Release};
use wifibox_testkit::{adbkeys, opkgrepo::Signer};

/// Write a feed in OpenWrt's layout, signed, whose programs are those of a guest on Debian.
///
/// OUT/mirror is the mirror. OUT/usign.pub and OUT/apk.pem (apk v3) are the keys for --trust-key, and
/// OUT/keys.yaml has their fingerprints, for the list `keys` of the recipe's repository.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder to write; it must not be there yet.
    out: PathBuf,
    /// The format of the packages.
    #[arg(long, value_enum)]
    format: Format,
    /// The output folder of a guest on Debian with busybox, dnsmasq, hostapd, iw, mke2fs, nft and
    /// wpa_supplicant.
    #[arg(long, value_name = "OUTPUT")]
    from: PathBuf,
    /// The release [default: that of the recipes for the format].
    #[arg(long)]
    release: Option<String>,
}

/// How packages are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// `.ipk`, signed by usign: up to 24.10.
    Opkg,
    /// `.apk` of version 3: from 25.12 on.
    Adb,
}

type Failure = Box<dyn std::error::Error>;

const TARGET: &str = "x86/64";
const ARCHITECTURE: &str = "x86_64";
/// The packages that OpenWrt keeps in the target's feed; the others are in `base`.
const CORE: [&str; 13] = [
    "base-files",
    "firewall4",
    "fstools",
    "jshn",
    "jsonfilter",
    "libc",
    "logd",
    "netifd",
    "procd",
    "ubox",
    "ubus",
    "ubusd",
    "uci",
];

/// Runs the chore.
///
/// # Errors
/// A program is missing in `--from`, or a file cannot be written.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let out = &arguments.out;
    fs::create_dir(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let made = packages::all(&Lender::open(&arguments.from)?)?;
    let mut seed = [0; 8];
    SystemRandom::new().fill(&mut seed).map_err(|_| "the system has no random numbers")?;
    let seed = u64::from_le_bytes(seed);
    let usign = Signer::new(seed);
    fs::write(out.join("usign.pub"), usign.public_key())?;
    let pin = |name: &str, fingerprint: &dyn std::fmt::Display| {
        format!("      - name: {name}\n        fingerprint: {fingerprint}\n")
    };
    let mut pins = pin("usign.pub", &usign.fingerprint());
    let release = |default: &str| arguments.release.clone().unwrap_or_else(|| default.to_owned());
    match arguments.format {
        Format::Opkg => opkg(&release("24.10.8"), &made).publish(&out.join("mirror"), &usign),
        Format::Adb => {
            let apk = adbkeys::Signer::ec(seed);
            fs::write(out.join("apk.pem"), &apk.pem)?;
            pins.push_str(&pin("apk.pem", &apk.fingerprint()));
            adb(&release("25.12.5"), &made, &out.join("mirror"), &apk, &usign)?;
        }
    }
    fs::write(out.join("keys.yaml"), pins)?;
    println!("{}: {} packages", out.display(), made.len());
    Ok(())
}

/// The release for opkg. As OpenWrt's, its indexes do not list the C library.
fn opkg(release: &str, made: &[Made]) -> Release {
    let mut all = Release::new();
    all.release = release.to_owned();
    all.kernel.0 = "6.6.110".to_owned();
    for package in made {
        let ipk = ipk(package);
        match package.name {
            "libc" => all.unlisted.push(ipk),
            name if CORE.contains(&name) => all = all.with("core", [ipk]),
            _ => all = all.with("base", [ipk]),
        }
    }
    all
}

fn ipk(made: &Made) -> Ipk {
    let mut ipk = Ipk::new(made.name, "1-r1", ARCHITECTURE).field("License", "GPL-2.0-only");
    if !made.depends.is_empty() {
        ipk = ipk.field("Depends", &made.depends.join(", "));
    }
    if let Some(account) = made.account {
        ipk = ipk.field("Require-User", account);
    }
    for path in &made.directories {
        ipk = ipk.directory(path, 0o755);
    }
    for (path, mode, content) in &made.files {
        ipk = ipk.file(path, *mode, content.clone());
    }
    for (path, target) in &made.links {
        ipk = ipk.symlink(path, target);
    }
    ipk
}

/// Writes the release for apk v3.
fn adb(
    release: &str,
    made: &[Made],
    mirror: &Path,
    apk: &adbkeys::Signer,
    usign: &Signer,
) -> Result<(), Failure> {
    let (core, base): (Vec<&Made>, Vec<&Made>) =
        made.iter().partition(|package| CORE.contains(&package.name));
    let release_folder = mirror.join("releases").join(release);
    let target = release_folder.join("targets").join(TARGET);
    let feeds = release_folder.join("packages").join(ARCHITECTURE);
    let packages = |list: &[&Made]| list.iter().map(|made| apk_v3(made)).collect::<Vec<_>>();
    adbrepo::publish(&target.join("packages"), &packages(&core), Some(apk));
    adbrepo::publish(&feeds.join("base"), &packages(&base), Some(apk));
    adbrepo::publish(&feeds.join("packages"), &[], Some(apk));
    let kernel = ("6.12.66".to_owned(), "1".to_owned(), "0123456789abcdef".repeat(2));
    let files = BTreeMap::from([(
        "profiles.json".to_owned(),
        opkgrepo::profiles(release, TARGET, ARCHITECTURE, &kernel),
    )]);
    opkgrepo::publish_target(&target, &files, usign);
    Ok(())
}

fn apk_v3(made: &Made) -> Package {
    let mut package = Package::new(made.name, "1-r1");
    for name in &made.depends {
        package = package.depends(name, None);
    }
    if let Some(account) = made.account {
        let path = format!("lib/apk/packages/{}.rusers", made.name);
        package = package.file(&path, 0o644, format!("{account}\n"));
    }
    for path in &made.directories {
        package = package.directory(path);
    }
    for (path, mode, content) in &made.files {
        package = package.file(path, u64::from(*mode), content.clone());
    }
    for (path, target) in &made.links {
        package = package.symlink(path, target);
    }
    package
}
