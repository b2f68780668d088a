//! The scripts of `examples/github-actions` that open a pull request with the newest packages, as the workflow runs them: in a
//! clone of a repository, with a generated archive, and with a stand-in for `gh` (its manual: `pr create` fails where the
//! branch has a pull request already, `pr edit BRANCH` changes that one).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::archives::{DAY, FIRST, World};
use super::recipes::workspace;

/// `gh`: notes what it is asked for; of the requests that are open it has a list.
const GH: &str = r#"#!/bin/sh
set -eu
echo "$*" >>"$FORGE/asked"
case "$1 $2" in
'pr create')
    [ "$3 $5 $7 $8" = '--title --body-file --head renew-lock' ] || exit 1
    if [ -e "$FORGE/open" ]; then
        echo 'a pull request for branch "renew-lock" into branch "main" already exists' >&2
        exit 1
    fi
    cp "$6" "$FORGE/open" ;;
'pr edit')
    [ "$3 $4" = 'renew-lock --body-file' ] && [ -e "$FORGE/open" ] || exit 1
    cp "$5" "$FORGE/open" ;;
*) exit 1 ;;
esac
"#;

/// `cargo xtask boot-test`, which ends as the file `result` says.
const CARGO: &str = "#!/bin/sh\n[ \"$1 $2\" = 'xtask boot-test' ] && [ -e \"$3/root.img\" ] || exit 9\n\
                     echo \"booted $(cat result)\"\nexit \"$(cat result)\"\n";

/// A repository with a lock, its origin, and the programs that the scripts call.
struct Forge(World);

impl Forge {
    fn new() -> Self {
        let forge = Forge(World::new());
        let recipes = forge.path("recipes/flavors");
        fs::copy(recipes.join("bare.yaml"), recipes.join("hwsim.yaml")).unwrap();
        let shell = format!(
            "#!/bin/sh\nexec '{}' \"$@\" --recipes '{}' --cache-dir '{}' --trust-key '{}' --mirror 'test={}'\n",
            wifibox_testkit::program().display(),
            forge.path("").display(),
            forge.path("cache").display(),
            forge.path("key.gpg").display(),
            forge.path("mirror").display()
        );
        // What takes no mirror is called as it is.
        let plain = format!(
            "#!/bin/sh\ncase $1 in diff | verify) exec '{}' \"$@\" ;; esac\n",
            wifibox_testkit::program().display()
        );
        let shell = shell.replacen("#!/bin/sh\n", &plain, 1);
        for (name, text) in [("wifibox-build", &*shell), ("gh", GH), ("cargo", CARGO)] {
            let path = forge.path("bin").join(name);
            fs::create_dir_all(forge.path("bin")).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(forge.path("source")).unwrap();
        forge.boots(0);
        forge.git("", &["init", "--quiet", "--bare", "--initial-branch=main", "origin.git"]);
        forge.git("", &["clone", "--quiet", "origin.git", "clone"]);
        forge.git("clone", &["switch", "--quiet", "--create", "main"]);
        for script in ["renew.sh", "propose.sh"] {
            let from = workspace().join("examples/github-actions").join(script);
            fs::copy(from, forge.path("clone").join(script)).unwrap();
        }
        let made = forge.run("clone", "wifibox-build", &["lock", "--lock-file", "guest.lock"]);
        assert!(made.status.success(), "{}", said(&made));
        forge.git("clone", &["add", "."]);
        forge.git("clone", &["commit", "--quiet", "--message", "A guest"]);
        forge.git("clone", &["push", "--quiet", "origin", "main"]);
        forge
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.0.path(name)
    }

    /// What the boot test says the next times.
    fn boots(&self, code: u8) {
        fs::write(self.path("source/result"), code.to_string()).unwrap();
    }

    fn run(&self, folder: &str, program: &str, arguments: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command.current_dir(self.path(folder)).args(arguments);
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command.env("BASE", "test").env("FORGE", self.path("")).env_remove("SOURCE_DATE_EPOCH");
        // Of the machine's own settings none counts.
        command.env("HOME", self.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "A robot");
            command.env(format!("GIT_{who}_EMAIL"), "robot@example.org");
        }
        command.output().unwrap()
    }

