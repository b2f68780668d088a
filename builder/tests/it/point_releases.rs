//! Newer point releases, found at an upgrade by what the mirror's own signed lists prove, and the one lock of a series.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use wifibox_ground::digest::Sha256;
use wifibox_testkit::adbrepo;
use wifibox_testkit::guest::json;
use wifibox_testkit::kernel::kernel_image;
use wifibox_testkit::openwrt::{
    IMAGE, MAGIC, World, adb_packages, apk_signer, opkg_release, signer,
};
use wifibox_testkit::opkgrepo::{Release, Signer, profiles, publish_target};

/// The release of opkg's format under another number.
fn opkg(number: &str) -> Release {
    let mut release = opkg_release();
    let image = release.files.remove(&IMAGE.replace("{release}", &release.release)).unwrap();
    release.files.insert(IMAGE.replace("{release}", number), image);
    release.release = number.to_owned();
    release
}

/// A release of apk v3, with the profiles.json that says its number.
fn publish_v3(mirror: &Path, number: &str) {
    let release = mirror.join("releases").join(number);
    let (core, base) = adb_packages();
    adbrepo::publish(&release.join("targets/x86/64/packages"), &core, Some(&apk_signer()));
    adbrepo::publish(&release.join("packages/x86_64/base"), &base, Some(&apk_signer()));
    let kernel = ("6.12.66".to_owned(), "1".to_owned(), MAGIC.to_owned());
    let files = BTreeMap::from([
        ("profiles.json".to_owned(), profiles(number, "x86/64", "x86_64", &kernel)),
        (IMAGE.replace("{release}", number), kernel_image("6.12.66")),
    ]);
    publish_target(&release.join("targets/x86/64"), &files, &signer());
}

/// Runs a verb with the mirrors and keys.
fn run(world: &World, verb: &[&str]) -> (Option<i32>, String) {
    let sources = world.sources();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    world.run("a", &[verb, &sources].concat())
}

#[track_caller]
fn good(world: &World, verb: &[&str]) -> String {
    let (code, said) = run(world, verb);
    assert_eq!(code, Some(0), "{verb:?}: {said}");
    said
}

fn lock(world: &World) -> String {
    fs::read_to_string(world.path("a.locks/router.lock")).unwrap()
}

fn release(world: &World, more: &[&str]) -> String {
    world.built("a", more).manifest["recipe"]["release"].as_str().unwrap().to_owned()
}

#[test]
fn an_upgrade_takes_the_newest_point_release_that_is_proven() {
    let world = World::new();
    let upgrade = ["lock", "--upgrade"];
    good(&world, &["lock"]);
    assert!(lock(&world).contains("\"release\": \"23.05.2\""), "{}", lock(&world));
    // What is proven is also said of each index.
    assert!(lock(&world).contains("\"version\":\"23.05.2\""), "{}", lock(&world));
    // One number was never published.
    opkg("23.05.4").publish(&world.path("mirror"), &signer());
    let before = lock(&world);
    let said = good(&world, &["outdated"]);
    assert!(said.contains("release 23.05.2 (offered: 23.05.4)"), "{said}");
    let said = good(&world, &["lock", "--upgrade", "--dry-run"]);
    assert!(said.contains("~ release 23.05.2 -> 23.05.4"), "{said}");
    assert_eq!(lock(&world), before, "nothing is written");
    // Nothing changes unasked.
    assert_eq!(release(&world, &[]), "23.05.2");
    let said = good(&world, &upgrade);
    assert!(said.contains("~ release 23.05.2 -> 23.05.4"), "{said}");
    assert!(lock(&world).contains("\"release\": \"23.05.4\""), "{}", lock(&world));
    // The recipe still says 23.05.2: the lock decides.
    for more in [&[][..], &["--locked"], &["--release", "23.05", "--frozen"]] {
        assert_eq!(release(&world, more), "23.05.4", "{more:?}");
    }
    let (code, said) = run(&world, &["lock", "--check", "--release", "23.05.2"]);
    assert_eq!(code, Some(1), "the lock is for another one: {said}");
    // A mirror that keeps it to itself takes nobody back.
    fs::remove_dir_all(world.path("mirror/releases/23.05.4")).unwrap();
    let (code, said) = run(&world, &upgrade);
    assert!(code == Some(1) && said.contains("releases/23.05.4/"), "{code:?}: {said}");
    assert!(lock(&world).contains("\"release\": \"23.05.4\""), "{}", lock(&world));
}

#[test]
fn a_folder_with_a_new_number_proves_nothing() {
    let world = World::new();
    good(&world, &["lock"]);
    let before = lock(&world);
    let upgrade = ["lock", "--upgrade"];
    // An old release under a new number: its signed profiles.json says what it is.
    let releases = world.path("mirror/releases");
    let copy = |from: &str, to: &str| {
        let from = releases.join(from);
        let status = Command::new("cp").arg("-r").arg(from).arg(releases.join(to)).status();
        assert!(status.unwrap().success());
    };
    copy("23.05.2", "23.05.3");
    let (code, said) = run(&world, &upgrade);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("wanted is OpenWrt 23.05.3"), "{said}");
    fs::remove_dir_all(releases.join("23.05.3")).unwrap();
    // The right number, signed by somebody else.
    opkg("23.05.3").publish(&world.path("mirror"), &Signer::new(99));
    let (code, said) = run(&world, &upgrade);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("sha256sums"), "{said}");
    // A list that is signed, of a release that does not say its number.
    let target = releases.join("23.05.3/targets/x86/64");
    let sums = format!("{} *x\n", Sha256::of(b"x"));
    fs::write(target.join("sha256sums"), &sums).unwrap();
    fs::write(target.join("sha256sums.sig"), signer().sign(sums.as_bytes())).unwrap();
    good(&world, &upgrade);
    assert_eq!(lock(&world), before);
}

#[test]
fn a_series_has_one_lock_in_its_usual_place_and_a_point_release_has_its_own() {
    let world = World::new();
    for number in ["25.12.0", "25.12.1"] {
        publish_v3(&world.path("mirror"), number);
    }
    let project = world.path("project");
    fs::create_dir(&project).unwrap();
    let run = |verb: &[&str]| {
        let output = Command::new(wifibox_testkit::program())
            .current_dir(&project)
            .args(verb)
            .arg(format!("--recipes={}", world.path("").display()))
            .arg(format!("--cache-dir={}", world.path("cache").display()))
            .args(world.sources())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let text = |name: &str| fs::read_to_string(project.join("locks").join(name)).unwrap();
    run(&["lock", "--upgrade", "--release", "25.12"]);
    assert!(text("router-25.12-x86_64.lock").contains("\"release\": \"25.12.1\""));
    run(&["lock", "--upgrade", "--release", "25.12.0"]);
    assert!(text("router-25.12.0-x86_64.lock").contains("\"release\": \"25.12.0\""));
    run(&["build", "--flavor", "f", "--release", "25.12", "--locked", "--out", "out"]);
    assert_eq!(json(&project.join("out/manifest.json"))["recipe"]["release"], "25.12.1");
    // A bundle holds that lock.
    run(&["bundle", "bundle", "--flavor", "f", "--release", "25.12"]);
    let bundled = fs::read_to_string(project.join("bundle/locks/router-25.12-x86_64.lock"));
    assert!(bundled.unwrap().contains("\"release\": \"25.12.1\""));
}
