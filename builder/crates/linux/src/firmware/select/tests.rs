//! Tests of the selection: one for each way in which drivers and packages disagree about names.

use proptest::prelude::*;

use super::*;
use crate::firmware::rules::{BoardLink, Companion, Limit, Promise};
use crate::firmware::whence::Whence;

fn offers(files: &[&str], links: &[(&str, &str)]) -> Offers {
    let mut offers = Offers::default();
    let path = |name: &str| GuestPath::new(format!("usr/lib/firmware/{name}")).expect("a path");
    for file in files {
        offers.file(&path(file), "firmware-test");
    }
    for (link, target) in links {
        offers.link(&path(link), target.as_bytes(), "firmware-test");
    }
    offers
}

fn wanted(names: &[&str]) -> Vec<Wanted> {
    let module = ModuleName::new("driver").expect("a name");
    names.iter().map(|name| Wanted { module: module.clone(), name: (*name).to_owned() }).collect()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn files(selection: &Selection) -> Vec<&str> {
    selection.files.keys().map(String::as_str).collect()
}

fn outcome<'a>(selection: &'a Selection, name: &str) -> &'a Outcome {
    let line = selection.report.iter().find(|line| line.name == name);
    &line.unwrap_or_else(|| panic!("no line on {name}")).outcome
}

#[test]
fn iwlwifi_walks_down_per_prefix_and_takes_the_pnvm() {
    let offers = offers(
        &[
            "iwlwifi-7265-17.ucode",
            "iwlwifi-7265D-29.ucode",
            "iwlwifi-7265D-27.ucode",
            "iwlwifi-6000-4.ucode",
            "iwlwifi-6000g2a-6.ucode",
            "iwlwifi-so-a0-gf-a0-86.ucode.zst",
            "iwlwifi-so-a0-gf-a0-72.ucode.zst",
            "iwlwifi-so-a0-gf-a0-92.ucode.zst",
            "iwlwifi-so-a0-gf-a0.pnvm.zst",
            "iwlwifi-so-a0-gf4-a0-89.ucode",
            "iwlwifi-so-a0-gf4-a0.pnvm",
            "iwlwifi-new-a0-99.ucode",
        ],
        &[],
    );
    let wanted = wanted(&[
        "iwlwifi-7265-17.ucode",
        "iwlwifi-7265D-29.ucode",
        "iwlwifi-6000g2a-6.ucode",
        "iwlwifi-so-a0-gf-a0-89.ucode",
        "iwlwifi-so-a0-gf4-a0.pnvm",
        "iwlwifi-new-a0-93.ucode",
        "iwlwifi-dr-a0-96.ucode",
    ]);
    let selection = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert_eq!(
        files(&selection),
        [
            "iwlwifi-6000g2a-6.ucode",
            "iwlwifi-7265-17.ucode",
            "iwlwifi-7265D-29.ucode",
            "iwlwifi-so-a0-gf-a0-86.ucode",
            "iwlwifi-so-a0-gf-a0.pnvm",
            "iwlwifi-so-a0-gf4-a0-89.ucode",
            "iwlwifi-so-a0-gf4-a0.pnvm",
        ]
    );
    let older = Outcome::Older("iwlwifi-so-a0-gf-a0-86.ucode".into());
    assert_eq!(outcome(&selection, "iwlwifi-so-a0-gf-a0-89.ucode"), &older);
    let text = outcome(&selection, "iwlwifi-new-a0-93.ucode").to_string();
    assert!(text.contains("too new for this driver: iwlwifi-new-a0-99.ucode"), "{text}");
    assert!(matches!(outcome(&selection, "iwlwifi-dr-a0-96.ucode"), Outcome::Missing { .. }));
    let composed = selection.report.iter().find(|l| matches!(l.by, By::Composed(_)));
    assert_eq!(composed.expect("a line").name, "iwlwifi-so-a0-gf4-a0-89.ucode");
}

#[test]
fn included_families_that_no_module_names_stay_below_their_relatives_version() {
    let offers = offers(
        &[
            "iwlwifi-bz-b0-gf-a0-92.ucode",
            "iwlwifi-bz-b0-gf-a0-94.ucode",
            "iwlwifi-bz-b0-fm-c0-93.ucode",
            "iwlwifi-bz-b0-fm-c0-97.ucode",
            "iwlwifi-bz-b0-fm-c0.pnvm",
        ],
        &[],
    );
    let wanted = wanted(&["iwlwifi-bz-a0-gf-a0-93.ucode", "iwlwifi-dr-a0-96.ucode"]);
    let rules = Rules { include: texts(&["iwlwifi-bz-*"]), ..Rules::of_linux() };
    let selection = select(&offers, &wanted, &rules).expect("selected");
    assert_eq!(
        files(&selection),
        [
            "iwlwifi-bz-b0-fm-c0-93.ucode",
            "iwlwifi-bz-b0-fm-c0.pnvm",
            "iwlwifi-bz-b0-gf-a0-92.ucode"
        ]
    );
}

