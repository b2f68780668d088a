//! Tests: which folders are taken for a guest's configuration, and that FAT readers find it.

use std::io::Cursor;

use fatfs::{FileSystem, FsOptions};

use super::*;

fn put(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
}

fn image(content: &Content) -> Vec<u8> {
    let mut out = Vec::new();
    let length = content.write(None, &mut out).expect("written");
    assert_eq!(length, out.len() as u64);
    out
}

/// Every file of a volume with its text.
fn files(image: Vec<u8>) -> BTreeMap<String, String> {
    fn walk<T: fatfs::ReadWriteSeek>(
        folder: &fatfs::Dir<'_, T>,
        place: &str,
        into: &mut BTreeMap<String, String>,
    ) {
        for entry in folder.iter() {
            let entry = entry.expect("an entry");
            let name = entry.file_name();
            let path = format!("{place}{name}");
            match name.as_str() {
                "." | ".." => {}
                _ if entry.is_dir() => walk(&entry.to_dir(), &format!("{path}/"), into),
                _ => {
                    let mut text = String::new();
                    entry.to_file().read_to_string(&mut text).expect("readable");
                    into.insert(path, text);
                }
            }
        }
    }
    let fat = FileSystem::new(Cursor::new(image), FsOptions::new()).expect("a volume");
    assert_eq!(fat.volume_label().as_bytes(), CONFIGURATION_LABEL);
    let mut found = BTreeMap::new();
    walk(&fat.root_dir(), "", &mut found);
    found
}

#[test]
fn each_layout_makes_the_same_disk() {
    let expected = BTreeMap::from([
        ("app_config/wpa_supplicant.conf".to_owned(), "network".to_owned()),
        ("config/hostname".to_owned(), "mine".to_owned()),
        ("config/sysctl.d/ipv6.conf".to_owned(), "x".to_owned()),
    ]);
    let mut images = Vec::new();
    for (prefix, config, application) in [
        ("etc/wifibox/", "appliance", "wpa_supplicant"),
        ("", "appliance", "wpa_supplicant"),
        ("", "config", "wpa_supplicant"),
        ("", "config", "app_config"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join(prefix);
        put(
            &own,
            &[
                (&format!("{config}/hostname"), "mine"),
                (&format!("{config}/hostname.sample"), "sample"),
                (&format!("{config}/sysctl.d/ipv6.conf.sample"), "x"),
                (&format!("{application}/wpa_supplicant.conf"), "network"),
            ],
        );
        if config == "appliance" {
            put(&own, &[("app_config", "wpa_supplicant\n"), ("hostapd/hostapd.conf", "other")]);
        }
        let content = Content::find(folder.path()).expect("found");
        assert_eq!((content.files, content.left_out.len()), (3, 0));
        let image = image(&content);
        assert_eq!(image.len() as u64, SMALLEST);
        assert_eq!(files(image.clone()), expected, "{prefix}{config}");
        images.push(image);
    }
    assert!(images.iter().all(|image| *image == images[0]), "the bytes depend on the layout");
}

#[test]
#[cfg(unix)]
fn links_and_sockets_are_left_out_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), &[("config/real", "text"), ("var/log/messages", "")]);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).expect("linked");
    };
    link("real", "config/also");
    link("/run", "var/run");
    link("nothing", "config/dangling");
    let content = Content::find(folder.path()).expect("found");
    let names = ["config/dangling", "var/run"].map(|name| folder.path().join(name));
    assert_eq!(content.left_out, names);
    let found = files(image(&content));
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["config/also", "config/real", "var/log/messages"]
    );
}

#[test]
fn what_is_no_configuration_or_two_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Content::find(folder.path()).expect_err("empty");
    assert!(matches!(error, Error::Nothing { .. }), "{error}");
    put(folder.path(), &[("config/a", ""), ("hostapd/b", ""), ("wpa_supplicant/c", "")]);
    let error = Content::find(folder.path()).expect_err("two");
    assert!(matches!(error, Error::Both { .. }), "{error}");
    put(folder.path(), &[("app_config/d", &"x".repeat(70_000))]);
    let content = Content::find(folder.path()).expect("found");
    let error = content.write(Some(64 << 10), io::sink()).expect_err("too small");
    assert!(error.to_string().contains("65536"), "{error}");
}
