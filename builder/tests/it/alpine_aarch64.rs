//! A guest for 64-bit Arm from a generated repository in Alpine's layout that holds two
//! architectures: each has its own index, signed by a key of its own, and its own lock.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use wifibox_formats::apk::signature::Kind;
use wifibox_ground::digest::Sha256;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Package, Repository, gzip};
use wifibox_testkit::kernel::{BUILT_IN, arm64_image, kernel_image, zboot_image};
use wifibox_testkit::server::dead_url;

const MODULES: &str = "lib/modules/6.18.1-0-lts";
const RELEASE: &str = "6.18.1-0-lts";

/// The key that signs the index of this architecture.
fn key(architecture: &str) -> SigningKey {
    let (name, seed) = match architecture {
        "x86_64" => ("builders@example.org-1234.rsa.pub", 1),
        _ => ("builders@example.org-5678.rsa.pub", 2),
    };
    SigningKey::generate(name, seed)
}

fn packages(architecture: &str, image: Vec<u8>) -> Vec<Package> {
    let tool = format!("the tool for {architecture}\n");
    let keys = ["x86_64", "aarch64"].iter().fold(
        Package::new("distro-keys", "1-r0").directory("etc/apk/keys", 0o755),
        |package, of| {
            let key = key(of);
            package.file(&format!("etc/apk/keys/{}", key_name(of)), 0o644, key.pem())
        },
    );
    let kernel = Package::new("linux-lts", "6.18.1-r0")
        .file("boot/vmlinuz-lts", 0o644, image)
        .file("boot/dtbs-lts/board.dtb", 0o644, "a device tree")
        .file(&format!("{MODULES}/modules.builtin"), 0o644, BUILT_IN)
        .file(&format!("{MODULES}/modules.builtin.modinfo"), 0o644, "squashfs.license=GPL\0")
        .file(&format!("{MODULES}/modules.order"), 0o644, "");
    let library = format!("usr/lib/{architecture}-linux-gnu/unwanted");
    let tool = Package::new("tool", "1.0-r0").file("usr/bin/tool", 0o755, tool).file(
        &library,
        0o644,
        "of no use\n",
    );
    let mut packages = vec![keys, tool, kernel];
    for package in &mut packages {
        package.architecture = architecture.into();
    }
    packages
}

fn key_name(architecture: &str) -> &'static str {
    if architecture == "x86_64" {
        "builders@example.org-1234.rsa.pub"
    } else {
        "builders@example.org-5678.rsa.pub"
    }
}

struct World(tempfile::TempDir);

