//! A base with several archives: which version counts, what is newer than a lock, and that no lock goes back.

use std::fs;

use jiff::Timestamp;
use wifibox_testkit::debrepo::{Package, Suite};
use wifibox_testkit::guest::{Guest, json};
use wifibox_testkit::kernel::{BUILT_IN, kernel_image};
use wifibox_testkit::keys::{Key, Spec};

/// The day on which all is published first, and days after it.
pub(super) const FIRST: i64 = 1_700_000_000;
pub(super) const DAY: i64 = 86_400;

pub(super) struct World(pub(super) Guest);

fn key() -> Key {
    Key::generate(&Spec::ed25519(1, 1_600_000_000))
}

fn tool(version: &str) -> Package {
    Package::new("tool", version, "amd64")
        .field("Depends", "base, library")
        .file("usr/bin/tool", 0o755, format!("program of {version}\n"))
        .file("usr/share/doc/tool/copyright", 0o644, "Take it.\n")
}

/// A kernel whose image lies beside its modules.
fn kernel(release: &str, version: &str) -> Package {
    let modules = format!("usr/lib/modules/{release}");
    Package::new("kernel", version, "amd64")
        .file(&format!("{modules}/vmlinuz"), 0o644, kernel_image(release))
        .file(&format!("{modules}/modules.builtin"), 0o644, BUILT_IN)
        .file(&format!("{modules}/modules.builtin.modinfo"), 0o644, "")
        .file(&format!("{modules}/modules.order"), 0o644, "")
        .file("usr/share/doc/kernel/copyright", 0o644, "This is Linux.\n")
}

impl World {
    /// tool 1.0 in the main archive, 1.1 in that of security updates, 9 and a newer kernel in backports.
    pub(super) fn new() -> Self {
        let world = World(Guest::new());
        let base = world.0.path("recipes/bases/test.yaml");
        let text = fs::read_to_string(&base).unwrap();
        let key = format!("keys: [{{name: the key, fingerprint: {}}}]\n", key().fingerprint());
        let archive = |name: &str, more: &str| {
            format!(
                "  - name: test-{name}\n    mirrors_of: test\n    suites: ['{{release}}-{name}']\n    \
                 components: [non-free-firmware]\n    {more}\n    {key}"
            )
        };
        let archives = format!(
            "{}{}kernels: [k, newest]\n",
            archive("security", "security: true"),
            archive("backports", "only: [kernel*]")
        );
        fs::write(&base, text.replace("kernels: [k]\n", &archives)).unwrap();
        fs::write(
            world.0.path("kernels/newest.yaml"),
            "summary: a newer kernel\nbase: test\narchitecture: amd64\npackage: kernel\n\
             archive: test-backports\nimage: usr/lib/modules/*/vmlinuz\n\
             modules: usr/lib/modules/*\nboots_with: direct\n",
        )
        .unwrap();
        world.security("1.1", FIRST);
        world.publish("backports", [tool("9"), kernel("7.0.0-test", "7.0-1")], FIRST, |suite| {
            suite.fields = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n".to_owned();
        });
        world
    }

    pub(super) fn security(&self, version: &str, date: i64) {
        self.publish("security", [tool(version)], date, |suite| suite.prefix = "updates/".into());
    }

    fn publish(
        &self,
        name: &str,
        packages: impl IntoIterator<Item = Package>,
        date: i64,
        change: impl Fn(&mut Suite),
    ) {
        let mut suite = Suite::new(Timestamp::from_second(date).unwrap(), packages);
        suite.name = format!("trixie-{name}");
        suite.component = "non-free-firmware".to_owned();
        change(&mut suite);
        suite.publish(&self.0.path("mirror"), &[&key()]);
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let path = |name: &str| self.0.path(name).to_str().unwrap().to_owned();
        let mirror = format!("test={}", path("mirror"));
        let (lock, cache, key) = (path("lock"), path("cache"), path("key.gpg"));
        let sources =
            ["--lock-file", &lock, "--cache-dir", &cache, "--trust-key", &key, "--mirror", &mirror];
        self.0.run(&[arguments, &sources[..]].concat())
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        stdout
    }

    /// Name and version of the packages of a guest.
    fn built(&self, arguments: &[&str]) -> Vec<String> {
        let out = self.0.path("out");
        let build = ["build", "--flavor", "bare", "--out", out.to_str().unwrap()];
        self.good(&[&build[..], arguments].concat());
        let manifest = json(&out.join("manifest.json"));
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let packages = manifest["packages"].as_array().unwrap().iter();
        packages.map(|p| format!("{} {}", text(&p["name"]), text(&p["version"]))).collect()
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.0.path("lock")).unwrap()
    }
}

fn has(packages: &[String], package: &str) -> bool {
    packages.iter().any(|known| known == package)
}

