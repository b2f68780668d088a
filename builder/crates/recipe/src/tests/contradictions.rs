//! Errors about recipes that contradict each other, or name things that do not exist.

use super::*;

#[test]
fn names_that_lead_nowhere_are_errors() {
    insta::assert_snapshot!(
        error(&[("recipes/flavors/sim.yaml", "summary: S\nchipsets: [sin]\n")]), @r#"
    there is no chipset "sin"
      --> recipes/flavors/sim.yaml:2:12
       |
     2 | chipsets: [sin]
       |            ^
      = did you mean "sim"?
      = expected "sim"
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\noverlays: [comon]\n")]), @r#"
    there is no folder of overlays "comon"
      --> recipes/features/extra.yaml:3:12
       |
     3 | overlays: [comon]
       |            ^
      = did you mean "common"?
      = expected one of: common, early
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\non:\n  bsae: { packages: [a] }\n")]), @r#"
    there is no base "bsae"
      --> recipes/features/extra.yaml:4:3
       |
     4 |   bsae: { packages: [a] }
       |   ^
      = did you mean "base"?
      = expected "base"
    "#
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nrequires: [extra]\n")]), @r#"
    there is no other feature "extra"
      --> recipes/features/extra.yaml:3:12
       |
     3 | requires: [extra]
       |            ^
      = there is none to choose from
    "#
    );
    let base = BASE.replace("kernel: linux", "kernel: linus");
    insta::assert_snapshot!(error(&[("recipes/bases/base.yaml", &base)]), @r#"
    there is no kernel of this base "linus"
      --> recipes/bases/base.yaml:4:34
       |
     4 | default: { release: one, kernel: linus, role: station, hypervisor: vmm, compression: xz }
       |                                  ^
      = did you mean "linux"?
      = expected "linux"
    "#);
    let kernel = KERNEL.replace("architecture: amd64", "architecture: arm64");
    insta::assert_snapshot!(error(&[("kernels/linux.yaml", &kernel)]), @r#"
    the kernel "linux" is for another architecture
      --> recipes/bases/base.yaml:13:11
        |
     13 | kernels: [linux]
        |           ^
    its descriptor says
      --> kernels/linux.yaml:3:15
       |
     3 | architecture: arm64
       |               ^
    the base says
      --> recipes/bases/base.yaml:3:15
       |
     3 | architecture: amd64
       |               ^
    "#);
}

#[test]
fn file_names_are_names() {
    insta::assert_snapshot!(error(&[("recipes/flavors/my-card.yaml", "summary: S\n")]), @r#"
    "my-card" cannot be the name of a recipe
      --> recipes/flavors/my-card.yaml
      = expected lower-case letters, digits and _
    "#);
    insta::assert_snapshot!(error(&[("recipes/features/x.yml", "summary: S\n")]), @"recipes/features/x.yml is not read: the names of recipes end in .yaml");
}

#[test]
fn removing_nothing_is_an_error() {
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\npackages: [-shel]\n")]), @r#"
    no entry "shel" to remove: no earlier file adds it
      --> recipes/features/extra.yaml:3:12
       |
     3 | packages: [-shel]
       |            ^
      = did you mean "shell"?
      = expected one of: net, shell
    "#
    );
}

#[test]
fn contradictions_show_both_sides() {
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nlinks: { etc/x: a }\n"),
        (OTHER, "summary: O\ndefault: true\nlinks: { etc/x: b }\n"),
    ]), @r"
    two recipes disagree on the link /etc/x
      --> recipes/features/other.yaml:3:10
       |
     3 | links: { etc/x: b }
       |          ^
    the other one says
      --> recipes/features/extra.yaml:3:10
       |
     3 | links: { etc/x: a }
       |          ^
    ");
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nfiles: { etc/mtab: { text: x } }\n"),
    ]), @r"
    the path /etc/mtab is both a link to /proc/mounts and a file
      --> recipes/features/extra.yaml:3:10
       |
     3 | files: { etc/mtab: { text: x } }
       |          ^
    it is a link to /proc/mounts here
      --> recipes/guest.yaml:7:10
       |
     7 | links: { etc/mtab: /proc/mounts }
       |          ^
    ");
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\naccounts: { groups: [{ name: wheel, gid: 0 }] }\n"),
    ]), @r"
    gid 0 is both root and wheel
      --> recipes/features/extra.yaml:3:22
       |
     3 | accounts: { groups: [{ name: wheel, gid: 0 }] }
       |                      ^
    it is root here
      --> recipes/guest.yaml:5:12
       |
     5 |   groups: [{ name: root, gid: 0 }]
       |            ^
    ");
    insta::assert_snapshot!(error(&[(
        FEATURE,
        "summary: S\ndefault: true\naccounts:\n  users:\n    - { name: root, uid: 1, group: root, \
         home: root, shell: bin/sh }\n",
    )]), @r#"
    the user "root" is declared twice, in different ways
      --> recipes/features/extra.yaml:5:7
       |
     5 |     - { name: root, uid: 1, group: root, home: root, shell: bin/sh }
       |       ^
    it is first declared here
      --> recipes/guest.yaml:6:11
       |
     6 |   users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh, password: empty }]
       |           ^
      = remove the first with "-root" to replace it
    "#);
    insta::assert_snapshot!(error(&[(
        FEATURE,
        "summary: S\ndefault: true\nscripts:\n  - package: p\n    script: postinst\n    why: W\n    \
         does:\n      accounts: { users: [{ name: u, uid: 0, group: root, home: a, shell: b }] }\n",
    )]), @r"
    uid 0 is both root and u
      --> recipes/features/extra.yaml:8:27
       |
     8 |       accounts: { users: [{ name: u, uid: 0, group: root, home: a, shell: b }] }
       |                           ^
    it is root here
      --> recipes/guest.yaml:6:11
       |
     6 |   users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh, password: empty }]
       |           ^
    ");
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nstand_ins: { shell: Not needed. }\n")]), @r"
    the package shell is both installed and stood in for
      --> recipes/bases/base.yaml:16:12
        |
     16 | packages: [shell, net]
        |            ^
    it is stood in for here
      --> recipes/features/extra.yaml:3:14
       |
     3 | stand_ins: { shell: Not needed. }
       |              ^
    "
    );
}

#[test]
fn what_is_needed_but_nowhere_is_an_error() {
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\nservices: [other]\n")]), @r"
    no overlay holds root/etc/sv/other, the script of this service
      --> recipes/features/extra.yaml:3:12
       |
     3 | services: [other]
       |            ^
      = the overlays of this recipe are: common
    "
    );
    insta::assert_snapshot!(
        error(&[(FEATURE, "summary: S\ndefault: true\ndirectories: [{ path: a, user: wwww }]\n")]),
        @r#"
    the user "wwww" is not declared
      --> recipes/features/extra.yaml:3:15
       |
     3 | directories: [{ path: a, user: wwww }]
       |               ^
      = expected "root"
    "#
    );
    let base = BASE.replace("initramfs: { overlay: early, programs: [bin/busybox] }\n", "");
    insta::assert_snapshot!(error(&[("recipes/bases/base.yaml", &base)]), @r#"
    the kernel "linux" boots with an initramfs, and the base "base" has none
      --> kernels/linux.yaml:7:13
       |
     7 | boots_with: initramfs
       |             ^
      = expected the key "initramfs" in recipes/bases/base.yaml
    "#);
}
