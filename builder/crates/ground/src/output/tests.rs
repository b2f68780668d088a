//! How output folders appear and make way.

use super::*;

fn build(target: &Path, text: &str) -> Result<(), OutputError> {
    let folder = OutputFolder::begin(target)?;
    folder.write_bytes("manifest.json", 0o644, text.as_bytes())?;
    folder.make_link("host/here", "qemu.sh")?;
    folder.write_bytes("host/qemu.sh", 0o755, b"#!/bin/sh\n")?;
    folder.finish().map(|_| ())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}

#[test]
fn a_file_in_the_place_of_the_output_is_said_so() {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("f");
    check_target(&target).expect("nothing is there");
    fs::write(&target, "mine").expect("written");
    let error = build(&target, "1").expect_err("the file would be lost");
    assert!(matches!(error, OutputError::NotAFolder { .. }), "{error}");
    assert_eq!(fs::read_to_string(&target).expect("read"), "mine");
}

#[test]
fn an_output_appears_whole_and_makes_way_for_the_next() {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("deep/er/debian-hwsim");
    build(&target, "1").expect("built");
    build(&target, "2").expect("built again");
    assert_eq!(fs::read_to_string(target.join("manifest.json")).expect("read"), "2");
    assert_eq!(names(&target), ["SHA256SUMS", "host", "manifest.json"]);
    assert_eq!(names(target.parent().expect("a parent")), ["debian-hwsim"]);
    let sums = fs::read_to_string(target.join("SHA256SUMS")).expect("read");
    assert!(sums.ends_with("  manifest.json\n") && sums.contains("  host/qemu.sh\n"), "{sums}");
    // A link is one, and no file with a hash.
    assert_eq!(fs::read_link(target.join("host/here")).expect("a link"), Path::new("qemu.sh"));
    assert!(!sums.contains("here"), "{sums}");
}

#[test]
fn an_unfinished_output_leaves_nothing() {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("out");
    build(&target, "1").expect("built");
    let folder = OutputFolder::begin(&target).expect("begun");
    folder.write_bytes("manifest.json", 0o644, b"2").expect("written");
    drop(folder);
    assert_eq!(names(parent.path()), ["out"]);
    assert_eq!(fs::read_to_string(target.join("manifest.json")).expect("read"), "1");
}

#[test]
fn a_foreign_folder_is_left_alone() {
    let parent = tempfile::tempdir().expect("a folder");
    fs::write(parent.path().join("precious"), "x").expect("written");
    assert!(matches!(OutputFolder::begin(parent.path()), Err(OutputError::Foreign { .. })));
    assert!(parent.path().join("precious").exists());
}