    #[track_caller]
    fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let output = self.run(folder, "git", arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the workflow does: a fresh checkout, and the scripts. Whether there was anything newer.
    #[track_caller]
    fn week(&self) -> bool {
        self.git("clone", &["switch", "--quiet", "main"]);
        let source = self.path("source").display().to_string();
        let body = self.path("body.md").display().to_string();
        let renewed = self.run("clone", "./renew.sh", &["guest.lock", "bare", &body, &source]);
        if renewed.status.code() == Some(3) {
            return false;
        }
        assert!(renewed.status.success(), "{}", said(&renewed));
        let proposed = self.run("clone", "./propose.sh", &["guest.lock", &body]);
        assert!(proposed.status.success(), "{}", said(&proposed));
        true
    }

    /// The text of the pull request.
    fn request(&self) -> String {
        fs::read_to_string(self.path("open")).unwrap_or_default()
    }

    /// The lock on a branch of the origin.
    fn pushed(&self, branch: &str) -> String {
        self.git("origin.git", &["show", &format!("{branch}:guest.lock")])
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &output.stderr].concat()).into_owned()
}

fn is_there(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| Path::new(&folder).join(program).is_file())
}

#[test]
fn a_pull_request_says_what_is_newer_how_the_guest_differs_and_whether_it_boots() {
    if !is_there("git") {
        assert!(std::env::var_os("CI").is_none(), "git is missing");
        println!("skipped: git is not there");
        return;
    }
    let forge = Forge::new();
    assert!(!forge.week(), "nothing is newer");
    assert!(!forge.path("asked").exists());
    assert_eq!(forge.git("clone", &["status", "--porcelain"]), "");

    forge.0.security("1.2", FIRST + DAY);
    assert!(forge.week());
    let request = forge.request();
    for part in [
        "tool     1.1     1.2      test-security  all",
        "1 newer, 1 of them security updates",
        "### The guest bare",
        "usr/bin/tool",
        "With simulated radios, in QEMU: passed.",
        "booted 0",
    ] {
        assert!(request.contains(part), "{part:?} is not in:\n{request}");
    }
    assert!(forge.pushed("renew-lock").contains("\"version\":\"1.2\""));
    assert!(!forge.pushed("main").contains("\"version\":\"1.2\""), "nothing is merged by itself");
    let changed = forge.git("origin.git", &["diff", "--name-only", "main", "renew-lock"]);
    assert_eq!(changed, "guest.lock\n");

    // The next week: the request that is open is changed, and one that does not boot is told.
    forge.0.security("1.3", FIRST + 2 * DAY);
    forge.boots(1);
    assert!(forge.week());
    let request = forge.request();
    assert!(request.contains("1.3") && request.contains("in QEMU: FAILED."), "{request}");
    assert!(forge.pushed("renew-lock").contains("\"version\":\"1.3\""));
    let count = forge.git("origin.git", &["rev-list", "--count", "main..renew-lock"]);
    assert_eq!(count, "1\n");
    let asked = fs::read_to_string(forge.path("asked")).unwrap();
    let verbs: Vec<&str> = asked.lines().map(|line| &line[..7]).collect();
    assert_eq!(verbs, ["pr crea", "pr crea", "pr edit"]);

    // A mirror that went back, or is gone, proposes nothing.
    let (lock, open) = (forge.pushed("renew-lock"), forge.request());
    forge.git("clone", &["switch", "--quiet", "main"]);
    forge.git("clone", &["merge", "--quiet", "renew-lock"]);
    forge.0.security("1.1", FIRST);
    let body = forge.path("body.md").display().to_string();
    let renewed = forge.run("clone", "./renew.sh", &["guest.lock", "bare", &body]);
    assert_eq!(renewed.status.code(), Some(1), "{}", said(&renewed));
    assert!(said(&renewed).contains("--dangerously-allow-rollback"), "{}", said(&renewed));
    assert_eq!((forge.pushed("renew-lock"), forge.request()), (lock, open));
    assert_eq!(forge.git("clone", &["status", "--porcelain"]), "");
}
