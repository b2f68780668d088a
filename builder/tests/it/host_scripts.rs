//! The scripts of `host/` run with programs that stand in for the host's: what they start, and how they
//! clean up.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use wifibox_testkit::guest::Guest;

fn ok(guest: &Guest, arguments: &[&str]) {
    let (code, _, stderr) = guest.run(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Puts programs of these names and texts into a folder.
fn programs(folder: &Path, list: &[(&str, &str)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in list {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Runs a script with programs of `folder` before the system's.
fn script(path: &Path, arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let system = std::env::var("PATH").unwrap();
    let Output { status, stdout, stderr } = Command::new("sh")
        .arg(path)
        .args(arguments)
        .env("PATH", format!("{}:{system}", folder.display()))
        .env("LOG", folder.join("log"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_script_for_qemu_starts_the_guest_with_its_disks() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let folder = out.to_str().unwrap();
    let bin = guest.path("bin");
    programs(&bin, &[("qemu-system-x86_64", "for word; do echo \"$word\"; done")]);
    ok(&guest, &["host", "--config-disk", "--persistent", "--vcpus", "2", folder]);
    let path = out.join("host/qemu.sh");
    let (code, _, stderr) = script(&path, &[], &bin);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("config.img is missing: make it with: wifibox-build"), "{stderr}");
    for name in ["config.img", "rootfs_data.img"] {
        fs::write(out.join(name), "").unwrap();
    }
    let (code, stdout, stderr) = script(&path, &["--memory", "99"], &bin);
    assert_eq!(code, Some(0), "{stderr}");
    let drives: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("if=none"))
        .map(|line| line.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(drives, ["esp.img", "root.img", "config.img", "rootfs_data.img"]);
    let writable: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with("if=none") && !line.contains("readonly"))
        .collect();
    assert_eq!(writable.len(), 1, "{writable:?}");
    assert!(stdout.contains("-smp\n2\n") && stdout.contains("-m\n99\n"), "{stdout}");
    let (code, _, stderr) = script(&path, &["--passthru", "0000:ff:1f.7"], &bin);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("there is no PCI card 0000:ff:1f.7"), "{stderr}");
}

#[test]
fn boot_starts_the_machine_of_the_manifest_and_no_other() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let bin = guest.path("bin");
    let say = "echo \"${0##*/}\"; for word; do echo \"$word\"; done";
    programs(&bin, &[("qemu-system-x86_64", say), ("qemu-system-aarch64", say)]);
    let boot = |more: &[&str]| {
        let Output { status, stdout, stderr } = Command::new(wifibox_testkit::program())
            .args([&["boot", out.to_str().unwrap()], more].concat())
            .env("PATH", &bin)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (status.code(), text(stdout), text(stderr))
    };
    let manifest = out.join("manifest.json");
    let text = read(&manifest);
    let with = |old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        fs::write(&manifest, text.replace(old, new)).unwrap();
    };
    with("\"memory\": 256", "\"memory\": 192");
    let (code, stdout, stderr) = boot(&[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("qemu-system-x86_64\n-m\n192\n"), "{stdout}");
    assert!(stdout.contains("-append\nquiet\n"), "{stdout}");
    let (code, stdout, _) = boot(&["--memory", "99"]);
    assert!(code == Some(0) && stdout.contains("-m\n99\n"), "{stdout}");
    let (code, _, stderr) = boot(&["--memory", "1"]);
    assert!(code == Some(2) && stderr.contains("16 to 1048576 MiB"), "{stderr}");

    with("\"architecture\": \"x86_64\"", "\"architecture\": \"aarch64\"");
    let (code, stdout, stderr) = boot(&[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("qemu-system-aarch64\n-m\n256\n"), "{stdout}");

    // A guest that QEMU has no devices for.
    with("\"transport\": \"virtio\"", "\"transport\": \"xen\"");
    let (code, stdout, stderr) = boot(&[]);
    assert!(code == Some(2) && stdout.is_empty(), "{stdout}{stderr}");
    assert!(stderr.contains("build it with --hypervisor qemu"), "{stderr}");

    // A damaged manifest, an older one, none.
    for (old, new, words) in [
        ("\"memory\": 256", "\"memory\": \"much\"", "manifest.json is damaged"),
        ("\"memory\": 256", "\"memory\": 1", "the guest's memory is"),
        ("\"guest\": {", "\"machine\": {", "build the guest again"),
    ] {
        with(old, new);
        let (code, stdout, stderr) = boot(&[]);
        assert!(code == Some(1) && stdout.is_empty(), "{stdout}{stderr}");
        assert!(stderr.contains(words) && stderr.contains("build the guest again"), "{stderr}");
    }
    fs::write(&manifest, text.get(..text.len() / 2).unwrap()).unwrap();
    let (code, _, stderr) = boot(&[]);
    assert!(code == Some(1) && stderr.contains("manifest.json is damaged"), "{stderr}");
    fs::remove_file(&manifest).unwrap();
    let (code, _, stderr) = boot(&[]);
    assert!(code == Some(1) && stderr.contains("it has no manifest.json"), "{stderr}");
}

#[test]
fn the_script_for_bhyve_keeps_the_guest_running_and_cleans_up() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    ok(&guest, &["host", "--hypervisor", "bhyve", "--passthru", "3/0/1", out.to_str().unwrap()]);
    let path = out.join("host/bhyve/run.sh");
    let bin = guest.path("bin");
    let (code, stdout, stderr) = script(&path, &["--dry-run"], &bin);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("bhyve -c 1 -m 256M -AHPSuw -l bootrom,"), "{stdout}");
    assert!(stdout.contains("-s 6:0,passthru,3/0/1") && stdout.ends_with(" wifibox\n"), "{stdout}");

    // The firmware's place is FreeBSD's: one of the test's own stands in for it.
    let text = read(&path);
    let (firmware, script_path) = (guest.path("firmware.fd"), guest.path("run.sh"));
    fs::write(&firmware, "").unwrap();
    let place = "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd";
    fs::write(&script_path, text.replace(place, firmware.to_str().unwrap())).unwrap();
    let log = "echo \"${0##*/} $*\" >>\"$LOG\"";
    let ifconfig =
        format!("{log}\n[ \"$*\" != wifibox0 ] || exit 1\n[ \"$*\" != 'tap create' ] || echo tap7");
    // The first run ends with a restart, the second is powered off.
    let bhyve = format!("{log}\n[ -e \"$LOG.2\" ] && exit 1\n: >\"$LOG.2\"");
    programs(
        &bin,
        &[("bhyve", &bhyve), ("ifconfig", &ifconfig), ("kldload", log), ("devctl", log)],
    );
    let (code, _, stderr) = script(&script_path, &["--console", "/dev/nmdm0A"], &bin);
    assert_eq!(code, Some(0), "{stderr}");
    let lines = read(&bin.join("log"));
    let lines: Vec<&str> = lines.lines().collect();
    let runs: Vec<&&str> = lines.iter().filter(|line| line.starts_with("bhyve ")).collect();
    assert_eq!(runs.len(), 2, "{lines:?}");
    assert!(runs[0].contains("-l com1,/dev/nmdm0A") && runs[0].contains("5:0,e1000,tap7"));
    assert_eq!(
        lines[..2],
        ["kldload -nq vmm if_bridge if_tuntap", "devctl set driver -f pci0:3:0:1 ppt"]
    );
    assert!(lines.contains(&"ifconfig bridge create name wifibox0 up"), "{lines:?}");
    assert_eq!(
        lines[lines.len() - 2..],
        ["ifconfig tap7 destroy", "devctl clear driver -f pci0:3:0:1"]
    );

    // A guest that crashes is not started again and again.
    programs(&bin, &[("bhyve", &format!("{log}\nexit 4"))]);
    let (code, _, stderr) = script(&script_path, &[], &bin);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("bhyve ended with 4"), "{stderr}");

    // The signal of a host that shuts down is the guest's power button.
    let wait = format!(
        "{log}\ntrap 'echo pressed >>\"$LOG\"; exit 1' TERM\nkill $PPID\nwhile :; do sleep 0.05; done"
    );
    programs(&bin, &[("bhyve", &wait)]);
    let (code, _, stderr) = script(&script_path, &[], &bin);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(read(&bin.join("log")).contains("pressed\nifconfig tap7 destroy\n"));
}
