//! The reports that a build writes: licences and bills of materials.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use wifibox_testkit::guest::{Guest, json};

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|item| item["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn licences_texts_sources_and_obligations_are_told() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let summary = json(&out.join("licenses/summary.json"));
    let package = |name: &str| named(&summary["packages"], name);

    let tool = package("tool");
    assert_eq!(tool["licence"], "GPL-2.0-or-later");
    assert_eq!(tool["basis"], "copyright-file");
    assert_eq!(tool["redistribution"], "yes");
    assert_eq!(strings(&tool["obligations"]), ["notices", "source"]);
    assert_eq!(strings(&tool["texts"]), ["common/GPL-2", "packages/tool/copyright"]);
    assert_eq!(tool["sources"][0]["name"], "toolbox");
    assert_eq!(tool["sources"][0]["version"], "1.5");
    assert_eq!(tool["sources"][1]["name"], "glue");
    assert_eq!(tool["sources"][1]["version"], "7");

    // Its documentation is a link to another package's.
    let library = package("library");
    assert_eq!(library["licence"], "GPL-2.0-or-later");
    assert_eq!(library["texts"], tool["texts"]);

    let base = package("base");
    assert_eq!(base["licence"], "LicenseRef-base-copyright");
    assert_eq!(base["basis"], "free-text");
    assert_eq!(strings(&base["obligations"]), ["notices", "read-text"]);

    // Of the kernel only the image is in the outputs; its text is free, and speaks of the GPL.
    let kernel = package("kernel");
    assert_eq!(strings(&kernel["obligations"]), ["notices", "source", "read-text"]);

    let firmware = named(&summary["firmware"], "test-1.bin");
    assert_eq!(summary["firmware"].as_array().unwrap().len(), 3);
    assert_eq!(named(&summary["firmware"], "regulatory.db")["licence"], "ISC");
    assert_eq!(firmware["licence"], "LicenseRef-firmware-test-binary-redist-Test");
    assert_eq!(firmware["redistribution"], "unmodified");
    assert!(firmware["notes"][0].as_str().unwrap().contains("LICENCE.test"));
    // Only what is in the guest counts for its package.
    assert_eq!(package("firmware-test")["licence"], firmware["licence"]);

    let text = |name: &str| fs::read_to_string(out.join("licenses").join(name)).unwrap();
    assert_eq!(text("common/GPL-2"), "All of the GPL\n");
    assert_eq!(text("packages/base/copyright"), "Take it, it is free.\n");
    assert!(!out.join("licenses/packages/library").exists(), "the text is there once");
    let words = text("SUMMARY.txt");
    for line in ["toolbox 1.5", "glue 7", "read before you pass on: base", "test-1.bin"] {
        assert!(words.contains(line), "{line}: {words}");
    }
    // Nothing of it is in the guest itself.
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(!manifest.contains("usr/share/doc") && manifest.contains("licenses/SUMMARY.txt"));
}

