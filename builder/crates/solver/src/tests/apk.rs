//! The choices of `apk add` on an empty root.

use super::{check, names, solve};
use crate::{Because, Chosen};
use wifibox_ground::version::Scheme;

#[track_caller]
fn apk(text: &str, world: &str, expected: &str) {
    check(Scheme::Apk, text, world, expected);
}

#[track_caller]
fn tagged(repositories: &[(Option<&str>, &str)], world: &str, expected: &str) {
    let (universe, outcome) = solve(Scheme::Apk, repositories, &[], world);
    match outcome {
        Err(error) => assert_eq!(expected, "!", "{world}: {error}"),
        ok => assert_eq!(names(&universe, ok), expected, "{world}"),
    }
}

#[test]
fn the_newest_version_that_fits_is_chosen() {
    let text = "a 1; D:b\n a 2; D:b\n b 1\n b 1.10\n b 1.9";
    apk(text, "a", "a-2 b-1.10");
    apk(text, "a<2", "a-1 b-1.10");
    apk(text, "a b=1", "a-2 b-1");
    apk(text, "a b~1.9", "a-2 b-1.9");
    apk(text, "b>1.9", "b-1.10");
    apk(text, "b>1.10", "!");
    apk(text, "c", "!");
}

#[test]
fn constraints_from_several_sides_meet() {
    let text =
        "a 2; D:b c\n a 3; D:b c d>1.5\n b 1; D:c d<2.0\n c 1; D:d>1.0\n d 1.0\n d 1.5\n d 2.0";
    apk(text, "a", "a-2 b-1 c-1 d-1.5");
    apk(text, "c", "c-1 d-2.0");
    apk(text, "a d>1.5", "!");
    apk(text, "a !b", "!");
}

#[test]
fn the_search_goes_back_where_apk_gives_up() {
    apk("a 1\n a 2; D:gone", "a", "a-1");
    apk("a 1; D:c=1\n a 2; D:b c=2\n b 1; D:!c\n c 1\n c 2", "a", "a-1 c-1");
}

#[test]
fn conflicts_exclude() {
    let text = "a 1; D:!b>1\n b 1\n b 2\n c 1; p:b=3\n d 1; D:!v; p:v\n e 1; p:v; k:1";
    apk(text, "a b", "a-1 b-1");
    apk(text, "a b>1", "!");
    apk(text, "a !b", "a-1");
    apk(text, "a c", "!");
    apk(text, "d", "d-1");
    apk(text, "d e", "!");
}

#[test]
fn a_name_provided_with_a_version_has_one_owner() {
    let text =
        "a 1; p:s=1\n b 1; p:s=2\n c 1; D:s\n d 1; D:s<2\n t 1; p:s=1 s=2\n u 1; p:u\n w 1; p:x x";
    apk(text, "c", "b-1 c-1");
    apk(text, "c d", "a-1 c-1 d-1");
    apk(text, "a b", "!");
    apk(text, "t", "!");
    apk(text, "u", "!");
    apk(text, "w", "w-1");
    let libfoo = "libfoo 1; p:so:1=1\n libfoo 2; p:so:2=1\n x 1; D:so:1\n y 1; D:so:2";
    apk(libfoo, "x", "libfoo-1 x-1");
    apk(libfoo, "x y", "!");
}

#[test]
fn a_name_provided_without_a_version_needs_a_reason() {
    let text = "a 1; p:v\n b 1; p:v\n c 1; D:v\n d 1; D:c\n e 1; D:v a";
    apk(text, "v", "!");
    apk(text, "d", "!");
    apk(text, "c b", "b-1 c-1");
    apk(text, "a b v", "a-1 b-1");
    apk(text, "e c", "a-1 c-1 e-1");
    apk("a 1; p:v\n c 1; D:v", "c", "!");
    apk("a 1; p:v\n c 1; D:v>1", "c a", "!");
}

#[test]
fn provider_priority_chooses() {
    let text = "a 1; p:v; k:10\n b 1; p:v; k:20\n c 1; p:v\n z 1; p:v=1";
    apk(text, "v a", "a-1");
    apk("a 1; p:v; k:10\n b 1; p:v; k:20\n c 1; p:v", "v", "b-1");
    apk("a 1; p:v; k:10\n b 1; p:v; k:20; D:gone", "v", "a-1");
    let shell = "busybox-binsh 1.37; p:/bin/sh cmd:sh=1.37; k:100\n dash-binsh 0.5; p:/bin/sh cmd:sh=0.5; k:60";
    apk(shell, "/bin/sh", "busybox-binsh-1.37");
    apk(shell, "/bin/sh dash-binsh", "dash-binsh-0.5");
}

