//! Guests from generated, signed feeds in OpenWrt's layout, of both package formats: what the image
//! builder's work comes to, which kernel goes with which modules, what is refused.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;
use support::adbkeys;
use support::adbrepo::{self, Package};
use support::debrepo::{self, Suite};
use support::kernel::{BUILT_IN, kernel_image};
use support::keys::{Key, Spec};
use support::opkgrepo::{Ipk, Release, Signer};
use support::server::dead_url;
use wifibox_build::digest::Sha256;
use wifibox_build::repo::adb::{AdbLimits, Apk3, Index, Keyring};
use wifibox_build::tree::openwrt;

const MAGIC: &str = "0123456789abcdef0123456789abcdef";
const SERVICE: &str = "#!/bin/sh /etc/rc.common\nSTART=50\nSTOP=10\n";

fn signer() -> Signer {
    Signer::new(7)
}

fn apk_signer() -> adbkeys::Signer {
    adbkeys::Signer::ec(8)
}

fn debian_key() -> Key {
    Key::generate(&Spec::ed25519(1, 1_600_000_000))
}

fn ipk(name: &str) -> Ipk {
    Ipk::new(name, "1", "x86_64").field("License", "MIT")
}

/// A release of opkg's format: the base, a daemon with an account, two variants, kernel modules.
fn opkg_release() -> Release {
    let base_files = ipk("base-files")
        .field("Depends", "libc")
        .file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/ash\n")
        .file("etc/group", 0o644, "root:x:0:\n")
        .file("etc/shadow", 0o600, "root:::0:99999:7:::\n")
        .file("etc/init.d/boot", 0o755, "#!/bin/sh /etc/rc.common\nSTART=10\n")
        .file("etc/config/system", 0o644, "config system\n")
        .file("usr/lib/opkg/status", 0o644, "")
        .symlink("var", "tmp");
    let daemon = ipk("daemon")
        .field("Depends", "libc, radio")
        .field("Require-User", "daemon=71:daemon=71")
        .field("Alternatives", "200:/usr/bin/tool:/usr/libexec/daemon-tool")
        .file("etc/init.d/daemon", 0o755, SERVICE)
        .control("postinst-pkg", b"[ -n \"${IPKG_INSTROOT}\" ] || /etc/init.d/daemon reload\n");
    let noisy = ipk("noisy").file("etc/init.d/noisy", 0o755, SERVICE);
    let variant = |name: &str, rival: &str| {
        ipk(name)
            .field("Depends", &format!("{name}-data"))
            .field("Provides", "radio")
            .field("Conflicts", rival)
            .file("usr/sbin/radio", 0o755, name)
    };
    let mut release = Release::new();
    let depends = format!("kernel (={})", release.kernel_version());
    let module = Ipk::new("kmod-radio", "5.15.137-1", "x86_64").field("Depends", &depends).file(
        "lib/modules/5.15.137/radio.ko",
        0o644,
        "a module",
    );
    let user = ipk("radio-tool").field("Depends", "kmod-radio").file("usr/bin/radio", 0o755, "r");
    release.unlisted.push(ipk("libc").file("lib/libc.so", 0o755, "libc"));
    release
        .unlisted
        .push(Ipk::new("kernel", &release.kernel_version(), "x86_64").field("License", "GPL-2.0"));
    release.files.insert(IMAGE.replace("{release}", "23.05.2"), kernel_image("5.15.137"));
    release
        .with("core", [base_files])
        .with("kmods", [module])
        .with("base", [daemon, noisy, user, ipk("odd").control("postinst-pkg", ODD.as_bytes())])
        .with("base", [variant("radio-basic", "radio-full"), variant("radio-full", "radio-basic")])
        .with("base", [ipk("radio-basic-data"), ipk("radio-full-data")])
}

const IMAGE: &str = "openwrt-{release}-x86-64-generic-kernel.bin";
const ODD: &str = "echo odd >> $IPKG_INSTROOT/etc/config/system\n";

