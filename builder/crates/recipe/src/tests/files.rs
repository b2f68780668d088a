//! Errors about files that cannot be parsed.

use super::*;

#[test]
fn unknown_keys_are_shown_with_the_nearest_one() {
    insta::assert_snapshot!(
        error(&[("recipes/flavors/sim.yaml", "summary: S\nchipsets: [sim]\npackges: [a]\n")]),
        @r#"
    unknown key "packges"
      --> recipes/flavors/sim.yaml:3:1
       |
     3 | packges: [a]
       | ^
      = did you mean "packages"?
      = expected one of: accounts, applets, bases, chipsets, cmdline, directories, exclude, files, firmware_packages, initramfs_modules, keep, kernels, links, load_modules, memory, modules, on, overlays, packages, region, runlevels, scripts, services, services_off, shares, stand_ins, summary
    "#
    );
}

#[test]
fn unknown_keys_deep_inside_are_shown_in_their_place() {
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\naccounts:\n  users:\n    - name: x\n      uuid: 5\n")]),
        @r#"
    unknown key "uuid"
      --> recipes/features/extra.yaml:6:7
       |
     6 |       uuid: 5
       |       ^
      = did you mean "uid"?
      = expected one of: gecos, group, groups, home, name, password, shell, uid
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\naccounts:\n  groups:\n    - { name: x, gd: 5 }\n")]),
        @r#"
    unknown key "gd"
      --> recipes/features/extra.yaml:5:18
       |
     5 |     - { name: x, gd: 5 }
       |                  ^
      = did you mean "gid"?
      = expected one of: gid, name
    "#
    );
}

#[test]
fn wrong_types_say_what_was_found_and_what_is_expected() {
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\ndefault: true\npackages: curl\n")]), @r#"
    found "curl"
      --> recipes/features/extra.yaml:3:11
       |
     3 | packages: curl
       |           ^
      = expected a list
    "#);
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\ndefault: true\nlinks: [a]\n")]), @r"
    found a list
      --> recipes/features/extra.yaml:3:8
       |
     3 | links: [a]
       |        ^
      = expected a map
    ");
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nmemory: { smallest: lots }\n")]),
        @r#"
    found "lots"
      --> recipes/features/extra.yaml:3:21
       |
     3 | memory: { smallest: lots }
       |                     ^
      = expected a whole number
    "#
    );
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\ndefault: perhaps\n")]), @r#"
    found "perhaps"
      --> recipes/features/extra.yaml:2:10
       |
     2 | default: perhaps
       |          ^
      = expected true, false, or a map from roles to true or false
    "#);
    insta::assert_snapshot!(error(&[(FEATURE, "summary: [S]\ndefault: true\n")]), @r"
    found a list
      --> recipes/features/extra.yaml:1:10
       |
     1 | summary: [S]
       |          ^
      = expected text
    ");
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\ndirectories: [{ path: a, mode: '0999' }]\n")]),
        @r#"
    "0999" is not a mode: three or four octal digits are expected
      --> recipes/features/extra.yaml:3:32
       |
     3 | directories: [{ path: a, mode: '0999' }]
       |                                ^
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nlinks: { ../etc: a }\n")]),
        @r#"
    path "../etc" climbs out with '..'
      --> recipes/features/extra.yaml:3:10
       |
     3 | links: { ../etc: a }
       |          ^
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\npackages:\n  - { name: a }\n")]),
        @r"
    found a map
      --> recipes/features/extra.yaml:4:5
       |
     4 |   - { name: a }
       |     ^
      = expected text
    "
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nload_modules: [a b]\n")]),
        @r#"
    "a b" is not the name of a module
      --> recipes/features/extra.yaml:3:16
       |
     3 | load_modules: [a b]
       |                ^
    "#
    );
}

#[test]
fn numbers_are_within_bounds_and_text_is_as_it_is_written() {
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nmemory: { smallest: 5_000_000_000_000 }\n")]),
        @r#"
    found 5000000000000
      --> recipes/features/extra.yaml:3:21
       |
     3 | memory: { smallest: 5_000_000_000_000 }
       |                     ^
      = expected a whole number from 0 to 4294967295
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nmemory: { smallest: 5000000000000 }\n")]),
        @r#"
    found 5000000000000
      --> recipes/features/extra.yaml:3:21
       |
     3 | memory: { smallest: 5000000000000 }
       |                     ^
      = expected a whole number from 0 to 4294967295
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary:\ndefault: true\n")]),
        @r#"
    found nothing
      --> recipes/features/extra.yaml:1:8
       |
     1 | summary:
       |        ^
      = expected text
    "#
    );
    let catalog = Catalog::load(&sources(&[(
        FEATURE,
        "summary: S\ndefault: true\npackages: [3.20, 0755, true, 1e3]\n",
    )]));
    let packages = catalog.expect("a catalog").compose(&ask()).expect("a recipe").packages;
    let names: Vec<&str> = packages.iter().map(|name| name.value.as_str()).collect();
    assert!(names.ends_with(&["3.20", "0755", "true", "1e3"]), "{names:?}");
}

