//! The choices of `apt-get install --no-install-recommends` on an empty root.

use super::{check, names, solve};
use wifibox_ground::version::Scheme;

#[track_caller]
fn apt(text: &str, world: &str, expected: &str) {
    check(Scheme::Dpkg, text, world, expected);
}

#[test]
fn the_first_alternative_that_works_is_chosen() {
    apt("a 1; Depends: b | c\n b 1\n c 1", "a", "a-1 b-1");
    apt("a 1; Depends: b | c\n c 1", "a", "a-1 c-1");
    apt("a 1; Depends: b | c\n b 1; Depends: gone\n c 1", "a", "a-1 c-1");
    apt("a 1; Depends: b (>= 2) | c\n b 1\n c 1", "a", "a-1 c-1");
    apt("a 1; Depends: b | c\n b 1\n c 1", "a, c", "a-1 c-1");
    apt("a 1; Depends: b | c, c\n b 1\n c 1", "a", "a-1 b-1 c-1");
    apt("a 1; Depends: c, b | c\n b 1\n c 1", "a", "a-1 c-1");
    apt("a 1; Depends: b (<< 2) | c\n b 1\n b 2\n c 1", "a", "a-1 c-1");
}

#[test]
fn requests_take_versions_and_alternatives() {
    let text = "a 1\n a 2\n b 1; Depends: a";
    apt(text, "a", "a-2");
    apt(text, "a=1, b", "a-1 b-1");
    apt(text, "a (<< 2)", "a-1");
    apt(text, "gone | b", "a-2 b-1");
    apt(text, "a=3", "!");
}

/// Chooses from repositories with priorities, as apt does from archives.
fn from_archives(archives: &[(i16, &str)], world: &str) -> String {
    let repositories = archives.iter().map(|(priority, text)| crate::Repository {
        priority: *priority,
        ..crate::Repository::new(super::index(Scheme::Dpkg, text).into())
    });
    let universe = crate::Universe::new(Scheme::Dpkg, None, repositories.collect(), Vec::new())
        .expect("a universe");
    let requests =
        world.split(',').map(|text| crate::Request::parse(Scheme::Dpkg, text).expect("a request"));
    let requests: Vec<_> = requests.collect();
    let outcome = crate::resolve(&universe, &requests).map_err(|error| error.to_string());
    names(&universe, outcome)
}

#[test]
fn the_priority_of_an_archive_goes_before_the_version() {
    let (stable, security) = ((500, "a 1; Depends: b\n b 1"), (500, "b 2"));
    let backports = (100, "a 3; Depends: b, c\n b 3\n c 3");
    assert_eq!(from_archives(&[stable, security, backports], "a"), "a-1 b-2");
    // What only such an archive has comes from there, and what is asked for in that version.
    assert_eq!(from_archives(&[stable, security, backports], "c"), "c-3");
    assert_eq!(from_archives(&[stable, security, backports], "b (>= 3)"), "b-3");
    let asked = (990, backports.1);
    assert_eq!(from_archives(&[stable, security, asked], "a"), "a-3 b-3 c-3");
    // An older version in the archive that goes before.
    assert_eq!(from_archives(&[(500, "a 2"), (990, "a 1")], "a"), "a-1");
}

#[test]
fn the_last_mentioned_provider_is_that_of_all_archives() {
    let read = |texts: &[&str]| {
        let mut mentions = wifibox_formats::dpkg_index::Mentions::default();
        let mut all = Vec::new();
        for text in texts {
            let packages = wifibox_formats::dpkg_index::parse_after(&mut mentions, text.as_bytes());
            all.push(crate::Repository::new(packages.expect("an index").into()));
        }
        all
    };
    // q is mentioned before p in the first archive; that it is in the second one only does not count.
    let first =
        "Package: a\nVersion: 1\nDepends: v\nSuggests: q\n\nPackage: p\nVersion: 1\nProvides: v\n";
    let second = "Package: q\nVersion: 1\nProvides: v\n";
    let universe = crate::Universe::new(Scheme::Dpkg, None, read(&[first, second]), Vec::new())
        .expect("a universe");
    let request = crate::Request::parse(Scheme::Dpkg, "a").expect("a request");
    let outcome = crate::resolve(&universe, &[request]).map_err(|error| error.to_string());
    assert_eq!(names(&universe, outcome), "a-1 p-1");
}