fn adb_packages() -> (Vec<Package>, Vec<Package>) {
    let kernel = format!("6.12.66~{MAGIC}-r1");
    let base_files = Package::new("base-files", "1-r1")
        .depends("libc", None)
        .file("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/ash\n")
        .file("etc/group", 0o644, "root:x:0:\n")
        .file("etc/shadow", 0o600, "root:::0:99999:7:::\n")
        .file("etc/init.d/boot", 0o755, "#!/bin/sh /etc/rc.common\nSTART=10\n")
        .file("etc/config/system", 0o644, "config system\n")
        .symlink("var", "tmp");
    let daemon = Package::new("daemon", "2-r1")
        .depends("radio", None)
        .file("etc/init.d/daemon", 0o755, SERVICE)
        .file("lib/apk/packages/daemon.rusers", 0o644, "daemon=71:daemon=71\n")
        .file(
            "lib/apk/packages/daemon.alternatives",
            0o644,
            "200:/usr/bin/tool:/usr/libexec/daemon-tool\n",
        )
        .script(Some("[ -n \"${IPKG_INSTROOT}\" ] || /etc/init.d/daemon reload\n"));
    let variant = |name: &str, rival: &str| {
        Package::new(name, "1-r1").provides("radio").conflicts(rival).file(
            "usr/sbin/radio",
            0o755,
            name,
        )
    };
    let core = vec![
        base_files,
        Package::new("libc", "1-r1")
            .file("lib/libc.so", 0o755, "libc")
            .file("lib/libgcc_s.so.1", 0o755, "libgcc")
            .symlink("lib/ld-musl-x86_64.so.1", "libc.so"),
        Package::new("kernel", &kernel),
        Package::new("kmod-radio", "6.12.66-r1").depends("kernel", Some(&kernel)).file(
            "lib/modules/6.12.66/radio.ko",
            0o644,
            "a module",
        ),
    ];
    let base = vec![
        daemon,
        Package::new("noisy", "1-r1").file("etc/init.d/noisy", 0o755, SERVICE),
        // Which of two packages that can be together is meant, must be said.
        Package::new("first", "1-r1").provides("choice"),
        Package::new("second", "1-r1").provides("choice"),
        Package::new("picky", "1-r1").depends("choice", None).depends("kmod-gone", None),
        Package::new("radio-tool", "1-r1").depends("kmod-radio", None).file(
            "usr/bin/radio",
            0o755,
            "r",
        ),
        variant("radio-basic", "radio-full"),
        variant("radio-full", "radio-basic"),
        Package::new("odd", "1-r1").script(Some(ODD)),
    ];
    (core, base)
}

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        World::with(opkg_release(), Some(&apk_signer()))
    }

    /// A mirror with this release of opkg's format, and one of v3 that `apk` signed.
    fn with(release: Release, apk: Option<&adbkeys::Signer>) -> Self {
        let world = World(tempfile::tempdir().unwrap());
        release.publish(&world.path("mirror"), &signer());
        let target = world.path("mirror/releases/25.12.0/targets/x86/64");
        let (core, base) = adb_packages();
        adbrepo::publish(&target.join("packages"), &core, apk);
        let feeds = world.path("mirror/releases/25.12.0/packages/x86_64");
        adbrepo::publish(&feeds.join("base"), &base, apk);
        let image = kernel_image("6.12.66");
        let name = IMAGE.replace("{release}", "25.12.0");
        fs::write(target.join(&name), &image).unwrap();
        let sums = format!("{} *{name}\n", Sha256::of(&image));
        fs::write(target.join("sha256sums"), &sums).unwrap();
        fs::write(target.join("sha256sums.sig"), signer().sign(sums.as_bytes())).unwrap();
        fs::write(world.path("usign.pub"), signer().public_key()).unwrap();
        fs::write(world.path("apk.pem"), apk_signer().pem).unwrap();
        world.debian();
        world.recipes("");
        world
    }

    /// The distribution that lends its kernel.
    fn debian(&self) {
        let kernel = debrepo::Package::new("linux-image", "6.1.0-1", "amd64")
            .file("boot/vmlinuz-6.1.0-test", 0o644, kernel_image("6.1.0-test"))
            .file("usr/lib/modules/6.1.0-test/modules.builtin", 0o644, BUILT_IN)
            .file("usr/lib/modules/6.1.0-test/modules.builtin.modinfo", 0o644, "")
            .file("usr/lib/modules/6.1.0-test/modules.order", 0o644, "");
        let mut suite = Suite::new(Timestamp::from_second(1_700_000_000).unwrap(), vec![kernel]);
        suite.component = "main".to_owned();
        suite.publish(&self.path("debian"), &[&debian_key()]);
        fs::write(self.path("debian.gpg"), debian_key().certificate()).unwrap();
    }

    /// The recipes; the base has `more` at its end.
    fn recipes(&self, more: &str) {
        let file = |name: &str, text: &str| {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        };
        let (usign, apk) = (signer().fingerprint(), apk_signer().fingerprint());
        let dead = dead_url();
        file("recipes/guest.yaml", "summary: every guest\ndefault_base: router\n");
        file(
            "recipes/bases/router.yaml",
            &format!(
                "summary: a router\nformat: opkg\narchitecture: x86_64\n\
                 default: {{ release: '23.05', kernel: own, role: station, hypervisor: h, compression: gzip }}\n\
                 releases:\n  '23.05': {{ summary: opkg, point: '23.05.2' }}\n  \
                 '25.12': {{ summary: v3, point: '25.12.0', format: adb }}\n\
                 repositories:\n  - name: feeds\n    mirrors: ['{dead}']\n    \
                 suites: ['releases/{{release}}']\n    components: [base]\n    \
                 targets: {{ x86_64: {{ name: x86/64, kernel_image: '{IMAGE}' }} }}\n    keys:\n      \
                 - {{ name: usign.pub, fingerprint: {usign} }}\n      \
                 - {{ name: apk.pem, fingerprint: {apk} }}\n\
                 kernels: [own, lent]\ninit: sbin/init\ninit_system: procd\naccounts_from: packages\n\
                 regulatory_database: false\nkeep_empty_directories: true\nkeep: ['lib/lib*']\n\
                 packages: [base-files, libc, daemon, noisy, radio-tool, radio-basic]\n\
                 services_off: [noisy, absent]\n\
                 with_other_kernel:\n  stand_ins: {{ kernel: It is lent., 'kmod-*': It is lent. }}\n{more}"
            ),
        );
        file(
            "recipes/bases/debian.yaml",
            &format!(
                "summary: it lends its kernel\nformat: dpkg\narchitecture: amd64\n\
                 default: {{ release: trixie, kernel: lent, role: station, hypervisor: h, compression: gzip }}\n\
                 releases: {{ trixie: {{ summary: the only one }} }}\n\
                 repositories:\n  - name: debian\n    mirrors: ['{dead}']\n    suites: [trixie]\n    \
                 components: [main]\n    keys: [{{ name: its key, fingerprint: {} }}]\n\
                 kernels: [lent]\ninit: sbin/init\nregulatory_database: false\n\
                 accounts: {{ groups: [{{ name: root, gid: 0 }}], users: [{{ name: root, uid: 0, group: root, \
                 home: root, shell: bin/sh }}] }}\n",
                debian_key().fingerprint()
            ),
        );
        file("recipes/roles/station.yaml", "summary: a role\napp_config: wpa_supplicant\n");
        file("recipes/flavors/f.yaml", "summary: a flavor\nmanifests: []\n");
        file(
            "recipes/features/full.yaml",
            "summary: the other variant\ndefault: false\nbases: [router]\npackages: [radio-full]\n",
        );
        file(
            "recipes/features/quiet.yaml",
            "summary: less\ndefault: false\nbases: [router]\npackages: [-noisy]\n",
        );
        file(
            "recipes/features/picky.yaml",
            "summary: a choice\ndefault: false\nbases: [router]\n\
             packages: [picky, second, first]\n",
        );
        file(
            "recipes/features/odd.yaml",
            "summary: a script\ndefault: false\nbases: [router]\npackages: [odd]\n",
        );
        file(
            "recipes/hypervisors/h.yaml",
            "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n",
        );
        file(
            "kernels/own.yaml",
            "summary: its own\nbase: router\narchitecture: x86_64\npackage: kernel-image\n\
             image: boot/openwrt-*\nmodules: lib/modules/*\nboots_with: direct\n\
             built_in: [squashfs, virtio_blk, virtio_pci, e1000]\n",
        );
        file(
            "kernels/lent.yaml",
            "summary: lent\nbase: debian\narchitecture: amd64\npackage: linux-image\n\
             image: boot/vmlinuz*\nmodules: '{,usr/}lib/modules/*'\nboots_with: direct\n",
        );
        fs::create_dir_all(self.path("firmware-blobs")).unwrap();
        fs::create_dir_all(self.path("overlays")).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with a store of its own and the lock `name`; gives exit code and what it said.
    fn run(&self, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_wifibox-build"))
            .args(arguments)
            .arg("--recipes")
            .arg(self.0.path())
            .arg("--cache-dir")
            .arg(self.path(&format!("{name}.cache")))
            .arg("--lock-file")
            .arg(self.path(&format!("{name}.locks/router.lock")))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    }

    fn build(&self, name: &str, more: &[&str]) -> (Option<i32>, String) {
        let out = self.path(&format!("{name}.out")).display().to_string();
        self.run(name, &[&["build", "--flavor", "f", "--out", &out], more].concat())
    }

    /// The mirrors and all keys.
    fn sources(&self) -> Vec<String> {
        let mut arguments = self.mirrors();
        for key in ["usign.pub", "apk.pem", "debian.gpg"] {
            arguments.push(format!("--trust-key={}", self.path(key).display()));
        }
        arguments
    }

    fn mirrors(&self) -> Vec<String> {
        [("feeds", "mirror"), ("debian", "debian")]
            .map(|(name, folder)| format!("--mirror={name}={}", self.path(folder).display()))
            .to_vec()
    }

    fn built(&self, name: &str, more: &[&str]) -> Guest {
        let sources = self.sources();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let (code, said) = self.build(name, &[&sources[..], more].concat());
        assert_eq!(code, Some(0), "{said}");
        self.guest(name)
    }

    fn refused(&self, name: &str, more: &[&str], expected: i32) -> String {
        let sources = self.sources();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let (code, said) = self.build(name, &[&sources[..], more].concat());
        assert_eq!(code, Some(expected), "{said}");
        assert!(!self.path(&format!("{name}.out")).exists(), "{said}");
        said
    }

    fn guest(&self, name: &str) -> Guest {
        let folder = self.path(&format!("{name}.out"));
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        Guest { manifest: serde_json::from_str(&text).unwrap(), sums }
    }
}

