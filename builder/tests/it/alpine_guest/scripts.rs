//! Maintainer scripts of generated packages: what they do without a rule, held against a rule that
//! declares the same, and what is refused.

use std::fs;

use wifibox_ground::digest::Sha256;
use wifibox_testkit::apkrepo::Package;

use super::{World, base, manifest, packages};

const ACCOUNT: &str = "#!/bin/sh\naddgroup -S daemon 2>/dev/null\n\
    adduser -S -D -H -h /run/daemon -s /bin/false -G daemon -g 'A daemon' daemon 2>/dev/null\nexit 0\n";
const FILES: &str = "#!/bin/sh\nmkdir -p /etc/lib\ncat > /etc/lib/conf <<EOF\nuser=$(id -un daemon)\nEOF\n\
    ln -s lib/conf /etc/conf\necho secret > /etc/hidden\necho log > /run/log\nrc-service lib start\n";
const TRIGGER: &str = "#!/bin/sh\nfor i in \"$@\"; do echo \"$i\" >> /etc/changed; done\n";

/// The package `lib` makes an account and files; `tool`, which depends on it, hears of changes; `extra`,
/// which depends on that, uses the account.
fn with_scripts() -> Vec<Package> {
    let mut packages = packages();
    let own = "#!/bin/sh\nchown -h daemon /usr/bin/tool\nexit 0\n";
    packages[1] = packages[1].clone().info("triggers", "/usr/bin /no/such/*");
    packages[1] = packages[1].clone().control(".trigger", TRIGGER.as_bytes());
    packages[2] = packages[2].clone().control(".pre-install", ACCOUNT.as_bytes());
    packages[2] = packages[2].clone().control(".post-install", FILES.as_bytes());
    packages[3] = packages[3].clone().info("depend", "tool");
    packages[3] = packages[3].clone().control(".post-install", own.as_bytes());
    packages
}

/// Scripts can give files to other users; rules cannot.
#[test]
fn accounts_and_owners_come_as_apk_makes_them() {
    let world = World::new(with_scripts());
    let (code, said) = world.build("a", &[&world.mirror(), "--with", "more"]);
    assert_eq!(code, Some(0), "{said}");
    let manifest = manifest(&world.path("a.out"));
    let files = manifest["files"].as_array().unwrap();
    let file = |path: &str| files.iter().find(|file| file["path"] == path).unwrap();
    // `extra` depends on `tool`, and that on `lib`, whose script makes the user.
    assert_eq!(file("usr/bin/tool")["owner"], "100:0");
    let passwd = "root:x:0:0::/root:/bin/sh\ndaemon:x:100:100:A daemon:/run/daemon:/bin/false\n";
    assert_eq!(file("etc/passwd")["sha256"], Sha256::of(passwd.as_bytes()).to_string());
    let group = "root:x:0:\ndaemon:x:100:daemon\n";
    assert_eq!(file("etc/group")["sha256"], Sha256::of(group.as_bytes()).to_string());
}

#[test]
fn a_script_does_what_a_rule_declares() {
    let world = World::new(with_scripts());
    let recipe = world.path("recipes/bases/distro.yaml");
    let more = "packages: [tool]\nexclude: [etc/hidden]\n";
    fs::write(&recipe, base("distro", "apk", more)).unwrap();
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    let evaluated = manifest(&world.path("a.out"));
    let states = |manifest: &serde_json::Value| -> Vec<String> {
        let scripts = manifest["scripts"].as_array().unwrap().iter();
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        scripts.map(|s| format!("{} {}", word(&s["script"]), word(&s["state"]))).collect()
    };
    assert_eq!(
        states(&evaluated),
        ["post-install understood", "pre-install understood", "trigger understood"]
    );
    let effects = evaluated["scripts"][0]["effects"].to_string();
    for effect in ["writes /etc/lib/conf", "links /etc/conf to lib/conf", "rc-service lib start"] {
        assert!(effects.contains(effect), "{effect} in {effects}");
    }
    let rule = |package: &str, script: &str, text: &str, does: &str| {
        let hash = Sha256::of(text.as_bytes());
        format!(
            "  - {{ package: {package}, script: {script}, sha256: [{hash}], why: Read it., \
             does: {{ {does} }} }}\n"
        )
    };
    let account = rule(
        "lib",
        "pre-install",
        ACCOUNT,
        "accounts: { groups: [{ name: daemon, gid: 100 }], users: [{ name: daemon, uid: 100, \
         group: daemon, groups: [daemon], home: run/daemon, shell: bin/false, gecos: A daemon, \
         password: locked }] }",
    );
    let files = rule(
        "lib",
        "post-install",
        FILES,
        "files: { etc/lib/conf: \"user=daemon\\n\" }, links: { etc/conf: lib/conf }",
    );
    let trigger = rule("tool", "trigger", TRIGGER, "files: { etc/changed: \"/usr/bin\\n\" }");
    let rules = format!("{more}scripts:\n{account}{files}{trigger}");
    fs::write(&recipe, base("distro", "apk", &rules)).unwrap();
    let (code, said) = world.build("b", &[&world.mirror()]);
    assert_eq!(code, Some(0), "{said}");
    let declared = manifest(&world.path("b.out"));
    assert_eq!(
        states(&declared),
        ["post-install by-rule", "pre-install by-rule", "trigger by-rule"]
    );
    let list = |manifest: &serde_json::Value| {
        let mut files = manifest["files"].clone();
        // The build's own id is a hash of the recipe.
        let id = |file: &serde_json::Value| file["path"] == "etc/wifibox/build-id";
        files.as_array_mut().unwrap().retain(|file| !id(file));
        files
    };
    assert_eq!(list(&evaluated), list(&declared));
    let paths = list(&evaluated).to_string();
    assert!(paths.contains("etc/lib/conf") && !paths.contains("hidden"), "{paths}");
    assert!(!paths.contains("run/log"), "what is made when the guest starts: {paths}");
}

#[test]
fn a_script_that_is_not_understood_is_refused_with_its_place_and_hash() {
    let script = b"#!/bin/sh\nset -e\nfrobnicate --all /etc\n";
    let mut packages = packages();
    packages[1] = packages[1].clone().control(".pre-install", script);
    let world = World::new(packages);
    let (code, said) = world.build("a", &[&world.mirror()]);
    assert_eq!(code, Some(1), "{said}");
    let hash = Sha256::of(script).to_string();
    for part in [
        "package tool, pre-install",
        &hash,
        "line 3: the command \"frobnicate\" is not known",
        "in the command: frobnicate --all /etc",
        "declare what it does under 'scripts'",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}
