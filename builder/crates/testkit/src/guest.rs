//! A whole guest from a generated distribution: signed packages, a kernel that is nothing but a header,
//! firmware, recipes. It does not boot, but everything about it can be built, read and compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;

use super::debrepo::{Package, Suite};
use super::kernel::{BUILT_IN, kernel_image};
use super::keys::{Key, Spec};

/// A distribution, recipes for it, and a place for store, lock and outputs.
pub struct Guest {
    folder: tempfile::TempDir,
}

const MACHINE_READABLE: &str =
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";

/// Bytes that do not compress, from a xorshift generator.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::new();
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The distribution's packages; `tool` has this version.
fn packages(tool: &str) -> Vec<Package> {
    let licence = |files: &str, name: &str, text: &str| {
        format!("Files: {files}\nCopyright: 2001 Somebody\nLicense: {name}\n{text}\n\n")
    };
    let gpl = " See /usr/share/common-licenses/GPL-2.";
    vec![
        Package::new("base", "1", "amd64")
            .file("usr/share/common-licenses/GPL-2", 0o644, "All of the GPL\n")
            .file("usr/share/doc/base/copyright", 0o644, "Take it, it is free.\n")
            .file("etc/base", 0o644, "configuration\n"),
        Package::new("tool", tool, "amd64")
            .field("Depends", "base, library")
            .field("Source", "toolbox (1.5)")
            .field("Static-Built-Using", "glue (= 7)")
            .file("usr/bin/tool", 0o755, format!("program of {tool}\n"))
            .file("usr/share/noise", 0o644, noise(300_000))
            .file(
                "usr/share/doc/tool/copyright",
                0o644,
                MACHINE_READABLE.to_owned() + &licence("*", "GPL-2+", gpl),
            ),
        // Of the same source: its documentation is the tool's.
        Package::new("library", "2.1", "amd64")
            .field("Source", "toolbox")
            .file("usr/share/library", 0o644, "data ".repeat(2000))
            .symlink("usr/share/doc/library", "tool"),
        Package::new("firmware-test", "20260101", "all")
            .file("usr/lib/firmware/test-1.bin", 0o644, noise(5000))
            .file("usr/lib/firmware/other.bin", 0o644, "other firmware")
            .file(
                "usr/share/doc/firmware-test/copyright",
                0o644,
                MACHINE_READABLE.to_owned()
                    + &licence("*", "Odd", " Nothing is said.")
                    + &licence("test-*", "binary-redist-Test", " Redistribution is permitted."),
            ),
        // What every guest with firmware has to have.
        Package::new("regdb", "2026", "all")
            .file("usr/lib/firmware/regulatory.db", 0o644, "r".repeat(100))
            .file("usr/lib/firmware/regulatory.db.p7s", 0o644, "s".repeat(100))
            .file(
                "usr/share/doc/regdb/copyright",
                0o644,
                MACHINE_READABLE.to_owned() + &licence("*", "ISC", " Take it."),
            ),
        Package::new("kernel", "6.1.0-1", "amd64")
            .file("boot/vmlinuz-6.1.0-test", 0o644, kernel_image("6.1.0-test"))
            .file("usr/lib/modules/6.1.0-test/modules.builtin", 0o644, BUILT_IN)
            .file("usr/lib/modules/6.1.0-test/modules.builtin.modinfo", 0o644, "")
            .file("usr/lib/modules/6.1.0-test/modules.order", 0o644, "")
            .file(
                "usr/share/doc/kernel/copyright",
                0o644,
                "This is Linux: /usr/share/common-licenses/GPL-2\n",
            ),
    ]
}

impl Default for Guest {
    fn default() -> Self {
        Guest::new()
    }
}

impl Guest {
    /// A distribution whose `tool` is version 1.0.
    pub fn new() -> Self {
        let guest = Guest { folder: tempfile::tempdir().unwrap() };
        guest.publish("1.0");
        guest.recipes("quiet");
        guest
    }

