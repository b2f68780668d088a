//! A project, `wifibox.yaml`: found, composed, overruled by the command line, locked and built.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tar::EntryType;
use wifibox_testkit::debrepo::{Package, Suite};
use wifibox_testkit::guest::{Guest, json};
use wifibox_testkit::keys::{Key, Spec};
use wifibox_testkit::rawtar::{Member, tar};

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
    command.args(words).current_dir(folder).stdin(Stdio::null());
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
    world.write("p/own.sh", "#!/usr/bin/tool\n");
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
    world.write("q/own.sh", "#!/usr/bin/tool\nexit\n");
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

#[test]
fn a_further_repository_is_read_with_its_own_key_and_no_other() {
    let key = Key::generate(&Spec::ed25519(7, 1_600_000_000));
    let lab = format!(
        "packages: [lab-tool]\nrepositories:\n  test:\n    - name: lab\n      mirrors: ['http://lab.example/']\n      \
         suites: ['{{release}}']\n      components: [main]\n      keys: [{{ name: The lab, fingerprint: {} }}]\n      \
         keyrings: [lab.gpg]\n",
        key.fingerprint()
    );
    let world = World::new("base: test\nflavor: bare\n");
    let sources = SOURCES.replace("../mirror }", "../mirror, lab: ../lab }");
    world.write("p/wifibox.yaml", &format!("{sources}base: test\nflavor: bare\n{lab}"));
    let date = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    let tool = Package::new("lab-tool", "3", "amd64").file("usr/bin/lab", 0o755, "lab");
    Suite::new(date, [tool.clone()]).publish(&world.0.path("lab"), &[&key]);
    let (code, _, stderr) = world.run("p", &[]);
    let said = "cannot read the signing keys in lab.gpg";
    assert_eq!((code, stderr.contains(said)), (Some(2), true), "{stderr}");
    fs::write(world.0.path("p/lab.gpg"), key.certificate()).unwrap();
    world.good("p", &[]);
    let manifest = json(&world.0.path("p/out/test-bare/manifest.json"));
    let packages = manifest["packages"].as_array().unwrap();
    assert!(packages.iter().any(|package| package["name"] == "lab-tool"), "{packages:?}");
    // The same, signed by somebody else.
    fs::remove_dir_all(world.0.path("lab")).unwrap();
    let stranger = Key::generate(&Spec::ed25519(8, 1_600_000_000));
    Suite::new(date, [tool]).publish(&world.0.path("lab"), &[&stranger]);
    let (code, _, stderr) = world.run("p", &["lock", "--upgrade"]);
    assert_eq!((code, stderr.contains("InRelease")), (Some(4), true), "{stderr}");
}

#[test]
fn two_bases_have_a_lock_each_and_firmware_of_ones_own_comes_along() {
    let world = World::new(
        "guests:\n  one: { base: test, flavor: f, firmware: [{ from: own.bin, name: test-own.bin }] }\n  \
         two: { base: other, flavor: bare }\n",
    );
    let base = fs::read_to_string(world.0.path("recipes/bases/test.yaml")).unwrap();
    let base = base.replace("kernel: k,", "kernel: k2,").replace("kernels: [k]", "kernels: [k2]");
    world.write("recipes/bases/other.yaml", &base);
    let kernel = fs::read_to_string(world.0.path("kernels/k.yaml")).unwrap();
    world.write("kernels/k2.yaml", &kernel.replace("base: test", "base: other"));
    let own = wifibox_testkit::guest::noise(3000);
    fs::write(world.0.path("p/own.bin"), &own).unwrap();
    world.good("p", &[]);
    for (guest, base) in [("one", "test"), ("two", "other")] {
        let manifest = json(&world.0.path(&format!("p/out/{guest}/manifest.json")));
        assert_eq!(manifest["recipe"]["base"], base);
        assert!(world.0.path(&format!("p/locks/{base}-trixie-amd64.lock")).is_file(), "{base}");
    }
    let manifest = json(&world.0.path("p/out/one/manifest.json"));
    let files = manifest["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("test-own.bin"));
    let file = file.unwrap_or_else(|| panic!("{}", manifest["firmware"]));
    assert_eq!(file["sha256"], wifibox_ground::digest::Sha256::of(&own).to_string());
}

#[test]
fn firmware_comes_from_an_archive_that_the_project_names() {
    let world = World::new("base: test\nflavor: f\nfirmware_archive: own-firmware-1.tar\n");
    let (code, _, stderr) = world.run("p", &[]);
    assert_eq!((code, stderr.contains("own-firmware-1.tar")), (Some(2), true), "{stderr}");
    let whence = "----------\n\nDriver: test\n\nFile: test-2.bin\n\nLicence: Odd. See LICENCE.test\n\n----------\n";
    let members = [
        ("WHENCE", whence),
        ("LICENCE.test", "Redistribution is permitted."),
        ("test-2.bin", "of the archive"),
        ("other.bin", "not asked for"),
        ("regulatory.db", "of the archive, which a package has"),
    ];
    let members = members.map(|(name, text)| {
        Member::new(format!("own-firmware-1/{name}"), EntryType::Regular, text)
    });
    fs::write(world.0.path("p/own-firmware-1.tar"), tar(&members, true)).unwrap();
    world.good("p", &[]);
    let manifest = json(&world.0.path("p/out/test-f/manifest.json"));
    let files = manifest["files"].as_array().unwrap();
    let firmware: Vec<&str> = files
        .iter()
        .filter_map(|file| file["path"].as_str()?.split_once("/firmware/"))
        .map(|(_, name)| name)
        .collect();
    assert!(firmware.iter().any(|name| name.starts_with("test-2.bin")), "{firmware:?}");
    assert!(!firmware.iter().any(|name| name.starts_with("other")), "{firmware:?}");
}

#[test]
fn a_card_that_no_module_of_the_kernel_drives_is_an_error_of_the_project() {
    let world = World::new("base: test\nflavor: f\ndevice: '8086:2723'\n");
    let (code, _, stderr) = world.run("p", &[]);
    assert_ne!(code, Some(0), "{stderr}");
    assert!(stderr.contains("8086:2723"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn init_asks_on_a_terminal_until_it_can_go_on() {
    let script = |line: &str| {
        let mut command = Command::new("script");
        command.args(["-qec", line, "/dev/null"]).env("TERM", "xterm");
        command
    };
    if script("true").stdin(Stdio::null()).stdout(Stdio::null()).status().is_err() {
        assert!(std::env::var_os("CI").is_none(), "script(1) is missing");
        println!("skipped: script(1) is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let line = format!("'{}' init --base debian", wifibox_testkit::program().display());
    let mut child = script(&line)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    answers.write_all(b"nonsense\nhwsim\naccess-point\n").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(answers);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("flavor (").count(), 2, "{said}");
    let written = fs::read_to_string(folder.path().join("wifibox.yaml")).unwrap();
    assert!(written.contains("\nflavor: hwsim"), "{written}");
    assert!(written.contains("\nrole: access-point"), "{written}");
}
