//! `wifibox-build verify`: an output folder is what a build wrote, or it is said what is wrong.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use wifibox_ground::digest::Sha256;
use wifibox_testkit::guest::Guest;

fn verify(guest: &Guest, folder: &Path) -> (Option<i32>, String, String) {
    guest.run(&["verify", folder.to_str().unwrap()])
}

/// A file of the folder that is changed, and what is said about it.
fn expect(guest: &Guest, folder: &Path, words: &[&str]) {
    let (code, _, stderr) = verify(guest, folder);
    assert_eq!(code, Some(4), "{stderr}");
    for words in words {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
}

#[test]
fn one_byte_anywhere_is_found() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let (code, stdout, stderr) = verify(&guest, &out);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("sound"), "{stdout}");
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    let names: Vec<&str> =
        sums.lines().filter_map(|line| line.split_once("  ")).map(|l| l.1).collect();
    assert!(names.len() > 10 && names.contains(&"manifest.json"));
    for name in names.into_iter().chain(["SHA256SUMS"]) {
        let path = out.join(name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        expect(&guest, &out, &[name]);
        fs::write(&path, &before).unwrap();
    }
    assert_eq!(verify(&guest, &out).0, Some(0));
}

#[test]
fn missing_and_extra_files_are_named() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    fs::write(out.join("host/more"), "x").unwrap();
    expect(&guest, &out, &["host/more: is not listed"]);
    fs::remove_file(out.join("host/more")).unwrap();
    // A signature is over SHA256SUMS, so it cannot be in it.
    fs::write(out.join("SHA256SUMS.minisig"), "signature").unwrap();
    assert_eq!(verify(&guest, &out).0, Some(0));
    std::os::unix::fs::symlink("/etc/passwd", out.join("link")).unwrap();
    expect(&guest, &out, &["link: is neither a file nor a folder"]);
    fs::remove_file(out.join("link")).unwrap();
    fs::remove_file(out.join("vmlinuz")).unwrap();
    expect(&guest, &out, &["vmlinuz: is missing"]);
    fs::remove_file(out.join("SHA256SUMS")).unwrap();
    expect(&guest, &out, &["SHA256SUMS: is missing"]);
    let (code, _, stderr) = verify(&guest, &guest.path("nowhere"));
    assert_eq!(code, Some(1), "{stderr}");
}

/// The link that wifibox-core follows to the daemon's configuration, which `SHA256SUMS` cannot list.
#[test]
fn app_config_is_a_link_that_is_checked_and_made_anew() {
    let guest = Guest::new();
    let role = "summary: a role\napp_config: wpa_supplicant\noverlays: [o]\n\
                directories: [{path: etc/wpa_supplicant}]\n\
                shares: [{tag: app_config, path: etc/wpa_supplicant, access: read-write}]\n";
    fs::write(guest.path("recipes/roles/station.yaml"), role).unwrap();
    let overlay = guest.path("overlays/o/host/etc/wifibox");
    for (folder, name) in [("appliance", "hostname"), ("wpa_supplicant", "wpa_supplicant.conf")] {
        fs::create_dir_all(overlay.join(folder)).unwrap();
        fs::write(overlay.join(folder).join(format!("{name}.sample")), "text").unwrap();
    }
    let out = guest.build("f", "out");
    let link = out.join("etc/wifibox/app_config");
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("wpa_supplicant"));
    assert!(link.join("wpa_supplicant.conf.sample").is_file());
    assert_eq!(verify(&guest, &out).0, Some(0));

    fs::remove_file(&link).unwrap();
    expect(&guest, &out, &["etc/wifibox/app_config: is missing"]);
    fs::write(&link, "wpa_supplicant\n").unwrap();
    expect(
        &guest,
        &out,
        &["etc/wifibox/app_config: is not listed", "is missing: it must be a link"],
    );
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/etc", &link).unwrap();
    expect(&guest, &out, &["etc/wifibox/app_config: leads to /etc, manifest.json says wpa_supp"]);
    // It is no output of which nothing changed, and somebody's link is not replaced.
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (from, lock, cache) = (text(&out), text(&guest.path("lock")), text(&guest.path("cache")));
    let kept = ["--frozen", "--lock-file", &lock, "--cache-dir", &cache];
    let build = [&["build", "--flavor", "f", "--out", &from], &kept[..]].concat();
    let (code, _, stderr) = guest.run(&build);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("holds what no build wrote: etc/wifibox/app_config;"), "{stderr}");
    fs::remove_file(&link).unwrap();
    guest.build("f", "out");
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("wpa_supplicant"));

    let image = text(&guest.path("config.img"));
    let (code, _, stderr) = guest.run(&["config-disk", "--from", &from, "--out", &image]);
    assert_eq!(code, Some(0), "{stderr}");

    fs::write(overlay.join("app_config"), "wpa_supplicant\n").unwrap();
    let (code, _, stderr) = guest.run(&build);
    assert_ne!(code, Some(0));
    assert!(stderr.contains("app_config is made by the builder"), "{stderr}");
}

/// Who changes a file and its hashes too is found out by the next link of the chain.
#[test]
fn the_manifest_and_the_image_are_held_against_each_other() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let other = guest.build("bare", "other");
    let replace = |name: &str, bytes: &[u8]| {
        let path = out.join(name);
        let old = Sha256::of(&fs::read(&path).unwrap()).to_string();
        fs::write(&path, bytes).unwrap();
        let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
        fs::write(out.join("SHA256SUMS"), sums.replace(&old, &Sha256::of(bytes).to_string()))
            .unwrap();
        old
    };
    let image = fs::read(other.join("root.img")).unwrap();
    let old = replace("root.img", &image);
    expect(&guest, &out, &["root.img: has one hash in manifest.json, another in SHA256SUMS"]);
    // Now the manifest's list of outputs agrees too; its list of files does not.
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    let size = fs::read(out.join("root.img")).unwrap().len();
    let mut value: serde_json::Value =
        serde_json::from_str(&manifest.replace(&old, &Sha256::of(&image).to_string())).unwrap();
    for output in value["outputs"].as_array_mut().unwrap() {
        if output["path"] == "root.img" {
            output["size"] = size.into();
        }
    }
    replace("manifest.json", value.to_string().as_bytes());
    expect(
        &guest,
        &out,
        &[
            "root.img:/usr/lib/firmware/test-1.bin: is in manifest.json, not in the image",
            "root.img:/etc/wifibox/build-id: has SHA-256",
        ],
    );
}

#[test]
fn findings_are_there_for_programs() {
    let guest = Guest::new();
    let out = guest.build("bare", "out");
    let path = out.to_str().unwrap();
    let (_, stdout, _) = guest.run(&["verify", path, "--json"]);
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(value["sound"], true);
    assert!(value["verify"]["nodes"].as_u64().unwrap() > 5);
    fs::write(out.join("cmdline"), "init=/bin/sh").unwrap();
    let (code, stdout, _) = guest.run(&["verify", path, "--json"]);
    assert_eq!(code, Some(4));
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(value["verify"]["problems"][0]["file"], "cmdline");
}
