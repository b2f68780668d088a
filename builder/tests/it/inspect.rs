//! `wifibox-build inspect`: where an image's bytes are.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::Value;
use wifibox_testkit::guest::Guest;

fn sizes(guest: &Guest, path: &str) -> Value {
    let (code, stdout, stderr) = guest.run(&["inspect", path, "--sizes", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn sum(table: &Value, field: &str) -> u64 {
    table.as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
}

#[test]
fn every_table_adds_up_to_the_image() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let value = sizes(&guest, out.to_str().unwrap());
    let sizes = &value["inspect"]["sizes"];
    let length = fs::metadata(out.join("root.img")).unwrap().len();
    assert_eq!(sizes["length"], length);
    let contents = sizes["contents"]["stored"].as_u64().unwrap();
    let tables = sizes["tables"].as_object().unwrap().values();
    let tables: u64 = tables.map(|size| size.as_u64().unwrap()).sum();
    assert_eq!(contents + tables, length);
    assert_eq!(sizes["tables"]["gaps"], 0);
    for table in ["parts", "origins", "folders", "files"] {
        assert_eq!(sum(&sizes[table], "stored"), contents, "{table}");
        assert_eq!(sizes["contents"]["bytes"], sum(&sizes[table], "bytes"), "{table}");
        assert_eq!(sizes["contents"]["files"], sum(&sizes[table], "files"), "{table}");
    }
    // What does not compress takes what it is. Small files share a block, in proportion.
    let file = |name: &str| {
        let files = sizes["files"].as_array().unwrap();
        files.iter().find(|row| row["name"] == name).unwrap()["stored"].as_u64().unwrap()
    };
    assert!((300_000..301_000).contains(&file("/usr/share/noise")));
    let (half, whole) = (file("/usr/lib/firmware/test-1.bin"), file("/usr/share/library"));
    assert!(whole.abs_diff(half * 2) <= 2, "5000 and 10000 bytes: {half}, {whole}");
    assert_eq!(sizes["files"][0]["name"], "/usr/share/noise", "the largest comes first");
    assert_eq!(sizes["origins"][0]["name"], "package tool");
}

#[test]
fn a_page_has_all_of_it_and_asks_nothing_of_a_network() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let page = guest.path("page.html");
    let arguments = ["inspect", out.to_str().unwrap(), "--html", page.to_str().unwrap()];
    let (code, stdout, stderr) = guest.run(&arguments);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout.trim_end(), page.to_str().unwrap());
    let text = fs::read_to_string(&page).unwrap();
    for part in ["sizes", "packages", "firmware", "cards", "modules", "outputs", "files"] {
        assert!(text.contains(&format!("<h2 id=\"{part}\"")), "{part}");
    }
    for name in ["/usr/share/noise", "package tool", "test-1.bin", "<svg viewBox"] {
        assert!(text.contains(name), "{name}");
    }
    assert!(!text.contains("src=") && !text.contains("href=\"http"));
    let value = sizes(&guest, out.to_str().unwrap());
    let files = value["inspect"]["sizes"]["files"].as_array().unwrap().len();
    let (_, rows) = text.split_once("<h2 id=\"files\"").unwrap();
    assert_eq!(rows.matches("<tr>").count(), files + 1, "each file, and the heading");
}

#[test]
fn an_image_alone_tells_its_sizes_and_a_foreign_manifest_is_not_used() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let alone = guest.path("alone.img");
    fs::copy(out.join("root.img"), &alone).unwrap();
    let value = sizes(&guest, alone.to_str().unwrap());
    assert!(value["inspect"]["output"].is_null());
    assert_eq!(value["inspect"]["sizes"]["origins"].as_array().unwrap().len(), 0);
    let (code, stdout, _) = guest.run(&["inspect", alone.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("largest files") && !stdout.contains("where from"), "{stdout}");
    let other = guest.build("bare", "other");
    fs::copy(other.join("manifest.json"), guest.path("manifest.json")).unwrap();
    let (code, _, stderr) = guest.run(&["inspect", alone.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(stderr.contains("describes another image"), "{stderr}");
}

#[test]
fn an_image_within_a_file_is_read_in_place() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let image = fs::read(out.join("root.img")).unwrap();
    let firmware = guest.path("firmware.bin");
    fs::write(&firmware, [&[0; 4096][..], &image, &[0xff; 100_000]].concat()).unwrap();
    let firmware = firmware.to_str().unwrap();
    let (code, _, stderr) = guest.run(&["inspect", firmware]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no SquashFS magic at its start"), "{stderr}");
    assert!(stderr.contains("--offset 4096 reads it there"), "{stderr}");
    let alone = guest.path("alone.img");
    fs::write(&alone, &image).unwrap();
    let expected = sizes(&guest, alone.to_str().unwrap());
    for offset in ["4096", "0x1000"] {
        let arguments = ["inspect", firmware, "--offset", offset, "--json"];
        let (code, stdout, stderr) = guest.run(&arguments);
        assert_eq!(code, Some(0), "{stderr}");
        let found: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(found["inspect"]["sizes"], expected["inspect"]["sizes"]);
    }
    let page = guest.path("page.html");
    let arguments = ["inspect", firmware, "--offset", "4096", "--html", page.to_str().unwrap()];
    assert_eq!(guest.run(&arguments).0, Some(0));
    assert!(fs::read_to_string(&page).unwrap().contains("/usr/share/noise"));
    for (offset, code, words) in [
        ("4095", 1, "--offset 4096"),
        ("9999999", 1, "is to be read from byte 9999999 on"),
        ("many", 2, "a number of bytes"),
    ] {
        let (found, _, stderr) = guest.run(&["inspect", firmware, "--offset", offset]);
        assert_eq!(found, Some(code), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    let (code, _, stderr) = guest.run(&["inspect", out.to_str().unwrap(), "--offset", "1"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("is a folder"), "{stderr}");
}

#[test]
fn the_overview_and_the_tables_are_for_people() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let (code, stdout, _) = guest.run(&["inspect", out.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    for line in ["f as station", "6.1.0-test", "tool", "GPL-2.0-or-later", "root.img"] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    let arguments = ["inspect", out.to_str().unwrap(), "--sizes", "--top", "1", "--depth", "1"];
    let (code, stdout, _) = guest.run(&arguments);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("  all ") && stdout.contains("100.0%"), "{stdout}");
    assert!(stdout.contains("more (--top N shows N)"), "{stdout}");
    assert!(stdout.contains("  /usr ") && !stdout.contains("  /usr/share "), "{stdout}");
}

#[test]
fn what_is_no_image_is_refused() {
    let guest = Guest::new();
    let (code, _, stderr) = guest.run(&["inspect", guest.path("mirror").to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no manifest.json"), "{stderr}");
    fs::write(guest.path("junk"), vec![1; 5000]).unwrap();
    let (code, _, stderr) = guest.run(&["inspect", guest.path("junk").to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("junk") && stderr.contains("not a readable SquashFS image"),
        "{stderr}"
    );
    // A cut image is one too.
    let out = guest.build("bare", "out");
    let image = fs::read(out.join("root.img")).unwrap();
    fs::write(guest.path("junk"), &image[..image.len() - 8192]).unwrap();
    let (code, _, stderr) = guest.run(&["inspect", guest.path("junk").to_str().unwrap()]);
    assert_eq!(code, Some(1), "{stderr}");
}