#[test]
fn several_named_versions_are_one_family_and_version_zero_has_no_number() {
    let offers = offers(
        &[
            "ath10k/Q/hw3.0/firmware-4.bin",
            "ath10k/Q/hw3.0/firmware-5.bin",
            "ath10k/Q/hw3.0/board-2.bin",
            "ath10k/Q/hw3.0/board.bin",
            "rtw89/rtw8852b_fw.bin",
        ],
        &[],
    );
    let wanted = wanted(&[
        "ath10k/Q/hw3.0/firmware-6.bin",
        "ath10k/Q/hw3.0/firmware-5.bin",
        "ath10k/Q/hw3.0/firmware-4.bin",
        "ath10k/Q/hw3.0/board-2.bin",
        "rtw89/rtw8852b_fw-1.bin",
    ]);
    let selection = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert_eq!(
        files(&selection),
        ["ath10k/Q/hw3.0/board-2.bin", "ath10k/Q/hw3.0/firmware-5.bin", "rtw89/rtw8852b_fw.bin"]
    );
    let newer = Outcome::Superseded("ath10k/Q/hw3.0/firmware-5.bin".into());
    assert_eq!(outcome(&selection, "ath10k/Q/hw3.0/firmware-4.bin"), &newer);
}

#[test]
fn globs_in_metadata_follow_links_of_directories() {
    let offers = offers(
        &["ath11k/W/hw2.0/amss.bin.xz", "ath11k/W/hw2.0/sub/no.bin", "ath11k/W/hw1.0/x.bin"],
        &[("ath11k/W/hw2.1", "hw2.0")],
    );
    let wanted = wanted(&["ath11k/W/hw2.1/*", "ath11k/V/*"]);
    let selection = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert_eq!(files(&selection), ["ath11k/W/hw2.0/amss.bin"]);
    assert_eq!(selection.links["ath11k/W/hw2.1"].target, "hw2.0");
    assert!(matches!(outcome(&selection, "ath11k/V/*"), Outcome::Missing { .. }));
}

#[test]
fn links_come_with_their_targets_and_whence_adds_its_own() {
    let mut offers = offers(
        &["cypress/cyfmac1.bin", "brcm/two.bin"],
        &[("brcm/brcmfmac1.bin", "../cypress/cyfmac1.bin"), ("broken.bin", "none")],
    );
    let whence = "File: x\nLink: a.bin -> b.bin\nLink: b.bin -> brcm/brcmfmac1.bin\n\
        Link: brcm/two.bin -> gone.bin\n";
    offers.add_whence(&Whence::parse(whence).expect("read"));
    let wanted = wanted(&["a.bin", "brcm/two.bin", "broken.bin"]);
    let selection = select(&offers, &wanted, &Rules::of_linux()).expect("selected");
    assert_eq!(files(&selection), ["brcm/two.bin", "cypress/cyfmac1.bin"]);
    let links: Vec<_> =
        selection.links.iter().map(|(name, l)| (name.as_str(), l.from.as_str())).collect();
    assert_eq!(
        links,
        [("a.bin", "WHENCE"), ("b.bin", "WHENCE"), ("brcm/brcmfmac1.bin", "firmware-test")]
    );
    let dangling = Outcome::Missing { why: NoFile::Dangling, too_new: Vec::new() };
    assert_eq!(outcome(&selection, "broken.bin"), &dangling);
}

#[test]
fn drops_win_over_names_includes_and_companions() {
    let offers = offers(
        &[
            "brcm/brcmfmac1-sdio.bin",
            "brcm/brcmfmac1-sdio.txt",
            "iwlwifi-a-5.ucode",
            "iwlwifi-a-4.ucode",
        ],
        &[("other.bin", "brcm/brcmfmac1-sdio.bin")],
    );
    let wanted = wanted(&["brcm/brcmfmac1-sdio.bin", "other.bin", "iwlwifi-a-5.ucode"]);
    let rules = Rules {
        include: texts(&["brcm/**"]),
        exclude: texts(&["brcm/*-sdio.*", "iwlwifi-a-5.*"]),
        ..Rules::of_linux()
    };
    let selection = select(&offers, &wanted, &rules).expect("selected");
    assert_eq!(files(&selection), ["iwlwifi-a-4.ucode"], "an older version is still good");
    for name in ["brcm/brcmfmac1-sdio.bin", "other.bin", "brcm/**"] {
        assert_eq!(outcome(&selection, name), &Outcome::Dropped("brcm/*-sdio.*".into()), "{name}");
    }
}

