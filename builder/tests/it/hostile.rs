//! What somebody else put into a folder, a cache or an archive: nothing hangs on it, follows it or believes it.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use wifibox_testkit::guest::Guest;

/// Far more than any of these verbs takes, on a machine that is busy with other things, too.
const PATIENCE: Duration = Duration::from_secs(30);

fn start(guest: &Guest, arguments: &[&str]) -> Child {
    let mut command = Command::new(wifibox_testkit::program());
    command.args(arguments).arg("--recipes").arg(guest.path(""));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The exit code and what was said on stderr; it ends in time.
fn end(mut child: Child, what: &str) -> (Option<i32>, String) {
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{what} hangs");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (status.code(), text)
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn pipes_devices_and_endless_files_in_an_output_hang_no_verb() {
    let guest = Guest::new();
    let built = guest.build("f", "built");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (out, other) = (guest.path("out"), text(&built));
    let place = text(&out);
    type Trap<'t> = (&'t str, &'t dyn Fn(&Path));
    let traps: [Trap<'_>; 3] = [
        ("a pipe", &fifo),
        ("a link to a device", &|path| {
            fs::remove_file(path).unwrap();
            symlink("/dev/zero", path).unwrap();
        }),
        ("an endless file", &|path| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(1 << 42).unwrap();
        }),
    ];
    for name in ["SHA256SUMS", "manifest.json", "root.img", "vmlinuz", "host/qemu.sh"] {
        for (trap, set) in traps {
            let _ = fs::remove_dir_all(&out);
            assert!(Command::new("cp").arg("-a").args([&built, &out]).status().unwrap().success());
            if !out.join(name).exists() {
                continue;
            }
            set(&out.join(name));
            let verbs: [&[&str]; 6] = [
                &["verify", &place],
                &["diff", &place, &other],
                &["inspect", "--sizes", &place],
                &["host", &place],
                &["lint", &place],
                &["build", "--flavor", "f", "--frozen", "--out", &place],
            ];
            for verb in verbs {
                let what = format!("{} with {trap} as {name}", verb[0]);
                let (code, stderr) = end(start(&guest, verb), &what);
                assert!(code.is_some(), "{what}: {stderr}");
                if verb[0] == "verify" {
                    assert_eq!(code, Some(4), "{what}: {stderr}");
                    assert!(stderr.contains(name), "{what}: {stderr}");
                }
            }
        }
    }
}

/// Whether the process has a handler for SIGTERM.
fn hears_signals(child: &mut Child) -> bool {
    assert!(child.try_wait().unwrap().is_none(), "it has ended");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << 14 != 0
}

#[test]
fn every_verb_hears_signals() {
    let guest = Guest::new();
    // Opening a pipe that nobody writes to waits for ever, and no flag is looked at meanwhile.
    let pipe = guest.path("pipe");
    fifo(&pipe);
    for signal in ["TERM", "INT", "HUP"] {
        let mut child = start(&guest, &["lint", pipe.to_str().unwrap()]);
        // Until it has taken the signals over they end it, too, but without a word.
        while !hears_signals(&mut child) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none(), "it must be waiting");
        assert!(wifibox_testkit::kill(signal, child.id()));
        let begun = Instant::now();
        let (code, stderr) = end(child, signal);
        assert_eq!(code, Some(130), "{signal}: {stderr}");
        assert!(stderr.contains("interrupted"), "{signal}: {stderr}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{signal}: {:?}", begun.elapsed());
    }
}

#[test]
fn what_a_killed_build_left_goes_with_the_next_one() {
    let guest = Guest::new();
    let left = guest.path(".out.a1b2c3.wifibox-partial");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("root.img"), "half").unwrap();
    guest.build("f", "out");
    assert!(!left.exists());
}

#[test]
fn a_package_that_says_it_is_another_one_is_refused() {
    for control in [
        "Package: tool\nVersion: 0.9\nArchitecture: amd64\n",
        "Package: spy\nVersion: 1.0\nArchitecture: amd64\n",
        "Architecture: amd64\n",
    ] {
        let guest = Guest::new();
        guest.publish_as("1.0", 1_700_000_000, |packages| {
            let tool = packages.iter_mut().find(|package| package.name == "tool").unwrap();
            *tool = tool.clone().control("control", control.as_bytes());
        });
        let (code, stderr) = build(&guest, &[]);
        assert_eq!(code, Some(4), "{stderr}");
        assert!(stderr.contains("lists as tool 1.0 says that it is "), "{stderr}");
        assert!(!guest.path("out").exists());
    }
}

/// Locks anew and builds.
fn build(guest: &Guest, more: &[&str]) -> (Option<i32>, String) {
    let path = |name: &str| guest.path(name).to_str().unwrap().to_owned();
    let (out, mirror) = (path("out"), format!("test={}", path("mirror")));
    let (lock, cache, key) = (path("lock"), path("cache"), path("key.gpg"));
    let sources =
        ["--lock-file", &lock, "--cache-dir", &cache, "--trust-key", &key, "--mirror", &mirror];
    let (code, _, stderr) = guest.run(&[&["lock", "--upgrade"], &sources[..], more].concat());
    if code != Some(0) {
        return (code, stderr);
    }
    let verb = ["build", "--flavor", "f", "--out", &out];
    let (code, _, stderr) = guest.run(&[&verb, &sources[..], more].concat());
    (code, stderr)
}

#[test]
fn an_archive_that_goes_back_is_refused() {
    let guest = Guest::new();
    guest.publish_as("1.1", 1_700_000_000, |_| {});
    assert_eq!(build(&guest, &[]).0, Some(0));
    let lock = fs::read(guest.path("lock")).unwrap();
    guest.publish_as("1.0", 1_690_000_000, |_| {});
    let (code, stderr) = build(&guest, &[]);
    assert_eq!(code, Some(4), "{stderr}");
    assert!(stderr.contains("--dangerously-allow-rollback"), "{stderr}");
    assert_eq!(fs::read(guest.path("lock")).unwrap(), lock);
    let (code, stderr) = build(&guest, &["--dangerously-allow-rollback"]);
    assert_eq!(code, Some(0), "{stderr}");
}

/// The note about the last build says that nothing is to be done: only this user's own is believed.
#[test]
fn a_note_that_somebody_changed_is_none() {
    let guest = Guest::new();
    guest.build("f", "out");
    let fresh = || {
        let (code, stderr) = build(&guest, &[]);
        assert_eq!(code, Some(0), "{stderr}");
        stderr.contains("is up to date")
    };
    assert!(fresh());
    let notes = fs::read_dir(guest.path("cache/built")).unwrap();
    let note = notes.map(|entry| entry.unwrap().path()).next().unwrap();
    let text = fs::read_to_string(&note).unwrap();
    // As good a note as before, but for its seal.
    fs::write(&note, text + " ").unwrap();
    assert!(!fresh());
    assert!(fresh(), "it was written anew");
}
