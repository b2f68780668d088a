//! Options before the verb, lists of values, the version, and what is said to a command line that makes no
//! sense: as text and as JSON.

use std::process::{Command, Output};

use super::{FETCH, World, finish};

/// The exit code, stdout and stderr of the program by itself.
fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(wifibox_testkit::program());
    let Output { status, stdout, stderr } = command.args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The error that a command with `--json` tells.
fn error_of(words: &[&str]) -> (Option<i32>, serde_json::Value) {
    let (code, _, stderr) = run(words);
    let last = stderr.lines().last().unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(last).expect(&stderr);
    assert_eq!(value["format"], 1, "{stderr}");
    (code, value["error"].clone())
}

#[test]
fn options_of_all_verbs_may_stand_before_the_verb() {
    let (code, before, stderr) = run(&["--json", "list"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(before, run(&["list", "--json"]).1);
    let list: serde_json::Value = serde_json::from_str(&before).unwrap();
    assert_eq!(list["format"], 1);
    let (code, text, _) = run(&["--color", "never", "list"]);
    assert_eq!((code, text.starts_with("bases:")), (Some(0), true), "{text}");
    let world = World::new();
    let (code, text) = world.run(&["-q", "fetch", "--flavor", "f"]);
    assert_eq!((code, text.contains("Locked")), (Some(0), false), "{text}");
    let (code, _, stderr) = run(&["--flavor", "iwlwifi", "list"]);
    assert_eq!((code, stderr.contains("put it behind the command")), (Some(2), true), "{stderr}");
}

#[test]
fn lists_of_values_are_one_word_or_several() {
    let show = |words: &[&str]| {
        let all = [&["show", "--base", "alpine", "--flavor", "iwlwifi"], words].concat();
        let (code, stdout, stderr) = run(&all);
        assert_eq!(code, Some(0), "{stderr}");
        stdout
    };
    let two = show(&["--with", "tcpdump,mdns"]);
    assert_eq!(two, show(&["--with", "tcpdump", "--with", "mdns"]));
    assert_ne!(two, show(&["--with", "tcpdump"]));
    let (code, _, stderr) = run(&["show", "--flavor", "iwlwifi", "--with", "ipv6,wings"]);
    assert_eq!((code, stderr.contains("wings")), (Some(2), true), "{stderr}");
}

#[test]
fn the_version_has_the_commit_where_there_is_one() {
    let (code, text, _) = run(&["--version"]);
    assert_eq!(code, Some(0));
    let version = concat!("wifibox-build ", env!("CARGO_PKG_VERSION"));
    let rest = text.trim_end().strip_prefix(version).expect(&text);
    if rest.is_empty() {
        return;
    }
    let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')).expect(&text);
    let (hash, date) = commit.split_once(' ').expect(&text);
    assert!(hash.len() >= 10 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
    assert!(date.parse::<jiff::civil::Date>().is_ok(), "{text}");
    // The date is that commit's, where this is its repository.
    let mut git = Command::new("git");
    git.args(["-C", env!("CARGO_MANIFEST_DIR"), "log", "-1", "--format=%cs", hash]);
    if let Ok(Output { status, stdout, .. }) = git.output()
        && status.success()
    {
        assert_eq!(String::from_utf8_lossy(&stdout).trim_end(), date);
    }
}

#[test]
fn without_arguments_it_says_what_to_do_first() {
    for words in [&[][..], &["-v"], &["--color", "never"]] {
        let (code, stdout, stderr) = run(words);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        for first in ["wifibox-build detect", "wifibox-build --flavor", "wifibox-build --help"] {
            assert!(stderr.contains(first), "{first}: {stderr}");
        }
        assert!(stderr.lines().count() < 12, "{stderr}");
    }
    let (code, error) = error_of(&["--json"]);
    assert_eq!((code, &error["kind"]), (Some(2), &"usage".into()));
    assert!(error["hints"].as_array().is_some_and(|hints| hints.len() > 2), "{error}");
}

#[test]
fn a_wrong_word_is_answered_with_the_nearest_one() {
    for (words, near) in [
        (&["lsit"][..], "'list'"),
        (&["build", "--flavr", "x"], "'--flavor'"),
        (&["show", "--flavor", "iwlwfi"], "iwlwifi"),
        (&["show", "--flavor", "iwlwifi", "--base", "debain"], "debian"),
        (&["show", "--flavor", "iwlwifi", "--compression", "zsdt"], "zstd"),
        (&["build", "--flavor", "iwlwifi", "--block-size", "250"], "256"),
        (&["fetch", "--flavor", "iwlwifi", "--mirror", "debain=http://x"], "debian"),
        (&["build", "--flavor", "iwlwifi", "--trust-key", "/nowhere/key"], "/nowhere/key"),
        (&["build"], "wifibox-build detect"),
    ] {
        let (code, stdout, stderr) = run(words);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{words:?}: {stderr}");
        assert!(
            stderr.starts_with("error: ") && stderr.contains("\nhelp: ")
                || words.contains(&"--trust-key"),
            "{words:?}: {stderr}"
        );
        assert!(stderr.contains(near), "{words:?}: {stderr}");
        assert!(!stderr.contains("Usage:") && !stderr.contains("For more"), "{stderr}");
    }
}

#[test]
fn near_names_of_packages_are_told() {
    let world = World::new();
    for (word, near) in [("libary", "did you mean library?"), ("lib", "did you mean library?")] {
        let (code, text) = world.run(&["why", word, "--flavor", "f"]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(near), "{text}");
    }
}

#[test]
fn errors_are_json_where_that_was_asked_for() {
    let world = World::new();
    let error = |words: &[&str]| {
        let (code, text) = world.run(words);
        let last: serde_json::Value =
            serde_json::from_str(text.lines().last().unwrap()).expect(&text);
        assert_eq!(
            (&last["format"], code),
            (&1.into(), last["error"]["exit_code"].as_i64().map(|code| code as i32)),
            "{text}"
        );
        last["error"].clone()
    };
    let unknown = error(&["--json", "fetch", "--flavor", "g"]);
    assert_eq!((&unknown["kind"], &unknown["exit_code"]), (&"usage".into(), &2.into()));
    assert_eq!(unknown["message"], "there is no flavor \"g\"");
    assert!(unknown["hints"][0].as_str().is_some_and(|hint| hint.contains("\"f\"")), "{unknown}");
    let check = error(&["lock", "--check", "--json"]);
    assert_eq!((&check["kind"], &check["exit_code"]), (&"lock_outdated".into(), &3.into()));
    assert!(!check.to_string().contains("--locked"), "{check}");
    let offline = error(&[&FETCH[..], &["--offline", "--json"]].concat());
    assert_eq!((&offline["kind"], &offline["exit_code"]), (&"failed".into(), &1.into()));
    let (code, parser) = error_of(&["lsit", "--json"]);
    assert_eq!((code, &parser["exit_code"]), (Some(2), &2.into()));
    assert_eq!(parser["message"], "unrecognized subcommand 'lsit'");
    assert_eq!(parser["causes"], serde_json::json!([]));
}

#[test]
fn errors_name_a_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    std::fs::write(&file, "mine").unwrap();
    let nowhere = folder.path().join("nowhere");
    let (nowhere, file) = (nowhere.to_str().unwrap(), file.to_str().unwrap());
    for verb in ["detect", "inspect", "verify", "lint", "boot", "host"] {
        let (code, _, stderr) = run(&[verb, nowhere]);
        assert!(matches!(code, Some(1 | 2)), "{verb}: {stderr}");
        assert_eq!(stderr.matches(nowhere).count(), 1, "{verb}: {stderr}");
    }
    let world = World::new();
    let mut build = world.command(&["build", "--flavor", "f", "--out", file], &world.server.url());
    let (code, text) = finish(&mut build);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("that is a file, and a folder is needed"), "{text}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn colour_is_what_is_asked_for_everywhere() {
    for words in [&["--color", "always", "lsit"][..], &["--color=always", "show", "--flavor", "g"]]
    {
        assert!(run(words).2.starts_with("\u{1b}[1;31merror:"), "{words:?}");
    }
    assert!(run(&["--help", "--color", "always"]).1.contains("\u{1b}["));
    assert!(!run(&["--help", "--color", "never"]).1.contains("\u{1b}["));
}