#[test]
fn boards_get_links_unless_they_have_files_of_their_own() {
    let offers = offers(
        &[
            "brcm/brcmfmac43602-pcie.bin",
            "brcm/brcmfmac43602-pcie.clm_blob",
            "brcm/brcmfmac2-pcie.bin",
            "brcm/brcmfmac2-pcie.FreeBSD-BHYVE.bin",
        ],
        &[],
    );
    let wanted = wanted(&["brcm/brcmfmac43602-pcie.bin", "brcm/brcmfmac2-pcie.bin"]);
    let board = |board: &str| Rules {
        boards: vec![BoardLink { of: "brcm/brcmfmac*-pcie.*".into(), board: board.into() }],
        ..Rules::of_linux()
    };
    let selection = select(&offers, &wanted, &board("FreeBSD-BHYVE")).expect("selected");
    let links: Vec<_> =
        selection.links.iter().map(|(name, l)| (name.as_str(), l.target.as_str())).collect();
    assert_eq!(
        links,
        [
            ("brcm/brcmfmac43602-pcie.FreeBSD-BHYVE.bin", "brcmfmac43602-pcie.bin"),
            ("brcm/brcmfmac43602-pcie.FreeBSD-BHYVE.clm_blob", "brcmfmac43602-pcie.clm_blob"),
        ]
    );
    assert!(selection.files.contains_key("brcm/brcmfmac2-pcie.FreeBSD-BHYVE.bin"));
    let error = select(&offers, &wanted, &board("a/b")).expect_err("refused");
    assert!(matches!(error, FirmwareError::Link { .. }), "{error}");
}

#[test]
fn the_regulatory_database_needs_its_signature() {
    let rules = || Rules::of_linux().with_regulatory(&["wireless-regdb"]);
    let error = select(&offers(&["regulatory.db"], &[]), &[], &rules()).expect_err("refused");
    let text = error.to_string();
    assert!(
        text.contains("regulatory.db.p7s") && text.contains("package wireless-regdb"),
        "{text}"
    );
    // Debian chooses between two by update-alternatives: a rule's links do the same.
    let links = ["", ".p7s"]
        .map(|end| (format!("regulatory.db{end}"), format!("regulatory.db{end}-debian")));
    let debian = offers(&["regulatory.db-debian", "regulatory.db.p7s-debian"], &[]);
    let rules = Rules { links: links.to_vec(), ..rules() };
    let selection = select(&debian, &[], &rules).expect("selected");
    assert_eq!(selection.files.len(), 2);
    assert_eq!(selection.links["regulatory.db.p7s"].target, "regulatory.db.p7s-debian");
}

