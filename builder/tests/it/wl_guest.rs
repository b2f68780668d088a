//! Broadcom's own driver: the flavor `wl`, its chipset and its kernels are those of the repository, the packages a generated
//! set in place of the port's.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wifibox_ground::digest::Sha256;
use wifibox_testkit::apkrepo::Package;
use wifibox_testkit::module::{Spec, elf};

/// What keeps the kernel's own drivers from the card.
const AWAY: &str = "blacklist b43\nblacklist bcma\n";

fn kernel(name: &str, version: &str) -> Package {
    let release = format!("{version}-0-{name}");
    Package::new(&format!("linux-{name}"), &format!("{version}-r0"))
        .kernel(&format!("boot/vmlinuz-{name}"), &release)
}

/// As its author packages it: for the one kernel that it depends on, with the text of its licence. The module lies with those
/// of `release`, and was built for `built_for`.
fn driver(package: &str, kernel: &str, release: &str, built_for: &str) -> Package {
    let vermagic = format!("vermagic={built_for} SMP mod_unload ");
    let module = elf(&Spec::new(&[
        "license=MIXED/Proprietary",
        "alias=pci:v*d*sv*sd*bc02sc80i*",
        "depends=",
        "name=wl",
        &vermagic,
    ]));
    Package::new(package, "6.30.223.271-r1")
        .info("depend", kernel)
        .file("etc/modprobe.d/broadcom-wl.conf", 0o644, AWAY)
        .file(&format!("lib/modules/{release}/kernel/drivers/net/wireless/wl.ko"), 0o755, module)
        .file("usr/share/licenses/broadcom-wl/LICENSE.txt", 0o644, "Broadcom's terms\n")
}

struct World(tempfile::TempDir);

