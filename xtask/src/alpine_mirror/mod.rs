//! `cargo xtask alpine-mirror OUT`: packs an installed Alpine into a mirror again, for building and booting a guest
//! of the base `alpine` from real packages where Alpine's servers are out of reach.
//!
//! The packages are made of the installed files by apk's own database, which has the checksum of each
//! ([`installed`]), with the maintainer scripts and triggers that apk keeps. What the installed system lacks of
//! a guest is lent by a guest on Debian ([`stand_ins`]). The accounts that the scripts make, evaluated here, must
//! be those that apk's run of them left in the system ([`accounts`]). The key is made for each run.

mod accounts;
mod installed;
mod pack;
mod stand_ins;

use std::fs;
use std::path::PathBuf;

use ring::rand::{SecureRandom as _, SystemRandom};
use wifibox_formats::apk::signature::Kind;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::Repository;

use crate::lender::Lender;

type Failure = Box<dyn std::error::Error>;

/// The key's file, under the name that signatures have.
const KEY: &str = "alpine-test.rsa.pub";

/// Pack an installed Alpine into a signed mirror again.
///
/// OUT/mirror is the mirror. OUT/alpine-test.rsa.pub is the key for --trust-key, and OUT/keys.yaml has its
/// fingerprint, for the list `keys` of the recipe's repository.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder to write; it must not be there yet.
    out: PathBuf,
    /// The installed system's root, as files.
    #[arg(long, value_name = "FOLDER")]
    root: PathBuf,
    /// The release that the system is of.
    #[arg(long)]
    release: String,
    /// The output folder of a guest on Debian with busybox, iptables' newer variant, iw, radvd, the regulatory
    /// database, socat and wpa_supplicant.
    #[arg(long, value_name = "OUTPUT")]
    from: PathBuf,
    /// The EFI stub of systemd.
    #[arg(long, value_name = "FILE")]
    efi_stub: PathBuf,
}

/// Runs the chore.
///
/// # Errors
/// The database cannot be read, accounts differ, a program is missing in `--from`, or a file cannot be written.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let out = &arguments.out;
    fs::create_dir(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let installed = installed::read(&arguments.root)?;
    let originals = accounts::originals(&arguments.root, &installed)?;
    println!("{}", accounts::compare(&arguments.root, &installed, &originals)?);
    let mut packages = Vec::new();
    for package in &installed {
        let (packed, changed) = pack::pack(&arguments.root, package, &originals)?;
        for path in changed {
            println!("{}: {path} is not as it was packed", package.name());
        }
        packages.push(packed);
    }
    let real = packages.len();
    packages
        .extend(stand_ins::all(&Lender::open(&arguments.from)?, fs::read(&arguments.efi_stub)?)?);
    let lent = packages.len() - real;
    let mut seed = [0; 8];
    SystemRandom::new().fill(&mut seed).map_err(|_| "the system has no random numbers")?;
    let key = SigningKey::generate(KEY, u64::from_le_bytes(seed));
    fs::write(out.join(KEY), key.pem())?;
    let pin = format!("      - name: {KEY}\n        fingerprint: {}\n", key.fingerprint());
    fs::write(out.join("keys.yaml"), pin)?;
    let suite = out.join(format!("mirror/v{}", arguments.release));
    Repository::new(packages).signed(Kind::Rsa256, &key).publish(&suite.join("main/x86_64"));
    Repository::new([]).signed(Kind::Rsa256, &key).publish(&suite.join("community/x86_64"));
    println!("{}: {real} packages of Alpine, {lent} lent", out.display());
    Ok(())
}
