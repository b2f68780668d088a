//! A release of OpenWrt in both package formats, generated and signed, a distribution that lends its
//! kernel, recipes for guests of them, and the program run on these.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use wifibox_ground::digest::Sha256;

use super::adbkeys;
use super::adbrepo::{self, Package};
use super::debrepo::{self, Suite};
use super::kernel::{BUILT_IN, kernel_image};
use super::keys::{Key, Spec};
use super::opkgrepo::{Ipk, Release, Signer};
use super::server::dead_url;

pub const MAGIC: &str = "0123456789abcdef0123456789abcdef";
pub const SERVICE: &str = "#!/bin/sh /etc/rc.common\nSTART=50\nSTOP=10\n";

pub fn signer() -> Signer {
    Signer::new(7)
}

pub fn apk_signer() -> adbkeys::Signer {
    adbkeys::Signer::ec(8)
}

pub fn debian_key() -> Key {
    Key::generate(&Spec::ed25519(1, 1_600_000_000))
}

pub fn ipk(name: &str) -> Ipk {
    Ipk::new(name, "1", "x86_64").field("License", "MIT")
}

/// A release of opkg's format: the base, a daemon with an account, two variants, kernel modules.
pub fn opkg_release() -> Release {
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

pub const IMAGE: &str = "openwrt-{release}-x86-64-generic-kernel.bin";
pub const ODD: &str = "echo odd >> $IPKG_INSTROOT/etc/config/system\n";

pub fn adb_packages() -> (Vec<Package>, Vec<Package>) {
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

pub struct World(tempfile::TempDir);

impl Default for World {
    fn default() -> Self {
        World::new()
    }
}

impl World {
    pub fn new() -> Self {
        World::with(opkg_release(), Some(&apk_signer()))
    }

    /// A mirror with this release of opkg's format, and one of v3 that `apk` signed.
    pub fn with(release: Release, apk: Option<&adbkeys::Signer>) -> Self {
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
    pub fn debian(&self) {
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
    pub fn recipes(&self, more: &str) {
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
        file("recipes/flavors/f.yaml", "summary: a flavor\nchipsets: []\n");
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

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with its own store and the lock `name`; gives exit code and what it said.
    pub fn run(&self, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
        super::run(self.0.path(), name, &format!("{name}.locks/router.lock"), arguments)
    }

    pub fn build(&self, name: &str, more: &[&str]) -> (Option<i32>, String) {
        let out = self.path(&format!("{name}.out")).display().to_string();
        self.run(name, &[&["build", "--flavor", "f", "--out", &out], more].concat())
    }

    /// The mirrors and all keys.
    pub fn sources(&self) -> Vec<String> {
        let mut arguments = self.mirrors();
        for key in ["usign.pub", "apk.pem", "debian.gpg"] {
            arguments.push(format!("--trust-key={}", self.path(key).display()));
        }
        arguments
    }

    pub fn mirrors(&self) -> Vec<String> {
        [("feeds", "mirror"), ("debian", "debian")]
            .map(|(name, folder)| format!("--mirror={name}={}", self.path(folder).display()))
            .to_vec()
    }

    pub fn built(&self, name: &str, more: &[&str]) -> Guest {
        let sources = self.sources();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let (code, said) = self.build(name, &[&sources[..], more].concat());
        assert_eq!(code, Some(0), "{said}");
        self.guest(name)
    }

    pub fn refused(&self, name: &str, more: &[&str], expected: i32) -> String {
        let sources = self.sources();
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let (code, said) = self.build(name, &[&sources[..], more].concat());
        assert_eq!(code, Some(expected), "{said}");
        assert!(!self.path(&format!("{name}.out")).exists(), "{said}");
        said
    }

    pub fn guest(&self, name: &str) -> Guest {
        let folder = self.path(&format!("{name}.out"));
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        Guest { manifest: serde_json::from_str(&text).unwrap(), sums }
    }
}

/// The output of a build: its manifest and its `SHA256SUMS`.
pub struct Guest {
    pub manifest: serde_json::Value,
    pub sums: String,
}

impl Guest {
    /// The packages, `name version`.
    pub fn packages(&self) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let list = self.manifest["packages"].as_array().unwrap().iter();
        list.map(|p| format!("{} {}", text(&p["name"]), text(&p["version"]))).collect()
    }

    pub fn has(&self, package: &str) -> bool {
        self.packages().iter().any(|known| known.split(' ').next() == Some(package))
    }

    pub fn file(&self, path: &str) -> Option<&serde_json::Value> {
        self.manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path)
    }

    pub fn holds(&self, path: &str, text: &str) {
        let found = self.file(path).unwrap_or_else(|| panic!("no {path}: {:#}", self.manifest));
        assert_eq!(found["sha256"], Sha256::of(text.as_bytes()).to_string(), "{path}");
    }
}