#[test]
fn a_real_package_goes_before_its_providers() {
    apt("a 1; Depends: v\n p 1; Provides: v\n v 1", "a", "a-1 v-1");
    apt("a 1; Depends: v\n p 1; Provides: v", "a", "a-1 p-1");
    apt("a 1; Depends: v | w\n p 1; Provides: v\n w 1", "a", "a-1 p-1");
}

#[test]
fn among_providers_essential_then_priority_then_the_last_mentioned() {
    let two = |first: &str, second: &str| {
        format!("a 1; Depends: v\n p 1; Provides: v; {first}\n q 1; Provides: v; {second}")
    };
    apt(&two("Priority: optional", "Priority: optional"), "a", "a-1 q-1");
    apt(&two("Priority: important", "Priority: optional"), "a", "a-1 p-1");
    apt(&two("Essential: yes", "Priority: required"), "a", "a-1 p-1");
    apt("a 1; Depends: v; Suggests: q\n p 1; Provides: v\n q 1; Provides: v", "a", "a-1 p-1");
}

#[test]
fn versioned_provides_satisfy_versioned_dependencies_only() {
    let text = "a 1; Depends: v (>= 2)\n p 1; Provides: v\n q 1; Provides: v (= 2)\n b 1; Depends: v (= 1)";
    apt(text, "a", "a-1 q-1");
    apt(text, "b", "!");
}

#[test]
fn conflicts_and_breaks_exclude_others_only() {
    apt("a 1; Conflicts: v; Provides: v\n b 1; Provides: v", "a", "a-1");
    apt("a 1; Conflicts: v; Provides: v\n b 1; Provides: v", "a, b", "!");
    apt("a 1; Breaks: b (<< 2)\n b 1\n b 2", "a, b", "a-1 b-2");
    apt("a 1; Breaks: b (<< 3)\n b 2", "a, b", "!");
    apt("a 1; Conflicts: v (<< 2)\n b 1; Provides: v", "a, b", "a-1 b-1");
    apt("a 1; Depends: b | c\n d 1; Conflicts: b\n b 1\n c 1", "d, a", "a-1 c-1 d-1");
}

#[test]
fn epochs_tildes_and_qualifiers_count() {
    let text = "a 1; Depends: b (>= 1:0~), c:any, d:amd64\n b 9\n b 1:0\n c 1; Multi-Arch: allowed\n d 1; Architecture: all";
    let (universe, outcome) =
        solve(Scheme::Dpkg, &[(None, &text.replace("amd64", "x86_64"))], &[], "a");
    assert_eq!(names(&universe, outcome), "a-1 b-1:0 c-1 d-1");
    apt("a 1; Depends: c:any\n c 1", "a", "!");
}

#[test]
fn pre_depends_count_and_recommends_do_not() {
    apt("a 1; Pre-Depends: b; Depends: c; Recommends: d\n b 1\n c 1\n d 1", "a", "a-1 b-1 c-1");
}

#[test]
fn essential_packages_are_not_pulled_in() {
    apt("a 1\n base 1; Essential: yes", "a", "a-1");
}

#[test]
fn other_architectures_are_no_candidates() {
    apt(
        "a 1; Architecture: x86_64\n a 2; Architecture: arm64\n a 1.5; Architecture: all",
        "a",
        "a-1.5",
    );
}

#[test]
fn stand_ins_satisfy_any_demand() {
    let text = "a 1; Depends: init (>= 9) | b, dpkg (>= 1.15.6~)\n b 1\n dpkg 1";
    let (universe, outcome) =
        solve(Scheme::Dpkg, &[(None, text)], &[("init", None), ("dpkg", Some("1.22"))], "a");
    assert_eq!(names(&universe, outcome), "a-1");
    let (universe, outcome) = solve(Scheme::Dpkg, &[(None, text)], &[("dpkg", Some("1.15"))], "a");
    assert!(names(&universe, outcome).contains("dpkg"), "a stand-in's version counts");
}
