//! The explanations given where there is no solution.

use super::solve;
use wifibox_ground::version::Scheme;

fn said(scheme: Scheme, text: &str, world: &str) -> String {
    let (_, outcome) = solve(scheme, &[(None, text)], &[], world);
    outcome.expect_err("no solution")
}

#[test]
fn a_name_that_does_not_exist() {
    let text = "hostapd 2; D:libnl\n wpa_supplicant 2";
    insta::assert_snapshot!(said(Scheme::Apk, text, "hostapt"), @r"
    no choice of packages satisfies what is asked for:
    hostapt is asked for:
      nothing is called or provides hostapt; did you mean hostapd?
    ");
    insta::assert_snapshot!(said(Scheme::Apk, text, "hostapd"), @r"
    no choice of packages satisfies what is asked for:
    hostapd is asked for:
      hostapd-2: needs what cannot be had, see below
    hostapd-2 needs libnl:
      nothing is called or provides libnl
    ");
}

#[test]
fn wrong_versions_and_conflicts() {
    let text =
        "a 2; D:b c\n a 3; D:b c d>1.5\n b 1; D:c d<2.0\n c 1; D:d>1.0\n d 1.0\n d 1.5\n d 2.0";
    insta::assert_snapshot!(said(Scheme::Apk, text, "a d>1.5"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-2, a-3: needs what cannot be had, see below
    d>1.5 is asked for:
      d-1.0, d-1.5: the version does not fit
      d-2.0: b-1 needs d<2.0
    a-2 needs b:
      b-1: needs d<2.0, so not beside d-2.0
    a-3 needs b:
      b-1: needs d<2.0, so not beside d-2.0
    ");
    insta::assert_snapshot!(said(Scheme::Apk, "a 1; D:!b>1\n b 1\n b 2", "a b>1"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-1: excludes b>1, so not beside b-2
    b>1 is asked for:
      b-1: the version does not fit
      b-2: a-1 excludes b>1
    ");
    insta::assert_snapshot!(said(Scheme::Apk, "a 1; p:s=1\n b 1; p:s=2", "a b"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-1: cannot be there beside b-1, both provide s
    b is asked for:
      b-1: cannot be there beside a-1, both provide s
    ");
}

#[test]
fn names_that_need_a_choice() {
    let text = "mta-a 1; p:mta\n mta-b 1; p:mta\n cron 1; D:mta";
    insta::assert_snapshot!(said(Scheme::Apk, text, "cron"), @r"
    no choice of packages satisfies what is asked for:
    cron is asked for:
      cron-1: needs what cannot be had, see below
    cron-1 needs mta, but nothing brings in what provides it:
      mta-a-1, mta-b-1: has no provider priority, so it has to be asked for by name
    ");
}

#[test]
fn tags_and_refused_records() {
    let (_, outcome) = solve(Scheme::Apk, &[(None, "a 1; X:new"), (Some("edge"), "b 1")], &[], "a");
    insta::assert_snapshot!(outcome.expect_err("no solution"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-1: cannot be installed, its index record has the unknown field X:
    ");
    let (_, outcome) = solve(Scheme::Apk, &[(None, "c 1; D:b"), (Some("edge"), "b 1")], &[], "c");
    insta::assert_snapshot!(outcome.expect_err("no solution"), @r"
    no choice of packages satisfies what is asked for:
    c is asked for:
      c-1: needs what cannot be had, see below
    c-1 needs b:
      b-1: is only in @edge, which is not asked for
    ");
}

#[test]
fn debian_alternatives() {
    let text = "a 1; Depends: b (>= 2) | c | gone\n b 1\n c 1; Architecture: arm64\n d 1; Breaks: a (<< 2)";
    insta::assert_snapshot!(said(Scheme::Dpkg, text, "a"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-1: needs what cannot be had, see below
    a-1 needs b (>= 2) | c | gone:
      b-1: the version does not fit
      c-1: cannot be installed, it is for arm64
      nothing is called or provides gone
    ");
    insta::assert_snapshot!(said(Scheme::Dpkg, "a 1\n d 1; Breaks: a (<< 2)", "a, d"), @r"
    no choice of packages satisfies what is asked for:
    a is asked for:
      a-1: d-1 excludes a (<< 2)
    d is asked for:
      d-1: excludes a (<< 2), so not beside a-1
    ");
}
