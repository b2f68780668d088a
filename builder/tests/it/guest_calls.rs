//! A guest's own scripts call only what is in it: a build names the program that is missing, and its package.

use std::fs;

use wifibox_testkit::debrepo::Package;
use wifibox_testkit::guest::Guest;

/// A guest with a shell, an overlay with one script, and `programs` as the base's recipe has them.
fn guest(script: &str) -> Guest {
    let guest = Guest::new();
    guest.publish_as("1.0", 1_700_000_000, |packages| {
        packages.push(Package::new("shell", "1", "amd64").file("bin/sh", 0o755, "a shell"));
        packages.push(Package::new("radio", "1", "amd64").file("usr/sbin/iw", 0o755, "iw"));
    });
    let base = guest.path("recipes/bases/test.yaml");
    let text = fs::read_to_string(&base).unwrap();
    let text = text.replace(
        "packages: [tool, regdb]",
        "packages: [tool, regdb, shell]\nprograms: { iw: radio }",
    );
    fs::write(base, text).unwrap();
    let role = "summary: a role\napp_config: wpa_supplicant\noverlays: [o]\n";
    fs::write(guest.path("recipes/roles/station.yaml"), role).unwrap();
    fs::create_dir_all(guest.path("overlays/o/root/etc/sv")).unwrap();
    fs::write(guest.path("overlays/o/root/etc/sv/radio"), script).unwrap();
    guest
}

/// Adds packages to what the base asks for, or files to what it leaves out.
fn change(guest: &Guest, from: &str, to: &str) {
    let base = guest.path("recipes/bases/test.yaml");
    let text = fs::read_to_string(&base).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(base, text.replace(from, to)).unwrap();
}

/// Builds it; the exit code and what was said.
fn build(guest: &Guest) -> (Option<i32>, String) {
    let path = |name: &str| guest.path(name).to_str().unwrap().to_owned();
    let mirror = format!("test={}", path("mirror"));
    let (code, _, stderr) = guest.run(&[
        "build",
        "--flavor",
        "bare",
        "--out",
        &path("out"),
        "--lock-file",
        &path("lock"),
        "--cache-dir",
        &path("cache"),
        "--trust-key",
        &path("key.gpg"),
        "--mirror",
        &mirror,
    ]);
    (code, stderr)
}

#[test]
fn a_program_whose_package_is_missing_stops_the_build() {
    let guest = guest("#!/bin/sh\ntool &\nread -r x\niw reg get | none\n");
    let (code, said) = build(&guest);
    assert_eq!(code, Some(1), "{said}");
    let line = "/etc/sv/radio, line 4: calls iw: the package radio has it: add it to 'packages'";
    assert!(said.contains(line), "{said}");
    let line =
        "/etc/sv/radio, line 4: calls none: no package of this guest has it; 'apt-file search";
    assert!(said.contains(line), "{said}");
    assert!(said.contains("command -v NAME"), "{said}");
    assert!(!said.contains("calls tool") && !said.contains("calls read"), "{said}");
    assert!(!guest.path("out").exists());
}

#[test]
fn with_the_package_or_a_question_before_it_the_guest_is_built() {
    let guest = guest("#!/bin/sh\niw reg get\n");
    change(&guest, "regdb, shell]", "regdb, shell, radio]");
    assert_eq!(build(&guest).0, Some(0));
    let exclude = "kernels: [k]\nexclude: [usr/sbin/iw]\n";
    change(&guest, "kernels: [k]\n", exclude);
    let (code, said) = build(&guest);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("the package radio has it, and 'exclude' of a recipe leaves it out"),
        "{said}"
    );
    let script = "#!/bin/sh\n! command -v iw >/dev/null || iw reg get\n";
    fs::write(guest.path("overlays/o/root/etc/sv/radio"), script).unwrap();
    let (code, said) = build(&guest);
    assert_eq!(code, Some(0), "{said}");
}
