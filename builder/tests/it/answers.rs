//! The JSON of each verb is as its schema in `docs/schema/verbs` says, and has no field that is not in it.

#![allow(clippy::unwrap_used)]

mod schema;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use wifibox_testkit::guest::Guest;
use wifibox_testkit::registry::{Manners, Registry};

use super::recipes::workspace;

/// Checks each line of `text`, of which there is one at least, by the schema of a verb.
pub fn check(verb: &str, text: &str) {
    let path = workspace().join(format!("docs/schema/verbs/{verb}.json"));
    let schema = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    assert!(!text.is_empty(), "{verb} says nothing");
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{verb}: {line}"));
        let mut faults = Vec::new();
        schema::faults(&schema, &schema, &value, "", &mut faults);
        assert!(faults.is_empty(), "{verb}: {}\n{line}", faults.join("\n"));
    }
}

/// A guest, and which verbs were asked.
struct Asked(Guest, BTreeSet<String>);

impl Asked {
    fn ask(&mut self, code: i32, words: &[&str]) -> String {
        let verb = words[0];
        self.1.insert(verb.to_owned());
        let words: Vec<String> = words.iter().map(|word| self.place(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (found, stdout, stderr) = self.0.run(&[&["--json"], &words[..]].concat());
        assert_eq!(found, Some(code), "{words:?}: {stderr}");
        // Bad input has no answer.
        if code != 2 {
            check(verb, &stdout);
        }
        for line in stderr.lines().filter(|line| line.starts_with('{')) {
            check("error", line);
        }
        stdout
    }

    /// `@NAME` is a path of the world.
    fn place(&self, word: &str) -> String {
        match word.split_once('@') {
            Some((before, name)) => format!("{before}{}", self.0.path(name).display()),
            None => word.to_owned(),
        }
    }
}

const SOURCES: [&str; 8] = [
    "--lock-file",
    "@lock",
    "--cache-dir",
    "@cache",
    "--trust-key",
    "@key.gpg",
    "--mirror",
    "test=@mirror",
];

#[test]
fn the_json_of_every_verb_is_as_its_schema_says() {
    let mut asked = Asked(Guest::new(), BTreeSet::new());
    let with_sources = |words: &[&'static str]| [words, &SOURCES[..]].concat();
    asked.ask(0, &["list"]);
    asked.ask(0, &["show", "--flavor", "f"]);
    asked.ask(0, &with_sources(&["lock"]));
    asked.ask(0, &with_sources(&["fetch", "--flavor", "f"]));
    asked.ask(0, &with_sources(&["build", "--flavor", "f", "--out", "@out", "--timings"]));
    asked.ask(0, &with_sources(&["build", "--flavor", "f", "--out", "@out"]));
    asked.ask(0, &with_sources(&["build", "--all-flavors", "--out", "@all"]));
    asked.ask(0, &with_sources(&["bundle", "@bundle", "--flavor", "f"]));
    asked.ask(0, &with_sources(&["why", "library", "--flavor", "f"]));
    asked.ask(0, &with_sources(&["why", "library", "--flavor", "f", "--graph", "@why.svg"]));
    asked.0.publish_as("1.1", 1_700_100_000, |_| {});
    asked.ask(0, &with_sources(&["outdated"]));
    asked.ask(0, &with_sources(&["lock", "--upgrade"]));
    asked.ask(0, &with_sources(&["build", "--flavor", "bare", "--out", "@other"]));
    asked.ask(0, &["inspect", "@out"]);
    asked.ask(0, &["inspect", "@out", "--sizes"]);
    asked.ask(0, &["inspect", "@out/root.img", "--html", "@page.html"]);
    let difference = asked.ask(0, &["diff", "@out", "@other", "--html", "@diff.html"]);
    assert!(difference.contains("\"changed\":[{"), "{difference}");
    asked.ask(0, &["verify", "@out"]);
    let registry = Registry::start(Manners::default());
    let reference = format!("oci://{}/guests:v1", registry.host());
    asked.ask(0, &["push", &reference, "@out", "--cache-dir", "@cache"]);
    let pull = ["pull", &reference, "--out", "@pulled", "--cache-dir", "@cache"];
    asked.ask(2, &pull);
    asked.ask(0, &[&pull[..], &["--dangerously-allow-unsigned"]].concat());
    asked.ask(0, &["cache", "size", "--cache-dir", "@cache"]);
    asked.ask(0, &["host", "@out", "--hypervisor", "qemu", "--out", "@host"]);
    for share in ["config", "app_config"] {
        fs::create_dir_all(asked.0.path("shares").join(share)).unwrap();
    }
    fs::write(asked.0.path("shares/config/hostname"), "guest\n").unwrap();
    asked.ask(0, &["config-disk", "--from", "@shares", "--out", "@config.img"]);
    asked.ask(0, &["init", "@wifibox.yaml", "--flavor", "bare", "--base", "test"]);
    asked.ask(0, &["detect", "--html", "@detect.html"]);
    fs::create_dir(asked.0.path("root")).unwrap();
    let place = ["--root", "@root", "--hypervisor", "bhyve"];
    asked.ask(0, &[&["install", "@out"], &place[..]].concat());
    asked.ask(0, &[&["install", "@other"], &place[..]].concat());
    asked.ask(0, &[&["install", "--rollback"], &place[..]].concat());
    asked.ask(0, &[&["uninstall", "--dry-run"], &place[..]].concat());
    fs::create_dir_all(asked.0.path("var/log")).unwrap();
    fs::write(asked.0.path("var/log/status"), "role         station\n").unwrap();
    fs::write(asked.0.path("var/log/status.json"), "{\"version\": 1, \"role\": \"station\"}\n")
        .unwrap();
    asked.ask(0, &["status", "@var"]);
    fs::create_dir(asked.0.path("capture")).unwrap();
    fs::write(asked.0.path("capture/system"), "FreeBSD\n").unwrap();
    asked.ask(0, &["report", "@report.tar.gz", "--from", "@capture"]);
    let file = |name: &str, text: &str| fs::write(asked.0.path(name), text).unwrap();
    file("bhyve.config", "memory.size=1G\nmemory.sise=1G\n");
    file("out/SHA256SUMS", "");
    asked.ask(1, &["lint", "--kind", "bhyve", "@bhyve.config"]);
    asked.ask(4, &["verify", "@out"]);
    // Everything but what needs a whole host or another distribution, which tests of their own ask.
    let schemas = fs::read_dir(workspace().join("docs/schema/verbs")).unwrap();
    let names = schemas
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    let left: Vec<String> = names.filter(|name| !asked.1.contains(name)).collect();
    let left: BTreeSet<&str> = left.iter().map(String::as_str).collect();
    assert_eq!(left, BTreeSet::from(["doctor", "error", "export"]));
}

#[test]
fn detect_and_doctor_answer_as_their_schemas_say() {
    let run = |words: &[&str]| {
        let output =
            std::process::Command::new(wifibox_testkit::program()).args(words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    // A card with a guest, one that only other kernels drive, one without a radio's driver, one of another bus.
    for id in ["8086:2723", "14e4:43a0", "168c:0013", "1234:5678", "10ec:b852"] {
        let (_, stdout, _) = run(&["--json", "detect", id]);
        check("detect", &stdout);
    }
    let folder = tempfile::tempdir().unwrap();
    let listing = folder.path().join("usb");
    fs::write(
        &listing,
        "Bus 001 Device 004: ID 0bda:8179 Realtek Semiconductor Corp. RTL8188EUS\n",
    )
    .unwrap();
    let (_, stdout, _) = run(&["--json", "detect", listing.to_str().unwrap()]);
    check("detect", &stdout);
    let capture = folder.path().join("capture");
    fs::create_dir(&capture).unwrap();
    fs::write(capture.join("system"), "FreeBSD\n").unwrap();
    let (_, stdout, _) = run(&["--json", "doctor", "--from", capture.to_str().unwrap()]);
    check("doctor", &stdout);
    for words in [
        &["frob"][..],
        &["build"],
        &["lint", "/nowhere"],
        &["verify", "/nowhere"],
        &["show", "--flavor", "x"],
        &["status", "/nowhere"],
        // A file that is there is not written over.
        &["report", listing.to_str().unwrap(), "--from", capture.to_str().unwrap()],
    ] {
        let (code, stdout, stderr) = run(&[&["--json"], words].concat());
        assert!(code != Some(0) && stdout.is_empty(), "{words:?}");
        check("error", &stderr);
    }
}
