//! Captures of generated hosts: each with one thing wrong must be told by its cause, and sound ones by none.

mod counted;
mod freebsd;
mod others;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::{Capture, Finding, SCRIPT, Severity, examine};

/// A capture, as names and texts; `/path` is a file of the host.
#[derive(Clone)]
struct Fake {
    files: BTreeMap<String, String>,
}

impl Fake {
    fn put(&mut self, name: &str, text: &str) -> &mut Self {
        self.files.insert(name.to_owned(), text.to_owned());
        self
    }

    /// Replaces words that must be there.
    fn change(&mut self, name: &str, from: &str, to: &str) -> &mut Self {
        let text = self.files.get_mut(name).unwrap_or_else(|| panic!("{name} is not there"));
        assert!(text.contains(from), "{name} has no {from:?}: {text}");
        *text = text.replace(from, to);
        self
    }

    /// Says of a path that nothing, or something else, is there.
    fn place(&mut self, path: &str, line: &str) -> &mut Self {
        let text = self.files.get_mut("paths").unwrap();
        let own = format!("\t{path}\t");
        let kept: Vec<&str> = text.lines().filter(|line| !line.contains(&own)).collect();
        *text = kept.join("\n") + &format!("\n{line}\n");
        self
    }

    fn lacks(&mut self, path: &str) -> &mut Self {
        self.files.remove(path);
        self.place(path, &format!("none\t{path}\t"))
    }

    fn examine(&self) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &self.files {
            let path = match name.strip_prefix('/') {
                Some(path) => folder.path().join("root").join(path),
                None => folder.path().join(name),
            };
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        examine(&Capture::open(folder.path()).unwrap())
    }
}

thread_local! {
    /// The causes that captures were named by in this thread, one for each capture, and how many captures were sound.
    static SEEN: RefCell<(Vec<String>, usize)> = const { RefCell::new((Vec::new(), 0)) };
}

/// Nothing is found.
fn is_sound(fake: &Fake) {
    assert_eq!(fake.examine(), []);
    SEEN.with_borrow_mut(|(_, sound)| *sound += 1);
}

/// The worst cause must be this one, with something to type; what else there is must be an effect of it.
fn expect(fake: &Fake, cause: &str, severity: Severity, cure: &str) {
    let found = fake.examine();
    let causes: Vec<&str> = found.iter().map(|finding| finding.cause).collect();
    let Some(first) = found.first() else { panic!("{cause}: nothing is found") };
    assert_eq!((first.cause, first.severity), (cause, severity), "{cause}: {causes:?}");
    assert!(causes.len() <= 2, "{cause}: {found:#?}");
    let typed = first.cure.join("\n");
    assert!(typed.contains(cure), "{cause}: no {cure:?} in {typed}");
    for finding in &found {
        assert!(finding.what.ends_with('.'), "{}", finding.what);
        assert!(!finding.cure.is_empty(), "{}: no cure", finding.cause);
    }
    SEEN.with_borrow_mut(|(causes, _)| causes.push(cause.to_owned()));
}

#[test]
fn a_folder_that_is_no_capture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Capture::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("doctor --script"), "{error}");
    fs::write(folder.path().join("system"), "Plan9\n").unwrap();
    assert!(Capture::open(folder.path()).is_err());
}

#[test]
fn the_script_captures_this_machine_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("capture");
    let script = folder.path().join("capture.sh");
    fs::write(&script, SCRIPT).unwrap();
    let status = Command::new("sh").arg(&script).arg(&out).status().unwrap();
    assert!(status.success());
    let capture = Capture::open(&out).unwrap();
    assert!(!capture.output("uname").is_empty());
    assert!(capture.place("/var/log/wifibox.log").is_some(), "paths are noted");
    // Whatever is on this machine: it is read to the end.
    let _ = examine(&capture);
}

#[test]
fn passwords_stay_on_the_host() {
    let filter = SCRIPT.lines().find(|line| line.contains("left out")).unwrap();
    let expression = filter.trim().trim_start_matches("-e '").trim_end_matches("' \\");
    let text = "network={\n  ssid=\"home\"\n  psk=\"secret1\"\n  password=secret2\n#psk=secret3\n\
                 private_key_passwd=\"secret4\"\n}\nwpa_passphrase=secret5\nsae_password=secret6|id=x\n\
                 wep_key0=secret7\nwpa_psk=secret8\n";
    let mut sed = Command::new("sed")
        .args(["-E", expression])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut sed.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let shown = String::from_utf8(sed.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("ssid=\"home\"") && shown.contains("psk=\"left out\""), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}
