//! Real OpenWrt feeds, which the environment names: run with `--ignored`.
//!
//! `WIFIBOX_OPENWRT_FEEDS` is a folder with feeds somewhere below it and, at its top, the public keys
//! that sign them (`*.pub`). `WIFIBOX_OPENWRT_REFERENCE` is a root file system that opkg and the
//! packages' own scripts made, after the image builder's clean-up; beside it, `REFERENCE.list` has the
//! paths of the packages in it, one in a line.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use wifibox_formats::PackageLimits;
use wifibox_formats::PublicKey as _;
use wifibox_formats::opkg::{IpkError, Keyring, Trust, kernel, read_signed};
use wifibox_ground::content::Spool;
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;
use wifibox_ground::version::Scheme;
use wifibox_packages::Ipk;
use wifibox_tree::accounts::Accounts;
use wifibox_tree::openwrt::{self, PackageFacts, owned_by_root};
use wifibox_tree::unpack::{Replaces, UnpackError, Unpacker};
use wifibox_tree::{Kind, Tree};

fn named(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set"));
    PathBuf::from(path)
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap();
            if kind.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
#[ignore = "needs real feeds: the folder WIFIBOX_OPENWRT_FEEDS"]
fn real_feeds_verify_and_their_packages_are_read() {
    let folder = named("WIFIBOX_OPENWRT_FEEDS");
    let files = files(&folder);
    let mut keyring = Keyring::default();
    for key in files.iter().filter(|path| path.extension().is_some_and(|end| end == "pub")) {
        keyring.add(&key.display().to_string(), &fs::read(key).unwrap()).unwrap();
    }
    let pinned: Vec<_> = keyring.keys().map(|key| key.fingerprint()).collect();
    let trust = Trust { keyring: &keyring, pinned: &pinned };
    let (mut feeds, mut listed, mut read, mut absent, mut entries) = (0, 0, 0, 0, 0);
    let mut kernels = Vec::new();
    for signature in files.iter().filter(|path| path.ends_with("Packages.sig")) {
        let place = signature.parent().unwrap();
        let name = place.display().to_string();
        let bytes = fs::read(signature).unwrap();
        let of = |file: &str| {
            read_signed(&name, &fs::read(place.join(file)).unwrap(), Some(&bytes), &trust).unwrap()
        };
        let index = of("Packages.gz");
        assert_eq!(*index, *of("Packages"), "{name}: packed and unpacked differ");
        feeds += 1;
        listed += index.len();
        let kernel = kernel::of_feed(&name, Scheme::Opkg, &index).unwrap();
        kernels.extend(kernel.map(|kernel| (name.clone(), kernel)));
        for package in index.iter() {
            let path = place.join(&package.path);
            let Ok(bytes) = fs::read(&path) else {
                absent += 1;
                continue;
            };
            assert_eq!(bytes.len() as u64, package.size, "{}", path.display());
            assert_eq!(Some(Sha256::of(&bytes)), package.sha256, "{}", path.display());
            let ipk =
                Ipk::open(&package.path, io::Cursor::new(bytes), PackageLimits::default()).unwrap();
            assert_eq!(ipk.control().name(), package.name);
            assert_eq!(ipk.control().field("Version"), Some(&*package.version));
            ipk.read_data::<IpkError>(&mut |_| {
                entries += 1;
                Ok(())
            })
            .unwrap();
            read += 1;
        }
    }
    assert!(feeds > 0, "there are no feeds below {}", folder.display());
    let kernel = kernel::agree(&kernels).unwrap();
    println!(
        "{feeds} feeds verified, {listed} packages listed, {read} read with {entries} entries, \
         {absent} not there; kernel {kernel:?}"
    );
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Ipk(#[from] IpkError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

/// A line about each node, by path, with the properties in which two roots are compared.
type Root = BTreeMap<String, String>;

fn guest_root(list: &str) -> (Root, BTreeSet<String>) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new_in(folder.path()).unwrap();
    let (mut tree, accounts) = (Tree::new(), Accounts::default());
    let (mut facts, mut scripts) = (Vec::new(), BTreeSet::new());
    // Where a package says that it may replace files of others, and kernel modules of several kinds.
    let mut replaces = BTreeMap::new();
    let packages: Vec<_> = list
        .lines()
        .map(|path| {
            (path, Ipk::open(path, File::open(path).unwrap(), PackageLimits::default()).unwrap())
        })
        .collect();
    for (_, ipk) in &packages {
        let names = ipk.control().field("Replaces").unwrap_or_default();
        let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
        let replaced = Replaces { names, ..Replaces::default() };
        replaces.insert(ipk.control().name().to_owned(), replaced);
    }
    let mut unpacker =
        Unpacker::new(&mut tree, &spool, &accounts, &replaces).keep_empty_directories(true);
    for (_, ipk) in packages {
        let name = ipk.control().name().to_owned();
        let control = ipk
            .read_data(&mut |entry| -> Result<(), Failed> {
                Ok(unpacker.take(&name, owned_by_root(entry))?)
            })
            .unwrap();
        for script in openwrt::scripts::own(&name, &control.scripts) {
            let digest = wifibox_tree::scripts::fingerprint(&script);
            scripts.insert(format!("{name} {} {digest}", script.name));
        }
        facts.push(PackageFacts::of_ipk(&control));
    }
    unpacker.finish().unwrap();
    let done = openwrt::complete(&mut tree, &facts, &BTreeSet::new()).unwrap();
    println!("{} services, accounts {:?}", done.services.enabled.len(), done.accounts);
    let mut root = Root::new();
    for (path, node) in tree.iter() {
        let mode = node.meta.mode;
        let text = match &node.kind {
            Kind::File(content) => format!("{mode:o} {}", Sha256::of(&content.read().unwrap())),
            Kind::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
            other => format!("{mode:o} {}", other.describe()),
        };
        root.insert(path.to_string(), text);
    }
    (root, scripts)
}

fn reference_root(folder: &Path) -> Root {
    let mut root = Root::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let kind = fs::symlink_metadata(&path).unwrap();
        let mode = kind.permissions().mode() & 0o7777;
        let text = if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            format!("{mode:o} directory")
        } else {
            format!("{mode:o} {}", Sha256::of(&fs::read(&path).unwrap()))
        };
        let relative = path.strip_prefix(folder).unwrap().to_str().unwrap();
        root.insert(GuestPath::new(relative).unwrap().to_string(), text);
    }
    root
}

#[test]
#[ignore = "needs a root made by OpenWrt's own tools: the folder WIFIBOX_OPENWRT_REFERENCE"]
fn a_root_equals_what_the_packages_own_scripts_make() {
    let folder = named("WIFIBOX_OPENWRT_REFERENCE");
    let list = fs::read_to_string(folder.with_extension("list")).unwrap();
    let (ours, scripts) = guest_root(&list);
    let theirs = reference_root(&folder);
    println!("{} nodes here, {} in the reference", ours.len(), theirs.len());
    scripts.iter().for_each(|script| println!("needs a rule: {script}"));
    let paths: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let mut differences = Vec::new();
    for path in paths.into_iter().filter(|path| ours.get(*path) != theirs.get(*path)) {
        println!("{path}: {:?} here, {:?} in the reference", ours.get(path), theirs.get(path));
        // Made by the builder, and what the scripts that need a rule write.
        if path != "/dev/console" && path != "/etc/config/openssl" {
            differences.push(path);
        }
    }
    assert!(differences.is_empty(), "{differences:?}");
}