#[test]
fn missing_and_doubled_keys_and_bad_yaml_are_errors() {
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\n")]), @r#"
    the key "default" is missing
      --> recipes/features/extra.yaml:1:1
       |
     1 | summary: S
       | ^
    "#);
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\nsummary: T\ndefault: true\n")]), @r#"
    the key "summary" appears twice
      --> recipes/features/extra.yaml:2:1
       |
     2 | summary: T
       | ^
    "#);
    insta::assert_snapshot!(error(&[(FEATURE, "summary: S\ndefault: [\n")]), @r"
    unclosed bracket '['
      --> recipes/features/extra.yaml:2:10
       |
     2 | default: [
       |          ^
    ");
    insta::assert_snapshot!(error(&[(FEATURE, "summary: &a S\ndefault: true\n")]), @r"
    found an anchor, alias or merge key
      --> recipes/features/extra.yaml:1:13
       |
     1 | summary: &a S
       |             ^
      = expected none: recipes are flat
    ");
    insta::assert_snapshot!(error(&[(FEATURE, "")]), @r"
    found nothing
      --> recipes/features/extra.yaml:1:1
      = expected a map
    ");
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nlinks: { bin: a, /bin: b }\n")]),
        @r"
    /bin appears twice
      --> recipes/features/extra.yaml:3:8
       |
     3 | links: { bin: a, /bin: b }
       |        ^
    "
    );
}

#[test]
fn unknown_values_are_shown_with_the_nearest_one() {
    let base = BASE.replace("format: dpkg", "format: dpgk");
    insta::assert_snapshot!(error(&[("recipes/bases/base.yaml", &base)]), @r#"
    unknown value "dpgk"
      --> recipes/bases/base.yaml:2:9
       |
     2 | format: dpgk
       |         ^
      = did you mean "dpkg"?
      = expected one of: adb, apk, dpkg, opkg
    "#);
}

#[test]
fn a_key_by_its_former_name_is_read_with_a_warning() {
    let flavor = "summary: S\nmanifests: [sim]\n";
    let catalog = Catalog::load(&sources(&[("recipes/flavors/sim.yaml", flavor)])).expect("read");
    let [warning] = catalog.warnings() else { panic!("{:?}", catalog.warnings()) };
    insta::assert_snapshot!(warning, @r#"
    the key "manifests" is called "chipsets" now
      --> recipes/flavors/sim.yaml:2:1
       |
     2 | manifests: [sim]
       | ^
      = the next release will not know the old name
    "#);
    assert_eq!(self::catalog(&[]).warnings(), []);
    let both = "summary: S\nmanifests: [sim]\nchipsets: [sim]\n";
    assert!(error(&[("recipes/flavors/sim.yaml", both)]).contains("\"chipsets\" appears twice"));
}

proptest::proptest! {
    /// Whatever a file holds, it is read or refused, never more.
    #[test]
    fn no_text_makes_the_parser_panic(text in "[ -~\\n]{0,200}") {
        let _ = Catalog::load(&sources(&[(FEATURE, &text)]));
    }

    /// Pieces of recipes in any order.
    #[test]
    fn no_mixture_of_lines_makes_it_panic(
        lines in proptest::collection::vec(proptest::sample::select(vec![
            "summary: S", "default: true", "packages:", "  - a", "  - -a", "links: {a: b}", "-",
            "on:", "  base:", "    packages: [x]", "for: {station: {}}", "? [a]", "a: *b", "<<: {}",
            "!!binary x", "'", "\"", "accounts: {users: [1, -2, {}]}", "\u{feff}", "%YAML 1.1", "---",
        ]), 0..12)
    ) {
        let text = lines.join("\n");
        if let Ok(catalog) = Catalog::load(&sources(&[(FEATURE, &text)])) {
            let _ = catalog.compose(&ask()).map(|recipe| recipe.show().to_string());
        }
    }
}
