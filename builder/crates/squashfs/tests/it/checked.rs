//! The checks of images: both find what differs, and damage anywhere.

use std::io::Cursor;

use wifibox_squashfs::{Archive, Codec, Entry, Kind, VerifyError, Writer, verify, verify_written};

use crate::{image, options, support};

#[test]
fn the_quick_check_finds_damage_anywhere() {
    let archive = support::everything(4096);
    let options = options(Codec::GZIP, 4096, 2);
    let mut out = Cursor::new(Vec::new());
    let written = Writer::new(options).write(&archive, &mut out).expect("written");
    verify_written(&archive, &options, &written, &mut out).expect("as the archive");
    let other = support::changed(4096, |at, entry| {
        if at == "tmp" {
            entry.meta.uid = 9;
        }
        true
    });
    let error = verify_written(&other, &options, &written, &mut out).expect_err("a difference");
    assert_eq!(error.to_string(), "/tmp: the image has user 0, expected 9");
    let length = out.get_ref().len();
    for at in (96..length - 4096).step_by(97) {
        out.get_mut()[at] ^= 1;
        verify_written(&archive, &options, &written, &mut out).expect_err("damage");
        out.get_mut()[at] ^= 1;
    }
    verify_written(&archive, &options, &written, &mut out).expect("as the archive again");
}

#[test]
fn the_check_finds_what_differs() {
    let options = options(Codec::GZIP, 4096, 1);
    let archive = support::everything(4096);
    let mut image = image(&archive, &options);
    let find = |other: &Archive| {
        verify(other, &options, &mut Cursor::new(&image)).expect_err("a difference").to_string()
    };
    let change = |at: &str, change: &dyn Fn(&mut Entry)| {
        find(&support::changed(4096, |path, entry| {
            if path == at {
                change(entry);
            }
            true
        }))
    };
    let found = change("tmp", &|tmp| tmp.meta.mode = 0o777);
    assert_eq!(found, "/tmp: the image has mode 1777, expected 777");
    let found = change("tmp", &|tmp| tmp.meta.uid = 9);
    assert_eq!(found, "/tmp: the image has user 0, expected 9");
    let found = change("sh", &|sh| sh.kind = Kind::Symlink(b"bin/sx".to_vec()));
    assert!(found.contains("kind link to bin/su, expected link to bin/sx"), "{found}");
    let found = change("text/0", &|text| text.kind = Kind::file("b"));
    assert!(found.starts_with("/text/0: the image has content "), "{found}");
    let found = change("dev/console", &|console| console.kind = Kind::CharDevice(5, 2));
    assert!(found.contains("device 0x501"), "{found}");
    let found = find(&support::changed(4096, |path, _| !path.starts_with("many")));
    assert!(found.contains("number of nodes"), "{found}");
    let middle = image.len() / 2;
    image[middle] ^= 1;
    verify(&archive, &options, &mut Cursor::new(&image)).expect_err("damage");
    image.truncate(middle);
    let error = verify(&archive, &options, &mut Cursor::new(&image)).expect_err("cut short");
    assert!(matches!(error, VerifyError::Unreadable(_)), "{error}");
}