#[test]
fn bills_of_materials_name_everything_and_hang_together() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let manifest = json(&out.join("manifest.json"));
    let build_id = manifest["build_id"].as_str().unwrap();

    let spdx = json(&out.join("sbom.spdx.json"));
    assert_eq!(spdx["spdxVersion"], "SPDX-2.3");
    assert_eq!(spdx["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    assert!(spdx["documentNamespace"].as_str().unwrap().ends_with(build_id));
    let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
    for item in ["packages", "files"].iter().flat_map(|list| spdx[list].as_array().unwrap()) {
        assert!(ids.insert(item["SPDXID"].as_str().unwrap()), "{item} is there twice");
    }
    let mut relations = BTreeSet::new();
    for relation in spdx["relationships"].as_array().unwrap() {
        let end = |name: &str| relation[name].as_str().unwrap();
        let (from, to) = (end("spdxElementId"), end("relatedSpdxElement"));
        assert!(ids.contains(from) && ids.contains(to), "{relation}");
        relations.insert((from, end("relationshipType"), to));
    }
    for relation in [
        ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Guest"),
        ("SPDXRef-Guest", "CONTAINS", "SPDXRef-Package-tool"),
        ("SPDXRef-Package-tool", "GENERATED_FROM", "SPDXRef-Source-toolbox-1.5"),
        ("SPDXRef-Output-root.img", "GENERATED_FROM", "SPDXRef-Guest"),
        ("SPDXRef-Output-vmlinuz", "GENERATED_FROM", "SPDXRef-Package-kernel"),
        ("SPDXRef-Builder", "BUILD_TOOL_OF", "SPDXRef-Guest"),
    ] {
        assert!(relations.contains(&relation), "{relation:?}");
    }
    let tool = named(&spdx["packages"], "tool");
    assert_eq!(tool["licenseDeclared"], "GPL-2.0-or-later");
    assert_eq!(
        tool["externalRefs"][0]["referenceLocator"],
        "pkg:deb/test/tool@1.0?arch=amd64&distro=trixie&upstream=toolbox"
    );
    assert_eq!(
        tool["downloadLocation"],
        "http://mirror.example/test/pool/non-free-firmware/tool_1.0_amd64.deb"
    );
    // Every licence that is not SPDX's own is explained.
    let explained: BTreeSet<&str> = spdx["hasExtractedLicensingInfos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence["licenseId"].as_str().unwrap())
        .collect();
    let text = fs::read_to_string(out.join("sbom.spdx.json")).unwrap();
    let mut used = 0;
    for (at, _) in text.match_indices("LicenseRef-") {
        let end =
            text[at..].find(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c)).unwrap();
        assert!(explained.contains(&text[at..at + end]), "{}", &text[at..at + end]);
        used += 1;
    }
    assert!(used > 3);
    let file = |name: &str| {
        let files = spdx["files"].as_array().unwrap();
        files.iter().find(|file| file["fileName"] == name).unwrap()
    };
    let firmware = file("./usr/lib/firmware/test-1.bin");
    assert_eq!(
        strings(&firmware["licenseInfoInFiles"]),
        ["LicenseRef-firmware-test-binary-redist-Test"]
    );
    let hash = |path: &str| {
        let files = manifest["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap()["sha256"].clone()
    };
    assert_eq!(firmware["checksums"][1]["checksumValue"], hash("usr/lib/firmware/test-1.bin"));

    let cyclonedx = json(&out.join("sbom.cdx.json"));
    assert_eq!(cyclonedx["specVersion"], "1.6");
    assert_eq!(cyclonedx["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    let component = named(&cyclonedx["components"], "firmware-test");
    assert_eq!(component["type"], "firmware");
    assert_eq!(component["components"][0]["name"], "test-1.bin");
    let image = named(&cyclonedx["components"], "root.img");
    let listed = named_path(&manifest["outputs"], "root.img");
    assert_eq!(image["hashes"][1]["content"], listed["sha256"]);
    let depends = strings(&cyclonedx["dependencies"][0]["dependsOn"]);
    let references: Vec<&str> = cyclonedx["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    assert!(depends.iter().all(|name| references.contains(name)) && depends.len() == 6);
}

fn named_path<'a>(list: &'a Value, path: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|item| item["path"] == path).unwrap()
}

fn read_all(folder: &Path, prefix: &str, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path(), &format!("{name}/"), all);
        } else {
            all.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    all.sort();
}

#[test]
fn reports_are_the_same_in_another_folder() {
    let [first, second] = [Guest::new(), Guest::new()].map(|guest| {
        let out = guest.build("f", "out");
        let mut all = Vec::new();
        read_all(&out, "", &mut all);
        all
    });
    assert!(first.iter().any(|(name, _)| name == "licenses/summary.json"));
    for ((name, one), (_, other)) in first.iter().zip(&second) {
        assert!(one == other, "{name} differs");
    }
    assert_eq!(first.len(), second.len());
}
