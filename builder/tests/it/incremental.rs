//! Builds after builds: what is answered without building, what makes a build run again, and that no
//! cache ever changes a byte.

#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wifibox_testkit::guest::{Guest, json};

/// A guest with an overlay and a file of the user's own.
struct Bench(Guest);

impl Bench {
    fn new() -> Self {
        let guest = Guest::new();
        let role = "summary: a role\napp_config: wpa_supplicant\noverlays: [o]\n";
        fs::write(guest.path("recipes/roles/station.yaml"), role).unwrap();
        fs::create_dir_all(guest.path("overlays/o/root/etc")).unwrap();
        fs::write(guest.path("overlays/o/root/etc/motd"), "hello").unwrap();
        fs::write(guest.path("own.bin"), "own firmware").unwrap();
        let bench = Bench(guest);
        bench.upgrade();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn arguments(&self, verb: &[&str]) -> Vec<String> {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let mirror = format!("test={}", path("mirror"));
        let mut arguments: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        for (flag, value) in [
            ("--lock-file", path("lock")),
            ("--cache-dir", path("cache")),
            ("--trust-key", path("key.gpg")),
            ("--mirror", mirror),
        ] {
            arguments.extend([flag.to_owned(), value]);
        }
        arguments
    }

    fn upgrade(&self) {
        let arguments = self.arguments(&["lock", "--upgrade"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, _, stderr) = self.0.run(&arguments);
        assert_eq!(code, Some(0), "{stderr}");
    }

    /// Builds flavor f into `out`; says whether it was up to date.
    fn build(&self, out: &str, more: &[&str]) -> bool {
        self.build_flavor("f", out, more)
    }

    fn build_flavor(&self, flavor: &str, out: &str, more: &[&str]) -> bool {
        let out = self.path(out);
        let verb = ["--json", "--flavor", flavor, "--out", out.to_str().unwrap(), "--offline"];
        let arguments = self.arguments(&[&verb[..], more].concat());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, stdout, stderr) = self.0.run(&arguments);
        assert_eq!(code, Some(0), "{stderr}");
        let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        let fresh = report["build"]["up_to_date"].as_bool().unwrap();
        assert_eq!(fresh, stderr.contains("is up to date; --force builds it again"), "{stderr}");
        fresh
    }

    /// The hashes of an output.
    fn sums(&self, out: &str) -> String {
        fs::read_to_string(self.path(out).join("SHA256SUMS")).unwrap()
    }
}

/// Changes a file's bytes but not its size, and puts its time back.
fn change_in_secret(path: &Path, bytes: &str) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    assert_eq!(fs::metadata(path).unwrap().len(), bytes.len() as u64);
    fs::write(path, bytes).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[test]
fn nothing_changed_needs_neither_packages_nor_caches() {
    let bench = Bench::new();
    assert!(!bench.build("out", &[]));
    let manifest = json(&bench.path("out/manifest.json"));
    // Neither the store nor what was unpacked is opened.
    fs::rename(bench.path("cache/store"), bench.path("away")).unwrap();
    fs::remove_dir_all(bench.path("cache/unpacked")).unwrap();
    fs::rename(bench.path("mirror"), bench.path("mirror-away")).unwrap();
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(bench.path(name)).unwrap().ino()
    };
    let before = inode("out/root.img");
    assert!(bench.build("out", &[]));
    assert!(bench.build("out", &["--locked", "--jobs", "1"]), "how it is built does not matter");
    assert_eq!(inode("out/root.img"), before);
    assert_eq!(json(&bench.path("out/manifest.json")), manifest);
    // The report is that of the build.
    let arguments =
        bench.arguments(&["--flavor", "f", "--out", bench.path("out").to_str().unwrap()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (_, stdout, _) = bench.0.run(&arguments);
    assert!(
        stdout.contains("kernel 6.1.0-test, 6 packages") && stdout.contains("root.img"),
        "{stdout}"
    );
}

#[test]
fn a_changed_input_builds_again() {
    let bench = Bench::new();
    let motd = bench.path("overlays/o/root/etc/motd");
    let own = format!("{}:test-own.bin", bench.path("own.bin").display());
    let own = ["--firmware-add", own.as_str()];
    bench.build("out", &own);
    assert!(bench.build("out", &own));
    let mut last = bench.sums("out");
    let mut builds_again = |what: &str, more: &[&str]| {
        assert!(!bench.build("out", more), "{what} went unnoticed");
        let sums = bench.sums("out");
        assert_ne!(sums, last, "{what} made no difference");
        assert!(bench.build("out", more), "{what}: the new output is not known");
        last = sums;
    };
    change_in_secret(&motd, "HELLO");
    builds_again("an overlay's bytes", &own);
    fs::write(bench.path("overlays/o/root/etc/new"), "").unwrap();
    builds_again("a new file of an overlay", &own);
    fs::remove_file(bench.path("overlays/o/root/etc/new")).unwrap();
    builds_again("a file gone from an overlay", &own);
    change_in_secret(&bench.path("own.bin"), "OWN FIRMWARE");
    builds_again("the user's own firmware", &own);
    builds_again("leaving it out", &[]);
    fs::create_dir_all(bench.path("firmware-blobs/local")).unwrap();
    fs::write(bench.path("firmware-blobs/local/test-1.bin"), "local").unwrap();
    builds_again("a file in firmware-blobs/local", &[]);
    bench.0.recipes("loud");
    builds_again("a recipe", &[]);
    bench.0.publish("1.1");
    assert!(
        bench.build("out", &[]),
        "what a mirror has does not matter while the lock is the same"
    );
    bench.upgrade();
    builds_again("the lock", &[]);
    builds_again("another compressor", &["--compression", "zstd"]);
    builds_again("another block size", &["--block-size", "128"]);
    assert!(!bench.build("out", &[]), "and back again");
}

#[test]
fn a_changed_output_is_made_anew() {
    let bench = Bench::new();
    bench.build("out", &[]);
    let sums = bench.sums("out");
    let out = |name: &str| bench.path("out").join(name);
    let repaired = |what: &str| {
        assert!(!bench.build("out", &[]), "{what} went unnoticed");
        assert_eq!(bench.sums("out"), sums);
        let (code, stdout, _) = bench.0.run(&["verify", bench.path("out").to_str().unwrap()]);
        assert_eq!(code, Some(0), "{what}: {stdout}");
        assert!(bench.build("out", &[]));
    };
    // What somebody has edited is noticed, and not replaced.
    let text = fs::read_to_string(out("cmdline")).unwrap();
    change_in_secret(&out("cmdline"), &text.to_uppercase());
    let verb = bench.arguments(&["--flavor", "f", "--out", bench.path("out").to_str().unwrap()]);
    let (code, _, stderr) = bench.0.run(&verb.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("no build wrote: cmdline (changed since it was built);"), "{stderr}");
    fs::remove_file(out("cmdline")).unwrap();
    repaired("an edited file that is gone");
    fs::remove_file(out("sbom.spdx.json")).unwrap();
    repaired("a file removed");
    fs::remove_dir(out("var")).unwrap();
    repaired("a folder removed");
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(out("vmlinuz"), fs::Permissions::from_mode(0o666)).unwrap();
    repaired("a file's mode");
    fs::remove_dir_all(bench.path("out")).unwrap();
    repaired("the whole folder");
    // A file that was only touched, or copied, is the same file.
    let file = File::options().write(true).open(out("root.img")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(1000)).unwrap();
    assert!(bench.build("out", &[]));
    fs::copy(out("esp.img"), bench.path("copy")).unwrap();
    fs::rename(bench.path("copy"), out("esp.img")).unwrap();
    assert!(bench.build("out", &[]));
}

#[test]
fn the_note_is_about_one_folder_one_program_one_time() {
    let bench = Bench::new();
    bench.build("out", &[]);
    assert!(!bench.build_flavor("bare", "out", &[]), "another flavor in the same place");
    assert!(!bench.build("out", &[]), "and back");
    assert!(!bench.build("other", &[]), "another place");
    assert!(bench.build("out", &[]) && bench.build("other", &[]));
    assert!(!bench.build("out", &["--force"]));
    assert!(!bench.build("out", &["--no-cache"]));
    assert_eq!(bench.sums("out"), bench.sums("other"));
    // The output was moved away, and another one is in its place.
    fs::remove_dir_all(bench.path("other")).unwrap();
    bench.build_flavor("bare", "bare", &[]);
    fs::rename(bench.path("bare"), bench.path("other")).unwrap();
    assert!(!bench.build("other", &[]));
    // Another build of the program, and another date.
    let program = bench.path("program");
    fs::copy(wifibox_testkit::program(), &program).unwrap();
    let out = bench.path("out");
    bench.build("out", &[]);
    let run = |program: &Path, epoch: Option<&str>| {
        let mut command = std::process::Command::new(program);
        let words = ["--flavor", "f", "--offline", "--out", out.to_str().unwrap(), "--recipes"];
        command.args(bench.arguments(&words)[..6].iter()).arg(bench.path(""));
        command.args(bench.arguments(&[])).env_remove("SOURCE_DATE_EPOCH");
        if let Some(epoch) = epoch {
            command.env("SOURCE_DATE_EPOCH", epoch);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        text.contains("is up to date")
    };
    assert!(!run(&program, None), "another program");
    assert!(run(&program, None));
    assert!(!run(&program, Some("1600000000")), "another time");
    assert!(run(&program, Some("1600000000")));
    assert!(!run(&program, None));
}

#[test]
fn no_cache_changes_a_byte() {
    let bench = Bench::new();
    bench.build("cold", &["--no-cache", "--jobs", "1"]);
    assert!(!bench.path("cache/unpacked").exists() && !bench.path("cache/built").exists());
    let cold = bench.sums("cold");
    for (out, more) in [
        ("filling", &["--jobs", "3"][..]),
        ("warm", &[]),
        ("one", &["--jobs", "1", "--timings"]),
        ("none", &["--no-cache"]),
    ] {
        assert!(!bench.build(out, more));
        assert_eq!(bench.sums(out), cold, "{out}");
    }
    assert!(fs::read_dir(bench.path("cache/unpacked")).unwrap().count() >= 5);
}

#[test]
fn what_is_damaged_in_a_cache_is_made_anew() {
    let bench = Bench::new();
    bench.build("out", &[]);
    let sums = bench.sums("out");
    let mut kinds = [0, 0];
    let packs: Vec<PathBuf> = fs::read_dir(bench.path("cache/unpacked"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for pack in packs {
        let mut bytes = fs::read(&pack).unwrap();
        let middle = bytes.len() / 2;
        for at in [middle, bytes.len() - 30] {
            bytes[at] ^= 0xff;
            fs::write(&pack, &bytes).unwrap();
            let out = bench.path("out");
            let words = ["--flavor", "f", "--offline", "--force", "--out", out.to_str().unwrap()];
            let arguments = bench.arguments(&words);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (code, _, stderr) = bench.0.run(&arguments);
            assert_eq!(code, Some(0), "{stderr}");
            assert_eq!(bench.sums("out"), sums);
            kinds[usize::from(stderr.contains("built once more"))] += 1;
            bytes[at] ^= 0xff;
        }
    }
    assert!(kinds[0] > 0 && kinds[1] > 0, "contents and lists were damaged: {kinds:?}");
    assert!(bench.build("out", &[]));
}

#[test]
fn package_files_are_needed_only_for_what_no_cache_has() {
    let bench = Bench::new();
    bench.build("out", &[]);
    let (store, away) = (bench.path("cache/store"), bench.path("away"));
    fs::rename(&store, &away).unwrap();
    fs::rename(bench.path("mirror"), bench.path("mirror-away")).unwrap();
    fs::write(bench.path("overlays/o/root/etc/motd"), "another, and longer than before").unwrap();
    assert!(!bench.build("out", &[]), "all that is in packages is in the caches");
    // Without what one of them was unpacked to, its file is missed by its name.
    let manifest = json(&bench.path("out/manifest.json"));
    let packs = || fs::read_dir(bench.path("cache/unpacked")).unwrap().map(|e| e.unwrap().path());
    let largest = packs().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    fs::remove_file(&largest).unwrap();
    let out = bench.path("out");
    let words = ["--flavor", "f", "--offline", "--force", "--out", out.to_str().unwrap()];
    let arguments = bench.arguments(&words);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, _, stderr) = bench.0.run(&arguments);
    assert_eq!(code, Some(1), "{stderr}");
    let packages = manifest["packages"].as_array().unwrap();
    let named = packages.iter().any(|package| stderr.contains(package["name"].as_str().unwrap()));
    assert!(named && stderr.contains("is nowhere to be found"), "{stderr}");
    // With the files, the outcome is that of a build without caches.
    let _ = fs::remove_dir_all(&store);
    fs::rename(&away, &store).unwrap();
    assert!(!bench.build("out", &["--force"]));
    assert!(!bench.build("cold", &["--no-cache"]));
    assert_eq!(bench.sums("out"), bench.sums("cold"));
}

#[test]
fn timings_are_told_and_not_written() {
    let bench = Bench::new();
    bench.build("plain", &[]);
    let out = bench.path("measured");
    let words = ["--flavor", "f", "--offline", "--timings", "--out", out.to_str().unwrap()];
    let arguments = bench.arguments(&words);
    let text: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, stdout, stderr) = bench.0.run(&text);
    assert_eq!(code, Some(0), "{stderr}");
    for stage in ["stage", "lock", "unpack packages", "root.img", "reports", "all"] {
        let line = stdout.lines().find(|line| line.starts_with(stage));
        assert!(line.is_some_and(|line| line.split_ascii_whitespace().count() >= 5), "{stdout}");
    }
    assert_eq!(bench.sums("measured"), bench.sums("plain"));
    let (_, stdout, _) = bench.0.run(&[&text[..], &["--json", "--force"]].concat());
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let stages = report["build"]["timings"].as_array().unwrap();
    assert!(stages.len() > 8);
    for stage in stages {
        assert!(stage["wall_seconds"].as_f64().unwrap() >= 0.0);
        assert!(stage["cpu_seconds"].as_f64().unwrap() >= 0.0);
        assert!(stage["peak_bytes"].as_u64().unwrap() > 1 << 20);
    }
    let (_, stdout, _) = bench.0.run(&[&text[..], &["--json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["build"]["timings"][0]["stage"], "up to date");
}

#[test]
fn many_guests_at_once_are_what_each_is_alone() {
    let bench = Bench::new();
    let file = |name: &str, text: &str| fs::write(bench.path(name), text).unwrap();
    file("recipes/flavors/broken.yaml", "summary: cannot be\nchipsets: [broken]\n");
    file(
        "firmware-blobs/broken.yaml",
        "summary: a chipset\nmodules: [no_such_module]\nfirmware: {rule: exact}\n\
         packages: {test: [firmware-test]}\n",
    );
    file("recipes/flavors/asks.yaml", "summary: asks\nchipsets: [asks]\n");
    file(
        "firmware-blobs/asks.yaml",
        "summary: a chipset\nmodules: []\nagreement: Sign here.\n\
         firmware: {rule: exact, include: [test-*.bin]}\npackages: {test: [firmware-test]}\n",
    );
    bench.upgrade();
    bench.build("alone-f", &["--no-cache"]);
    bench.build_flavor("bare", "alone-bare", &["--no-cache"]);
    let out = bench.path("all");
    let run = |more: &[&str]| {
        let words = ["--offline", "--out", out.to_str().unwrap()];
        let arguments = bench.arguments(&[&words[..], more].concat());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        bench.0.run(&arguments)
    };
    let (code, stdout, stderr) = run(&["--all-flavors"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("1 of 4 guests failed: broken"), "{stderr}");
    assert!(stderr.contains("no_such_module"), "{stderr}");
    let line = |name: &str| stdout.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("asks").contains("--accept-licence asks"), "{stdout}");
    assert!(line("broken").contains("failed"), "{stdout}");
    assert!(line("f ").contains(" built ") && line("bare").contains(" built "), "{stdout}");
    assert_eq!(bench.sums("all/f"), bench.sums("alone-f"));
    assert_eq!(bench.sums("all/bare"), bench.sums("alone-bare"));
    assert!(!bench.path("all/asks").exists() && !bench.path("all/broken").exists());
    // Those that are named, and nothing changed.
    let (code, stdout, stderr) = run(&["--flavor", "f", "--flavor", "bare", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    for (place, flavor) in ["f", "bare"].into_iter().enumerate() {
        let built = &report["builds"][place];
        assert_eq!(built["flavor"], flavor);
        assert_eq!(built["build"]["up_to_date"], true);
    }
    // One that is named is not left out but refused.
    let (code, _, stderr) = run(&["--flavor", "asks", "--flavor", "f"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("1 of 2 guests failed: asks"), "{stderr}");
    let (code, _, stderr) = bench.0.run(&["show", "--flavor", "f", "--flavor", "bare"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("this command takes one"), "{stderr}");
}
