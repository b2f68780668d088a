//! Progress, through a pipe and on a terminal.

use std::process::{Command, Stdio};
use std::time::Duration;

use wifibox_testkit::guest::Guest;
use wifibox_testkit::server::Fault;

use super::{FETCH, World};

/// The lines of stages: what begins with a verb in its column.
fn stages(text: &str) -> Vec<&str> {
    let is_step =
        |line: &&str| line.get(..13).is_some_and(|verb| verb.trim_start().ends_with("ing "));
    text.lines().filter(is_step).map(str::trim_start).collect()
}

#[test]
fn without_a_terminal_each_stage_is_a_line() {
    let guest = Guest::new();
    guest.build("bare", "first");
    let path = |name: &str| guest.path(name).display().to_string();
    let mirror = format!("test={}", path("mirror"));
    let (lock, cache, key, out) = (path("lock"), path("other"), path("key.gpg"), path("out"));
    let words = [
        ["build", "--flavor", "f", "--out", &out],
        ["--lock-file", &lock, "--cache-dir", &cache, "--trust-key"],
    ];
    let words = [&words.concat()[..], &[&key, "--mirror", &mirror]].concat();
    let (code, _, stderr) = guest.run(&words);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains('\x1b') && !stderr.contains('\r'), "{stderr:?}");
    let found = stages(&stderr);
    let expected = [
        "Building f as station on test",
        "Checking the lock of test trixie amd64",
        "Fetching 6 packages, 0.",
        "Unpacking 6 packages",
        "Choosing modules and firmware",
        "Writing images",
        "Writing reports",
    ];
    assert_eq!(found.len(), expected.len(), "{stderr}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}: {stderr}");
    }
    // Nothing is done, and nothing is said of it.
    let (_, _, stderr) = guest.run(&words);
    assert_eq!(stages(&stderr), ["Building f as station on test"], "{stderr}");
    let (_, _, stderr) = guest.run(&[&words[..], &["--quiet", "--force"]].concat());
    assert_eq!(stderr, "");
}

#[test]
fn what_an_earlier_run_left_is_resumed_and_said() {
    let world = World::new();
    world.recovers(&["lock"]);
    let package = world.package_path("library");
    world.server.faults(&package, [Fault::Cut(50_000), Fault::Status(404)]);
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Fetching 3 packages"), "{text}");
    let (code, text) = world.run(&FETCH);
    assert_eq!(code, Some(0), "{text}");
    let said = "Fetching 1 package, 0.4 MB; 2 more are here, resuming 1 where an earlier run was interrupted";
    assert!(text.contains(said), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_totals_are_drawn_and_wiped() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("CI").is_none(), "script(1) is missing");
        println!("skipped: script(1) is missing");
        return;
    }
    let world = World::new();
    world.recovers(&["lock"]);
    let package = world.package_path("library");
    world.server.faults(&package, [Fault::Stall(200_000, Duration::from_secs(1))]);
    let fetch = world.command(&FETCH, &world.server.url());
    let words = std::iter::once(fetch.get_program()).chain(fetch.get_args());
    let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let line = format!("stty cols 120; {}", line.join(" "));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").env("no_proxy", "127.0.0.1");
    script.env_remove("NO_COLOR").env_remove("http_proxy").stdin(Stdio::null());
    let output = script.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let plain = without_colours(&text);
    assert!(plain.contains("Fetching 2/3 packages, 0.2/0.4 MB"), "{plain:?}");
    let (drawn, last) = plain.rsplit_once("\x1b[2K").unwrap();
    assert!(drawn.contains("MB") && !last.contains("MB "), "it is wiped: {last:?}");
    assert!(last.contains("are in the store"), "{last:?}");
}

#[cfg(target_os = "linux")]
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        if part.as_bytes().get(end) == Some(&b'm') {
            plain += &part[end + 1..];
        } else {
            plain += &format!("\x1b[{part}");
        }
    }
    plain
}