/// What was built.
struct Guest {
    manifest: serde_json::Value,
    sums: String,
}

impl Guest {
    /// The packages, `name version`.
    fn packages(&self) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let list = self.manifest["packages"].as_array().unwrap().iter();
        list.map(|p| format!("{} {}", text(&p["name"]), text(&p["version"]))).collect()
    }

    fn has(&self, package: &str) -> bool {
        self.packages().iter().any(|known| known.split(' ').next() == Some(package))
    }

    fn file(&self, path: &str) -> Option<&serde_json::Value> {
        self.manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path)
    }

    fn holds(&self, path: &str, text: &str) {
        let found = self.file(path).unwrap_or_else(|| panic!("no {path}: {:#}", self.manifest));
        assert_eq!(found["sha256"], Sha256::of(text.as_bytes()).to_string(), "{path}");
    }
}

/// What the image builder's work comes to, whatever the format of the packages.
fn is_completed(guest: &Guest) {
    let account = "daemon:x:71:71:daemon:/var/run/daemon:/bin/false\n";
    guest.holds("etc/passwd", &format!("root:x:0:0:root:/root:/bin/ash\n{account}"));
    guest.holds("etc/group", "root:x:0:\ndaemon:x:71:daemon\n");
    guest.holds("etc/shadow", "root:::0:99999:7:::\ndaemon:x:0:0:99999:7:::\n");
    for link in ["etc/rc.d/S10boot", "etc/rc.d/S50daemon", "etc/rc.d/K10daemon"] {
        assert!(guest.file(link).is_some(), "{link}");
    }
    for absent in ["etc/rc.d/S50noisy", "usr/lib/opkg/status", "boot", "tmp/x"] {
        assert!(guest.file(absent).is_none(), "{absent}");
    }
    assert!(guest.file("etc/init.d/noisy").is_some());
    assert!(guest.file("usr/bin/tool").is_some(), "the alternative");
    assert!(guest.file("dev/console").is_some(), "the kernel has no devtmpfs");
    let sidecars = guest.manifest["files"].as_array().unwrap().iter();
    let left: Vec<_> =
        sidecars.filter(|file| file["path"].as_str().unwrap().starts_with("lib/apk")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(guest.has("radio-basic") && !guest.has("radio-full"));
    guest.holds("usr/sbin/radio", "radio-basic");
}

#[test]
fn a_release_of_opkg_becomes_a_guest_with_its_own_kernel() {
    let world = World::new();
    let guest = world.built("a", &["--release", "23.05"]);
    is_completed(&guest);
    assert_eq!(guest.manifest["kernel"]["release"], "5.15.137");
    assert_eq!(guest.manifest["recipe"]["release"], "23.05.2");
    let version = format!("5.15.137-1-{MAGIC}");
    let packages = guest.packages();
    for package in [format!("kernel {version}"), format!("kernel-image {version}"), "libc 1".into()]
    {
        assert!(packages.contains(&package), "{package} in {packages:?}");
    }
    assert!(guest.has("kmod-radio"));
    // Times are those of the release's newest file, nothing is from now.
    let again = world.built("b", &["--release", "23.05.2"]);
    assert_eq!(guest.sums, again.sums, "two builds, with stores and locks of their own");
    // The lock serves without a network, and only for what it was made for.
    let out = world.path("a.out").display().to_string();
    let again = ["build", "--flavor", "f", "--out", &out, "--frozen"];
    let (code, said) = world.run("a", &again);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.guest("a").sums, guest.sums);
    let (code, said) = world.run("a", &[&again[..], &["--release", "25.12"]].concat());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("25.12.0"), "{said}");
}

