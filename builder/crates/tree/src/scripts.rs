//! Maintainer scripts are understood or recognised, never run.
//!
//! A rule of the recipes may know a script by the hash of its text, and say what it would do; that
//! overrules everything else. Other scripts are evaluated over a tree in memory
//! (`crate::root`, by the crate `wifibox-script`). One that is neither is an error that names
//! package, script, line and command.
//!
//! Which scripts run when a package is installed on an empty system: Debian Policy, chapter 6.

use wifibox_ground::digest::Sha256;

/// A maintainer script that came with a package.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Script {
    /// The package's name.
    pub package: String,
    /// The script's name: `preinst`, `postinst`, `post-install`.
    pub name: String,
    /// Its text.
    pub text: Vec<u8>,
}

/// A recipe's rule for a script.
#[derive(Debug, Clone)]
pub struct Rule<T> {
    /// Glob over package names.
    pub package: globset::GlobMatcher,
    /// The script's name.
    pub script: String,
    /// Hashes of its normalised text, one per known revision.
    pub known: Vec<Sha256>,
    /// The effect of the script, declared.
    pub effect: T,
}

/// How a script was dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptState {
    /// It was evaluated, and did what its effects say.
    Understood,
    /// A rule of the recipes says what it does.
    ByRule,
    /// It does nothing on a fresh system.
    Empty,
}

/// A script of a package, and how it was dealt with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScriptReport {
    /// The package's name.
    pub package: String,
    /// The script's name.
    pub script: String,
    /// The hash of its normalised text, by which a rule would know it.
    pub sha256: Sha256,
    /// How it was dealt with.
    pub state: ScriptState,
    /// The reason a rule gives for not running the script.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Descriptions of its effects, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub effects: Vec<String>,
}

/// Scripts that are not understood, and that no rule covers.
#[derive(Debug, thiserror::Error)]
#[error(
    "these maintainer scripts are not understood, and no rule of the recipes knows what they do:\n{}\n  \
     read each (Debian: 'dpkg-deb --ctrl-tarfile FILE | tar -xO ./postinst', Alpine: \
     'tar -xzOf FILE .post-install', OpenWrt: 'tar -xzOf FILE ./control.tar.gz | tar -xzO \
     ./postinst-pkg', or 'apk adbdump FILE' from 25.12 on), declare what it does under \
     'scripts' of the base's recipe, and add the hash to that rule",
    .0.iter().map(|script| format!("  {script}")).collect::<Vec<_>>().join("\n")
)]
pub struct UnknownScripts(pub Vec<UnknownScript>);

/// One such script.
#[derive(Debug, thiserror::Error)]
#[error(
    "package {package}, {script}: SHA-256 {digest}{}\n    {}",
    if *.changed { " (a rule knows an earlier revision)" } else { "" },
    why.replace('\n', "\n    ")
)]
pub struct UnknownScript {
    /// The package's name.
    pub package: String,
    /// The script's name.
    pub script: String,
    /// The hash of its normalised text, which a rule would have to know.
    pub digest: Sha256,
    /// Whether a rule names this package and script, but with other hashes.
    pub changed: bool,
    /// The part that is not understood, and where it is; several lines.
    pub why: String,
}

/// Commands of dpkg-maintscript-helper(1) that act on upgrades only: on an empty system there is nothing to remove,
/// rename or replace.
const UPGRADE_HELPERS: [&str; 4] =
    ["rm_conffile", "mv_conffile", "symlink_to_dir", "dir_to_symlink"];

/// The text of a script after what changes from release to release without meaning is taken out:
/// the version in debhelper's markers (`# Automatically added by dh_installinit/13.24`), the part of
/// the package's own name from its first `-digit` on, which kernel packages write into their
/// scripts, and calls of dpkg-maintscript-helper that matter for upgrades only.
fn normalise(script: &Script) -> Vec<u8> {
    let mut text = script.text.clone();
    if let Some(release) = name_version(&script.package) {
        text = replace(&text, release.as_bytes(), b"@RELEASE@");
    }
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|b| *b == b'\n') {
        const MARKER: &[u8] = b"# Automatically added by dh_";
        let cut = line.starts_with(MARKER).then(|| line.iter().position(|b| *b == b'/')).flatten();
        match cut {
            Some(cut) => {
                out.extend_from_slice(&line[..cut]);
                out.push(b'\n');
            }
            None if is_upgrade_helper(line) => {}
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn is_upgrade_helper(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let mut words = text.split_whitespace();
    // Anything after the arguments, such as another command, keeps the line in.
    let arguments = text.trim_end().strip_suffix("-- \"$@\"").unwrap_or(&text);
    !arguments.contains([';', '|', '&', '`', '$', '<', '>', '('])
        && words.next() == Some("dpkg-maintscript-helper")
        && words.next().is_some_and(|word| UPGRADE_HELPERS.contains(&word))
}

/// The hash that recognises a script: the SHA-256 of its normalised text.
pub fn fingerprint(script: &Script) -> Sha256 {
    Sha256::of(&normalise(script))
}

/// Whether a script does nothing at all on an empty system: comments, `set -e`, `exit 0`.
fn is_inert(script: &Script) -> bool {
    let text = normalise(script);
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with('#')
            || matches!(line, "set -e" | "exit 0" | "true" | ":")
    })
}

