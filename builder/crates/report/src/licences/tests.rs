//! Tests of the whole analysis, over packages of formats other than Debian's, and a user's own files.
//! Debian's are tested through whole builds.

use super::*;
use wifibox_ground::content::Content;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Format;
use wifibox_tree::{Meta, Node};

const ALPINE: Distribution<'_> =
    Distribution { base: "alpine", release: "3.23", format: Format::Apk };

const WHENCE: &str = "\
**********\n* WHENCE *\n\n--------------------------------------------------\n\n\
Driver: alpha - A card\n\nFile: alpha/one.bin\n\n\
Licence: Redistributable. See LICENCE.alpha for details.\n\n\
--------------------------------------------------\n\n\
Driver: beta\nFile: beta.bin\nLicence: GPLv2 or later. See GPL-2 for details.\n\n\
--------------------------------------------------\n\n\
Driver: gamma\nFile: gamma.bin\nLicence: Unknown.\n";

fn package(name: &str, license: &str) -> Package {
    Package {
        name: name.into(),
        version: "1.0-r0".into(),
        architecture: "x86_64".into(),
        license: license.into(),
        ..Package::default()
    }
}

fn collect(collector: &mut Collector, package: &str, path: &str, text: &str) {
    let mut content = text.as_bytes();
    let kind = EntryKind::File { size: text.len() as u64, content: &mut content };
    let entry = Entry::new(GuestPath::new(path).expect("a path"), 0o644, kind);
    collector
        .pass(package, entry, |_| Ok::<(), wifibox_tree::packages::licences::CollectError>(()))
        .expect("passed");
}

fn put(tree: &mut Tree, path: &str, origin: Origin) {
    let kind = Kind::File(Content::from_bytes(path));
    let node = Node { meta: Meta::with_mode(0o644), kind, origin };
    tree.insert(&GuestPath::new(path).expect("a path"), node).expect("inserted");
}

/// Alpine-like packages, with WHENCE where linux-firmware has it.
fn analysed() -> Licences {
    let mut collector = Collector::new();
    collect(&mut collector, "linux-firmware-none", "lib/firmware/WHENCE", WHENCE);
    let licence = "Redistribution in binary form is permitted.";
    collect(&mut collector, "linux-firmware-none", "lib/firmware/LICENCE.alpha", licence);
    collect(&mut collector, "tool", "usr/share/licenses/tool/COPYING", "Tool's own text");
    let mut tree = Tree::new();
    let from = |name: &str| Origin::Package(name.to_owned());
    put(&mut tree, "bin/tool", from("tool"));
    put(&mut tree, "lib/odd", from("odd"));
    put(&mut tree, "lib/silent", from("silent"));
    for file in ["alpha/one.bin.zst", "beta.bin", "gamma.bin", "other.bin"] {
        put(&mut tree, &format!("lib/firmware/{file}"), from("linux-firmware-alpha"));
    }
    put(&mut tree, "lib/firmware/own.bin", Origin::Recipe("--firmware-add".to_owned()));
    let records = [
        package("tool", "GPL-2.0-only AND MIT"),
        package("odd", "custom"),
        package("silent", ""),
        package("linux-firmware-alpha", "custom:multiple"),
        package("unused", "MIT"),
    ];
    let packages: Vec<Packaged<'_>> =
        records.iter().map(|record| Packaged { record, distribution: ALPINE }).collect();
    let subject = Subject {
        packages: &packages,
        collected: &collector,
        tree: &tree,
        elsewhere: &[],
        named: &["LICENCE.alpha".to_owned()],
    };
    analyse(&subject).expect("analysed")
}

fn of_package<'a>(licences: &'a Licences, name: &str) -> &'a PackageLicence {
    licences.packages.iter().find(|package| package.name == name).expect("there")
}

#[test]
fn an_index_says_licences_and_spdx_has_the_texts() {
    let licences = analysed();
    let tool = of_package(&licences, "tool");
    assert_eq!((tool.licence.as_str(), tool.basis), ("GPL-2.0-only AND MIT", Basis::PackageIndex));
    assert_eq!(tool.obligations, [Obligation::Notices, Obligation::Source]);
    assert_eq!(tool.texts, ["common/GPL-2.0-only", "common/MIT", "packages/tool/tool-COPYING"]);
    let text = String::from_utf8_lossy(&licences.texts["common/GPL-2.0-only"]).into_owned();
    assert!(text.contains("GNU GENERAL PUBLIC LICENSE") && text.len() > 10_000);
    let odd = of_package(&licences, "odd");
    assert_eq!(odd.licence, "LicenseRef-odd-custom");
    assert_eq!(odd.redistribution, Redistribution::Unknown);
    let silent = of_package(&licences, "silent");
    assert_eq!((silent.licence.as_str(), silent.basis), (NOASSERTION, Basis::Nothing));
    assert!(silent.obligations.contains(&Obligation::ReadText));
    let unused = of_package(&licences, "unused");
    assert_eq!((unused.files, unused.obligations.len()), (0, 0));
    let offered: Vec<&str> =
        licences.sources_to_offer().iter().map(|source| source.name.as_str()).collect();
    assert_eq!(offered, ["linux-firmware-alpha", "tool"]);
}

#[test]
fn whence_says_what_holds_for_each_firmware_file() {
    let licences = analysed();
    let file = |name: &str| {
        licences.firmware.iter().find(|file| file.name == name).expect("a firmware file")
    };
    let one = file("alpha/one.bin");
    assert_eq!(one.path, "/lib/firmware/alpha/one.bin.zst");
    assert_eq!(one.licence, "LicenseRef-linux-firmware-LICENCE.alpha");
    assert_eq!((one.basis, one.redistribution), (Basis::Whence, Redistribution::Unmodified));
    assert_eq!(one.texts, ["firmware/LICENCE.alpha"]);
    assert_eq!(one.notes.len(), 2, "WHENCE's words, and what the manifests name: {:?}", one.notes);
    let beta = file("beta.bin");
    assert_eq!(beta.licence, "GPL-2.0-or-later");
    assert!(beta.obligations.contains(&Obligation::Source));
    assert_eq!(file("gamma.bin").redistribution, Redistribution::Unknown);
    // What WHENCE does not know has the index's word.
    assert_eq!(file("other.bin").basis, Basis::PackageIndex);
    let own = file("own.bin");
    assert_eq!((own.licence.as_str(), own.basis), (NOASSERTION, Basis::Nothing));
    assert!(own.from.contains("--firmware-add"), "{}", own.from);
}

#[test]
fn the_summary_says_the_same_to_people_and_programs() {
    let licences = analysed();
    let json: serde_json::Value =
        serde_json::from_str(&licences.to_json("id").expect("written")).expect("JSON");
    assert_eq!(json["build_id"], "id");
    assert_eq!(json["packages"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        json["references"].as_array().map(Vec::len),
        Some(licences.references.iter().count())
    );
    let text = licences.to_text("a guest");
    for words in ["Licences of a guest", "own.bin", "LICENCE.alpha", "unused 1.0-r0"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}
