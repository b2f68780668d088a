//! Completion in the shells themselves. Bash is in every test machine; zsh and fish are asked where they are
//! installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with the script of a shell, the program below its usual name, and an empty home.
struct Shell {
    folder: tempfile::TempDir,
    program: &'static str,
}

impl Shell {
    /// `None` where it is not installed, which is told.
    fn find(program: &'static str) -> Option<Self> {
        if let Err(error) = Command::new(program).arg("--version").output() {
            println!("skipped: {program}: {error}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let ours = wifibox_testkit::program();
        let script = Command::new(&ours).args(["completions", program]).output().unwrap();
        assert!(script.status.success(), "{script:?}");
        fs::write(folder.path().join("script"), script.stdout).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        std::os::unix::fs::symlink(&ours, folder.path().join("bin/wifibox-build")).unwrap();
        Some(Shell { folder, program })
    }

    fn script(&self) -> PathBuf {
        self.folder.path().join("script")
    }

    fn run(&self, arguments: &[&str]) -> Vec<String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = self.folder.path().join("bin");
        let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&path)));
        let mut command = Command::new(self.program);
        command.args(arguments).env("PATH", path.unwrap()).env("HOME", self.folder.path());
        let Output { status, stdout, stderr } = command.output().unwrap();
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        let text = String::from_utf8_lossy(&stdout).into_owned();
        // What a value means is behind a tab or a colon.
        text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
    }
}

/// Beginnings of command lines, the words that every shell must offer there, and those that it must not.
const CASES: [(&str, &[&str], &[&str]); 12] = [
    ("wifibox-build ", &["build", "list", "detect"], &["iwlwifi"]),
    ("wifibox-build --json li", &["list", "lint"], &["build"]),
    ("wifibox-build -q ver", &["verify"], &["list"]),
    ("wifibox-build show --flavor iw", &["iwlwifi"], &["hwsim"]),
    ("wifibox-build build --base=al", &["alpine"], &["debian"]),
    ("wifibox-build --base ", &["alpine", "debian", "openwrt"], &["iwlwifi"]),
    ("wifibox-build show --base debian --release ", &["trixie", "bookworm"], &["3.22"]),
    ("wifibox-build build --with tcp", &["tcpdump"], &["ipv6"]),
    ("wifibox-build build --with ipv6,tcp", &["ipv6,tcpdump"], &["ipv6"]),
    ("wifibox-build show --role a", &["access-point"], &["station"]),
    ("wifibox-build build --kernel deb", &["debian"], &["lts"]),
    ("wifibox-build verify --publ", &["--public-key"], &["--flavor"]),
];

fn check(shell: &Shell, complete: impl Fn(&str) -> Vec<String>) {
    for (line, offered, not) in CASES {
        let got = complete(line);
        // Some shells complete the whole word, others what is behind the "=".
        let value = |got: &str| got.rsplit('=').next().unwrap_or_default().trim_end().to_owned();
        let has = |word: &&str| got.iter().any(|got| value(got) == *word);
        assert!(offered.iter().all(has), "{}: {line}: {got:?}", shell.program);
        assert!(!not.iter().any(has), "{}: {line}: {got:?}", shell.program);
    }
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

#[test]
fn bash_completes_verbs_and_values() {
    let Some(shell) = Shell::find("bash") else { return };
    let ask = |line: &str| {
        // As readline calls it: words are taken apart at = as well.
        let program = format!(
            "source {}\n\
             line=$1; read -ra COMP_WORDS <<<\"${{line//=/ = }}\"; [[ $line == *' ' ]] && COMP_WORDS+=('')\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE=$line; COMP_POINT=${{#line}}; COMP_TYPE=9\n\
             function=$(complete -p wifibox-build); function=${{function##*-F }}; function=${{function%% *}}\n\
             $function wifibox-build \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted(&shell.script())
        );
        shell.run(&["--norc", "--noprofile", "-c", &program, "bash", line])
    };
    check(&shell, ask);
}

#[test]
fn fish_completes_verbs_and_values() {
    let Some(shell) = Shell::find("fish") else { return };
    let ask = |line: &str| {
        let program =
            format!("source {}; complete --do-complete {line:?}", quoted(&shell.script()));
        shell.run(&["--no-config", "-c", &program])
    };
    check(&shell, ask);
}

/// Zsh completes on a terminal only: `zpty` gives it one. The script is in a folder of `$fpath`, and what is
/// offered is caught where it is handed to the shell.
#[test]
fn zsh_completes_verbs_and_values() {
    let Some(shell) = Shell::find("zsh") else { return };
    let functions = shell.folder.path().join("functions");
    fs::create_dir(&functions).unwrap();
    fs::copy(shell.script(), functions.join("_wifibox-build")).unwrap();
    let caught = shell.folder.path().join("caught");
    let ready = shell.folder.path().join("ready");
    let inner = format!(
        "fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -d {dump}\n\
         compadd() {{ local -a list; builtin compadd -O list \"$@\"; print -rl -- $list >>{caught}; \
         builtin compadd \"$@\" }}\n\
         : >{ready}\n",
        ready = quoted(&ready),
        functions = quoted(&functions),
        dump = quoted(&shell.folder.path().join("dump")),
        caught = quoted(&caught)
    );
    fs::write(shell.folder.path().join("inner"), inner).unwrap();
    let ask = |line: &str| {
        fs::write(&caught, "").unwrap();
        drop(fs::remove_file(&ready));
        let program = format!(
            "zmodload zsh/zpty; zpty z zsh -f -i\n\
             zpty -w z 'source {inner}'\n\
             for try in {{1..300}}; do sleep 0.1; [[ -e {ready} ]] && break; done; sleep 0.5\n\
             zpty -w -n z $'{line}\\t'\n\
             for try in {{1..300}}; do sleep 0.1; [[ -s {caught} ]] && break; done; sleep 0.5\n\
             zpty -d z; cat {caught}",
            ready = quoted(&ready),
            inner = shell.folder.path().join("inner").display(),
            caught = quoted(&caught)
        );
        shell.run(&["-f", "-c", &program])
    };
    check(&shell, ask);
}
