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
fn a_report_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("root/etc")).unwrap();
    fs::write(folder.path().join("root/etc/rc.conf"), "wifibox_enable=YES\n").unwrap();
    fs::write(folder.path().join("system"), "FreeBSD\n").unwrap();
    std::os::unix::fs::symlink("/etc/shadow", folder.path().join("link")).unwrap();
    let made = |more: &str| {
        let mut bytes = Vec::new();
        super::pack(folder.path(), &[("doctor.txt", more.to_owned())], 1_700_000_000, &mut bytes)
            .unwrap();
        bytes
    };
    assert!(made("same") == made("same") && made("same") != made("other"));
    let bytes = made("text\n");
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(
            (entry.header().mode().unwrap(), entry.header().mtime().unwrap()),
            (0o600, 1_700_000_000)
        );
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let text = std::io::read_to_string(&mut entry).unwrap();
        (name, text)
    });
    let entries: Vec<(String, String)> = entries.collect();
    let expected = [
        ("wifibox-report/doctor.txt", "text\n"),
        ("wifibox-report/capture/root/etc/rc.conf", "wifibox_enable=YES\n"),
        ("wifibox-report/capture/system", "FreeBSD\n"),
    ];
    assert_eq!(entries, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
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
    let folder = tempfile::tempdir().unwrap();
    let share = folder.path().join("share");
    fs::create_dir(&share).unwrap();
    let supplicant = "network={\n  ssid=\"home\"\n  psk=\"hush1\"\n  password=hush2\n#psk=hush3\n\
        private_key_passwd=\"hush4\"\n}\nwpa_passphrase=hush5\nsae_password=hush6|id=x\nwep_key0=hush7\n\
        wpa_psk=hush8\nblob-base64-key={\nhush9\n}\n-----BEGIN RSA PRIVATE KEY-----\nhush10\n\
        -----END RSA PRIVATE KEY-----\ncountry=DE\n";
    let uci = "config wifi-iface\n\toption ssid 'home'\n\toption key 'hush11'\n\toption key1 hush12\n\
        \toption auth_secret \"hush13\"\n\toption 'identity' 'hush14'\n\toption priv_key_pwd 'x'\n\
        \toption password hush15\n\toption encryption 'psk2'\n";
    for (name, text) in [
        ("wpa_supplicant.conf", supplicant),
        ("wireless", uci),
        ("hostapd.wpa_psk", "00:00:00:00:00:00 hush16\n"),
        ("hostapd.eap_user", "\"me\" PEAP \"hush17\"\n"),
        ("me.key", "hush18\n"),
    ] {
        fs::write(share.join(name), text).unwrap();
    }
    let (functions, _) = SCRIPT.split_once("\n: >\"$out/paths\"").unwrap();
    let script = format!("{functions}\nbelow {}\n", share.display());
    let out = folder.path().join("capture");
    let shell = Command::new("sh").arg("-c").arg(&script).arg("sh").arg(&out).status();
    assert!(shell.unwrap().success());
    let kept = out.join("root").join(share.strip_prefix("/").unwrap());
    let mut names: Vec<String> = fs::read_dir(&kept)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["wireless", "wpa_supplicant.conf"]);
    let all = ["wireless", "wpa_supplicant.conf"]
        .map(|name| fs::read_to_string(kept.join(name)).unwrap());
    let shown = all.concat();
    for word in
        ["option ssid 'home'", "option key 'left out'", "'psk2'", "psk=\"left out\"", "country=DE"]
    {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(!shown.contains("hush"), "{shown}");
}
