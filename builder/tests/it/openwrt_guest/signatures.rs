//! Keys and signatures, bundles and mirrors.

use super::*;

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
