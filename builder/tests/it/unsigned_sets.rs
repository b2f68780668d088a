//! Sets of package files that nobody signed: what a list says is there is pinned by the lock, only if the user agrees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wifibox_ground::digest::Sha256;
use wifibox_testkit::apkrepo::Package;
use wifibox_testkit::server::Server;

use super::openrc_guest;

/// The recipes and the pinned set of [`openrc_guest`], and a release `next` whose packages nobody pinned.
struct World(tempfile::TempDir);

impl World {
    /// A set whose lists are at an address that nobody serves.
    fn new() -> Self {
        World::at("http://127.0.0.1:1/next", "http://127.0.0.1:1/distinfo")
    }

    fn at(mirror: &str, list: &str) -> Self {
        let world = World(tempfile::tempdir().unwrap());
        openrc_guest::lay_out(world.0.path(), "[modules]");
        let base = world.path("recipes/bases/set.yaml");
        let text = fs::read_to_string(&base).unwrap();
        let next = format!(
            "  - name: next\n    releases: [next]\n    mirrors: ['{mirror}']\n    lists: ['{list}']\n\
             kernels: [k]\ninit:"
        );
        let text = text
            .replace("the only one } }", "the only one }, next: { summary: newer } }")
            .replace("  - name: set\n", "  - name: set\n    releases: [one]\n")
            .replace("kernels: [k]\ninit:", &next);
        fs::write(base, text).unwrap();
        for package in openrc_guest::packages() {
            world.add(&package);
        }
        // Never in a guest.
        world.add(&Package::new("daemon-dev", "2-r1"));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn add(&self, package: &Package) {
        fs::create_dir_all(self.path("next")).unwrap();
        fs::write(self.path("next").join(package.file_name()), package.build()).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path("next").join(file)).unwrap();
    }

    fn run(&self, verb: &[&str], mirror: Option<&str>) -> (Option<i32>, String) {
        let output = Command::new(wifibox_testkit::program())
            .args(verb)
            .args(["--release", "next", "--recipes"])
            .arg(self.0.path())
            .arg(format!("--cache-dir={}", self.path("cache").display()))
            .arg(format!("--lock-file={}", self.path("next.lock").display()))
            .args(mirror.map(|mirror| format!("--mirror=next={mirror}")))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    }

    /// The same from the folder of the files.
    fn of_folder(&self, verb: &[&str], code: i32) -> String {
        let (found, said) = self.run(verb, self.path("next").to_str());
        assert_eq!(found, Some(code), "{verb:?}: {said}");
        said
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("next.lock")).unwrap_or_default()
    }
}

const TRUST: [&str; 2] = ["lock", "--trust-new-pins"];
const UPGRADE: [&str; 2] = ["lock", "--upgrade"];

fn daemon(version: &str) -> Package {
    Package::new("daemon", version).info("depend", "openrc").file("usr/sbin/daemon", 0o755, version)
}

/// The lines that tell of a pin.
fn pins(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("! next: ")).collect()
}

#[test]
fn nothing_is_pinned_that_the_user_did_not_agree_to() {
    let world = World::new();
    let build = ["build", "--flavor", "f", "--out", &world.path("out").display().to_string()];
    for verb in [&["lock"][..], &UPGRADE, &build] {
        let said = world.of_folder(verb, 4);
        assert!(
            said.contains("next: 4 would be pinned as they are now: daemon-2-r1.apk, "),
            "{said}"
        );
        assert!(
            said.contains("lock --base set --release next --upgrade --trust-new-pins"),
            "{said}"
        );
        assert_eq!(world.lock(), "");
    }
    let said = world.of_folder(&TRUST, 0);
    let file = world.path("next/daemon-2-r1.apk");
    let bytes = fs::read(&file).unwrap();
    let (size, sha256) = (bytes.len(), Sha256::of(&bytes));
    let pin = format!("! next: daemon-2-r1.apk, {size} bytes, SHA-256 {sha256}, as it was served");
    assert!(pins(&said).len() == 4 && said.contains(&pin), "{said}");
    let lock = world.lock();
    assert!(lock.contains(&sha256.to_string()) && !lock.contains("daemon-dev"), "{lock}");
    // The lock is enough, and what is served in the place of a file is refused.
    world.of_folder(&[&build[..], &["--locked"]].concat(), 0);
    world.of_folder(&["lock"], 0);
    fs::remove_dir_all(world.path("cache")).unwrap();
    fs::write(file, daemon("2-r1").build()).unwrap();
    let said = world.of_folder(&[&build[..], &["--locked", "--force"]].concat(), 4);
    assert!(said.contains("daemon"), "{said}");
}