impl World {
    /// Both architectures; `image` is the kernel of aarch64, whose index `signer` signs.
    fn new(image: Vec<u8>, signer: &str) -> Self {
        let world = World(tempfile::tempdir().unwrap());
        for (architecture, image, signer) in
            [("x86_64", kernel_image(RELEASE), "x86_64"), ("aarch64", image, signer)]
        {
            Repository::new(packages(architecture, image))
                .signed(Kind::Rsa256, &key(signer))
                .publish(&world.path(&format!("mirror/v1/main/{architecture}")));
        }
        let file = |name: &str, text: &str| {
            fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
            fs::write(world.path(name), text).unwrap();
        };
        file(
            "recipes/guest.yaml",
            "summary: every guest\naccounts:\n  groups: [{ name: root, gid: 0 }]\n  \
             users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh }]\n",
        );
        file("recipes/bases/distro.yaml", &base());
        file("recipes/roles/station.yaml", "summary: the only role\napp_config: wpa_supplicant\n");
        file("recipes/flavors/f.yaml", "summary: the only flavor\nchipsets: []\n");
        file(
            "recipes/hypervisors/h.yaml",
            "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\n\
             root_disk: vdb\ncmdline: [console=ttyS0]\nmachines:\n  aarch64:\n    nic: virtio-net\n    \
             console: ttyAMA0\n    cmdline: [-console=ttyS0, console=ttyAMA0]\n    \
             exclude: [boot/dtbs-*]\n",
        );
        file(
            "kernels/lts.yaml",
            "summary: a kernel\nbase: distro\narchitecture: [x86_64, aarch64]\npackage: linux-lts\n\
             image: boot/vmlinuz*\nmodules: lib/modules/*\nboots_with: direct\n",
        );
        fs::create_dir_all(world.path("overlays")).unwrap();
        fs::create_dir_all(world.path("firmware-blobs")).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Builds into `ARCH.out` with the usual lock; gives the exit code and what was said.
    fn build(&self, arch: &str) -> (Option<i32>, String) {
        let output = Command::new(wifibox_testkit::program())
            .current_dir(self.0.path())
            .args(["build", "--recipes", ".", "--flavor", "f", "--arch", arch])
            .args(["--cache-dir", "cache", "--mirror", "distro=mirror"])
            .arg("--out")
            .arg(self.path(&format!("{arch}.out")))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    }

    fn output(&self, arch: &str, name: &str) -> Vec<u8> {
        fs::read(self.path(&format!("{arch}.out/{name}"))).unwrap()
    }
}

fn base() -> String {
    let pinned: Vec<String> = ["x86_64", "aarch64"]
        .iter()
        .map(|of| {
            let (name, fingerprint) = (key_name(of), key(of).fingerprint());
            format!("{{ name: {name}, fingerprint: {fingerprint}, architecture: {of} }}")
        })
        .collect();
    format!(
        "summary: a generated distribution\nformat: apk\narchitecture: x86_64\n\
         architectures: {{ aarch64: {{ summary: Arm, files: {{ etc/only-here: {{ text: yes }} }} }} }}\n\
         default: {{ release: '1', kernel: lts, role: station, hypervisor: h, compression: gzip }}\n\
         releases: {{ '1': {{ summary: the only one }} }}\n\
         repositories:\n  - name: distro\n    mirrors: ['{}']\n    suites: ['v{{release}}']\n    \
         components: [main]\n    key_package: distro-keys\n    keys: [{}]\n\
         kernels: [lts]\ninit: sbin/init\nregulatory_database: false\npackages: [tool]\n\
         exclude: ['usr/lib/{{machine}}-linux-gnu']\n",
        dead_url(),
        pinned.join(", ")
    )
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn each_architecture_has_its_packages_its_lock_and_its_boot_file() {
    let world = World::new(arm64_image(RELEASE), "aarch64");
    let guests = [
        ("x86_64", "x86_64", kernel_image(RELEASE), &b"BOOTX64 EFI"[..], "ttyS0", "x86_64"),
        ("arm64", "aarch64", arm64_image(RELEASE), &b"BOOTAA64EFI"[..], "ttyAMA0", "aarch64"),
    ];
    for (arch, own, image, boot_file, console, machine) in guests {
        let (code, said) = world.build(arch);
        assert_eq!(code, Some(0), "{said}");
        assert!(world.path(&format!("locks/distro-1-{own}.lock")).is_file(), "{said}");
        assert_eq!(world.output(arch, "vmlinuz"), image);
        let esp = world.output(arch, "esp.img");
        assert!(contains(&esp, boot_file) && contains(&esp, &image));
        assert_eq!(world.output(arch, "cmdline"), format!("console={console}\n").as_bytes());
        let script = String::from_utf8(world.output(arch, "host/qemu.sh")).unwrap();
        assert!(script.contains(&format!("exec qemu-system-{machine} ")), "{script}");
        let manifest: serde_json::Value =
            serde_json::from_slice(&world.output(arch, "manifest.json")).unwrap();
        assert_eq!(manifest["recipe"]["architecture"], own);
        let files = manifest["files"].as_array().unwrap();
        let find = |path: &str| files.iter().find(|file| file["path"] == path);
        let tool = Sha256::of(format!("the tool for {own}\n").as_bytes()).to_string();
        assert_eq!(find("usr/bin/tool").unwrap()["sha256"], tool);
        assert_eq!(find("etc/only-here").is_some(), own == "aarch64");
        assert!(find(&format!("usr/lib/{own}-linux-gnu/unwanted")).is_none());
    }
}

#[test]
fn a_kernel_that_is_packed_whole_is_unpacked_for_the_firmware() {
    let world = World::new(gzip(&arm64_image(RELEASE)), "aarch64");
    let (code, said) = world.build("aarch64");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.output("aarch64", "vmlinuz"), arm64_image(RELEASE));
}

#[test]
fn a_kernel_that_unpacks_itself_is_unpacked_for_all_but_the_firmware() {
    let zboot = zboot_image(&arm64_image(RELEASE));
    let world = World::new(zboot.clone(), "aarch64");
    let (code, said) = world.build("aarch64");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(world.output("aarch64", "vmlinuz"), arm64_image(RELEASE));
    assert!(contains(&world.output("aarch64", "esp.img"), &zboot));
}

#[test]
fn a_kernel_for_another_machine_is_refused() {
    let world = World::new(kernel_image(RELEASE), "aarch64");
    let (code, said) = world.build("aarch64");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("vmlinuz-lts is for X86_64, the guest for aarch64"), "{said}");
}

#[test]
fn the_key_of_one_architecture_does_not_vouch_for_another() {
    let world = World::new(arm64_image(RELEASE), "x86_64");
    let (code, said) = world.build("aarch64");
    assert_eq!(code, Some(4), "{said}");
    assert!(!world.path("locks/distro-1-aarch64.lock").exists(), "{said}");
}
