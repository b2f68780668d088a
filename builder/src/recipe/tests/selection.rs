//! What is said about builds that the recipes cannot make.

use super::*;

#[test]
fn what_cannot_be_chosen_is_refused() {
    insta::assert_snapshot!(refusal(&[], &Selection { base: "bas".into(), ..ask() }), @r#"
    there is no base "bas"
      = the nearest valid name is "base"
      = expected "base"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { flavor: "wifi".into(), ..ask() }), @r#"
    there is no flavor "wifi"
      = expected "sim"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { release: Some("tow".into()), ..ask() }), @r#"
    base has no release "tow"
      = the nearest valid name is "two"
      = expected one of: one, two
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { kernel: Some("bsd".into()), ..ask() }), @r#"
    base one has no kernel "bsd"
      = expected "linux"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { with: vec!["extra".into()], ..ask() }), @r#"
    there is no feature "extra"
      = there is none to choose from
    "#);
    let host = ("recipes/roles/host.yaml", "summary: Host\napp_config: hostapd\n");
    let feature = (FEATURE, "summary: S\ndefault: false\nroles: [host]\n");
    insta::assert_snapshot!(
        refusal(&[host, feature], &Selection { with: vec!["extra".into()], ..ask() }), @r#"
    the feature "extra" does not go with the role station
      = it goes with: host
    "#
    );
    let both = Selection { with: vec!["extra".into()], without: vec!["extra".into()], ..ask() };
    insta::assert_snapshot!(refusal(&[(FEATURE, "summary: S\ndefault: true\n")], &both), @r#"
    the feature "extra" is asked for and refused at once
      = give either --with extra or --without extra
    "#);
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nrequires: [other]\n"),
        (OTHER, "summary: O\ndefault: false\n"),
    ]), @r#"
    the feature "extra" requires "other"
      --> recipes/features/extra.yaml:3:12
       |
     3 | requires: [other]
       |            ^
      = add --with other, or --without extra
    "#);
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nconflicts: [other]\n"),
        (OTHER, "summary: O\ndefault: true\n"),
    ]), @r#"
    the features "extra" and "other" exclude each other
      --> recipes/features/extra.yaml:3:13
       |
     3 | conflicts: [other]
       |             ^
    the other one is on because of
      --> recipes/features/other.yaml:2:10
       |
     2 | default: true
       |          ^
      = add --without extra or --without other
    "#);
    insta::assert_snapshot!(error(&[(
        "firmware-blobs/sim.yaml", "summary: B\nmodules: [b]\nfirmware: { rule: exact }\n"
    )]), @r#"
    the flavor "sim" needs firmware, and its manifest "sim" names no package of base that holds it
      --> firmware-blobs/sim.yaml:3:19
       |
     3 | firmware: { rule: exact }
       |                   ^
      = expected "base" under "packages" in firmware-blobs/sim.yaml
    "#);
}