    /// A path in the folder of all of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key() -> Key {
        Key::generate(&Spec::ed25519(1, 1_600_000_000))
    }

    /// Publishes the packages, with this version of `tool`.
    pub fn publish(&self, tool: &str) {
        self.publish_as(tool, 1_700_000_000, |_| {});
    }

    /// The same at another date, in seconds since 1970, and with packages that were changed.
    pub fn publish_as(&self, tool: &str, date: i64, change: impl FnOnce(&mut Vec<Package>)) {
        let date = Timestamp::from_second(date).unwrap();
        let mut packages = packages(tool);
        change(&mut packages);
        let mut suite = Suite::new(date, packages);
        suite.component = "non-free-firmware".to_owned();
        suite.publish(&self.path("mirror"), &[&Self::key()]);
        fs::write(self.path("key.gpg"), Self::key().certificate()).unwrap();
    }

    /// Writes the recipes, with this kernel argument.
    pub fn recipes(&self, argument: &str) {
        let fingerprint = Self::key().fingerprint();
        let file = |name: &str, text: &str| {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        file(
            "recipes/guest.yaml",
            &format!(
                "summary: every guest\ncmdline: [{argument}]\n\
                 exclude: [usr/share/doc, usr/share/common-licenses]\n\
                 accounts: {{groups: [{{name: root, gid: 0}}], users: [{{name: root, uid: 0, \
                 group: root, home: root, shell: bin/sh}}]}}\n"
            ),
        );
        file(
            "recipes/bases/test.yaml",
            &format!(
                "summary: a generated distribution\nformat: dpkg\narchitecture: amd64\n\
                 default: {{release: trixie, kernel: k, role: station, hypervisor: h, \
                 compression: gzip}}\nreleases: {{trixie: {{summary: the only one}}}}\n\
                 repositories:\n  - name: test\n    mirrors: ['http://mirror.example/test']\n    \
                 suites: ['{{release}}']\n    components: [non-free-firmware]\n    \
                 keys: [{{name: the test's key, fingerprint: {fingerprint}}}]\n\
                 kernels: [k]\ninit: sbin/init\npackages: [tool, regdb]\n"
            ),
        );
        file("recipes/roles/station.yaml", "summary: a role\napp_config: wpa_supplicant\n");
        file("recipes/flavors/f.yaml", "summary: with firmware\nchipsets: [m]\n");
        file("recipes/flavors/bare.yaml", "summary: without any\nchipsets: []\n");
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
        file(
            "firmware-blobs/m.yaml",
            "summary: a chipset\nmodules: []\nfirmware: {rule: exact, include: [test-*.bin]}\n\
             packages: {test: [firmware-test]}\nlicences: [LICENCE.test]\n",
        );
        fs::create_dir_all(self.path("overlays")).unwrap();
    }

    /// Runs the program; gives back exit code, stdout and stderr.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(crate::program());
        command.args(arguments).arg("--recipes").arg(self.folder.path());
        command.env_remove("SOURCE_DATE_EPOCH").env_remove("WIFIBOX_BUILD_CACHE");
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    }

    /// Builds `flavor` into the folder `out`, from what is published at present.
    pub fn build(&self, flavor: &str, out: &str) -> PathBuf {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let (out, mirror) = (path(out), format!("test={}", path("mirror")));
        let (lock, cache, key) = (path("lock"), path("cache"), path("key.gpg"));
        let sources =
            ["--lock-file", &lock, "--cache-dir", &cache, "--trust-key", &key, "--mirror", &mirror];
        let lock = [&["lock", "--upgrade"], &sources[..]].concat();
        let build = [&["build", "--flavor", flavor, "--out", &out], &sources[..]].concat();
        for arguments in [lock, build] {
            let (code, _, stderr) = self.run(&arguments);
            assert_eq!(code, Some(0), "{stderr}");
        }
        PathBuf::from(out)
    }
}

/// The JSON in a file.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
