//! Guests from generated, signed feeds in OpenWrt's layout, of both package formats: what the image
//! builder's work comes to, which kernel goes with which modules, what is refused.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod signatures;

use std::fs;
use std::path::PathBuf;

use wifibox_formats::PublicKey as _;
use wifibox_formats::adb::{AdbLimits, Index, Keyring};
use wifibox_ground::digest::Sha256;
use wifibox_packages::Apk3;
use wifibox_testkit::adbkeys;
use wifibox_testkit::adbrepo::{self, Package};
use wifibox_testkit::openwrt::{
    Guest, MAGIC, ODD, SERVICE, World, adb_packages, apk_signer, ipk, opkg_release, signer,
};
use wifibox_testkit::opkgrepo::{Ipk, Signer};
use wifibox_tree::openwrt;

/// Checks the results of the image builder's work, whatever the format of the packages.
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
fn a_script_does_what_a_rule_declares() {
    let world = World::new();
    // All of a guest's files, but for who put them there, and for the build's own id, a hash of the recipe.
    let files = |guest: &Guest| {
        let mut files = guest.manifest["files"].clone();
        files.as_array_mut().unwrap().retain(|file| file["path"] != "etc/wifibox/build-id");
        for file in files.as_array_mut().unwrap() {
            file.as_object_mut().unwrap().remove("origin");
        }
        files
    };
    let evaluated = ["23.05", "25.12"].map(|release| {
        let guest = world.built(release, &["--release", release, "--with", "odd"]);
        guest.holds("etc/config/system", "config system\nodd\n");
        let scripts = &guest.manifest["scripts"];
        assert_eq!(scripts[0]["package"], "odd", "{scripts:#}");
        assert_eq!(scripts[0]["state"], "understood");
        assert_eq!(scripts[0]["effects"], serde_json::json!(["writes /etc/config/system"]));
        files(&guest)
    });
    let hash = Sha256::of(ODD.as_bytes());
    let rule = |script: &str| {
        format!(
            "  - {{ package: odd, script: {script}, sha256: [{hash}], why: It adds a line., \
             does: {{ append: {{ etc/config/system: \"odd\\n\" }} }} }}\n"
        )
    };
    world.recipes(&format!("scripts:\n{}{}", rule("postinst"), rule("post-install")));
    for (release, evaluated) in ["23.05", "25.12"].into_iter().zip(evaluated) {
        let guest = world.built(release, &["--release", release, "--with", "odd"]);
        assert_eq!(guest.manifest["scripts"][0]["state"], "by-rule");
        assert_eq!(files(&guest), evaluated);
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
