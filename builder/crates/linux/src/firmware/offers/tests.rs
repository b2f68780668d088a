//! Tests of names, links and directories of links.

use proptest::prelude::*;

use super::*;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text).expect("a path")
}

fn offers(files: &[&str], links: &[(&str, &str)]) -> Offers {
    let mut offers = Offers::default();
    for file in files {
        assert!(offers.file(&path(&format!("usr/lib/firmware/{file}")), "p"));
    }
    for (link, target) in links {
        assert!(offers.link(&path(&format!("lib/firmware/{link}")), target.as_bytes(), "p"));
    }
    offers
}

#[test]
fn names_lose_directories_and_suffixes() {
    let offers = offers(&["a/b.bin.zst", "c.ucode.xz", "d", "a/b.bin"], &[]);
    assert_eq!(offers.names().collect::<Vec<_>>(), ["a/b.bin", "c.ucode", "d"]);
    let plain = offers.get("a/b.bin").expect("offered");
    assert_eq!(plain.compression, Compression::None, "an uncompressed file goes first");
    assert!(!Offers::default().file(&path("usr/share/x"), "p"));
}

#[test]
fn links_lead_over_links_and_directories() {
    let offers = offers(
        &["ath11k/W/hw2.0/board-2.bin.zst", "x/real.bin"],
        &[
            ("ath11k/W/hw2.1", "hw2.0"),
            ("one.bin", "two.bin"),
            ("two.bin.zst", "x/../x/real.bin.zst"),
            ("gone.bin", "nothing"),
            ("round.bin", "round.bin"),
            ("out.bin", "../../etc/passwd"),
            ("abs.bin", "/usr/lib/firmware/x/real.bin"),
            ("far.bin", "/etc/alternatives/far.bin"),
        ],
    );
    let resolved = |name: &str| offers.resolve(name).map(|found| (found.file, found.links));
    let found = |file: &str, links: &[&str]| {
        Ok((file.to_owned(), links.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>()))
    };
    assert_eq!(resolved("x/real.bin"), found("x/real.bin", &[]));
    assert_eq!(resolved("one.bin"), found("x/real.bin", &["one.bin", "two.bin"]));
    assert_eq!(
        resolved("ath11k/W/hw2.1/board-2.bin"),
        found("ath11k/W/hw2.0/board-2.bin", &["ath11k/W/hw2.1"])
    );
    assert_eq!(resolved("abs.bin"), found("x/real.bin", &["abs.bin"]));
    assert_eq!(resolved("none"), Err(NoFile::Missing));
    assert_eq!(resolved("x"), Err(NoFile::Missing));
    assert_eq!(resolved("gone.bin"), Err(NoFile::Dangling));
    assert_eq!(resolved("round.bin"), Err(NoFile::Circle));
    assert_eq!(resolved("out.bin"), Err(NoFile::Outside));
    assert_eq!(resolved("far.bin"), Err(NoFile::Outside));
    assert!(offers.names_through_links().contains("ath11k/W/hw2.1/board-2.bin"));
}

proptest! {
    #[test]
    fn any_links_end(links in prop::collection::vec(("[ab/.]{1,6}", "[ab/.]{0,6}"), 0..8), name in "[ab/.]{0,8}") {
        let mut offers = Offers::default();
        for (link, target) in &links {
            if let Ok(path) = GuestPath::new(format!("lib/firmware/{link}")) {
                offers.link(&path, target.as_bytes(), "p");
            }
        }
        let _ = offers.resolve(&name);
        offers.names_through_links();
    }
}
