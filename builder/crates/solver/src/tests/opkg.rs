//! The choices of `opkg install` on an empty root.

use super::{check, names, solve};
use wifibox_ground::version::Scheme;

#[track_caller]
fn opkg(text: &str, world: &str, expected: &str) {
    check(Scheme::Opkg, text, world, expected);
}

#[test]
fn comparisons_include_equality() {
    for op in ["<", ">", "<<", ">>", "<=", ">=", "="] {
        opkg(&format!("a 1; Depends: b ({op} 2)\n b 2"), "a", "a-1 b-2");
    }
    opkg("a 1; Depends: b (> 2)\n b 1", "a", "!");
}

#[test]
fn the_greatest_name_provides_unless_another_is_requested() {
    let text = "a 1; Depends: v\n p 1; Provides: v\n q 1; Provides: v\n v 1";
    opkg(text, "a", "a-1 v-1");
    let text = "a 1; Depends: v\n p 1; Provides: @v\n q 1; Provides: v (= 3)";
    opkg(text, "a", "a-1 q-1");
    opkg(text, "p, a", "a-1 p-1");
    opkg(text, "a, p", "a-1 p-1");
    opkg(text, "v", "p-1");
}

#[test]
fn versioned_names_and_versions_of_the_provider_count() {
    let text = "a 1; Depends: libx\n libx20230101 5; Provides: libx\n b 1; Depends: libx (>= 5)\n c 1; Depends: libx (>= 6)";
    opkg(text, "a", "a-1 libx20230101-5");
    opkg(text, "b", "b-1 libx20230101-5");
    opkg(text, "c", "!");
}

#[test]
fn conflicts_concern_packages_of_the_name() {
    opkg("a 1; Conflicts: b\n b 1", "a, b", "!");
    opkg("a 1; Conflicts: v; Provides: v\n b 1; Provides: v", "a, b", "a-1 b-1");
    opkg("a 1; Conflicts: b; Replaces: b\n b 1", "a, b", "a-1 b-1");
    opkg("a 1; Depends: v\n p 1; Provides: v\n q 1; Provides: v; Conflicts: a", "a", "a-1 p-1");
}

#[test]
fn a_kernel_module_needs_exactly_its_kernel() {
    let text = "kmod-x 1; Depends: kernel (=5.15.137-1-ab), libc\n libc 1";
    let resolve = |version| {
        let (universe, outcome) =
            solve(Scheme::Opkg, &[(None, text)], &[("kernel", Some(version))], "kmod-x");
        outcome.is_ok() && names(&universe, outcome) == "kmod-x-1 libc-1"
    };
    assert!(resolve("5.15.137-1-ab"));
    assert!(!resolve("5.15.137-1-cd"));
    opkg(text, "kmod-x", "!");
}

#[test]
fn optional_dependencies_are_left_out() {
    opkg("a 1; Depends: b *, c\n b 1\n c 1", "a", "a-1 c-1");
}
