//! The program as callers meet it: exit codes, messages, and what is left behind when something goes
//! wrong. Each test has a repository of its own, generated, signed and served on loopback.

#![allow(clippy::unwrap_used)]

mod progress;
mod shells;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use wifibox_testkit::debrepo::{Package, Suite};
use wifibox_testkit::keys::{Key, Spec};
use wifibox_testkit::server::{Fault, Server, dead_url};

/// A folder with a repository, recipes that pin its key, and a place for store, lock and outputs.
struct World {
    folder: tempfile::TempDir,
    server: Server,
    index: String,
}

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The key that recipes pin.
fn key() -> Key {
    Key::generate(&Spec::ed25519(1, 1_600_000_000))
}

/// Recipes of one base with one composition, whose package list is `packages`.
fn recipes(folder: &Path, packages: &str) {
    let fingerprint = key().fingerprint();
    let file = |name: &str, text: &str| write(folder.join(name), text);
    file("recipes/guest.yaml", "summary: every guest\n");
    file(
        "recipes/bases/test.yaml",
        &format!(
            "summary: a generated distribution\nformat: dpkg\narchitecture: amd64\n\
             default: {{release: trixie, kernel: k, role: station, hypervisor: h, compression: gzip}}\n\
             releases: {{trixie: {{summary: the only one}}}}\n\
             repositories:\n  - name: test\n    suites: ['{{release}}']\n    components: [main]\n    \
             keys: [{{name: the test's key, fingerprint: {fingerprint}}}]\n\
             kernels: [k]\ninit: sbin/init\npackages: {packages}\n"
        ),
    );
    file("recipes/roles/station.yaml", "summary: the only role\napp_config: wpa_supplicant\n");
    file("recipes/flavors/f.yaml", "summary: the only flavor\nchipsets: []\n");
    file(
        "recipes/hypervisors/h.yaml",
        "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\n\
         root_disk: vdb\n",
    );
    file(
        "kernels/k.yaml",
        "summary: a kernel\nbase: test\narchitecture: amd64\npackage: kernel\n\
         image: boot/vmlinuz-*\nmodules: usr/lib/modules/*\nboots_with: direct\n",
    );
    for empty in ["overlays", "firmware-blobs"] {
        fs::create_dir_all(folder.join(empty)).unwrap();
    }
}

fn packages() -> [Package; 3] {
    // Noise that does not compress, from a xorshift generator.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = Vec::new();
    for _ in 0..50_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    [
        Package::new("tool", "1.0", "amd64").field("Depends", "library (>= 2)"),
        Package::new("library", "2.1", "amd64").file("usr/lib/noise", 0o644, noise),
        Package::new("kernel", "6.1", "amd64"),
    ]
}

impl World {
    fn new() -> Self {
        Self::signed_by(&key())
    }

    fn signed_by(signer: &Key) -> Self {
        let folder = tempfile::tempdir().unwrap();
        recipes(folder.path(), "[tool]");
        fs::write(folder.path().join("key.gpg"), key().certificate()).unwrap();
        let mirror = folder.path().join("mirror");
        let date = Timestamp::from_second(1_700_000_000).unwrap();
        let index = Suite::new(date, packages()).publish(&mirror, &[signer]);
        let server = Server::start(&mirror);
        World { folder, server, index }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, verb: &[&str], mirror: &str) -> Command {
        let mut command = Command::new(wifibox_testkit::program());
        command
            .args(verb)
            .arg("--recipes")
            .arg(self.folder.path())
            .arg("--cache-dir")
            .arg(self.path("cache"))
            .arg("--lock-file")
            .arg(self.path("lock"))
            .arg("--trust-key")
            .arg(self.path("key.gpg"))
            .arg(format!("--mirror=test={mirror}"))
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("http_proxy")
            .env("no_proxy", "127.0.0.1");
        command
    }

    fn run(&self, verb: &[&str]) -> (Option<i32>, String) {
        finish(&mut self.command(verb, &self.server.url()))
    }

    /// The store and lock are sound: the same command now succeeds.
    fn recovers(&self, verb: &[&str]) {
        let (code, text) = self.run(verb);
        assert_eq!(code, Some(0), "{text}");
    }

    fn package_path(&self, name: &str) -> String {
        let file = packages().iter().find(|package| package.name == name).unwrap().file_name();
        let lock = fs::read_to_string(self.path("lock")).unwrap();
        let at = lock.find(&format!("/{file}\"")).unwrap();
        let start = lock[..at].rfind('"').unwrap() + 1;
        lock[start..at + 1 + file.len()].to_owned()
    }
}

fn finish(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), text)
}

const FETCH: [&str; 3] = ["fetch", "--flavor", "f"];

#[test]
fn lock_fetch_and_why_work_and_then_need_no_network() {
    let world = World::new();
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("3 packages") && text.contains("3 added"), "{text}");
    let offline = [&FETCH[..], &["--frozen"]].concat();
    let (code, text) = finish(&mut world.command(&offline, &dead_url()));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = world.run(&["why", "library", "--flavor", "f"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("tool 1.0  <- tool in recipes/bases/test.yaml:"), "{text}");
    assert!(text.contains("library 2.1  <- tool depends on library (>= 2)"), "{text}");
    let (code, text) = world.run(&["why", "libary", "--flavor", "f"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("did you mean library?"), "{text}");
    let (code, text) = world.run(&["lock", "--check"]);
    assert_eq!((code, text.contains("up to date")), (Some(0), true), "{text}");
}

#[test]
fn a_damaged_index_is_refused() {
    let world = World::new();
    // The index has two addresses: its digest, which is asked first, and its name.
    let paths = [&*world.index, "dists/trixie/main/binary-amd64/Packages.xz"];
    let all = |fault: Fault| paths.iter().for_each(|path| world.server.always(path, fault.clone()));
    all(Fault::Corrupt(40));
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("package index trixie/main") && text.contains("expected"), "{text}");
    assert!(!world.path("lock").exists(), "a lock was written from a damaged index");
    all(Fault::None);
    world.recovers(&FETCH);
}

