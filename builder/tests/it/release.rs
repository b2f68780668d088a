//! A release is made of outputs, sealed and signed; `wifibox-build verify` accepts it and finds every
//! byte that is changed.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use wifibox_ground::digest::Sha256;
use wifibox_recipe::Sources;
use wifibox_report::release::{Description, Omitted, Source, seal};
use wifibox_testkit::guest::{Guest, json};
use wifibox_testkit::minisign::Minisign;

/// Two guests, a lock and a program, sealed and signed.
struct Release {
    guest: Guest,
    key: Minisign,
    folder: PathBuf,
}

fn description(recipes: &Sources) -> Description<'_> {
    Description {
        version: "1.2.3".to_owned(),
        source: Some(Source {
            uri: "https://example.org/source".to_owned(),
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        }),
        builder_id: "https://example.org/builder".to_owned(),
        built_by: BTreeMap::from([(
            "test-f".to_owned(),
            "https://example.org/machine/2".to_owned(),
        )]),
        boot_tested: BTreeMap::from([("test-f".to_owned(), BTreeSet::from(["uefi".to_owned()]))]),
        omitted: vec![Omitted { name: "test-b43".to_owned(), why: "no firmware".to_owned() }],
        recipes,
        page: &|index| format!("<title>{}</title>\n", index.version),
    }
}

impl Release {
    fn new() -> Self {
        let guest = Guest::new();
        let folder = guest.path("release");
        let key = Minisign::new(7);
        for flavor in ["f", "bare"] {
            guest.build(flavor, &format!("release/guests/test-{flavor}"));
            key.sign_sums(&folder.join(format!("guests/test-{flavor}")), "a guest");
        }
        fs::create_dir_all(folder.join("locks")).unwrap();
        fs::copy(guest.path("lock"), folder.join("locks/test.lock")).unwrap();
        fs::create_dir_all(folder.join("tools/some-target")).unwrap();
        fs::write(folder.join("tools/some-target/wifibox-build"), "a program").unwrap();
        let release = Release { guest, key, folder };
        release.seal();
        release
    }

    fn seal(&self) {
        // A release that is signed is not sealed again.
        let _ = fs::remove_file(self.folder.join("SHA256SUMS.minisig"));
        let recipes = Sources::folder(&self.guest.path("")).unwrap();
        seal(&self.folder, description(&recipes)).unwrap();
        self.key.sign_sums(&self.folder, "release 1.2.3");
    }

    fn verify_with(&self, folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
        self.guest.run(&[&["verify", folder.to_str().unwrap()], more].concat())
    }

    fn verify(&self) -> (Option<i32>, String, String) {
        self.verify_with(&self.folder, &["--public-key", &self.key.public()])
    }

