//! `examples/pack.rs`: a folder becomes an image that `unsquashfs` makes the same folder of.

use std::path::PathBuf;
use std::process::Command;

use crate::support::run;

/// The example, which Cargo builds beside the tests.
fn pack() -> PathBuf {
    let tests = std::env::current_exe().expect("this program");
    let profile = tests.parent().and_then(|deps| deps.parent()).expect("a folder");
    profile.join("examples/pack")
}

#[test]
fn a_folder_packed_and_unpacked_is_the_same() {
    // Only `cargo test` of the whole crate builds examples.
    if !pack().exists() {
        println!("skipped: {} is not built", pack().display());
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    let at = |name: &str| work.path().join(name);
    std::fs::create_dir_all(at("in/a/b")).expect("made");
    std::fs::write(at("in/a/text"), "text ".repeat(50_000)).expect("written");
    std::fs::write(at("in/a/empty"), "").expect("written");
    std::os::unix::fs::symlink("../text", at("in/a/b/link")).expect("linked");
    std::fs::hard_link(at("in/a/text"), at("in/other")).expect("linked");
    let mut images = Vec::new();
    for round in ["one", "two"] {
        let output = Command::new(pack())
            .args([at("in"), at(round), "--cache".into(), at("cache")])
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .output()
            .expect("started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(round == "two", told.contains(", 0 compressed"), "{told}");
        images.push(std::fs::read(at(round)).expect("an image"));
    }
    assert!(images[0] == images[1], "not reproducible");
    let arguments = ["-no-progress".into(), "-d".into(), at("out"), at("one")];
    if run("unsquashfs", &arguments).is_some() {
        run("diff", &["-r".into(), "--no-dereference".into(), at("in"), at("out")]);
    }
    let wrong = Command::new(pack()).arg("only-one").output().expect("started");
    assert!(!wrong.status.success() && String::from_utf8_lossy(&wrong.stderr).contains("usage"));
}