#[test]
fn packages_come_in_when_their_conditions_are_met() {
    let text = "app 1; D:lib\n lib 1\n foo 1\n lib-foo 1; i:lib foo\n app-foo 1; D:app; i:app foo\n chain 1; i:app-foo\n\
        no 1; i:foo !app\n ver 1; i:foo=2\n broken 1; i:foo; D:gone";
    apk(text, "app", "app-1 lib-1");
    apk(text, "app foo", "app-1 app-foo-1 chain-1 foo-1 lib-1 lib-foo-1");
    apk(text, "foo", "foo-1 no-1");
    apk(text, "foo !no", "foo-1");
    let doc = "docs 1\n a 1\n a-doc 1; i:docs a=1\n a-doc 2; i:docs a=2";
    apk(doc, "a docs", "a-1 a-doc-1 docs-1");
}

#[test]
fn a_condition_that_is_met_does_not_answer_for_a_requested_virtual_name() {
    let text = "sane 1\n hpaio 1; i:sane; p:hplip-sane";
    apk(text, "sane", "hpaio-1 sane-1");
    apk(text, "hplip-sane sane", "!");
    apk(text, "hplip-sane sane hpaio", "hpaio-1 sane-1");
}

#[test]
fn cycles_and_own_names_are_fine() {
    apk("a 1; D:b\n b 1; D:a", "a", "a-1 b-1");
    apk("a 1; D:so:x; p:so:x=1", "a", "a-1");
    apk("a 1; D:v>1; p:v=1\n b 1; p:v=2", "a", "!");
    apk("a 1; D:a", "a", "a-1");
}

#[test]
fn tagged_repositories_are_used_only_where_asked() {
    let base = "a 2; D:b\n b 2\n c 2; D:a>=2\n same 10";
    let testing =
        "a 3; D:b\n b 3\n c 3; D:a>=3\n same 10; I:2\n only 1; D:inner\n inner 1\n meta 1; I:0";
    let all = [(None, base), (Some("testing"), testing)];
    tagged(&all, "a", "a-2 b-2");
    tagged(&all, "a@testing", "a-3 b-2");
    tagged(&all, "a@testing b@testing", "a-3 b-3");
    tagged(&all, "c@testing", "a-3 b-2 c-3");
    tagged(&all, "c>=3", "!");
    tagged(&all, "c>=3 a@testing", "!");
    tagged(&all, "only", "!");
    tagged(&all, "only@testing", "inner-1 only-1");
    tagged(&all, "meta", "meta-1");
    tagged(&all, "a@nowhere", "a-2 b-2");
}

#[test]
fn repositories_rank_by_version_then_order() {
    let all = [(None, "a 1; D:x"), (None, "a 1; D:y\n x 1\n y 1\n b 2"), (None, "b 1")];
    tagged(&all, "a b", "a-1 b-2 x-1");
}

#[test]
fn equal_identity_is_one_package() {
    let same = "a 1; C:Q1AAECAwQFBgcICQoLDA0ODxAREhM=";
    tagged(&[(Some("t"), same), (None, same)], "a", "a-1");
    tagged(&[(Some("t"), same)], "a", "!");
}

#[test]
fn what_apk_would_refuse_is_not_chosen() {
    apk("a 1\n a 2; X:new", "a", "a-1");
    apk("a 1\n a 2; A:aarch64", "a", "a-1");
    apk("a 1\n a 2; D:b@tag", "a", "a-1");
    apk("a 1\n a 2; A:noarch; z:later", "a", "a-2");
}

#[test]
fn stand_ins_satisfy_and_are_reported() {
    let text = "linux 6; D:initramfs firmware-any>=1 busybox\n busybox 1\n fw 1; p:firmware-any; D:initramfs\n initramfs 1\n x 1; i:initramfs";
    let stand_ins = [("initramfs", None), ("firmware-any", Some("1"))];
    let (universe, outcome) = solve(Scheme::Apk, &[(None, text)], &stand_ins, "linux fw");
    let solution = outcome.expect("a solution");
    let uses: Vec<(&str, String)> =
        solution.stand_ins.iter().map(|u| (u.name.as_str(), u.by.join(" "))).collect();
    assert_eq!(uses, [("firmware-any", "linux".to_owned()), ("initramfs", "fw linux".to_owned())]);
    assert_eq!(names(&universe, Ok(solution)), "busybox-1 fw-1 linux-6 x-1");
}

#[test]
fn every_package_says_why_it_is_there() {
    let text = "app 1; D:mid\n mid 1; D:so:x\n x 1; p:so:x=1\n extra 1; i:app";
    let (universe, outcome) = solve(Scheme::Apk, &[(None, text)], &[], "app");
    let solution = outcome.expect("a solution");
    let chain = solution.why(&universe, "x");
    let shown: Vec<String> =
        chain.iter().map(|c: &&Chosen| universe.package(c.item).name.clone()).collect();
    assert_eq!(shown, ["x", "mid", "app"]);
    assert!(
        matches!(&chain[0].because, Because::Dependency { relation, .. } if relation == "so:x")
    );
    assert_eq!(chain[2].because, Because::Request(0));
    let extra = solution.find(&universe, "extra").expect("extra");
    assert_eq!(extra.because, Because::Conditions("app".to_owned()));
    assert!(solution.why(&universe, "absent").is_empty());
}