#[test]
fn another_kernel_brings_its_own_modules() {
    let world = World::new();
    let guest = world.built("a", &["--kernel", "lent"]);
    is_completed(&guest);
    assert_eq!(guest.manifest["kernel"]["release"], "6.1.0-test");
    assert!(!guest.has("kmod-radio") && !guest.has("kernel") && guest.has("radio-tool"));
    let locks: Vec<_> = fs::read_dir(world.path("a.locks")).unwrap().collect();
    assert_eq!(locks.len(), 2, "one of each distribution");
    let guest = world.built("a", &["--kernel", "own"]);
    assert!(guest.has("kmod-radio"), "one lock serves both");
}

#[test]
fn the_release_decides_the_format() {
    let world = World::new();
    let guest = world.built("a", &["--release", "25.12"]);
    is_completed(&guest);
    assert_eq!(guest.manifest["kernel"]["release"], "6.12.66");
    assert!(guest.packages().contains(&format!("kernel 6.12.66~{MAGIC}-r1")));
    let again = world.built("b", &["--release", "25.12.0"]);
    assert_eq!(guest.sums, again.sums, "two builds, with stores and locks of their own");
    let lent = world.built("c", &["--release", "25.12", "--kernel", "lent"]);
    is_completed(&lent);
    assert!(!lent.has("kmod-radio"));
    let bom = fs::read_to_string(world.path("a.out/sbom.cdx.json")).unwrap();
    assert!(bom.contains("pkg:apk/router/daemon@2-r1"), "{bom}");
    let (code, said) =
        world.run("a", &["why", "--flavor", "f", "--release", "25.12", "kmod-radio"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("radio-tool depends on kmod-radio"), "{said}");
    // There is no such point release on the mirror; of a series that is not known nothing is asked.
    let said = world.refused("d", &["--release", "25.12.7"], 1);
    assert!(said.contains("releases/25.12.7/"), "{said}");
    let said = world.refused("d", &["--release", "22.03.1"], 2);
    assert!(said.contains("has no release \"22.03.1\"") && said.contains("25.12"), "{said}");
}

#[test]
fn recipes_choose_variants_and_drop_packages() {
    let world = World::new();
    for release in ["23.05", "25.12"] {
        let guest = world.built(release, &["--release", release, "--with", "full"]);
        assert!(guest.has("radio-full") && !guest.has("radio-basic"), "{:?}", guest.packages());
        guest.holds("usr/sbin/radio", "radio-full");
        let guest = world.built(release, &["--release", release, "--with", "quiet"]);
        assert!(!guest.has("noisy") && guest.has("radio-basic"), "{:?}", guest.packages());
        let locks = ["--release", release, "--with", "full", "--frozen"];
        let (code, said) = world.build(release, &locks);
        assert_eq!(code, Some(0), "the lock has both variants: {said}");
    }
}

#[test]
fn what_needs_a_choice_is_locked_with_what_makes_it() {
    let world = World::new();
    // No kernel module is called so, but with another kernel the builder stands in for all.
    let guest = world.built("a", &["--release", "25.12", "--kernel", "lent", "--with", "picky"]);
    assert!(
        ["picky", "first", "second"].iter().all(|name| guest.has(name)),
        "{:?}",
        guest.packages()
    );
    let locked = ["--release", "25.12", "--kernel", "lent", "--with", "picky", "--frozen"];
    let (code, said) = world.build("a", &locked);
    assert_eq!(code, Some(0), "{said}");
    // What is locked, but for the hashes of the files that were fetched so far.
    let lock = |name: &str| -> (serde_json::Value, Vec<String>) {
        let text = fs::read(world.path(&format!("{name}.locks/router.lock"))).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let packages = lock["packages"].as_array().unwrap().iter();
        (lock["missing"].clone(), packages.map(|p| p["package"]["name"].to_string()).collect())
    };
    let locked = lock("a");
    assert_eq!(locked.0, serde_json::json!(["picky with kernel own"]));
    // Others are made from the same lock, and whichever is built first, it is the same.
    is_completed(&world.built("a", &["--release", "25.12"]));
    assert_eq!(lock("a"), locked);
    world.built("b", &["--release", "25.12"]);
    assert_eq!(lock("b"), locked);
    let said = world.refused("c", &["--release", "25.12", "--with", "picky"], 1);
    assert!(said.contains("kmod-gone"), "{said}");
}

#[test]
fn a_script_that_no_rule_knows_is_refused() {
    let world = World::new();
    for release in ["23.05", "25.12"] {
        let said = world.refused(release, &["--release", release, "--with", "odd"], 1);
        let hash = Sha256::of(ODD.as_bytes()).to_string();
        assert!(said.contains("package odd") && said.contains(&hash), "{said}");
        assert!(said.contains("declare what it does under 'scripts'"), "{said}");
    }
    // Once its work is declared, the guest has it.
    let hash = Sha256::of(ODD.as_bytes());
    let rule = |script: &str| {
        format!(
            "  - {{ package: odd, script: {script}, sha256: [{hash}], why: It adds a line., \
             does: {{ append: {{ etc/config/system: \"odd\\n\" }} }} }}\n"
        )
    };
    world.recipes(&format!("scripts:\n{}{}", rule("postinst"), rule("post-install")));
    for release in ["23.05", "25.12"] {
        let guest = world.built(release, &["--release", release, "--with", "odd"]);
        guest.holds("etc/config/system", "config system\nodd\n");
    }
}

#[test]
fn a_kernel_and_modules_of_two_builds_are_told_apart() {
    let other = "f".repeat(32);
    let mut release = opkg_release();
    let module = Ipk::new("kmod-new", "5.15.137-1", "x86_64")
        .field("Depends", &format!("kernel (=5.15.137-1-{other})"));
    release.feeds.insert("core".into(), vec![ipk("base-files"), module]);
    let world = World::with(release, None);
    let said = world.refused("a", &[], 1);
    for part in [MAGIC, &other, "profiles.json", "feed core", "configured differently"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!world.path("a.locks/router.lock").exists());
}

#[test]
fn wrong_signatures_of_usign_are_told_apart() {
    let world = World::new();
    let feed = world.path("mirror/releases/23.05.2/packages/x86_64/base");
    let packages = fs::read(feed.join("Packages")).unwrap();
    let sign = |by: &Signer| fs::write(feed.join("Packages.sig"), by.sign(&packages)).unwrap();
    sign(&Signer::new(99));
    let said = world.refused("a", &[], 4);
    assert!(said.contains(&format!("signed by key {}", Signer::new(99).id())), "{said}");
    sign(&Signer::new(99).called(signer().id));
    let said = world.refused("a", &[], 4);
    assert!(said.contains("does not fit"), "{said}");
    fs::remove_file(feed.join("Packages.sig")).unwrap();
    let said = world.refused("a", &[], 4);
    assert!(said.contains("is not signed"), "{said}");
    fs::write(feed.join("Packages.sig"), "untrusted comment: x\nRWQ\n").unwrap();
    let said = world.refused("a", &[], 4);
    assert!(said.contains("cannot be read"), "{said}");
    sign(&signer());
    // What no feed lists is as good as the sums of the target.
    let sums = world.path("mirror/releases/23.05.2/targets/x86/64/sha256sums");
    let text = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, text.replace("profiles.json", "profiles.txt")).unwrap();
    let said = world.refused("a", &[], 4);
    assert!(said.contains("sha256sums does not fit"), "{said}");
    fs::write(&sums, text).unwrap();
    world.built("a", &[]);
}

