//! `wifibox-build diff`: how two outputs differ.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use wifibox_testkit::guest::Guest;

fn diff(guest: &Guest, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (old, new) = (guest.path("old"), guest.path("new"));
    guest.run(&[&["diff", old.to_str().unwrap(), new.to_str().unwrap()], arguments].concat())
}

#[test]
fn the_same_build_has_no_difference() {
    let guest = Guest::new();
    guest.build("f", "old");
    guest.build("f", "new");
    let (code, stdout, stderr) = diff(&guest, &["--exit-code"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", ""));
    let (_, stdout, _) = diff(&guest, &["--json"]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(value["same"], true);
}

#[test]
fn versions_firmware_and_configuration_are_told_apart() {
    let guest = Guest::new();
    guest.build("f", "old");
    guest.publish("1.1");
    guest.recipes("loud");
    guest.build("bare", "new");
    let page = guest.path("page.html");
    let (code, _, stderr) = diff(&guest, &["--html", page.to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let text = std::fs::read_to_string(&page).unwrap();
    for words in ["<h2 id=\"packages\"", ">firmware-test<", ">1.1<", "root.img"] {
        assert!(text.contains(words), "{words}");
    }
    let (code, stdout, stderr) = diff(&guest, &["--exit-code"]);
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
    for line in [
        "flavor: f -> bare",
        "command line:",
        "~tool: 1.0 -> 1.1",
        "-firmware-test (20260101)",
        "-test-*.bin (kept by test-1.bin)",
        "-/usr/lib/firmware/test-1.bin",
        "~/usr/bin/tool",
        "root.img",
    ] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    let (code, stdout, _) = diff(&guest, &["--json"]);
    assert_eq!(code, Some(0), "without --exit-code a difference is no failure");
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(value["same"], false);
    assert_eq!(value["diff"]["packages"]["changed"][0]["name"], "tool");
    assert_eq!(value["diff"]["packages"]["removed"][0][0], "firmware-test");
    let sizes = value["diff"]["sizes"].as_array().unwrap();
    let firmware = sizes.iter().find(|size| size["name"] == "firmware").unwrap();
    assert_eq!((&firmware["old"], &firmware["new"]), (&5200.into(), &200.into()));
    let rebuilt = value["diff"]["rebuilt"].as_array().unwrap();
    assert!(rebuilt.is_empty(), "{rebuilt:?}");
}

#[test]
fn what_is_no_output_is_named() {
    let guest = Guest::new();
    guest.build("bare", "old");
    let (code, _, stderr) = diff(&guest, &[]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("new is not an output of wifibox-build"), "{stderr}");
}

#[test]
fn one_changed_byte_is_a_difference_whatever_the_manifest_says() {
    let guest = Guest::new();
    guest.build("f", "old");
    guest.build("f", "new");
    let flip = |name: &str, at: fn(usize) -> usize| {
        let path = guest.path("new").join(name);
        let before = std::fs::read(&path).unwrap();
        let mut bytes = before.clone();
        let at = at(bytes.len());
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        (path, before)
    };
    for name in ["root.img", "vmlinuz", "cmdline", "licenses/summary.json", "sbom.spdx.json"] {
        if !guest.path("new").join(name).exists() {
            continue;
        }
        let (path, before) = flip(name, |length| length / 2);
        let (code, stdout, stderr) = diff(&guest, &["--exit-code"]);
        assert_eq!(code, Some(1), "{name}: {stdout}");
        assert!(stdout.contains(&format!("~{name}")), "{name}: {stdout}");
        assert!(stderr.contains("new is not what its manifest says ("), "{name}: {stderr}");
        std::fs::write(path, before).unwrap();
    }
    // A manifest in other words, with a list that knows it: sound, and not the same bytes.
    let (manifest, sums) = (guest.path("new/manifest.json"), guest.path("new/SHA256SUMS"));
    let text = std::fs::read_to_string(&manifest).unwrap();
    let hash = |text: &str| wifibox_ground::digest::Sha256::of(text.as_bytes()).to_string();
    let list = std::fs::read_to_string(&sums).unwrap();
    let other = format!("{text} ");
    std::fs::write(&manifest, &other).unwrap();
    std::fs::write(&sums, list.replace(&hash(&text), &hash(&other))).unwrap();
    let (code, stdout, stderr) = diff(&guest, &["--exit-code"]);
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
    assert!(stdout.contains("~manifest.json"), "{stdout}");
    let (_, stdout, _) = diff(&guest, &["--json"]);
    let value: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&value["same"], &value["sound"]),
        (&false.into(), &serde_json::json!([true, true]))
    );
}
