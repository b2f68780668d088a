//! `cargo xtask adb-feed`: reads a whole feed of apk v3 as a build would, and says what it found.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use wifibox_formats::PublicKey as _;
use wifibox_formats::adb::{AdbError, AdbLimits, Index, Keyring};
use wifibox_ground::digest::Sha256;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_packages::Apk3;

/// Verify an index of apk v3 and every package beside it, and count what is in them.
#[derive(clap::Args)]
pub struct Arguments {
    /// The index: `packages.adb`.
    index: PathBuf,
    /// A file with public keys; all of them are trusted.
    #[arg(long, value_name = "PEM")]
    key: Vec<PathBuf>,
    /// List every member of every package: mode, owner, size, SHA-256 and path.
    #[arg(long)]
    list: bool,
}

type Failure = Box<dyn std::error::Error>;

/// Runs the chore.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut keyring = Keyring::default();
    for file in &arguments.key {
        keyring.extend(Keyring::parse(&file.to_string_lossy(), &std::fs::read(file)?)?);
    }
    let pinned: Vec<_> = keyring.keys().map(|key| key.fingerprint()).collect();
    let limits = AdbLimits::default();
    let name = arguments.index.to_string_lossy();
    let index = Index::read(&name, File::open(&arguments.index)?, &limits, &keyring, &pinned)?;
    println!("{name}: {} packages, signed by {}", index.infos.len(), index.signers().join(", "));
    let folder = arguments.index.parent().unwrap_or(Path::new("."));
    let mut kinds = BTreeMap::new();
    let mut seen = 0u64;
    for package in index.packages() {
        let file = match package.path.as_str() {
            "" => format!("{}.apk", package.full_name()),
            path => path.to_owned(),
        };
        let input = match File::open(folder.join(&file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("{file}: not there");
                continue;
            }
            input => input?,
        };
        let size = input.metadata()?.len();
        if size != package.size {
            println!("{file}: has {size} bytes, the index says {}", package.size);
        }
        let identity = package.identity.as_ref().ok_or("a package without a hash")?;
        let apk = Apk3::open_expected(&file, input, limits, identity)?;
        let own = &apk.control().info.package;
        if (&own.name, &own.version, &own.depends)
            != (&package.name, &package.version, &package.depends)
        {
            println!("{file}: describes itself otherwise than the index does");
        }
        let state = apk.signature_state(&keyring, &pinned);
        let control = apk.read_data(&mut |entry: Entry<'_>| -> Result<(), Box<Problem>> {
            *kinds.entry(entry.kind.describe()).or_insert(0u64) += 1;
            member(entry, arguments.list)
        });
        let control = control.map_err(|problem| problem.0)?;
        let scripts: Vec<&str> = control.scripts.keys().map(String::as_str).collect();
        println!("{file}: {state:?}, scripts: {}", scripts.join(" "));
        seen += 1;
    }
    println!("{seen} packages were read: {kinds:?}");
    Ok(())
}

struct Problem(Failure);

impl From<AdbError> for Box<Problem> {
    fn from(error: AdbError) -> Self {
        Box::new(Problem(error.into()))
    }
}

/// Reads a member to its end.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
fn member(entry: Entry<'_>, list: bool) -> Result<(), Box<Problem>> {
    let what = match entry.kind {
        EntryKind::File { content, .. } => {
            let read =
                Sha256::of_reader(content).map_err(|error| Box::new(Problem(error.into())))?;
            format!("{} {}", read.1, read.0)
        }
        EntryKind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(&target)),
        EntryKind::HardLink(target) => format!("= {target}"),
        other => other.describe().to_owned(),
    };
    if list {
        let (user, group) = (entry.uname.escape_ascii(), entry.gname.escape_ascii());
        println!("{:04o} {user}:{group} {} {what} {}", entry.mode, entry.mtime, entry.path);
    }
    Ok(())
}
