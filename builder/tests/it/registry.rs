//! `push`, `pull` and `install oci://` with a registry that behaves, and with one that does not.

mod faults;
mod releases;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use wifibox_testkit::guest::Guest;
use wifibox_testkit::minisign::Minisign;
use wifibox_testkit::registry::{Asks, Manners, Registry};

/// A guest that was built once, for all tests of this module.
fn built() -> MutexGuard<'static, (Guest, PathBuf)> {
    static GUEST: OnceLock<Mutex<(Guest, PathBuf)>> = OnceLock::new();
    let guest = GUEST.get_or_init(|| {
        let guest = Guest::new();
        let out = guest.build("f", "out");
        Mutex::new((guest, out))
    });
    guest.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder with a signed guest, a registry, and places for caches and outputs.
struct Scene {
    folder: tempfile::TempDir,
    key: Minisign,
    registry: Registry,
}

/// What the program said.
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    /// It was done.
    #[track_caller]
    fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// It ended with this code, and said this.
    #[track_caller]
    fn failed(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, Some(code), "{words}: {} {}", self.stdout, self.stderr);
        assert!(self.stderr.contains(words), "{words}: {}", self.stderr);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Scene {
    fn new(manners: Manners) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Minisign::new(7);
        copy(&built().1, &folder.path().join("guest"));
        key.sign_sums(&folder.path().join("guest"), "the guest of the test");
        Scene { folder, key, registry: Registry::start(manners) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of a tag of the repository `wifibox/f`.
    fn reference(&self, tag: &str) -> String {
        format!("oci://{}/wifibox/f:{tag}", self.registry.host())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(wifibox_testkit::program());
        command.args(arguments).current_dir(self.folder.path());
        command.env("WIFIBOX_BUILD_CACHE", self.path("cache")).env("HOME", self.path("home"));
        let others = ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"];
        for name in others.into_iter().chain(["WIFIBOX_BUILD_REGISTRY_USERNAME"]) {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        finish(&mut self.command(arguments))
    }

    fn push(&self) -> Said {
        self.run(&["push", &self.reference("v1"), "guest", "--json"])
    }

    /// Pulls into `out`, by the right key.
    fn pull(&self, more: &[&str]) -> Said {
        let (reference, key) = (self.reference("v1"), self.key.public());
        self.run(&[&["pull", &reference, "--out", "out", "--public-key", &key], more].concat())
    }

    /// Nothing is at `out`, nor beside it.
    #[track_caller]
    fn nothing_came(&self) {
        assert!(!self.path("out").exists());
        let names =
            fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| !["cache", "guest", "home", "release"].contains(&name.as_str()));
        assert_eq!(names, [""; 0]);
    }
}

fn finish(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// Paths, permission bits and bytes of all that is in a folder.
fn listing(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, u32, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let data = entry.path().symlink_metadata().unwrap();
            let mode = data.permissions().mode() & 0o7777;
            if data.is_dir() {
                found.push((path.clone(), mode, Vec::new()));
                walk(&entry.path(), &format!("{path}/"), found);
            } else if data.is_symlink() {
                let target = fs::read_link(entry.path()).unwrap();
                found.push((path, 0, target.into_os_string().into_encoded_bytes()));
            } else {
                found.push((path, mode, fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}

/// The digest of the blob with this title, of the manifest at a tag.
fn blob_of(manifest: &Value, title: &str) -> String {
    let layers = manifest["layers"].as_array().unwrap();
    let named = |layer: &&Value| layer["annotations"]["org.opencontainers.image.title"] == title;
    layers.iter().find(named).unwrap()["digest"].as_str().unwrap().to_owned()
}

const BOTH: [bool; 2] = [true, false];

#[test]
fn a_guest_comes_back_as_it_was_and_only_once() {
    for lists_referrers in BOTH {
        let scene = Scene::new(Manners { lists_referrers, ..Manners::default() });
        let pushed = scene.push().done().json();
        let push = &pushed["push"];
        assert_eq!(push["lists_referrers"], lists_referrers);
        assert_eq!(push["there"]["count"], 0);
        assert_eq!(push["manifests"][0]["signed"], true);
        let manifest = scene.registry.manifest("wifibox/f", "v1");
        assert_eq!(manifest["artifactType"], "application/vnd.wifibox-build.guest.v1");
        assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
        assert_eq!(manifest["annotations"]["io.github.wifibox-build.flavor"], "f");

        let pulled = scene.pull(&["--json"]).done().json();
        assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
        let pull = &pulled["pull"];
        assert_eq!(pull["verify"]["signature"]["comment"], "the guest of the test");
        assert_eq!(pull["here"]["bytes"], 0);
        assert_eq!(pull["digest"], push["digest"]);
        // All but the configuration, which is empty.
        let sent = push["sent"]["bytes"].as_u64().unwrap();
        assert_eq!(pull["fetched"]["bytes"].as_u64().unwrap(), sent - 2);

        // From the cache, and from the folder itself; by the digest, too.
        let digest =
            format!("{}@sha256:{}", scene.reference("v1"), push["digest"].as_str().unwrap());
        scene.registry.requests();
        for (step, reference) in [scene.reference("v1"), digest].into_iter().enumerate() {
            let key = scene.key.public();
            let pulled =
                scene.run(&["pull", &reference, "--out", "out", "--public-key", &key, "--json"]);
            let pull = &pulled.done().json()["pull"];
            assert_eq!(pull["fetched"]["bytes"], 0, "{step}");
            fs::remove_dir_all(scene.path("cache")).unwrap();
            if step == 0 {
                fs::create_dir(scene.path("cache")).unwrap();
            }
        }
        let asked = scene.registry.requests();
        let blobs =
            asked.iter().filter(|request| request.line.contains("GET /v2/wifibox/f/blobs/"));
        assert_eq!(blobs.count(), 0);
        assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));

        // A second push sends nothing.
        let again = scene.push().done().json();
        assert_eq!(again["push"]["sent"]["count"], 0);
        assert_eq!(again["push"]["digest"], push["digest"]);
    }
}

#[test]
fn who_made_it_must_be_known() {
    for lists_referrers in BOTH {
        let scene = Scene::new(Manners { lists_referrers, ..Manners::default() });
        let signature = scene.path("guest/SHA256SUMS.minisig");
        let good = fs::read(&signature).unwrap();
        fs::remove_file(&signature).unwrap();
        let pushed = scene.push().done();
        assert!(pushed.stderr.contains("not all of it is signed"), "{}", pushed.stderr);
        scene.pull(&[]).failed(4, "is not signed: nothing says who made it");
        // By another key, and by none: it is the same manifest.
        Minisign::new(9).sign_sums(&scene.path("guest"), "somebody else");
        let other = scene.push().done().json();
        assert_eq!(other["push"]["digest"], pushed.json()["push"]["digest"]);
        scene.pull(&[]).failed(4, "made by another key");
        let reference = scene.reference("v1");
        let no_key = ["pull", &reference, "--out", "out"];
        scene.run(&no_key).failed(2, "only with the key of who made it");
        scene.run(&["pull", &reference, "--public-key", "nonsense"]).failed(2, "no public key");
        scene.nothing_came();
        // Signed later, by the right one; the other signature is still there.
        fs::write(&signature, good).unwrap();
        scene.push().done();
        let pulled = scene.pull(&[]).done();
        assert!(pulled.stdout.contains("signed with the given key: the guest of the test"));
        assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
        // What nobody signed is taken by who says so.
        scene.registry.forget_referrers();
        scene.run(&[&no_key[..], &["--dangerously-allow-unsigned"]].concat()).done();
        assert!(!scene.path("out/SHA256SUMS.minisig").exists());
    }
}

#[test]
fn logins_are_given_written_down_or_refused() {
    for asks in [Asks::Basic("me", "secret"), Asks::Bearer("me", "secret")] {
        let scene = Scene::new(Manners { asks, ..Manners::default() });
        let reference = scene.reference("v1");
        let push = ["push", &reference, "guest"];
        scene.run(&push).failed(1, "asks for a login");
        let with = |password: &str| {
            let mut command = scene.command(&push);
            command.args(["--username", "me", "--password-stdin"]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes())
                .unwrap();
            let output = child.wait_with_output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            Said {
                code: output.status.code(),
                stdout: text(output.stdout),
                stderr: text(output.stderr),
            }
        };
        let wrong = with("wrong\n").failed(1, "refused the login of me");
        assert!(!wrong.stderr.contains("wrong"), "{}", wrong.stderr);
        with("").failed(2, "standard input has no password");
        with("secret\n").done();
        scene.run(&[&push[..], &["--username", "me"]].concat()).failed(2, "no password for me");
        let variable = finish(
            scene
                .command(&[&push[..], &["--username", "me"]].concat())
                .env("WIFIBOX_BUILD_REGISTRY_PASSWORD", "secret"),
        );
        variable.done();
        // As docker and podman write it.
        scene.pull(&[]).failed(1, "asks for a login");
        let file = |text: String, path: &str| {
            fs::create_dir_all(scene.path(path).parent().unwrap()).unwrap();
            fs::write(scene.path(path), text).unwrap();
        };
        let auths = |auth: &str| format!(r#"{{"auths": {{"{}": {auth}}}}}"#, scene.registry.host());
        let helper = auths("{}").replacen('{', r#"{"credsStore": "desktop", "#, 1);
        file(helper, "home/.docker/config.json");
        scene.pull(&[]).failed(2, "docker-credential-desktop");
        // me:secret
        file(auths(r#"{"auth": "bWU6c2VjcmV0"}"#), "home/.config/containers/auth.json");
        scene.pull(&[]).done();
        fs::remove_file(scene.path("home/.config/containers/auth.json")).unwrap();
        file(auths(r#"{"auth": "bWU6c2VjcmV0"}"#), "other/config.json");
        finish(
            scene
                .command(&["pull", &reference, "--out", "out", "--public-key", &scene.key.public()])
                .env("DOCKER_CONFIG", scene.path("other")),
        )
        .done();
    }
}

#[test]
fn a_guest_is_installed_from_a_registry() {
    let scene = Scene::new(Manners::default());
    scene.push().done();
    fs::create_dir(scene.path("root")).unwrap();
    let (reference, key) = (scene.reference("v1"), scene.key.public());
    let install = ["install", &reference, "--root", "root", "--hypervisor", "bhyve"];
    scene.run(&install).failed(2, "only with the key of who made it");
    let other = Minisign::new(9).public();
    scene.run(&[&install[..], &["--public-key", &other]].concat()).failed(4, "another key");
    assert_eq!(listing(&scene.path("root")), []);
    let with_key = [&install[..], &["--public-key", &key]].concat();
    let offline = scene.run(&[&with_key[..], &["--offline"]].concat());
    offline.failed(1, "the network may not be used");
    scene.run(&with_key).done();
    let image = scene.path("root/usr/local/share/wifibox/root.img");
    assert_eq!(fs::read(image).unwrap(), fs::read(scene.path("guest/root.img")).unwrap());
    // Nothing but the cache of blobs stays.
    let left = fs::read_dir(scene.path("cache")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("install-")).collect();
    assert_eq!(left, [""; 0]);
    // Of a folder the key is asked as well, if it is given.
    let folder = ["install", "guest", "--root", "root", "--hypervisor", "bhyve", "--public-key"];
    scene.run(&[&folder[..], &[&key]].concat()).done();
    scene.run(&[&folder[..], &[&other]].concat()).failed(4, "another key");
    scene.run(&["install", "guest", "--flavor", "f"]).failed(2, "are for guests in a registry");
}