#[test]
fn a_damaged_package_is_refused_and_the_old_output_stays() {
    let world = World::new();
    world.recovers(&["lock"]);
    write(world.path("out/manifest.json"), "{}");
    let hash = wifibox_ground::digest::Sha256::of(b"{}");
    write(world.path("out/SHA256SUMS"), &format!("{hash}  manifest.json\n"));
    let package = world.package_path("library");
    world.server.always(&package, Fault::Corrupt(100));
    let out = world.path("out");
    let build = ["build", "--flavor", "f", "--out", out.to_str().unwrap()];
    let (code, text) = world.run(&build);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("library 2.1") && text.contains("expected"), "{text}");
    assert_eq!(fs::read_to_string(world.path("out/manifest.json")).unwrap(), "{}");
    let left: Vec<_> = fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("partial"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    world.server.always(&package, Fault::None);
    world.recovers(&FETCH);
}

#[test]
fn a_wrong_signature_is_refused() {
    let world = World::new();
    let path = world.path("mirror/dists/trixie/InRelease");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("Suite: ", "Suite: un", 1)).unwrap();
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("signature"), "{text}");
    assert!(!world.path("lock").exists());
    fs::write(&path, fs::read_to_string(&path).unwrap().replacen("Suite: un", "Suite: ", 1))
        .unwrap();
    world.recovers(&FETCH);
}

#[test]
fn an_unknown_key_is_refused() {
    let stranger = Key::generate(&Spec::ed25519(2, 1_600_000_000));
    let world = World::signed_by(&stranger);
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("InRelease"), "{text}");
    // A keyring without the pinned key is as good as none, even if it holds the signer's.
    fs::write(world.path("key.gpg"), stranger.certificate()).unwrap();
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains(&key().fingerprint()) && text.contains("--trust-key"), "{text}");
    assert!(!world.path("lock").exists());
}

#[test]
fn a_dead_mirror_is_named_with_the_ways_out() {
    let world = World::new();
    let dead = dead_url();
    let (code, text) = finish(&mut world.command(&FETCH, &dead));
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(&dead) && text.contains("--mirror") && text.contains("--distdir"),
        "{text}"
    );
    world.recovers(&FETCH);
}

#[test]
fn offline_without_a_store_says_what_is_missing() {
    let world = World::new();
    let (code, text) = world.run(&[&FETCH[..], &["--offline"]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("network may not be used"), "{text}");
    assert!(world.server.requests().is_empty(), "the network was touched");
    let (code, text) = world.run(&[&FETCH[..], &["--frozen"]].concat());
    assert_eq!(code, Some(3), "{text}");
}

#[test]
fn a_lock_that_the_recipes_outgrew_is_exit_code_3() {
    let world = World::new();
    world.recovers(&["lock"]);
    recipes(world.folder.path(), "[library]");
    for verb in [&["lock", "--check"][..], &[&FETCH[..], &["--locked"]].concat()] {
        let (code, text) = world.run(verb);
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains("- tool 1.0"), "{text}");
    }
    let before = fs::read(world.path("lock")).unwrap();
    recipes(world.folder.path(), "[library, unheard-of]");
    let (code, text) = world.run(&["lock"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("unheard-of"), "{text}");
    assert_eq!(fs::read(world.path("lock")).unwrap(), before, "a failed lock changed the file");
    recipes(world.folder.path(), "[library]");
    world.recovers(&["lock"]);
    assert!(!fs::read_to_string(world.path("lock")).unwrap().contains("\"tool\""));
}

#[test]
fn usage_errors_are_exit_code_2() {
    let world = World::new();
    let (code, text) = world.run(&["fetch", "--flavor", "g"]);
    assert_eq!(code, Some(2), "{text}");
    let (code, _) = world.run(&["fetch"]);
    assert_eq!(code, Some(2));
    let (code, text) = world.run(&[&FETCH[..], &["--with", "wings"]].concat());
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("wings"), "{text}");
}

/// A shell that lets no file grow beyond 64 KiB stands for a disk that is full: the write fails the
/// same way, and needs no root to arrange.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_leaves_the_store_sound() {
    let world = World::new();
    world.recovers(&["lock"]);
    let inner = world.command(&FETCH, &world.server.url());
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"]);
    shell.arg(inner.get_program()).args(inner.get_args());
    let (code, text) = finish(&mut shell);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot write") && text.contains("--cache-dir"), "{text}");
    world.recovers(&FETCH);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_work_and_the_next_run_goes_on() {
    let world = World::new();
    world.recovers(&["lock"]);
    let package = world.package_path("library");
    world.server.faults(&package, [Fault::Stall(50_000, Duration::from_secs(60))]);
    let mut command = world.command(&FETCH, &world.server.url());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while world.server.count(&package) == 0 && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(wifibox_testkit::kill("INT", child.id()));
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(45), "it waited for the stalled server");
    world.recovers(&FETCH);
}