/// The release of the kernel that a package of Debian is for, by its name: `6.12.107+deb13-amd64` of
/// `linux-image-6.12.107+deb13-amd64`.
pub fn kernel_release(package: &str) -> Option<&str> {
    name_version(package).filter(|_| package.starts_with("linux-image-"))
}

/// The part of a package's name from its first `-digit` on: `6.12.107+deb13-amd64` of
/// `linux-image-6.12.107+deb13-amd64`.
fn name_version(package: &str) -> Option<&str> {
    let at = package
        .as_bytes()
        .windows(2)
        .position(|pair| pair[0] == b'-' && pair[1].is_ascii_digit())?;
    // A bare number (`libnl-3-200`) says too little to be replaced.
    package.get(at + 1..).filter(|release| release.contains('.'))
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Prior knowledge of a script, before it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'r, T> {
    /// It does nothing on a fresh system.
    Empty,
    /// A rule says what it does.
    Rule(&'r T),
    /// Nothing is known of it.
    Unknown {
        /// Whether a rule names this package and script, but with other hashes.
        changed: bool,
    },
}

/// Looks up what `rules` know of a script.
pub fn look_up<'r, T>(script: &Script, rules: &'r [Rule<T>]) -> Known<'r, T> {
    if is_inert(script) {
        return Known::Empty;
    }
    let digest = fingerprint(script);
    let mut named = rules
        .iter()
        .filter(|rule| rule.script == script.name && rule.package.is_match(&script.package))
        .peekable();
    let changed = named.peek().is_some();
    match named.find(|rule| rule.known.contains(&digest)) {
        Some(rule) => Known::Rule(&rule.effect),
        None => Known::Unknown { changed },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(package: &str, text: &str) -> Script {
        Script { package: package.into(), name: "postinst".into(), text: text.into() }
    }

    #[test]
    fn releases_of_one_script_share_a_fingerprint() {
        let kernel = |release: &str| {
            script(&format!("linux-image-{release}"), &format!("version={release}\ndepmod\n"))
        };
        assert_eq!(fingerprint(&kernel("6.12.94-amd64")), fingerprint(&kernel("6.12.107-amd64")));
        let marked = |version: &str| {
            script("radvd", &format!("# Automatically added by dh_installinit/{version}\nx\n"))
        };
        assert_eq!(fingerprint(&marked("13.24")), fingerprint(&marked("13.25.1")));
        assert_ne!(fingerprint(&script("a", "x\n")), fingerprint(&script("a", "y\n")));
        assert_eq!(fingerprint(&script("libnl-3-200", "3-200")), Sha256::of(b"3-200"));
    }

    #[test]
    fn scripts_for_upgrades_only_need_no_rule() {
        let helper = "dpkg-maintscript-helper rm_conffile /etc/x 1.2\\~ -- \"$@\"\n";
        let text = format!("#!/bin/sh\nset -e\n# Automatically added by dh_x/1\n{helper}");
        assert_eq!(look_up::<()>(&script("tcpdump", &text), &[]), Known::Empty);
        let unknown = Known::Unknown { changed: false };
        let sly = "dpkg-maintscript-helper rm_conffile /etc/x; reboot -- \"$@\"\n";
        assert_eq!(look_up::<()>(&script("tcpdump", sly), &[]), unknown);
        assert_eq!(look_up::<()>(&script("tcpdump", "exit 0\nreboot\n"), &[]), unknown);
    }

    #[test]
    fn rules_know_scripts_by_their_text() {
        let known = script("radvd", "adduser radvd\n");
        let rules = [Rule {
            package: globset::Glob::new("rad*").expect("a glob").compile_matcher(),
            script: "postinst".into(),
            known: vec![fingerprint(&known)],
            effect: "the radvd user",
        }];
        assert_eq!(look_up(&known, &rules), Known::Rule(&"the radvd user"));
        let changed = look_up(&script("radvd", "rm -rf /\n"), &rules);
        assert_eq!(changed, Known::Unknown { changed: true });
        assert_eq!(look_up(&script("other", "x\n"), &rules), Known::Unknown { changed: false });
        let unknown = |package: &str, changed| UnknownScript {
            package: package.into(),
            script: "postinst".into(),
            digest: Sha256::of(b"x"),
            changed,
            why: "line 1: why\n  > 1 | x".into(),
        };
        let message = UnknownScripts(vec![unknown("radvd", true), unknown("other", false)]);
        let message = message.to_string();
        assert!(message.contains("package radvd, postinst: SHA-256"), "{message}");
        assert!(message.contains("earlier revision"), "{message}");
        assert!(message.contains("package other, postinst: SHA-256"), "{message}");
        assert!(message.contains("\n    line 1: why\n      > 1 | x"), "{message}");
    }
}