#[test]
fn wrong_signatures_of_v3_are_told_apart() {
    let release = ["--release", "25.12"];
    let unsigned = World::with(opkg_release(), None);
    let said = unsigned.refused("a", &release, 4);
    assert!(said.contains("is not signed"), "{said}");
    let stranger = adbkeys::Signer::ec(99);
    let said = World::with(opkg_release(), Some(&stranger)).refused("a", &release, 4);
    assert!(said.contains(&stranger.key_id().to_string()), "{said}");
    let world = World::new();
    let index = world.path("mirror/releases/25.12.0/packages/x86_64/base/packages.adb");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() - 9]).unwrap();
    let said = world.refused("a", &release, 4);
    assert!(said.contains("packages.adb"), "{said}");
    fs::write(&index, &whole).unwrap();
    // The package of the index, and another of the same name and version.
    let path = index.with_file_name("daemon-2-r1.apk");
    let honest = fs::read(&path).unwrap();
    let mut forged = honest.clone();
    let at = forged.windows(9).position(|window| window == b"daemon=71").unwrap();
    forged[at] = b'D';
    fs::write(&path, forged).unwrap();
    let said = world.refused("a", &release, 4);
    assert!(said.contains("the contents of /lib/apk/packages/daemon.rusers are damaged"), "{said}");
    // The whole package is another one, of the same name, version and size.
    let (_, mut base) = adb_packages();
    let other = base.swap_remove(0).file("etc/init.d/daemon", 0o755, SERVICE.replace("50", "51"));
    fs::write(&path, other.build()).unwrap();
    let said = world.refused("a", &release, 4);
    assert!(
        said.contains("daemon 2-r1") && said.contains("is not the package that the index lists"),
        "{said}"
    );
}

