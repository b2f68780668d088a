//! The recipes for OpenWrt on other machines than PCs: one that can be chosen is locked from feeds of its
//! own, and of one whose feeds only are known it is said what is missing.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wifibox_testkit::kernel::kernel_image;
use wifibox_testkit::opkgrepo::{Ipk, Release, Signer};

const ARCHITECTURE: &str = "aarch64_generic";

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs the program on the recipes in `folder`; gives exit code and what it said.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(wifibox_testkit::program())
        .args(arguments)
        .arg("--recipes")
        .arg(folder)
        .output()
        .unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

/// The lists of the composed recipe that name packages.
fn asked(shown: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut counts = false;
    for line in shown.lines() {
        if let Some(name) = line.strip_prefix("  - ").filter(|_| counts) {
            names.push(name.split_whitespace().next().unwrap().to_owned());
        } else {
            counts = line == "packages:" || line == "firmware_packages:";
        }
    }
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn a_64_bit_arm_is_locked_from_its_own_feeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for part in ["recipes", "kernels", "overlays", "firmware-blobs"] {
        copy(&workspace().join(part), &path(part));
    }
    let signer = Signer::new(7);
    fs::write(path("usign.pub"), signer.public_key()).unwrap();
    let base = path("recipes/bases/openwrt.yaml");
    let text = fs::read_to_string(&base).unwrap();
    let pinned =
        format!("    keys:\n      - name: k\n        fingerprint: {}\n", signer.fingerprint());
    fs::write(&base, text.replace("    keys:\n", &pinned)).unwrap();

    let choice = ["--base", "openwrt", "--release", "23.05", "--arch", "aarch64"];
    let flavor = ["--flavor", "ath10k"];
    let (code, shown) = run(folder.path(), &[&["show"], &choice[..], &flavor].concat());
    assert_eq!(code, Some(0), "{shown}");
    let mut release = Release::new();
    release.release = "23.05.6".to_owned();
    release.target = "armsr/armv8".to_owned();
    release.architecture = ARCHITECTURE.to_owned();
    let kernel = release.kernel_version();
    let package = |name: &String| Ipk::new(name, "1", ARCHITECTURE).field("License", "MIT");
    let names = asked(&shown);
    assert!(names.iter().any(|name| name == "kmod-ath10k"), "{names:?}");
    assert!(names.iter().any(|name| name == "ath10k-firmware-qca988x"), "{names:?}");
    let (kmods, others): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| name.starts_with("kmod-"));
    let version = format!("kernel (={kernel})");
    let kmods = kmods.into_iter().map(|name| package(name).field("Depends", &version));
    release.unlisted.push(Ipk::new("kernel", &kernel, ARCHITECTURE).field("License", "GPL-2.0"));
    release.unlisted.push(package(&"libc".to_owned()));
    let image = "openwrt-23.05.6-armsr-armv8-generic-kernel.bin".to_owned();
    release.files.insert(image, kernel_image("5.15.137"));
    let others = others.into_iter().filter(|name| *name != "libc");
    let release = release.with("kmods", kmods).with("base", others.map(package));
    release.publish(&path("mirror"), &signer);

    let lock: PathBuf = path("openwrt.lock");
    let (mirror, key, cache) = (path("mirror"), path("usign.pub"), path("cache"));
    let mirror = format!("--mirror=openwrt={}", mirror.display());
    let key = format!("--trust-key={}", key.display());
    let files =
        [format!("--lock-file={}", lock.display()), format!("--cache-dir={}", cache.display())];
    let more = [mirror.as_str(), &key, &files[0], &files[1]];
    let (code, said) = run(folder.path(), &[&["lock"], &choice[..], &more].concat());
    assert_eq!(code, Some(0), "{said}");
    let locked = fs::read_to_string(&lock).unwrap();
    for name in names.iter().map(String::as_str).chain(["kernel", "kernel-image"]) {
        assert!(locked.contains(&format!("\"name\":\"{name}\"")), "{name} is not in the lock");
    }
    assert!(locked.contains("\"architecture\":\"aarch64_generic\""), "{locked}");
    assert!(locked.contains("targets/armsr/armv8/"), "{locked}");
}

#[test]
fn of_an_architecture_whose_feeds_only_are_known_it_is_said_what_is_missing() {
    for (asked, target) in [
        ("mips_24kc", "malta/be"),
        ("mipsel_24kc", "malta/le"),
        ("mips", "malta/be"),
        ("malta", "malta/be"),
    ] {
        let arguments = ["show", "--base", "openwrt", "--flavor", "hwsim", "--arch", asked];
        let (code, said) = run(workspace(), &arguments);
        assert_eq!(code, Some(2), "{said}");
        for part in [
            format!("openwrt has no architecture \"{asked}\""),
            format!("known as those of the target {target}"),
            "among the \"architectures\" of recipes/bases/openwrt.yaml".to_owned(),
            "a kernel of this base that is for it".to_owned(),
        ] {
            assert!(said.contains(&part), "{part} is not in:\n{said}");
        }
    }
    let (code, said) =
        run(workspace(), &["show", "--base", "openwrt", "--flavor", "hwsim", "--arch", "riscv64"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(!said.contains("what is missing"), "{said}");
}
