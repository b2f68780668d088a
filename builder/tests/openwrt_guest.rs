//! Guests from generated, signed feeds in OpenWrt's layout, of both package formats: what the image
//! builder's work comes to, which kernel goes with which modules, what is refused.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;

use wifibox_formats::PublicKey as _;
use wifibox_formats::adb::{AdbLimits, Apk3, Index, Keyring};
use wifibox_ground::digest::Sha256;
use wifibox_testkit::adbkeys;
use wifibox_testkit::adbrepo::{self, Package};
use wifibox_testkit::openwrt::{
    Guest, MAGIC, ODD, SERVICE, World, adb_packages, apk_signer, ipk, opkg_release, signer,
};
use wifibox_testkit::opkgrepo::{Ipk, Signer};
use wifibox_tree::openwrt;

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
    let pinned: Vec<_> = keyring.keys().map(|key| key.fingerprint()).collect();
    let file = fs::File::open(feed.join("packages.adb")).unwrap();
    let index = Index::read("feed", file, &AdbLimits::default(), &keyring, &pinned).unwrap();
    // Scripts of somebody's own packages are for the recipe that takes them.
    let scripts = |package: &&wifibox_formats::Package| {
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
