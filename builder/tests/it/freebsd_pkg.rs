//! `export freebsd-pkg`: guests of a generated distribution as a repository of pkg(8), read by a stand-in for it.

#![allow(clippy::unwrap_used)]

mod libpkg;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use wifibox_ground::digest::Sha256;
use wifibox_testkit::guest::Guest;

use crate::answers;
use libpkg::{Installed, Trust, install, suits, update};

/// A distribution whose guests bring samples and folders for the host, and a key beside it.
struct World {
    guest: Guest,
    public: String,
}

fn key(seed: u64) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut ChaCha8Rng::seed_from_u64(seed), 2048).unwrap()
}

impl World {
    fn new() -> Self {
        let guest = Guest::new();
        let key = key(5);
        fs::write(guest.path("key"), key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
        let role = "summary: a role\napp_config: wpa_supplicant\noverlays: [joining]\n";
        fs::write(guest.path("recipes/roles/station.yaml"), role).unwrap();
        for (name, text) in [
            ("etc/wifibox/wpa_supplicant/wpa_supplicant.conf.sample", "network={}\n"),
            ("etc/wifibox/appliance/hostname.sample", "guest\n"),
            ("var/log/.keep", ""),
            ("var/lib/misc/.keep", ""),
        ] {
            let path = guest.path("overlays/joining/host").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let public = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
        World { guest, public }
    }

    fn path(&self, name: &str) -> String {
        self.guest.path(name).to_str().unwrap().to_owned()
    }

    /// Writes the repository `out`; gives back the exit code and all that was said.
    fn export(&self, folders: &[&str], out: &str, more: &[&str]) -> (Option<i32>, String) {
        let folders: Vec<String> = folders.iter().map(|name| self.path(name)).collect();
        let (out, key) = (self.path(out), self.path("key"));
        let mut words = vec!["export", "freebsd-pkg", "--out", &out];
        words.extend(folders.iter().map(String::as_str));
        if !more.contains(&"--key") {
            words.extend(["--key", &key]);
        }
        let (code, stdout, stderr) = self.guest.run(&[&words, more].concat());
        (code, stdout + &stderr)
    }

    fn done(&self, folders: &[&str], out: &str, more: &[&str]) -> PathBuf {
        let (code, said) = self.export(folders, out, more);
        assert_eq!(code, Some(0), "{said}");
        self.guest.path(out)
    }

    fn installed(&self, repository: &Path) -> Vec<Installed> {
        let packages = update(repository, &Trust::Key(&self.public)).unwrap();
        packages.iter().map(|package| install(repository, package).unwrap()).collect()
    }
}

/// Every file and link below a folder, by its path there.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, top: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            if path.is_symlink() {
                all.insert(name, Vec::new());
            } else if path.is_dir() {
                walk(&path, top, all);
            } else {
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(folder, folder, &mut all);
    all
}

#[test]
fn a_package_is_what_the_port_installs() {
    let world = World::new();
    let out = world.guest.build("f", "out");
    let url = "https://example.org/wifibox";
    let (code, said) = world.export(&["out"], "repository", &["--url", url, "--json", "--quiet"]);
    assert_eq!(code, Some(0), "{said}");
    answers::check("export", &said);
    let repository = world.guest.path("repository");
    let fingerprint = Sha256::of(world.public.as_bytes()).to_string();
    assert!(said.contains(&format!("\"fingerprint\":\"{fingerprint}\"")), "{said}");
    let read = |name: &str| fs::read_to_string(repository.join(name)).unwrap();
    assert_eq!(read("wifibox.pub"), world.public);
    assert!(read("fingerprint").contains(&format!("fingerprint: \"{fingerprint}\"\n")));
    assert!(read("wifibox.conf").contains(&format!("  url: \"{url}\",\n")));

    let by_key = update(&repository, &Trust::Key(&world.public)).unwrap();
    let packages = update(&repository, &Trust::Fingerprint(&fingerprint)).unwrap();
    assert_eq!(by_key, packages);
    let [package] = &packages[..] else { panic!("{packages:?}") };
    for (abi, fits) in
        [("FreeBSD:13:amd64", true), ("FreeBSD:15:amd64", true), ("FreeBSD:15:aarch64", false)]
    {
        assert_eq!(suits(package, abi), fits, "{abi}");
    }
    let Installed { manifest, entries } = install(&repository, package).unwrap();
    // 1,700,000,000 is on 14 November 2023.
    assert_eq!(
        (&manifest["name"], &manifest["version"]),
        (&"wifibox-guest-f".into(), &"20231114".into())
    );
    assert_eq!(manifest["origin"], "net/wifibox-guest");
    assert_eq!(manifest["deps"]["wifibox-core"]["origin"], "net/wifibox-core");
    assert_eq!(manifest["messages"][0]["type"], "install");

    let stage = world.path("stage");
    fs::create_dir(&stage).unwrap();
    let words =
        ["install", "--staging", "--hypervisor", "bhyve", "--root", &stage, out.to_str().unwrap()];
    let (code, _, stderr) = world.guest.run(&words);
    assert_eq!(code, Some(0), "{stderr}");
    let mut left = entries.clone();
    for (name, bytes) in bytes(Path::new(&stage)) {
        let path = Path::new(&stage).join(&name);
        let entry = left
            .remove(&format!("/{name}"))
            .unwrap_or_else(|| panic!("{name} is not in the package"));
        if entry.kind == tar::EntryType::Symlink {
            assert_eq!(fs::read_link(&path).unwrap().to_str(), entry.target.as_deref());
            continue;
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
        assert!(entry.bytes == bytes && entry.mode == mode, "{name}");
    }
    let var = "/var/run/wifibox";
    let below = ["appliance", "appliance/lib", "appliance/lib/misc", "appliance/log"]
        .map(|name| format!("{var}/{name}"));
    let folders: Vec<String> = [vec![var.to_owned()], below.to_vec()].concat();
    assert_eq!(left.keys().cloned().collect::<Vec<_>>(), folders);
    assert!(left.keys().all(|path| Path::new(&format!("{stage}{path}")).is_dir()));

    // Each sample becomes a file, and both scripts know all of them.
    for script in ["post-install", "pre-deinstall"] {
        let text = manifest["lua_scripts"][script][0].as_str().unwrap();
        for path in entries.keys().filter_map(|path| path.strip_suffix(".sample")) {
            assert!(text.contains(&format!("  \"{path}\",\n")), "{script}: {path}");
        }
        assert_eq!(text.matches("  \"/").count(), 2, "{text}");
    }
}

#[test]
fn the_same_guests_give_the_same_repository_and_newer_ones_a_newer_package() {
    let world = World::new();
    world.guest.build("f", "guests/one");
    world.guest.build("bare", "guests/two");
    let first = bytes(&world.done(&["guests"], "repository", &[]));
    let single = bytes(&world.done(&["guests/two", "guests/one"], "again", &[]));
    assert!(first == single, "the order of the folders decides nothing");
    let versions = |out: &str| -> Vec<String> {
        let all = world.installed(&world.guest.path(out));
        all.iter()
            .map(|one| {
                format!("{}-{}", one.manifest["name"], one.manifest["version"]).replace('"', "")
            })
            .collect()
    };
    assert_eq!(versions("repository"), ["wifibox-guest-bare-20231114", "wifibox-guest-f-20231114"]);
    world.done(&["guests/one"], "repository", &["--revision", "2"]);
    assert_eq!(versions("repository"), ["wifibox-guest-f-20231114_2"]);
    assert!(!world.guest.path("repository/All/wifibox-guest-bare-20231114.pkg").exists());
    // What somebody put there stays.
    fs::write(world.guest.path("repository/notes"), "mine").unwrap();
    let (code, said) = world.export(&["guests"], "repository", &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("holds what no build wrote: notes"), "{said}");
}

#[test]
fn another_key_and_what_was_changed_is_refused() {
    let world = World::new();
    world.guest.build("f", "out");
    let repository = world.done(&["out"], "repository", &[]);
    let other = key(6).to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let fingerprint = Sha256::of(other.as_bytes()).to_string();
    for trust in [Trust::Key(&other), Trust::Fingerprint(&fingerprint)] {
        update(&repository, &trust).unwrap_err();
    }
    let packages = update(&repository, &Trust::Key(&world.public)).unwrap();
    let path = repository.join(packages[0]["repopath"].as_str().unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(install(&repository, &packages[0]).err().as_deref(), Some("checksum mismatch"));
}

#[test]
fn what_cannot_be_a_package_says_why() {
    let world = World::new();
    let out = world.guest.build("f", "out");
    world.guest.build("f", "other");
    let refused = |code: i32, words: &str, folders: &[&str], more: &[&str]| {
        let (found, said) = world.export(folders, "repository", more);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!world.guest.path("repository").exists());
    };
    refused(2, "would both be the package wifibox-guest-f", &["out", "other"], &[]);
    let bare = world.guest.build("bare", "bare").join("manifest.json");
    let arm = fs::read_to_string(&bare)
        .unwrap()
        .replace("\"architecture\": \"x86_64\"", "\"architecture\": \"aarch64\"");
    fs::write(&bare, arm).unwrap();
    refused(2, "bare for aarch64", &["out", "bare"], &[]);
    fs::create_dir(world.guest.path("empty")).unwrap();
    refused(2, "holds no guest", &["empty"], &[]);
    refused(2, "is expected", &["out"], &["--url", "example.org"]);
    refused(2, "is expected", &["out"], &["--url", "https://example.org/\"${ABI}\""]);
    let (key, public) = (world.path("nosuch"), world.path("public"));
    fs::write(&public, &world.public).unwrap();
    refused(2, "nosuch", &["out"], &["--key", &key]);
    refused(2, "\"-----BEGIN PUBLIC KEY-----\"", &["out"], &["--key", &public]);
    fs::write(out.join("root.img"), "other bytes").unwrap();
    refused(4, "is not as the build wrote it", &["out"], &[]);
    // Nobody writes into it: who opened it would wait for ever.
    fs::remove_file(out.join("root.img")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(out.join("root.img")).status();
    assert!(made.unwrap().success());
    refused(1, "not a file", &["out"], &[]);
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    let xen = manifest.replace("\"transport\": \"virtio\"", "\"transport\": \"xen\"");
    assert_ne!(manifest, xen);
    fs::write(out.join("manifest.json"), xen).unwrap();
    refused(2, "cannot be a package for FreeBSD", &["out"], &[]);
}
