//! Guests from a generated, signed repository in Alpine's layout: how keys are found, what the lock
//! pins, which package wins a file, what is refused, and bundles that serve without a network.

#![allow(clippy::unwrap_used)]

mod scripts;

use std::fs;
use std::path::{Path, PathBuf};

use wifibox_formats::apk::signature::Kind;
use wifibox_ground::digest::Sha256;
use wifibox_testkit::adbkeys;
use wifibox_testkit::adbrepo;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Package, Repository};
use wifibox_testkit::kernel::{BUILT_IN, kernel_image};
use wifibox_testkit::server::dead_url;

const KEY: &str = "builders@example.org-1234.rsa.pub";
const MODULES: &str = "lib/modules/6.18.1-0-lts";

fn key() -> SigningKey {
    SigningKey::generate(KEY, 1)
}

/// The packages in the repository unless a test says otherwise.
fn packages() -> Vec<Package> {
    vec![
        Package::new("distro-keys", "1-r0").directory("etc/apk/keys", 0o755).file(
            &format!("etc/apk/keys/{KEY}"),
            0o644,
            key().pem(),
        ),
        Package::new("tool", "1.0-r0")
            .info("depend", "so:liblib.so.2")
            .info("builddate", "1700000000")
            .file("usr/bin/tool", 0o755, "the tool's own\n"),
        Package::new("lib", "2.1-r3")
            .info("provides", "so:liblib.so.2=2.1")
            .info("replaces", "tool<2")
            .info("replaces_priority", "5")
            .file("usr/bin/tool", 0o755, "the library's\n"),
        Package::new("extra", "3-r0").file("usr/bin/extra", 0o755, "more\n"),
        Package::new("linux-lts", "6.18.1-r0")
            .info("depend", "initramfs-generator")
            .file("boot/vmlinuz-lts", 0o644, kernel_image("6.18.1-0-lts"))
            .file(&format!("{MODULES}/modules.builtin"), 0o644, BUILT_IN)
            .file(&format!("{MODULES}/modules.builtin.modinfo"), 0o644, "squashfs.license=GPL\0")
            .file(&format!("{MODULES}/modules.order"), 0o644, ""),
    ]
}

struct World(tempfile::TempDir);

impl World {
    fn new(packages: Vec<Package>) -> Self {
        World::signed(packages, &key())
    }