    /// It is refused, and this is said.
    fn refused(&self, words: &str) {
        let (code, _, stderr) = self.verify();
        assert_eq!(code, Some(4), "{words}: {stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn one_byte_anywhere_in_a_release_is_found() {
    let release = Release::new();
    let (code, stdout, stderr) = release.verify();
    assert_eq!(code, Some(0), "{stderr}");
    for words in ["sound: release 1.2.3", "test-bare: build id", "given key: release 1.2.3"] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let files = files(&release.folder);
    assert!(files.len() > 30, "{files:?}");
    for path in files {
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        release.refused(path.file_name().unwrap().to_str().unwrap());
        fs::write(&path, &before).unwrap();
    }
    assert_eq!(release.verify().0, Some(0));
}

#[test]
fn every_byte_of_the_signature_counts() {
    let release = Release::new();
    let path = release.folder.join("SHA256SUMS.minisig");
    let before = fs::read(&path).unwrap();
    let sums = fs::read(release.folder.join("SHA256SUMS")).unwrap();
    let key = wifibox_report::signature::PublicKey::parse(&release.key.public()).unwrap();
    assert_eq!(key.verify(&sums, &before), Ok("release 1.2.3".to_owned()));
    for at in 0..before.len() {
        for bit in 0..8 {
            let mut bytes = before.clone();
            bytes[at] ^= 1 << bit;
            assert!(key.verify(&sums, &bytes).is_err(), "byte {at}, bit {bit}");
        }
    }
    for wrong in [before[..before.len() - 1].to_vec(), [&before[..], b"\n"].concat(), vec![]] {
        assert!(key.verify(&sums, &wrong).is_err());
    }
}

#[test]
fn who_signed_matters() {
    let release = Release::new();
    let stranger = Minisign::new(8);
    let (code, _, stderr) =
        release.verify_with(&release.folder, &["--public-key", &stranger.public()]);
    assert_eq!(code, Some(4));
    assert!(stderr.contains("another key"), "{stderr}");
    // The key may be in a file; and a guest may be taken out of the release.
    let file = release.guest.path("minisign.pub");
    fs::write(&file, format!("untrusted comment: a key\n{}\n", release.key.public())).unwrap();
    let key = ["--public-key", file.to_str().unwrap()];
    let alone = release.folder.join("guests/test-f");
    let (code, stdout, stderr) = release.verify_with(&alone, &key);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("given key: a guest"), "{stdout}");
    // Who has no key is told so.
    let (code, stdout, _) = release.verify_with(&release.folder, &[]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("signature not checked"), "{stdout}");
    let (code, _, stderr) = release.verify_with(&release.folder, &["--public-key", "nonsense"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("no public key of minisign"), "{stderr}");
    fs::remove_file(alone.join("SHA256SUMS.minisig")).unwrap();
    release.refused("SHA256SUMS.minisig: is missing");
    fs::remove_file(release.folder.join("SHA256SUMS.minisig")).unwrap();
    release.refused("nothing says who made this");
}

#[test]
fn a_part_of_a_release_can_be_checked() {
    let release = Release::new();
    fs::remove_dir_all(release.folder.join("guests/test-f")).unwrap();
    fs::remove_file(release.folder.join("guests/test-bare/vmlinuz")).unwrap();
    fs::remove_dir_all(release.folder.join("tools")).unwrap();
    release.refused("is missing");
    let part = ["--ignore-missing", "--public-key", &release.key.public()];
    let (code, stdout, stderr) = release.verify_with(&release.folder, &part);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("test-bare") && !stdout.contains("test-f:"), "{stdout}");
    assert!(stdout.contains("more files are not here"), "{stdout}");
    fs::write(release.folder.join("guests/test-bare/cmdline"), "init=/bin/sh").unwrap();
    let (code, _, stderr) = release.verify_with(&release.folder, &part);
    assert_eq!(code, Some(4));
    assert!(stderr.contains("cmdline: has 12 bytes, index.json allows 6"), "{stderr}");
}

/// Somebody with the key who makes a mistake, or a release that was put together by hand.
#[test]
fn index_and_provenance_are_held_against_the_files() {
    let release = Release::new();
    let folder = &release.folder;
    let rewrite = |name: &str, change: &dyn Fn(&str) -> String| {
        let path = folder.join(name);
        let old = fs::read_to_string(&path).unwrap();
        let new = change(&old);
        assert_ne!(old, new);
        fs::write(&path, &new).unwrap();
        let hash = |text: &str| Sha256::of(text.as_bytes()).to_string();
        let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        fs::write(folder.join("SHA256SUMS"), sums.replace(&hash(&old), &hash(&new))).unwrap();
        release.key.sign_sums(folder, "release 1.2.3");
    };
    rewrite("index.json", &|text| text.replace("\"flavor\": \"bare\"", "\"flavor\": \"f\""));
    release.refused("says of test-bare what its manifest.json does not");
    release.seal();
    rewrite("index.json", &|text| text.replace("root-image", "roof-image"));
    release.refused("index.json: unknown variant `roof-image`");
    release.seal();
    let lock = fs::read(folder.join("locks/test.lock")).unwrap();
    let (old, new) = (Sha256::of(&lock).to_string(), Sha256::of(b"").to_string());
    rewrite("provenance.json", &|text| text.replace(&old, &new));
    release.refused("locks/test.lock: has one hash in provenance.json");
    release.seal();
    assert_eq!(release.verify().0, Some(0));
    // The second guest in the place of the first: each is whole, and signed.
    let (a, b) = (folder.join("guests/test-f"), folder.join("guests/test-bare"));
    fs::rename(&a, folder.join("guests/x")).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(folder.join("guests/x"), &b).unwrap();
    release.refused("guests/test-f/root.img: has changed");
}

#[test]
fn index_and_provenance_say_what_was_built_and_nothing_of_when() {
    let release = Release::new();
    let index = json(&release.folder.join("index.json"));
    assert_eq!(index["version"], "1.2.3");
    assert_eq!(index["omitted"][0]["name"], "test-b43");
    let guest = &index["guests"][1];
    assert_eq!((&guest["flavor"], &guest["boot_tested"][0]), (&"f".into(), &"uefi".into()));
    let image = guest["artefacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["kind"] == "root-image")
        .unwrap();
    let bytes = fs::read(release.folder.join(image["path"].as_str().unwrap())).unwrap();
    assert_eq!(image["size"], bytes.len());
    assert_eq!(image["sha256"], Sha256::of(&bytes).to_string());

    let statement = json(&release.folder.join("provenance.json"));
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://slsa.dev/provenance/v1");
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["externalParameters"]["guests"][0]["flavor"], "bare");
    let needed = definition["resolvedDependencies"].to_string();
    for words in [
        "git+https://example.org/source@0123456789abcdef0123456789abcdef01234567",
        "locks/test.lock",
        "\"recipes\"",
        "pkg:deb/test/tool@1.0?arch=amd64&distro=trixie&upstream=toolbox",
    ] {
        assert!(needed.contains(words), "{words}: {needed}");
    }
    // Made again, it is the same.
    let before = ["index.json", "provenance.json", "SHA256SUMS", "SHA256SUMS.minisig"]
        .map(|name| fs::read(release.folder.join(name)).unwrap());
    release.seal();
    let after = ["index.json", "provenance.json", "SHA256SUMS", "SHA256SUMS.minisig"]
        .map(|name| fs::read(release.folder.join(name)).unwrap());
    assert!(before == after);
    // What does not belong there is not signed by the way.
    fs::write(release.folder.join("notes"), "x").unwrap();
    fs::remove_file(release.folder.join("SHA256SUMS.minisig")).unwrap();
    let recipes = Sources::folder(&release.guest.path("")).unwrap();
    let error = seal(&release.folder, description(&recipes)).unwrap_err().to_string();
    assert!(error.contains("notes belongs to no part of a release"), "{error}");
}
