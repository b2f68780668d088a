//! Outputs appear whole, and take nothing with them.

use std::fs;
use std::path::Path;

use super::place::{self, check_target};
use super::work::tests::names;
use super::{OutputError, OutputFolder};
use crate::sums::{SUMS, SUMS_LIMIT};

fn build(target: &Path, text: &str) -> Result<(), OutputError> {
    let folder = OutputFolder::begin(target)?;
    folder.write_bytes("manifest.json", 0o644, text.as_bytes())?;
    folder.write_bytes("host/qemu.sh", 0o755, b"#!/bin/sh\n")?;
    folder.make_link("host/here", "qemu.sh")?;
    folder.finish().map(|_| ())
}

#[test]
fn a_file_in_the_place_of_the_output_is_said_so() {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("f");
    check_target(&target).expect("nothing is there");
    fs::write(&target, "mine").expect("written");
    let error = build(&target, "1").expect_err("the file would be lost");
    assert!(matches!(error, OutputError::NotAFolder { .. }), "{error}");
    let error = check_target(&target.join("below/it")).expect_err("no folder can be made there");
    assert!(matches!(&error, OutputError::NotAFolder { path } if *path == target), "{error}");
    assert_eq!(fs::read_to_string(&target).expect("read"), "mine");
    let long = parent.path().join("n".repeat(300));
    let error = check_target(&long).expect_err("no file system has such names");
    assert!(error.to_string().starts_with("cannot look at "), "{error}");
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

/// An output, and the error of building another one in its place.
fn refused(spoil: impl FnOnce(&Path)) -> String {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("out");
    build(&target, "1").expect("built");
    spoil(&target);
    let error = build(&target, "2").expect_err("something would be lost");
    assert_eq!(fs::read_to_string(target.join("manifest.json")).expect("read"), "1");
    assert_eq!(names(parent.path()), ["out"]);
    error.to_string().replace(&*target.to_string_lossy(), "OUT")
}

#[test]
fn what_no_build_wrote_is_named_and_stays() {
    let notes = |out: &Path| fs::write(out.join("host/notes.txt"), "mine").expect("written");
    assert_eq!(
        refused(notes),
        "OUT holds what no build wrote: host/notes.txt; move it away, or name another folder with --out"
    );
    let edited = |out: &Path| fs::write(out.join("host/qemu.sh"), "password").expect("written");
    assert_eq!(
        refused(edited),
        "OUT holds what no build wrote: host/qemu.sh (changed since it was built); move it away, or name another \
         folder with --out"
    );
    let image = |out: &Path| {
        let (name, hash) = ("root.img", "0".repeat(64));
        fs::write(out.join(name), vec![0; 1 << 20]).expect("written");
        let sums = fs::read_to_string(out.join("SHA256SUMS")).expect("read");
        fs::write(out.join("SHA256SUMS"), format!("{sums}{hash}  {name}\n")).expect("written");
        let error = check_target(out).expect_err("files of this size are hashed before a build");
        assert!(matches!(error, OutputError::InTheWay { .. }), "{error}");
        fs::write(out.join(name), vec![0; (1 << 20) + 1]).expect("written");
        check_target(out).expect("its names are those of the list");
    };
    assert!(refused(image).contains(": root.img (changed since it was built); "));
    let many = |out: &Path| {
        for number in 10..30 {
            fs::write(out.join(number.to_string()), "").expect("written");
        }
    };
    assert!(refused(many).contains(": 10, 11, 12, 13, 14, 15, 16, 17 and 12 more; "));
}

#[cfg(unix)]
#[test]
fn links_stay_unless_they_are_of_the_output() {
    use std::os::unix::fs::symlink;
    let away = |out: &Path| symlink("/etc/hostname", out.join("app")).expect("linked");
    assert!(refused(away).starts_with("OUT holds what no build wrote: app; "));
    let up = |out: &Path| {
        fs::write(out.with_file_name("mine"), "mine").expect("written");
        symlink("../mine", out.join("app")).expect("linked");
        check_target(out).expect_err("it leads out of the output");
        fs::remove_file(out.with_file_name("mine")).expect("removed");
    };
    assert!(refused(up).starts_with("OUT holds what no build wrote: app; "));
    // It would lead to another output after this one was moved.
    let whole = |out: &Path| symlink(out.join("manifest.json"), out.join("app")).expect("linked");
    assert!(refused(whole).starts_with("OUT holds what no build wrote: app; "));
    let replaced = |out: &Path| {
        fs::remove_file(out.join("host/qemu.sh")).expect("removed");
        symlink("../manifest.json", out.join("host/qemu.sh")).expect("linked");
    };
    assert!(refused(replaced).starts_with("OUT holds what no build wrote: host/qemu.sh; "));

    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("out");
    build(&target, "1").expect("built");
    symlink("host", target.join("app")).expect("linked");
    build(&target, "2").expect("a link within the output is nobody's loss");
    assert_eq!(names(parent.path()), ["out"]);
    let nowhere = parent.path().join("link");
    symlink("nowhere", &nowhere).expect("linked");
    let error = check_target(&nowhere).expect_err("the link would be lost");
    assert!(matches!(error, OutputError::NotAFolder { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_leads_to_the_output() {
    let (parent, disk) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
    let (link, large) = (parent.path().join("out"), disk.path().join("large"));
    fs::create_dir(&large).expect("made");
    std::os::unix::fs::symlink(&large, &link).expect("linked");
    for text in ["1", "2"] {
        build(&link, text).expect("built");
        assert_eq!(fs::read_link(&link).expect("still a link"), large);
        assert_eq!(fs::read_to_string(large.join("manifest.json")).expect("read"), text);
    }
    assert_eq!(
        (names(parent.path()), names(disk.path())),
        (vec!["out".into()], vec!["large".into()])
    );
}

#[cfg(unix)]
#[test]
fn a_list_that_no_build_wrote_is_none() {
    let foreign = |spoil: &dyn Fn(&Path)| {
        let error = refused(|out| spoil(&out.join(SUMS)));
        assert!(error.starts_with("OUT exists and was not written by wifibox-build"), "{error}");
    };
    // A link to the list, which the new output would take along.
    foreign(&|list| {
        let away = list.with_file_name("away");
        fs::rename(list, &away).expect("renamed");
        std::os::unix::fs::symlink("away", list).expect("linked");
    });
    foreign(&|list| {
        let list = fs::OpenOptions::new().write(true).open(list).expect("opened");
        list.set_len(SUMS_LIMIT + 1).expect("grown");
    });
}

#[cfg(unix)]
#[test]
fn an_output_that_cannot_be_read_is_told_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("out");
    build(&target, "1").expect("built");
    // Folders are looked into before the list.
    fs::remove_dir_all(target.join("host")).expect("removed");
    let list = target.join(SUMS);
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    for (path, mode, before) in [(&list, 0o000, 0o644), (&target, 0o444, 0o755)] {
        set(path, mode);
        // Root may read everything.
        let error = fs::File::open(&list).err().map(|_| check_target(&target));
        set(path, before);
        let Some(error) = error else { continue };
        let error = error.expect_err("nobody knows what would be lost").to_string();
        assert!(error.starts_with("cannot read "), "{error}");
    }
}

/// There is no moment at which there is no output, where the file system can do that.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn two_folders_change_places_in_one_step() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let parent = tempfile::tempdir().expect("a folder");
    let [old, new, one, other] = ["old", "new", "1", "2"].map(|name| parent.path().join(name));
    for folder in [&old, &new, &one, &other] {
        fs::create_dir(folder).expect("made");
    }
    fs::write(new.join("file"), "new").expect("written");
    let able = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).is_ok();
    place::put(&new, &old).expect("put in place");
    assert_eq!(names(&old), ["file"]);
    assert_eq!(new.exists(), able);
}

#[test]
fn a_folder_with_any_manifest_is_no_output() {
    let parent = tempfile::tempdir().expect("a folder");
    fs::write(parent.path().join("manifest.json"), "{\"manifest_version\": 3}").expect("written");
    assert!(matches!(check_target(parent.path()), Err(OutputError::Foreign { .. })));
    // Nor is one with hashes of something else.
    let sums = format!("{}  background.js\n", "0".repeat(64));
    fs::write(parent.path().join("SHA256SUMS"), sums).expect("written");
    assert!(matches!(check_target(parent.path()), Err(OutputError::Foreign { .. })));
}

#[test]
fn an_empty_folder_is_filled() {
    let parent = tempfile::tempdir().expect("a folder");
    let target = parent.path().join("out");
    fs::create_dir_all(target.join("share")).expect("made");
    build(&target, "1").expect("built");
    assert_eq!(names(&target), ["SHA256SUMS", "host", "manifest.json"]);
    assert_eq!(names(parent.path()), ["out"]);
}