    fn signed(packages: Vec<Package>, signer: &SigningKey) -> Self {
        let world = World(tempfile::tempdir().unwrap());
        let repository = Repository::new(packages).signed(Kind::Rsa256, signer);
        repository.publish(&world.path("mirror/v1/main/x86_64"));
        let file = |name: &str, text: &str| {
            fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
            fs::write(world.path(name), text).unwrap();
        };
        file(
            "recipes/guest.yaml",
            "summary: every guest\ndefault_base: distro\naccounts:\n  groups: [{ name: root, gid: 0 }]\n  \
             users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh }]\n",
        );
        file("recipes/bases/other.yaml", &base("other", "dpkg", ""));
        file("recipes/bases/distro.yaml", &base("distro", "apk", "packages: [tool]\n"));
        file("recipes/roles/station.yaml", "summary: the only role\napp_config: wpa_supplicant\n");
        file("recipes/flavors/f.yaml", "summary: the only flavor\nchipsets: []\n");
        file(
            "recipes/hypervisors/h.yaml",
            "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n",
        );
        file(
            "kernels/lts.yaml",
            "summary: a kernel\nbase: distro\narchitecture: x86_64\npackage: linux-lts\n\
             image: boot/vmlinuz*\nmodules: lib/modules/*\nboots_with: direct\n\
             needs: { stand_ins: { initramfs-generator: 'The builder makes it.' } }\n",
        );
        file(
            "recipes/features/more.yaml",
            "summary: more\ndefault: false\non: { distro: { packages: [extra] } }\n",
        );
        fs::create_dir_all(world.path("overlays")).unwrap();
        fs::create_dir_all(world.path("firmware-blobs")).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with a lock and a store of their own; gives the exit code and what it said.
    fn run(&self, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
        wifibox_testkit::run(self.0.path(), name, &format!("{name}.lock"), arguments)
    }

    fn build(&self, name: &str, more: &[&str]) -> (Option<i32>, String) {
        let out = self.path(&format!("{name}.out")).display().to_string();
        let flavor = if more.contains(&"--flavor") { &[][..] } else { &["--flavor", "f"] };
        self.run(name, &[&["build", "--out", &out], flavor, more].concat())
    }

    fn mirror(&self) -> String {
        format!("--mirror=distro=file://{}", self.path("mirror").display())
    }

    fn sums(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.out/SHA256SUMS"))).unwrap()
    }
}

fn base(name: &str, format: &str, more: &str) -> String {
    let fingerprint = key().fingerprint();
    format!(
        "summary: a generated distribution\nformat: {format}\narchitecture: x86_64\n\
         default: {{ release: '1', kernel: lts, role: station, hypervisor: h, compression: gzip }}\n\
         releases: {{ '1': {{ summary: the only one }} }}\n\
         repositories:\n  - name: {name}\n    mirrors: ['{}']\n    suites: ['v{{release}}']\n    \
         components: [main]\n    key_package: distro-keys\n    \
         keys: [{{ name: {KEY}, fingerprint: {fingerprint} }}]\n\
         kernels: [lts]\ninit: sbin/init\nregulatory_database: false\n{more}",
        dead_url()
    )
}

fn manifest(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_guest_is_built_with_the_repositorys_own_keys_and_the_lock_pins_what_is_used() {
    let world = World::new(packages());
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    let lock = fs::read_to_string(world.path("a.lock")).unwrap();
    let pinned = |lock: &str, package: &Package| {
        let line = lock.lines().find(|line| line.contains(&format!("\"{}\"", package.name)));
        line.unwrap().contains(&Sha256::of(&package.build()).to_string())
    };
    for package in packages().iter().filter(|package| package.name != "distro-keys") {
        assert_eq!(pinned(&lock, package), package.name != "extra", "{}", package.name);
    }
    // Of other compositions the records are locked; their files are fetched and pinned when used.
    let (code, said) = world.build("a", &[&world.mirror(), "--with", "more"]);
    assert_eq!(code, Some(0), "{said}");
    let lock = fs::read_to_string(world.path("a.lock")).unwrap();
    let all = packages();
    let extra = all.iter().find(|package| package.name == "extra").unwrap();
    assert!(pinned(&lock, extra), "{lock}");
    // The library replaces the tool's file, whichever of the two comes first.
    let manifest = manifest(&world.path("a.out"));
    let files = manifest["files"].as_array().unwrap();
    let tool = files.iter().find(|file| file["path"] == "usr/bin/tool").unwrap();
    assert_eq!(tool["sha256"], Sha256::of(b"the library's\n").to_string());
}

#[test]
fn a_repository_alone_is_a_mirror_as_on_boot_media() {
    let world = World::new(packages());
    fs::rename(world.path("mirror/v1/main"), world.path("apks")).unwrap();
    let apks = format!("--mirror=distro={}", world.path("apks").display());
    let (code, said) = world.build("a", &[&apks]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_mirror_of_a_part_serves_the_builds_that_it_can() {
    let world = World::new(packages());
    let other = "summary: another\nchipsets: []\npackages: [absent]\n";
    fs::write(world.path("recipes/flavors/g.yaml"), other).unwrap();
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("absent"), "the lock says what it cannot serve: {said}");
    let lock = fs::read_to_string(world.path("a.lock")).unwrap();
    assert!(lock.contains("\"missing\": [\"absent\"]"), "{lock}");
    // That lock is as good as any for what it serves, and says no to the rest.
    let (code, said) = world.build("a", &["--frozen"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = world.build("a", &["--flavor", "g", "--frozen"]);
    assert_ne!(code, Some(0), "{said}");
    // What becomes available comes in.
    let (code, said) = world.build("b", &[&world.mirror(), "--flavor", "g"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("absent"), "{said}");
}

#[test]
fn a_bundle_serves_as_mirror_and_as_distdir_and_gives_the_same_bytes() {
    let world = World::new(packages());
    let (code, said) = world.build("direct", &[&world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    let bundle = world.path("bundle").display().to_string();
    let (code, said) = world.run("b", &["bundle", &bundle, "--flavor", "f", &world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    fs::remove_dir_all(world.path("mirror")).unwrap();
    let listed = manifest(&world.path("bundle"));
    let listed: Vec<&str> =
        listed["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert!(listed.contains(&"v1/main/x86_64/APKINDEX.tar.gz"), "{listed:?}");
    assert!(listed.contains(&"v1/main/x86_64/distro-keys-1-r0.apk"), "{listed:?}");
    let mirror = format!("--mirror=distro=file://{bundle}");
    let (code, said) = world.build("mirrored", &[&mirror, "--offline"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.sums("direct"), world.sums("mirrored"));
    let locks = world.path("bundle/locks/distro-1-x86_64.lock");
    fs::copy(locks, world.path("dist.lock")).unwrap();
    let (code, said) = world.build("dist", &["--frozen", "--distdir", &bundle]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.sums("direct"), world.sums("dist"));
}

#[test]
fn an_index_of_another_signer_is_refused() {
    let stranger = SigningKey::generate(KEY, 2);
    let world = World::signed(packages(), &stranger);
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains(KEY), "{said}");
    assert!(!world.path("a.lock").exists() && !world.path("a.out").exists());
}

#[test]
fn a_package_that_is_not_the_indexs_is_refused() {
    let world = World::new(packages());
    let forged = Package::new("tool", "1.0-r0").file("usr/bin/tool", 0o755, "forged\n");
    fs::write(world.path("mirror/v1/main/x86_64/tool-1.0-r0.apk"), forged.build()).unwrap();
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("tool 1.0-r0"), "{said}");
    assert!(!world.path("a.lock").exists());
}

#[test]
fn a_clash_of_two_packages_names_both() {
    let mut packages = packages();
    packages[2].info.retain(|(name, _)| !name.starts_with("replaces"));
    let world = World::new(packages);
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("usr/bin/tool") && said.contains("package lib"), "{said}");
}

#[test]
fn an_unreachable_mirror_is_named_with_the_ways_out() {
    let world = World::new(packages());
    let (code, said) = world.build("a", &[]);
    assert_eq!(code, Some(1), "{said}");
    for part in ["127.0.0.1", "--mirror distro=", "--distdir", "--base other"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

/// The day that Alpine publishes format v3: the same places, an index and packages in ADB.
#[test]
fn a_repository_in_format_v3_serves_as_well() {
    let signer = adbkeys::Signer::rsa(3, 2048);
    let world = World::new(packages());
    let folder = world.path("mirror/v1/main/x86_64");
    fs::remove_dir_all(&folder).unwrap();
    let package = |name: &str, version: &str| adbrepo::Package::new(name, version).plain();
    let kernel = package("linux-lts", "6.18.1-r0")
        .depends("initramfs-generator", None)
        .file("boot/vmlinuz-lts", 0o644, kernel_image("6.18.1-0-lts"))
        .file(&format!("{MODULES}/modules.builtin"), 0o644, BUILT_IN)
        .file(&format!("{MODULES}/modules.builtin.modinfo"), 0o644, "squashfs.license=GPL\0")
        .file(&format!("{MODULES}/modules.order"), 0o644, "");
    let list = [
        package("tool", "1.0-r0").depends("lib", None).file("usr/bin/tool", 0o755, "v3\n"),
        package("lib", "2.1-r3").file("usr/lib/lib", 0o644, "library\n"),
        package("extra", "3-r0").file("usr/bin/extra", 0o755, "more\n"),
        kernel,
    ];
    adbrepo::publish(&folder, &list, Some(&signer));
    fs::rename(folder.join("packages.adb"), folder.join("APKINDEX.tar.gz")).unwrap();
    let recipe = world.path("recipes/bases/distro.yaml");
    let text = fs::read_to_string(&recipe).unwrap();
    let ours = text.replace(&key().fingerprint().to_string(), &signer.fingerprint().to_string());
    fs::write(&recipe, ours).unwrap();
    fs::write(world.path("v3.pem"), &signer.pem).unwrap();
    let trust = format!("--trust-key={}", world.path("v3.pem").display());
    let (code, said) = world.build("a", &[&world.mirror(), &trust]);
    assert_eq!(code, Some(0), "{said}");
    let manifest = manifest(&world.path("a.out"));
    let files = manifest["files"].as_array().unwrap();
    let tool = files.iter().find(|file| file["path"] == "usr/bin/tool").unwrap();
    assert_eq!(tool["sha256"], Sha256::of(b"v3\n").to_string());
    // Its own signature, not that of any key.
    fs::write(&recipe, text).unwrap();
    let (code, said) = world.build("b", &[&world.mirror(), &trust]);
    assert_eq!(code, Some(4), "{said}");
}