#[test]
fn security_goes_before_and_backports_only_where_they_are_asked_for() {
    let world = World::new();
    let packages = world.built(&[]);
    assert!(has(&packages, "tool 1.1") && has(&packages, "kernel 6.1.0-1"), "{packages:?}");
    let packages = world.built(&["--kernel", "newest", "--frozen"]);
    assert!(has(&packages, "tool 1.1") && has(&packages, "kernel 7.0-1"), "{packages:?}");
    // Both kernels are in one lock, each with the archive that it is from, and nothing else from backports.
    let lock = world.lock();
    assert!(lock.contains("\"priority\":100") && !lock.contains("\"version\":\"9\""), "{lock}");
}

#[test]
fn a_lock_from_before_the_archives_says_so_or_is_made_again() {
    let world = World::new();
    world.good(&["lock"]);
    let lock = world.lock();
    let old: Vec<&str> = lock.lines().filter(|line| !line.contains("test-backports")).collect();
    let old = old.join("\n").replace("\"format\": 2", "\"format\": 1");
    // What is the last line of a list ends without a comma.
    let old = old.replace("},\n  ]", "}\n  ]");
    fs::write(world.0.path("lock"), old).unwrap();
    let out = world.0.path("out");
    let build = ["build", "--flavor", "bare", "--locked", "--out", out.to_str().unwrap()];
    let (code, _, stderr) = world.run(&build);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("it is not from the archive test-backports"), "{stderr}");
    assert!(has(&world.built(&["--kernel", "newest"]), "kernel 7.0-1"));
    // What it held already was kept.
    assert_eq!(world.lock(), lock);
}

#[test]
fn outdated_names_security_first_and_the_guests_that_change() {
    let world = World::new();
    let (code, _, stderr) = world.run(&["outdated"]);
    assert!(code == Some(3) && stderr.contains("there is no lock file"), "{stderr}");
    world.good(&["lock"]);
    let current = world.good(&["outdated", "--exit-code"]);
    assert!(current.contains("has what is offered now"), "{current}");

    world.security("1.2", FIRST + DAY);
    world.publish("backports", [kernel("7.1.0-test", "7.1-1")], FIRST + DAY, |suite| {
        suite.fields = "NotAutomatic: yes\nButAutomaticUpgrades: yes\n".to_owned();
    });
    let lock = world.lock();
    let report: serde_json::Value =
        serde_json::from_str(&world.good(&["outdated", "--json"])).unwrap();
    let rows = report["packages"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{report}");
    assert_eq!((&rows[0]["name"], &rows[0]["security"]), (&"tool".into(), &true.into()));
    assert_eq!((&rows[0]["locked"], &rows[0]["offered"]), (&"1.1".into(), &"1.2".into()));
    assert_eq!(rows[0]["guests"], report["guests"].as_array().unwrap().len());
    assert_eq!(
        (&rows[1]["name"], &rows[1]["archive"]),
        (&"kernel".into(), &"test-backports".into())
    );
    // The kernel is in half of them.
    let count = rows[1]["guests"].as_u64().unwrap();
    assert_eq!(count * 2, rows[0]["guests"].as_u64().unwrap(), "{report}");
    let (code, stdout, stderr) = world.run(&["outdated", "--exit-code"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.starts_with("PACKAGE") && stdout.contains("1 of them security"), "{stdout}");
    let dry = world.good(&["lock", "--upgrade", "--dry-run"]);
    assert!(dry.contains("~ tool 1.1 -> 1.2"), "{dry}");
    assert_eq!(world.lock(), lock, "nothing is written");
    world.good(&["lock", "--upgrade"]);
    assert!(world.lock() != lock && world.good(&["outdated"]).contains("what is offered now"));
}

#[test]
fn no_lock_goes_back_in_silence() {
    let world = World::new();
    world.security("1.2", FIRST + DAY);
    world.good(&["lock"]);
    let lock = world.lock();
    world.security("1.1", FIRST);
    for arguments in [&["lock", "--upgrade"][..], &["outdated"]] {
        let (code, _, stderr) = world.run(arguments);
        assert_eq!(code, Some(4), "{stderr}");
        assert!(
            stderr.contains("the index trixie-security of test-security is of 2023-11-14"),
            "{stderr}"
        );
        assert!(stderr.contains("--dangerously-allow-rollback"), "{stderr}");
    }
    assert_eq!(world.lock(), lock);
    let changes = world.good(&["lock", "--upgrade", "--dangerously-allow-rollback"]);
    assert!(changes.contains("~ tool 1.2 -> 1.1"), "{changes}");
}

#[test]
fn a_release_past_its_end_is_named_each_time_it_is_used() {
    let world = World::new();
    let base = world.0.path("recipes/bases/test.yaml");
    let text = fs::read_to_string(&base).unwrap();
    let past = "{summary: the only one, end_of_life: \"2001-02-03\"}";
    fs::write(&base, text.replace("{summary: the only one}", past)).unwrap();
    let out = world.0.path("out");
    let build = ["build", "--flavor", "bare", "--out", out.to_str().unwrap()];
    // The third one has nothing to do.
    for verb in [&["lock"][..], &build, &build] {
        let (code, stdout, stderr) = world.run(verb);
        assert_eq!(code, Some(0), "{stderr}");
        let said = "test trixie got its last updates on 2001-02-03";
        assert!(stderr.contains(said), "{verb:?}: {stdout}{stderr}");
    }
}
