//! Statements of manifests about OpenWrt's packages: which of them a release has, which hold modules and are for the
//! base's own kernel only, and which promises they do not keep.

#![allow(clippy::unwrap_used)]

use std::fs;

use wifibox_testkit::adbrepo::{self, Package};
use wifibox_testkit::openwrt::{World, adb_packages, apk_signer, ipk, opkg_release};
use wifibox_testkit::opkgrepo::Ipk;

const MANIFEST: &str = "\
summary: a chip
modules: ['chip?']
firmware:
  rule: exact
  include: ['chip/*.bin']
  promises: [chip/a.bin, chip/b.bin, chip/c.bin]
packages:
  router:
    - chip-firmware
    - { name: chip-b-firmware, releases: ['25.12'] }
    - kmod-chip-firmware
module_packages:
  router:
    - kmod-chip
    - { name: kmod-chip-old, releases: ['23.05'] }
not_promised:
  router: [{ name: chip/b.bin, releases: ['23.05'] }]
";

/// A release of each format with a chip's packages; the older one has no `b.bin`.
fn world() -> World {
    let file = |name: &str| (format!("lib/firmware/chip/{name}.bin"), format!("firmware {name}"));
    let mut release = opkg_release();
    let depends = format!("kernel (={})", release.kernel_version());
    let module = |name: &str| Ipk::new(name, "5.15.137-1", "x86_64").field("Depends", &depends);
    let ((a, of_a), (b, of_b), (c, of_c)) = (file("a"), file("b"), file("c"));
    release = release.with("base", [ipk("chip-firmware").file(&a, 0o644, of_a.clone())]).with(
        "kmods",
        [
            module("kmod-chip").file("etc/chip", 0o644, "a driver"),
            module("kmod-chip-old").file("etc/chip-old", 0o644, "a driver"),
            module("kmod-chip-firmware").file(&c, 0o644, of_c.clone()),
        ],
    );
    let world = World::with(release, Some(&apk_signer()));
    let (mut core, mut base) = adb_packages();
    let kernel = core.iter().find(|package| package.name == "kernel").unwrap().version.clone();
    base.push(Package::new("chip-firmware", "1-r1").file(&a, 0o644, of_a));
    base.push(Package::new("chip-b-firmware", "1-r1").file(&b, 0o644, of_b));
    let module = |name: &str| Package::new(name, "6.12.66-r1").depends("kernel", Some(&kernel));
    core.push(module("kmod-chip").file("etc/chip", 0o644, "a driver"));
    core.push(module("kmod-chip-firmware").file(&c, 0o644, of_c));
    let mirror = world.path("mirror/releases/25.12.0");
    adbrepo::publish(&mirror.join("targets/x86/64/packages"), &core, Some(&apk_signer()));
    adbrepo::publish(&mirror.join("packages/x86_64/base"), &base, Some(&apk_signer()));
    fs::write(world.path("firmware-blobs/chip.yaml"), MANIFEST).unwrap();
    let flavor = "summary: a flavor\nchipsets: [chip]\n";
    fs::write(world.path("recipes/flavors/f.yaml"), flavor).unwrap();
    let path = world.path("recipes/bases/router.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let except = "'kmod-*': { reason: It is lent., except: ['kmod-*-firmware'] }";
    fs::write(&path, text.replace("'kmod-*': It is lent.", except)).unwrap();
    world
}

#[test]
fn a_release_takes_the_packages_that_it_has() {
    let world = world();
    for (release, kernel) in
        [("23.05", "own"), ("23.05", "lent"), ("25.12", "own"), ("25.12", "lent")]
    {
        let guest = world.built(release, &["--release", release, "--kernel", kernel]);
        let has = |name: &str| guest.file(&format!("lib/firmware/chip/{name}.bin")).is_some();
        assert!(has("a") && guest.has("chip-firmware"), "{:?}", guest.packages());
        assert_eq!(
            (has("b"), guest.has("chip-b-firmware")),
            (release == "25.12", release == "25.12")
        );
        // Firmware in a package of the kernel's, which another kernel does not stand in for.
        assert!(has("c") && guest.has("kmod-chip-firmware"), "{:?}", guest.packages());
        assert_eq!(guest.has("kmod-chip"), kernel == "own", "{:?}", guest.packages());
        assert_eq!(guest.has("kmod-chip-old"), (release, kernel) == ("23.05", "own"));
    }
}

#[test]
fn a_promise_that_the_packages_do_not_keep_is_said_or_an_error() {
    let world = world();
    let path = world.path("firmware-blobs/chip.yaml");
    let unsaid = MANIFEST.replace("releases: ['23.05'] }]", "releases: ['25.12'] }]");
    fs::write(&path, unsaid).unwrap();
    let said = world.refused("a", &["--release", "23.05"], 1);
    assert!(said.contains("chip/b.bin"), "{said}");
    // A list may name only what there is.
    for (from, to, found) in [
        ("name: chip/b.bin", "name: chip/z.bin", "there is no promise in this file \"chip/z.bin\""),
        ("releases: ['25.12'] }", "releases: ['26.06'] }", "no release of this base \"26.06\""),
    ] {
        fs::write(&path, MANIFEST.replace(from, to)).unwrap();
        let said = world.refused("a", &[], 2);
        assert!(said.contains(found), "{said}");
    }
}

#[test]
fn a_flavor_is_not_there_in_a_release_that_has_no_package_of_its_firmware() {
    let world = world();
    let path = world.path("firmware-blobs/chip.yaml");
    let text =
        MANIFEST.replace("    - chip-firmware\n", "").replace("    - kmod-chip-firmware\n", "");
    fs::write(&path, text).unwrap();
    let said = world.refused("a", &["--release", "23.05"], 2);
    assert!(said.contains("names no package of router 23.05.2 that holds it"), "{said}");
    assert!(said.contains("releases that have it: 25.12"), "{said}");
}