#[test]
fn only_an_upgrade_looks_for_newer_ones_and_none_goes_back() {
    let world = World::new();
    world.of_folder(&TRUST, 0);
    let lock = world.lock();
    world.add(&daemon("10-r0"));
    world.add(&daemon("9-r0"));
    let said = world.of_folder(&["lock"], 0);
    assert!(said.contains("is up to date"), "{said}");
    let said = world.of_folder(&["outdated"], 0);
    assert!(said.contains("daemon   2-r1    10-r0    next"), "{said}");
    let said = world.of_folder(&["lock", "--upgrade", "--dry-run"], 0);
    assert!(said.contains("~ daemon 2-r1 -> 10-r0") && pins(&said).len() == 1, "{said}");
    let said = world.of_folder(&UPGRADE, 4);
    assert!(said.contains("next: 1 would be pinned as they are now: daemon-10-r0.apk"), "{said}");
    assert_eq!(world.lock(), lock);
    let trust = [&UPGRADE[..], &["--trust-new-pins"]].concat();
    let said = world.of_folder(&trust, 0);
    assert!(said.contains("~ daemon 2-r1 -> 10-r0") && pins(&said).len() == 1, "{said}");
    // Another file under the same name is a new pin, and the old one is named.
    let before = Sha256::of(&daemon("10-r0").build());
    world.add(&daemon("10-r0").file("etc/x", 0o644, "more"));
    let said = world.of_folder(&trust, 0);
    assert!(said.contains(&format!("; under this name the lock had {before}")), "{said}");
    // An older one needs another word.
    world.remove("daemon-10-r0.apk");
    let said = world.of_folder(&trust, 4);
    assert!(said.contains("next has daemon-9-r0, and the lock"), "{said}");
    assert!(said.contains("--dangerously-allow-rollback"), "{said}");
    world.of_folder(&[&trust[..], &["--dangerously-allow-rollback"]].concat(), 0);
    assert!(world.lock().contains("daemon-9-r0.apk"));
}

#[test]
fn a_file_that_is_another_package_is_refused() {
    let world = World::new();
    let other = Package::new("other", "1-r0").build();
    fs::write(world.path("next/daemon-3-r0.apk"), other).unwrap();
    let said = world.of_folder(&TRUST, 1);
    assert!(said.contains("the file daemon-3-r0.apk is the package other-1-r0"), "{said}");
    assert_eq!(world.lock(), "");
}

/// The distinfo of what is in a folder, as a FreeBSD port has it.
fn distinfo(folder: &Path, timestamp: u32) -> String {
    let mut text = format!("TIMESTAMP = {timestamp}\n");
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (name, bytes) = (entry.file_name(), fs::read(entry.path()).unwrap());
        let name = name.to_str().unwrap();
        if name.ends_with(".apk") {
            let (sha256, size) = (Sha256::of(&bytes), bytes.len());
            text += &format!("SHA256 (port/{name}) = {sha256}\nSIZE (port/{name}) = {size}\n");
        }
    }
    text
}

#[test]
fn a_distinfo_gives_the_hashes() {
    let world = World::new();
    let list = world.path("next/distinfo");
    fs::write(&list, distinfo(&world.path("next"), 1_775_399_824)).unwrap();
    let server = Server::start(&world.path("next"));
    let good = world.path("next/daemon-2-r1.apk");
    let bytes = fs::read(&good).unwrap();
    fs::write(&good, daemon("2-r1").build()).unwrap();
    let (code, said) = world.run(&TRUST, Some(&server.url()));
    assert_eq!(code, Some(4), "another file than the list's: {said}");
    fs::write(&good, bytes).unwrap();
    let (code, said) = world.run(&TRUST, Some(&server.url()));
    assert!(code == Some(0) && said.contains(", as its list says"), "{said}");
    assert!(world.lock().contains("\"date\":1775399824"), "{}", world.lock());
    // An older list is not taken.
    fs::write(&list, distinfo(&world.path("next"), 1_775_399_823)).unwrap();
    let (code, said) = world.run(&UPGRADE, Some(&server.url()));
    assert!(
        code == Some(4) && said.contains("the index distinfo of next is of 2026-04-05"),
        "{said}"
    );
    fs::write(&list, "<html>not found</html>").unwrap();
    let (code, said) = world.run(&UPGRADE, Some(&server.url()));
    assert!(code == Some(1) && said.contains("distinfo, line 1: 'SHA256 (FILE)"), "{said}");
}

#[test]
fn the_recipe_names_lists_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let url = server.url();
    let world = World::at(&format!("{url}/next"), &format!("{url}/contents/next"));
    fs::rename(world.path("next"), folder.path().join("next")).unwrap();
    let mut objects = vec![serde_json::json!({ "name": "old", "type": "dir", "size": 0 })];
    for entry in fs::read_dir(folder.path().join("next")).unwrap() {
        let (entry, kind) = (entry.unwrap(), "file");
        let size = entry.metadata().unwrap().len();
        let name = entry.file_name().into_string().unwrap();
        objects.push(serde_json::json!({ "name": name, "type": kind, "size": size, "sha": "0" }));
    }
    fs::create_dir(folder.path().join("contents")).unwrap();
    let list = serde_json::to_vec(&objects).unwrap();
    fs::write(folder.path().join("contents/next"), list).unwrap();
    let (code, said) = world.run(&TRUST, None);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(pins(&said).len(), 4, "{said}");
    assert_eq!(server.count("contents/next"), 1);
}