#[test]
fn without_a_key_it_is_said_which_is_wanted() {
    let world = World::new();
    let mirrors = world.mirrors();
    for (release, fingerprint) in
        [("23.05", signer().fingerprint()), ("25.12", apk_signer().fingerprint().to_string())]
    {
        let arguments: Vec<&str> =
            mirrors.iter().map(String::as_str).chain(["--release", release]).collect();
        let (code, said) = world.build("a", &arguments);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains(&fingerprint) && said.contains("--trust-key"), "{said}");
    }
    // A recipe may quote keys.
    let path = world.path("recipes/bases/router.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let body: String = apk_signer().pem.lines().filter(|line| !line.starts_with("---")).collect();
    let quoted = text
        .replace(
            "{ name: usign.pub,",
            &format!("{{ name: u, public_key: {},", signer().public_line()),
        )
        .replace("{ name: apk.pem,", &format!("{{ name: a, public_key: {body},"));
    fs::write(&path, quoted).unwrap();
    for release in ["23.05", "25.12"] {
        let debian = format!("--trust-key={}", world.path("debian.gpg").display());
        let arguments: Vec<&str> =
            mirrors.iter().map(String::as_str).chain(["--release", release, &debian]).collect();
        let (code, said) = world.build(release, &arguments);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_bundle_holds_all_that_a_release_needs() {
    let world = World::new();
    for release in ["23.05", "25.12"] {
        let guest = world.built(release, &["--release", release]);
        let bundle = world.path(&format!("{release}.bundle")).display().to_string();
        let sources = world.sources();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let arguments = ["bundle", &bundle, "--flavor", "f", "--release", release];
        let (code, said) = world.run(release, &[&arguments[..], &sources].concat());
        assert_eq!(code, Some(0), "{said}");
        let keys = ["usign.pub", "apk.pem"]
            .map(|key| format!("--trust-key={}", world.path(key).display()));
        let mirror = format!("--mirror=feeds={bundle}");
        let arguments = ["--release", release, &mirror, "--offline", &keys[0], &keys[1]];
        let again = format!("{release}.again");
        let (code, said) = world.build(&again, &arguments);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(world.guest(&again).sums, guest.sums);
    }
}

#[test]
fn an_unreachable_mirror_is_named_with_the_ways_out() {
    let world = World::new();
    let keys =
        ["usign.pub", "apk.pem"].map(|key| format!("--trust-key={}", world.path(key).display()));
    for release in ["23.05", "25.12"] {
        let (code, said) = world.build("a", &["--release", release, &keys[0], &keys[1]]);
        assert_eq!(code, Some(1), "{said}");
        for part in ["127.0.0.1", "--mirror feeds=", "--distdir", "--base debian"] {
            assert!(said.contains(part), "{part} is not in:\n{said}");
        }
    }
}

#[test]
#[ignore = "needs a real feed of v3: the folder WIFIBOX_ADB_FEED, with its index, packages and key"]
fn a_real_feed_of_v3_becomes_a_guest() {
    let feed = PathBuf::from(std::env::var_os("WIFIBOX_ADB_FEED").unwrap());
    let mut pems: Vec<PathBuf> =
        fs::read_dir(&feed).unwrap().map(|entry| entry.unwrap().path()).collect();
    pems.retain(|path| path.extension().is_some_and(|end| end == "pem"));
    let mut keyring = Keyring::default();
    for pem in &pems {
        keyring.extend(Keyring::parse("key", &fs::read(pem).unwrap()).unwrap());
    }
    let pinned: Vec<_> = keyring.keys().map(|(fingerprint, _)| fingerprint).collect();
    let file = fs::File::open(feed.join("packages.adb")).unwrap();
    let index = Index::read("feed", file, &AdbLimits::default(), &keyring, &pinned).unwrap();
    // Scripts of somebody's own packages are for the recipe that takes them.
    let scripts = |package: &&wifibox_build::repo::Package| {
        let path = feed.join(format!("{}.apk", package.full_name()));
        let file = fs::File::open(path).unwrap();
        let apk = Apk3::open(&package.name, file, AdbLimits::default()).unwrap();
        let own = openwrt::scripts::own(&package.name, &apk.control().scripts);
        own.iter().for_each(|script| println!("needs a rule: {} {}", package.name, script.name));
        own.is_empty()
    };
    let there: Vec<&str> = index.packages().filter(scripts).map(|p| &*p.name).collect();
    let own: Vec<&str> = index
        .packages()
        .flat_map(|p| p.provides.split(' '))
        .map(bare)
        .chain(there.clone())
        .collect();
    // What the feed's packages need of OpenWrt itself is there without anything in it.
    let mut needed: Vec<&str> = index
        .packages()
        .flat_map(|package| package.depends.split(' '))
        .filter(|need| !need.is_empty() && !need.starts_with('!'))
        .map(bare)
        .filter(|need| !own.contains(need) && *need != "libc")
        .collect();
    needed.sort_unstable();
    needed.dedup();
    let world = World::new();
    let (mut core, base) = adb_packages();
    core.extend(needed.iter().map(|name| Package::new(name, "99-r1")));
    let release = world.path("mirror/releases/25.12.0");
    adbrepo::publish(&release.join("targets/x86/64/packages"), &core, Some(&apk_signer()));
    adbrepo::publish(&release.join("packages/x86_64/base"), &base, Some(&apk_signer()));
    let keys: Vec<String> = pinned
        .iter()
        .map(|fingerprint| format!("{{ name: its key, fingerprint: {fingerprint} }}"))
        .collect();
    let path = world.path("recipes/bases/router.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let real = format!(
        "  - name: real\n    mirrors: ['{}']\n    suites: ['.']\n    keys: [{}]\nkernels: [own",
        feed.display(),
        keys.join(", ")
    );
    let text = text
        .replace("kernels: [own", &real)
        .replace(
            "radio-tool, radio-basic]",
            &format!("radio-tool, radio-basic, {}]", there.join(", ")),
        )
        .replace("'23.05', kernel", "'25.12', kernel");
    fs::write(&path, text).unwrap();
    let keys: Vec<String> =
        pems.iter().map(|pem| format!("--trust-key={}", pem.display())).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let guest = world.built("a", &[&["--release", "25.12"][..], &keys].concat());
    assert!(there.iter().all(|name| guest.has(name)), "{:?}", guest.packages());
    println!("{} packages of the feed, {} stand-ins", there.len(), needed.len());
    let files = guest.manifest["files"].as_array().unwrap().iter();
    let links = files.filter(|file| file["path"].as_str().unwrap().starts_with("etc/rc.d/"));
    links.for_each(|link| println!("{} -> {}", link["path"], link["target"]));
}

/// The name of a dependency without its version.
fn bare(text: &str) -> &str {
    text.split(['=', '<', '>', '~']).next().unwrap_or_default()
}
