//! dpkg's own verdict on at least a thousand pairs of real Debian versions, against ours.
//!
//! The versions come from the `Packages` lists that the machine's apt keeps. Where there is no dpkg or
//! no list the test says loudly that it checked nothing; in CI (`CI` is set) that is a failure.
#![expect(clippy::expect_used, reason = "helpers of a test may panic")]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use wifibox_ground::version::Scheme;

const LISTS: &str = "/var/lib/apt/lists";
const PAIRS: usize = 1000;

/// Compares each pair that it reads and prints `<`, `=`, `>` or `invalid`.
const SCRIPT: &str = r#"while read -r a b; do
    dpkg --compare-versions "$a" lt "$b"; less=$?
    dpkg --compare-versions "$a" gt "$b"; more=$?
    case $less$more in 01) echo '<';; 10) echo '>';; 11) echo '=';; *) echo invalid;; esac
done"#;

/// Says that nothing was checked; in CI that fails.
#[expect(clippy::print_stderr, reason = "a test that checks nothing has to say so")]
fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "cannot compare with dpkg: {why}");
    eprintln!("SKIPPED, NOTHING WAS COMPARED WITH DPKG: {why}");
}

/// The text of a list, which apt may keep compressed.
fn read(path: &Path) -> Option<String> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Some(text);
    }
    let helper = Command::new("/usr/lib/apt/apt-helper").arg("cat-file").arg(path).output().ok()?;
    helper.status.success().then(|| String::from_utf8_lossy(&helper.stdout).into_owned())
}

/// Every version of a package, and every version that a dependency speaks of.
fn versions() -> BTreeSet<String> {
    let mut versions = BTreeSet::new();
    let entries = std::fs::read_dir(LISTS).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().contains("_Packages"));
    paths.sort();
    for text in paths.iter().filter_map(|path| read(path)) {
        for line in text.lines() {
            if let Some(version) = line.strip_prefix("Version: ") {
                versions.insert(version.trim().to_owned());
            } else if line.starts_with("Depends: ") {
                let bounds = line.split(['(', ')']).skip(1).step_by(2);
                let bounds = bounds.filter_map(|bound| bound.split_once(' '));
                versions.extend(bounds.map(|(_, version)| version.trim().to_owned()));
            }
        }
    }
    versions.retain(|version| !version.contains(' ') && !version.starts_with('-'));
    versions
}

/// The answer of dpkg for each pair.
fn ask_dpkg(pairs: &[(&str, &str)]) -> Vec<String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = shell.spawn().expect("a shell");
    let mut input = child.stdin.take().expect("its input");
    let questions: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().expect("answers");
    writer.join().expect("a thread").expect("questions written");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn versions_order_as_dpkg_orders_them() {
    if Command::new("dpkg").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skip("there is no dpkg here");
    }
    let versions: Vec<String> = versions().into_iter().collect();
    if versions.len() < PAIRS {
        return skip(&format!(
            "{LISTS} holds only {} versions; run apt-get update",
            versions.len()
        ));
    }
    // Neighbours in the order of their text are alike, which is where orders go wrong.
    let step = (versions.len() / PAIRS).max(1);
    let near = versions.windows(2).step_by(step).take(PAIRS);
    let far = versions.iter().zip(versions.iter().rev()).step_by(step * 5).take(PAIRS / 5);
    let mut pairs: Vec<(&str, &str)> =
        near.map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    pairs.extend(far.map(|(a, b)| (a.as_str(), b.as_str())));
    assert!(pairs.len() >= 1000, "{} pairs", pairs.len());
    let answers = ask_dpkg(&pairs);
    assert_eq!(answers.len(), pairs.len(), "one answer for each pair");
    for ((a, b), answer) in pairs.iter().zip(answers) {
        let ours = match Scheme::Dpkg.compare(a, b) {
            Some(std::cmp::Ordering::Less) => "<",
            Some(std::cmp::Ordering::Equal) => "=",
            Some(std::cmp::Ordering::Greater) => ">",
            None => "invalid",
        };
        assert_eq!(ours, answer, "{a} against {b}");
    }
}
