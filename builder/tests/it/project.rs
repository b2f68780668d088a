//! A project, `wifibox.yaml`: found, composed, overruled by the command line, locked and built.

use std::fs;
use std::path::Path;
use std::process::Command;

use wifibox_testkit::guest::{Guest, json};

/// A generated distribution with a project beside it.
struct World(Guest);

impl World {
    fn new(project: &str) -> Self {
        let world = World(Guest::new());
        world.write("p/wifibox.yaml", &format!("{SOURCES}{project}"));
        world
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs the program in `folder`; gives the exit code, stdout and stderr.
    fn run(&self, folder: &str, words: &[&str]) -> (Option<i32>, String, String) {
        run(&self.0.path(folder), words)
    }

    fn good(&self, folder: &str, words: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(folder, words);
        assert_eq!(code, Some(0), "{words:?}: {stderr}");
        stdout
    }
}

fn run(folder: &Path, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(wifibox_testkit::program());
    command.args(words).current_dir(folder).stdin(std::process::Stdio::null());
    command.env_remove("SOURCE_DATE_EPOCH").env_remove("WIFIBOX_BUILD_CACHE");
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// All that the command line would have to say; paths start at the project.
const SOURCES: &str =
    "recipes: ..\nmirror: { test: ../mirror }\ntrust_key: [../key.gpg]\ncache_dir: ../cache\n";

const PROJECT: &str = "\
base: test
flavor: bare
cmdline: [own, -quiet]
files:
  etc/own: { from: own.sh }
  etc/inline: { text: hello, mode: '0600' }
links: { etc/link: own }
samples: { x.sample: { text: sample, mode: '0600' } }
";

#[test]
fn a_mistake_in_the_file_is_bad_input_and_is_shown() {
    for (text, words) in [
        ("base: test\nflavr: bare\n", "did you mean \"flavor\"?"),
        ("base: test\nflavor: [\n", "unclosed bracket"),
        ("base: test\nflavor: bare\nfiles: { etc/x: { from: nowhere } }\n", "nowhere"),
        ("base: test\nflavor: bare\nmemory: much\n", "memory"),
    ] {
        let world = World::new(text);
        let (code, _, stderr) = world.run("p", &[]);
        assert_eq!((code, stderr.contains(words)), (Some(2), true), "{text}: {stderr}");
    }
}

#[test]
fn a_guest_is_built_by_its_project_alone_and_again_with_the_same_bytes() {
    let world = World::new(PROJECT);
    world.write("p/own.sh", "#!/bin/sh\n");
    world.write("p/deep/er/x", "");
    // From a folder below, as with other tools.
    world.good("p/deep/er", &[]);
    let out = world.0.path("p/out/test-bare");
    assert!(world.0.path("p/locks/test-trixie-amd64.lock").is_file());
    let manifest = json(&out.join("manifest.json"));
    let file = |path: &str| {
        let files = manifest["files"].as_array().unwrap();
        files.iter().find(|file| file["path"] == path).unwrap_or_else(|| panic!("{path}")).clone()
    };
    assert!(file("etc/own").to_string().contains("wifibox.yaml"), "{}", file("etc/own"));
    assert_eq!(fs::read_to_string(out.join("cmdline")).unwrap().trim(), "own");
    assert_eq!(fs::read_to_string(out.join("etc/wifibox/x.sample")).unwrap(), "sample");
    // Elsewhere, and as if from another checkout.
    let sums = fs::read(out.join("SHA256SUMS")).unwrap();
    fs::rename(world.0.path("p"), world.0.path("q")).unwrap();
    world.good("q", &["--frozen", "--no-cache", "--force"]);
    let out = world.0.path("q/out/test-bare");
    assert_eq!(fs::read(out.join("SHA256SUMS")).unwrap(), sums);
    // What no cache knows is made once more, and then known.
    world.good("q", &[]);
    let (_, _, stderr) = world.run("q", &[]);
    assert!(stderr.contains("is up to date"), "{stderr}");
    // A changed file is another guest.
    world.write("q/own.sh", "#!/bin/sh\nexit\n");
    let (_, _, stderr) = world.run("q", &[]);
    assert!(!stderr.contains("is up to date"), "{stderr}");
    assert_ne!(fs::read(out.join("SHA256SUMS")).unwrap(), sums);
}

#[test]
fn the_command_line_goes_before_the_project_and_show_says_which_it_was() {
    let world = World::new("base: test\nflavor: bare\ncompression: zstd\n");
    let line = |words: &[&str], key: &str| {
        let text = world.good("p", &[&["show"], words].concat());
        let line =
            text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line(&[], "flavor:"), "flavor: bare # wifibox.yaml:6:9");
    assert_eq!(line(&["--flavor", "f"], "flavor:"), "flavor: f # command line");
    assert_eq!(line(&[], "compression:"), "compression: zstd # wifibox.yaml:7:14");
    assert_eq!(line(&["--compression", "xz"], "compression:"), "compression: xz # command line");
    assert!(line(&[], "release:").contains("recipes/bases/test.yaml:"));
    // Without the project there is nothing to go by.
    let (code, _, stderr) = world.run("p", &["show", "--no-project"]);
    assert_eq!((code, stderr.contains("--flavor is missing")), (Some(2), true), "{stderr}");
    let (code, _, stderr) = world.run(".", &["show", "--project", "p/wifibox.yaml", "-p", "x"]);
    assert_eq!((code, stderr.contains("one guest only")), (Some(2), true), "{stderr}");
    let (code, _, stderr) = world.run(".", &["build", "--project", "gone"]);
    assert_eq!(
        (code, stderr.contains("--project gone: there is no such file")),
        (Some(2), true),
        "{stderr}"
    );
    let (code, _, stderr) = world.run(".", &["-p", "x"]);
    assert_eq!((code, stderr.contains("there is no project")), (Some(2), true), "{stderr}");
}

#[test]
fn several_guests_share_a_lock_and_have_a_folder_each() {
    let world = World::new(
        "base: test\ncmdline: [all]\nguests:\n  one: { flavor: bare }\n  two: { flavor: f, packages: [base] }\n",
    );
    world.good("p", &["lock"]);
    let text = world.good("p", &["--locked"]);
    assert!(text.starts_with("one ") && text.contains("\ntwo "), "{text}");
    for name in ["one", "two"] {
        let out = world.0.path(&format!("p/out/{name}"));
        assert!(fs::read_to_string(out.join("cmdline")).unwrap().contains("all"), "{name}");
    }
    let why = world.good("p", &["why", "base", "-p", "two", "--locked"]);
    assert!(why.contains("wifibox.yaml:9:"), "{why}");
    let (code, _, stderr) = world.run("p", &["show"]);
    assert_eq!((code, stderr.contains("name one with -p")), (Some(2), true), "{stderr}");
    let (code, _, stderr) = world.run("p", &["-p", "tow"]);
    assert_eq!((code, stderr.contains("did you mean \"two\"?")), (Some(2), true), "{stderr}");
    let (code, _, stderr) = world.run("p", &["--flavor", "f"]);
    assert_eq!((code, stderr.contains("several guests")), (Some(2), true), "{stderr}");
}

#[test]
fn a_project_is_begun_without_a_question_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) =
        run(folder.path(), &["init", "--flavor", "hwsim", "--base", "debian"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("wifibox.yaml: hwsim on debian"), "{stdout}");
    let (code, stdout, stderr) = run(folder.path(), &["show"]);
    assert_eq!((code, stdout.contains("# wifibox.yaml:6:9")), (Some(0), true), "{stdout}{stderr}");
    let (code, _, stderr) = run(folder.path(), &["init", "--flavor", "hwsim"]);
    assert_eq!((code, stderr.contains("is there already")), (Some(2), true), "{stderr}");
    let (code, _, stderr) = run(folder.path(), &["init", "--flavor", "hwsmi", "--force"]);
    assert_eq!((code, stderr.contains("did you mean \"hwsim\"?")), (Some(2), true), "{stderr}");
}
