//! A kernel that belongs to no base: it comes from a repository of its own, whose packages its user pins, and has a lock of
//! its own.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wifibox_testkit::apkrepo::Package;

use super::openrc_guest;

const RELEASE: &str = "6.12.118-own";

/// Nobody serves it: mirrors and folders do.
const PUBLISHED: &str = "{ release: '6.12', repository: { name: own, mirrors: ['http://127.0.0.1:1/own'], \
     lists: ['http://127.0.0.1:1/own/distinfo'] } }";

fn kernel(version: &str) -> Package {
    Package::new("linux-own-x86_64", version)
        .kernel("boot/vmlinuz", RELEASE)
        .file("boot/System.map", 0o644, "addresses\n")
        .file("usr/share/licenses/linux-own/COPYING", 0o644, "The kernel's terms.\n")
}

/// The recipes and the pinned set of [`openrc_guest`], whose base names the kernel `own`, too.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = World(tempfile::tempdir().unwrap());
        openrc_guest::lay_out(world.0.path(), "[modules]");
        let base = world.path("recipes/bases/set.yaml");
        // A port fetches from the mirrors of the recipe.
        let named = "  - name: set\n    mirrors: ['http://127.0.0.1:1/set']\n";
        let text = fs::read_to_string(&base).unwrap().replace("kernels: [k]", "kernels: [k, own]");
        let text = text.replace("  - name: set\n", named);
        fs::write(base, text).unwrap();
        world.describe(&format!("published: {PUBLISHED}"));
        // Ports are for bhyve.
        let hypervisor =
            "summary: bhyve\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n";
        fs::write(world.path("recipes/hypervisors/bhyve.yaml"), hypervisor).unwrap();
        world.add(&kernel("6.12.118-r100"));
        world
    }

    /// Writes the kernel's descriptor, which says by `source` where its packages are.
    fn describe(&self, source: &str) {
        let text = format!(
            "summary: of nobody's base\n{source}\narchitecture: x86_64\npackage: 'linux-own-{{architecture}}'\n\
             image: boot/vmlinuz\nmodules: '{{,usr/}}lib/modules/*'\nboots_with: direct\n\
             needs: {{ memory: {{ smallest: 48 }} }}\nunder: {{ h: {{ memory: {{ smallest: 96 }} }} }}\n"
        );
        fs::write(self.path("kernels/own.yaml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn add(&self, package: &Package) {
        fs::create_dir_all(self.path("kernel")).unwrap();
        fs::write(self.path("kernel").join(package.file_name()), package.build()).unwrap();
    }

    fn show(&self) -> (Option<i32>, String) {
        let words = ["show", "--flavor", "f", "--kernel", "own", "--json", "--recipes"];
        said(Command::new(wifibox_testkit::program()).args(words).arg(self.0.path()))
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut program = Command::new(wifibox_testkit::program());
        program
            .args(words)
            .arg("--recipes")
            .arg(self.0.path())
            .arg(format!("--cache-dir={}", self.path("cache").display()))
            .arg(format!("--lock-file={}", self.path("locks/set.lock").display()))
            .arg(format!("--mirror=set=file://{}", self.path("mirror").display()))
            .env_remove("SOURCE_DATE_EPOCH");
        said(&mut program)
    }

    fn build(&self, more: &[&str]) -> (Option<i32>, String) {
        let out = self.path("out").display().to_string();
        let words = ["build", "--flavor", "f", "--kernel", "own", "--out", &out];
        self.run(&[&words[..], more].concat())
    }

    fn mirror(&self) -> String {
        format!("--mirror=own={}", self.path("kernel").display())
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("locks/own-6.12-x86_64.lock")).unwrap_or_default()
    }
}

/// Runs the program; its exit code, and all that it printed.
fn said(program: &mut Command) -> (Option<i32>, String) {
    let output = program.output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn it_is_pinned_by_its_user_and_then_taken_from_anywhere() {
    let world = World::new();
    let mirror = world.mirror();
    let (code, said) = world.build(&[&mirror]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("'wifibox-build lock --kernel own --trust-new-pins'"), "{said}");
    assert_eq!(world.lock(), "");

    let (code, said) = world.run(&["lock", "--kernel", "own", "--trust-new-pins", &mirror]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("! own: linux-own-x86_64-6.12.118-r100.apk, "), "{said}");
    assert!(world.lock().contains("\"base\": \"own\""), "{}", world.lock());

    let (code, said) = world.build(&[&mirror]);
    assert_eq!(code, Some(0), "{said}");
    let manifest = json(&world.path("out/manifest.json"));
    assert_eq!(manifest["kernel"]["release"], RELEASE);
    let files: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().filter_map(|f| f["path"].as_str()).collect();
    assert!(!files.iter().any(|path| path.starts_with("boot/")), "{files:?}");
    let licences = fs::read_to_string(world.path("out/licenses/SUMMARY.txt")).unwrap();
    assert!(licences.contains("linux-own-x86_64"), "{licences}");
    let before = fs::read(world.path("out/SHA256SUMS")).unwrap();

    // Another machine: the locks, and a folder of downloaded files.
    for folder in ["cache", "out"] {
        fs::remove_dir_all(world.path(folder)).unwrap();
    }
    let downloads = format!("--distdir={}", world.path("kernel").display());
    let (code, said) = world.build(&["--frozen", &downloads]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(fs::read(world.path("out/SHA256SUMS")).unwrap(), before);

    // A newer one is for those who ask for it; another one under the same name is refused.
    world.add(&kernel("6.12.119-r100"));
    let (code, said) = world.build(&[&mirror]);
    assert!(code == Some(0) && said.contains("up to date"), "{said}");
    let upgrade = ["lock", "--kernel", "own", "--upgrade", "--trust-new-pins", &mirror];
    let (code, said) = world.run(&upgrade);
    assert!(code == Some(0) && said.contains("6.12.119-r100"), "{said}");
    world.add(&kernel("6.12.119-r100").file("boot/more", 0o644, "slipped in"));
    fs::remove_dir_all(world.path("cache")).unwrap();
    let (code, said) = world.build(&[&mirror]);
    assert_eq!(code, Some(4), "{said}");
}

#[test]
fn a_kernel_has_one_home_and_its_needs_follow_the_hypervisor() {
    let world = World::new();
    let (code, said) = world.show();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\"value\":96}"), "{said}");
    for (source, expected) in [
        ("needs_nothing: 1", "needs_nothing"),
        ("", "neither"),
        ("base: set\npublished: { release: '1', repository: { name: own } }", "both"),
    ] {
        world.describe(source);
        let (code, said) = world.show();
        assert!(code == Some(2) && said.contains(expected), "{source}: {said}");
    }
}

#[test]
fn an_export_of_all_kernels_leaves_it_out_until_it_is_locked() {
    let world = World::new();
    let out = world.path("port").display().to_string();
    let export = ["export", "freebsd-port", "--out", &out];
    let (code, said) = world.run(&export);
    assert_eq!(code, Some(0), "{said}");
    let distinfo = || fs::read_to_string(world.path("port/distinfo.set")).unwrap();
    assert!(!distinfo().contains("linux-own"), "{}", distinfo());
    let mirror = world.mirror();
    let (code, said) = world.run(&["lock", "--kernel", "own", "--trust-new-pins", &mirror]);
    assert_eq!(code, Some(0), "{said}");
    fs::remove_dir_all(world.path("port")).unwrap();
    let (code, said) = world.run(&[&export[..], &[mirror.as_str()]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(distinfo().contains("linux-own-x86_64-6.12.118-r100.apk"), "{}", distinfo());
}