#[test]
fn broken_promises_say_what_was_asked_for_and_what_would_help() {
    let offers = offers(&["iwlwifi-cc-a0-78.ucode"], &[]);
    let wanted = wanted(&["iwlwifi-cc-a0-77.ucode"]);
    let promise = |pattern: &str| Promise {
        patterns: texts(&[pattern]),
        packages: texts(&["firmware-iwlwifi"]),
    };
    let rules = Rules { promises: vec![promise("iwlwifi-cc-a0-*.ucode")], ..Rules::of_linux() };
    let text = select(&offers, &wanted, &rules).expect_err("refused").to_string();
    for part in [
        "iwlwifi-cc-a0-*.ucode",
        "iwlwifi-cc-a0-77.ucode (module driver): missing",
        "too new for this driver: iwlwifi-cc-a0-78.ucode",
        "the package firmware-iwlwifi should hold it",
        "--firmware-add",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[test]
fn bad_patterns_and_links_are_named() {
    let none = offers(&[], &[]);
    let rules = Rules { include: texts(&["a[b"]), ..Rules::default() };
    let error = select(&none, &[], &rules).expect_err("refused");
    assert!(error.to_string().contains("a[b"), "{error}");
    for (name, target) in [("../a", "b"), ("a", "/etc/b"), ("a", "")] {
        let links = vec![(name.to_owned(), target.to_owned())];
        let rules = Rules { links, ..Rules::default() };
        assert!(select(&none, &[], &rules).is_err(), "{name} -> {target}");
    }
    let companions = vec![Companion { of: "{".into(), extensions: Vec::new() }];
    assert!(select(&none, &[], &Rules { companions, ..Rules::default() }).is_err());
}

#[test]
fn a_limit_keeps_what_matches_and_says_so_of_the_rest() {
    let offers = offers(
        &[
            "iwlwifi-ty-a0-gf-a0-86.ucode",
            "iwlwifi-ty-a0-gf-a0.pnvm",
            "iwlwifi-cc-a0-77.ucode",
            "regulatory.db",
            "regulatory.db.p7s",
            "own.bin",
            "cal-1.bin",
        ],
        &[],
    );
    let wanted = wanted(&[
        "iwlwifi-ty-a0-gf-a0-89.ucode",
        "iwlwifi-cc-a0-77.ucode",
        "iwlwifi-bz-a0-93.ucode",
    ]);
    let limit =
        |label: &str, patterns: &[&str]| Limit { label: label.into(), patterns: texts(patterns) };
    let rules = Rules {
        limits: vec![limit("--device 8086:2725", &["iwlwifi-ty-a0-gf-a0*"])],
        own: texts(&["own.bin", "gone.bin"]),
        optional: texts(&["cal-*.bin", "nothing-*"]),
        ..Rules::of_linux().with_regulatory(&[])
    };
    let selection = select(&offers, &wanted, &rules).expect("selected");
    assert_eq!(
        files(&selection),
        [
            "iwlwifi-ty-a0-gf-a0-86.ucode",
            "iwlwifi-ty-a0-gf-a0.pnvm",
            "own.bin",
            "regulatory.db",
            "regulatory.db.p7s"
        ]
    );
    let dropped = Outcome::Dropped("--device 8086:2725".into());
    assert_eq!(outcome(&selection, "iwlwifi-cc-a0-77.ucode"), &dropped);
    assert_eq!(
        outcome(&selection, "iwlwifi-bz-a0-93.ucode"),
        &dropped,
        "not missing: not asked for"
    );
    assert!(matches!(outcome(&selection, "gone.bin"), Outcome::Missing { .. }));
    assert!(!selection.report.iter().any(|line| line.name == "nothing-*"), "optional");
    let rules = Rules { limits: Vec::new(), ..rules };
    let selection = select(&offers, &wanted, &rules).expect("selected");
    assert!(selection.files.contains_key("cal-1.bin") && selection.files.len() == 7);
    // Every limit must let a name through.
    let limits = vec![limit("a", &["iwlwifi-*"]), limit("b", &["*-cc-*"])];
    let selection = select(&offers, &wanted, &Rules { limits, ..rules }).expect("selected");
    assert_eq!(outcome(&selection, "iwlwifi-ty-a0-gf-a0-89.ucode"), &Outcome::Dropped("b".into()));
    assert!(selection.files.contains_key("iwlwifi-cc-a0-77.ucode"));
}

proptest! {
    /// Whatever is offered and asked for: links lead to what is kept, drops hold, and each asked-for
    /// name has its line.
    #[test]
    fn selections_are_closed_and_obey_drops(
        files in prop::collection::vec("[ab](/[ab])?(-[0-3])?[.](bin|ucode|pnvm)", 0..12),
        links in prop::collection::vec(("[ab](/[ab])?[.]bin", "([.][.]/)?[ab](/[ab])?(-[0-3])?[.]bin"), 0..6),
        asked in prop::collection::vec("[ab*](/[ab*])?(-[0-3])?[.](bin|ucode|pnvm)", 0..8),
        exclude in "[ab*](/[ab*])?[.]bin",
    ) {
        let file_names: Vec<&str> = files.iter().map(String::as_str).collect();
        let link_names: Vec<(&str, &str)> =
            links.iter().map(|(link, target)| (link.as_str(), target.as_str())).collect();
        let offers = offers(&file_names, &link_names);
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let companions = vec![Companion { of: "**-*.ucode".into(), extensions: texts(&["pnvm"]) }];
        let rules = Rules {
            walk_down: texts(&["**-*.ucode"]),
            companions,
            exclude: vec![exclude.clone()],
            ..Rules::default()
        };
        let selection = select(&offers, &wanted(&asked), &rules).expect("selected");
        for link in selection.links.keys() {
            let found = offers.resolve(link).expect("a kept link leads to a file");
            prop_assert!(selection.files.contains_key(&found.file), "{}", link);
        }
        let pattern = Pattern::new(&exclude).expect("a pattern");
        prop_assert!(!selection.files.keys().any(|name| pattern.matches(name)));
        for name in &asked {
            prop_assert!(selection.report.iter().any(|line| line.name == *name), "{}", name);
        }
        prop_assert_eq!(&selection, &select(&offers, &wanted(&asked), &rules).expect("selected"));
    }
}