impl World {
    /// With `driver` as the package for the kernel `wifibox-lts`.
    fn new(driver_of_lts: Package) -> Self {
        let world = World(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let of_the_repository = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        for name in ["recipes/flavors/wl.yaml", "firmware-blobs/wl.yaml"] {
            world.write(name, &of_the_repository(name));
        }
        for name in ["b43", "b43legacy", "brcm"] {
            let text = "summary: kept away by the package of wl\nmodules: []\n";
            world.write(&format!("firmware-blobs/{name}.yaml"), text);
        }
        for name in ["kernels/wifibox-lts.yaml", "kernels/wifibox-edge.yaml"] {
            // What they need besides is for other flavors and features.
            let text = of_the_repository(name);
            let needs = text.find("\nneeds:").unwrap();
            world.write(name, &text[..=needs]);
        }
        let other = "summary: no kernel of wl\nbase: wifibox\narchitecture: x86_64\npackage: linux-lts\n\
                     image: boot/vmlinuz*\nmodules: lib/modules/*\nboots_with: direct\n";
        world.write("kernels/other.yaml", other);
        let mut pinned = String::new();
        for package in [
            Package::new("layout", "1.0-r0").file(
                "etc/passwd",
                0o644,
                "root:x:0:0:root:/root:/bin/sh\n",
            ),
            kernel("lts", "6.18.1"),
            kernel("edge", "6.19.1"),
            driver_of_lts,
            driver("broadcom-wl-edge", "linux-edge~6.19.1-r0", "6.19.1-0-edge", "6.19.1-0-edge"),
        ] {
            let (name, bytes) = (package.file_name(), package.build());
            world.write_bytes(&format!("mirror/{name}"), &bytes);
            let (size, sha256) = (bytes.len(), Sha256::of(&bytes));
            pinned += &format!("      - {{ file: {name}, size: {size}, sha256: {sha256} }}\n");
        }
        world.write(
            "recipes/guest.yaml",
            "summary: every guest\naccounts:\n  groups: [{ name: root, gid: 0 }]\n  \
             users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh }]\n",
        );
        world.write(
            "recipes/bases/wifibox.yaml",
            &format!(
                "summary: a generated set\nformat: apk\narchitecture: x86_64\n\
                 default: {{ release: one, kernel: wifibox-lts, role: station, hypervisor: h, compression: gzip }}\n\
                 releases: {{ one: {{ summary: the only one }} }}\n\
                 repositories:\n  - name: set\n    packages:\n{pinned}\
                 kernels: [wifibox-lts, wifibox-edge, other]\ninit: sbin/init\nregulatory_database: false\n\
                 packages: [layout]\n"
            ),
        );
        world.write(
            "recipes/roles/station.yaml",
            "summary: the only role\napp_config: wpa_supplicant\n",
        );
        world.write(
            "recipes/hypervisors/h.yaml",
            "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n",
        );
        world
    }

    fn sound() -> Self {
        World::new(driver("broadcom-wl", "linux-lts~6.18.1-r0", "6.18.1-0-lts", "6.18.1-0-lts"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
    }

    fn build(&self, flavor: &str, kernel: &str) -> (Option<i32>, String) {
        let output = Command::new(wifibox_testkit::program())
            .args([
                "build",
                "--flavor",
                flavor,
                "--base",
                "wifibox",
                "--kernel",
                kernel,
                "--offline",
            ])
            .arg("--recipes")
            .arg(self.0.path())
            .arg("--cache-dir")
            .arg(self.path("cache"))
            .arg("--lock-file")
            .arg(self.path("lock"))
            .arg("--out")
            .arg(self.path("out"))
            .arg(format!("--mirror=set=file://{}", self.path("mirror").display()))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn manifest(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.path("out/manifest.json")).unwrap()).unwrap()
    }
}

#[test]
fn each_kernel_gets_the_module_that_was_built_for_it() {
    let world = World::sound();
    for (kernel, package, release) in [
        ("wifibox-lts", "broadcom-wl", "6.18.1-0-lts"),
        ("wifibox-edge", "broadcom-wl-edge", "6.19.1-0-edge"),
    ] {
        let (code, said) = world.build("wl", kernel);
        assert_eq!(code, Some(0), "{said}");
        let manifest = world.manifest();
        let names = |list: &str, key: &str| -> Vec<String> {
            let list = manifest[list].as_array().unwrap();
            list.iter().map(|one| one[key].as_str().unwrap().to_owned()).collect()
        };
        let drivers: Vec<String> = names("packages", "name")
            .into_iter()
            .filter(|name| name.starts_with("broadcom"))
            .collect();
        assert_eq!(drivers, [package]);
        let files = names("files", "path");
        let modules: Vec<&String> = files.iter().filter(|path| path.contains("wl.ko")).collect();
        assert_eq!(modules.len(), 1, "{files:?}");
        assert!(modules[0].starts_with(&format!("lib/modules/{release}/")), "{modules:?}");
        // Without it the kernel's own drivers take the card first.
        let away = manifest["files"]
            .as_array()
            .unwrap()
            .iter()
            .find(|file| file["path"] == "etc/modprobe.d/broadcom-wl.conf")
            .unwrap();
        assert_eq!(away["sha256"], Sha256::of(AWAY.as_bytes()).to_string());
        let licences = fs::read_to_string(world.path("out/licenses/SUMMARY.txt")).unwrap();
        assert!(licences.contains(package), "{licences}");
    }
}

#[test]
fn what_would_leave_the_card_without_its_driver_is_refused() {
    let world = World::sound();
    let (code, said) = world.build("wl", "other");
    assert!(code == Some(2) && said.contains("does not exist with the kernel"), "{said}");
    // Made for another build of the kernel: the package says so, or its folder, or only the module.
    for (kernel, release, built_for, expected) in [
        ("linux-lts~6.18.0-r0", "6.18.0-0-lts", "6.18.0-0-lts", "linux-lts~6.18.0-r0"),
        ("linux-lts", "6.18.0-0-lts", "6.18.0-0-lts", "more than one folder of modules"),
        (
            "linux-lts",
            "6.18.1-0-lts",
            "6.18.0-0-lts",
            "module wl was built for kernel 6.18.0-0-lts",
        ),
    ] {
        let world = World::new(driver("broadcom-wl", kernel, release, built_for));
        let (code, said) = world.build("wl", "wifibox-lts");
        assert!(code == Some(1) && said.contains(expected), "{expected}: {said}");
    }
}
