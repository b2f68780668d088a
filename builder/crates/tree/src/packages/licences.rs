//! Collects the licence files of packages while they are unpacked.
//!
//! Recipes leave documentation out of the guest, so these files are not in its tree: `copyright` files
//! and links between documentation folders (Debian Policy 12.5), `usr/share/common-licenses`,
//! `usr/share/licenses`, and linux-firmware's WHENCE and LICENCE files beside the firmware.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::{Deserialize, Serialize};

use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_formats::deb822::Reader;
use wifibox_formats::reader::Source;
use wifibox_ground::content::Content;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;

/// The largest file that is taken in, in bytes. The largest in Debian have some 2 MB.
const FILE_LIMIT: u64 = 8 << 20;
/// The most that is taken in from all packages together, in bytes.
const TOTAL_LIMIT: u64 = 128 << 20;

/// A licence file that cannot be read from its package.
#[derive(Debug, thiserror::Error)]
#[error("package {package}: cannot read {path}: {source}")]
pub struct CollectError {
    /// The package.
    pub package: String,
    /// The file.
    pub path: GuestPath,
    /// The underlying I/O error.
    pub source: io::Error,
}

/// The source of a package, as its control file names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Control {
    /// Name of the source package, where it differs from the package's.
    pub source: Option<String>,
    /// Version of the source package, where it differs from the package's.
    pub source_version: Option<String>,
    /// The commit of the distribution's repository of recipes that the package was built from.
    pub commit: Option<String>,
    /// Other sources that went into the package (`Built-Using`, `Static-Built-Using`): name, version.
    pub built_using: Vec<(String, String)>,
}

impl Control {
    /// Reads control fields: deb-control(5), which opkg uses too. `None` where there are none.
    pub(crate) fn of_fields(fields: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(fields);
        let Ok(Some(record)) = reader.next_record() else { return None };
        let mut control = Control::default();
        if let Some(source) = record.get("Source") {
            let (name, version) = name_and_version(source);
            control.source = Some(name);
            control.source_version = version;
        }
        for field in ["Built-Using", "Static-Built-Using"] {
            let items = record.get(field).unwrap_or_default().split(',').map(name_and_version);
            for (name, version) in items.filter(|(name, _)| !name.is_empty()) {
                let version = version.unwrap_or_default();
                control.built_using.push((name, version.trim_start_matches(['=', ' ']).to_owned()));
            }
        }
        control.built_using.sort();
        control.built_using.dedup();
        Some(control)
    }

    /// The source that a package names; `None` where it names none.
    pub(crate) fn of_source(source: &Source) -> Option<Self> {
        match source {
            Source::Fields(fields) => Control::of_fields(fields),
            Source::Origin { origin, commit } => Some(Control::of_origin(origin, commit)),
        }
    }

    fn of_origin(origin: &str, commit: &str) -> Self {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Control { source: said(origin), commit: said(commit), ..Control::default() }
    }
}

/// The licence files of all packages of a guest, with the links between them.
#[derive(Debug, Default)]
pub struct Collector {
    /// The files, where their packages have them.
    pub tree: Tree,
    /// Which package brought which files.
    pub files: BTreeMap<String, BTreeSet<GuestPath>>,
    /// The sources that control files name, by package.
    pub controls: BTreeMap<String, Control>,
    /// The files that could not be taken in, by package.
    pub skipped: BTreeMap<String, Vec<String>>,
    total: u64,
}

impl Collector {
    /// An empty collector.
    pub fn new() -> Self {
        Collector { tree: Tree::new(), ..Collector::default() }
    }

    /// Notes the source that `package` names.
    pub fn said(&mut self, package: &str, control: Control) {
        self.controls.insert(package.to_owned(), control);
    }

    /// Takes a copy of `entry` where it is about licences, and hands every entry on to `next`.
    ///
    /// # Errors
    /// The error of `next`, or [`CollectError`].
    pub fn pass<E: From<CollectError>>(
        &mut self,
        package: &str,
        entry: Entry<'_>,
        next: impl FnOnce(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let link = matches!(entry.kind, EntryKind::Symlink(_));
        if !is_material(&entry.path, link) {
            return next(entry);
        }
        let path = entry.path.clone();
        match entry.kind {
            EntryKind::File { size, content } => {
                if size > FILE_LIMIT || self.total.saturating_add(size) > TOTAL_LIMIT {
                    let note = format!("{path} has {size} bytes, which is too much to take in");
                    self.skipped.entry(package.to_owned()).or_default().push(note);
                    return next(Entry { kind: EntryKind::File { size, content }, ..entry });
                }
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).map_err(|source| {
                    E::from(CollectError {
                        package: package.to_owned(),
                        path: path.clone(),
                        source,
                    })
                })?;
                self.total = self.total.saturating_add(bytes.len() as u64);
                self.keep(package, &path, Kind::File(Content::from_bytes(bytes.clone())));
                let mut again = bytes.as_slice();
                next(Entry { kind: EntryKind::File { size, content: &mut again }, ..entry })
            }
            EntryKind::Symlink(target) => {
                self.keep(package, &path, Kind::Symlink(target.clone()));
                next(Entry { kind: EntryKind::Symlink(target), ..entry })
            }
            EntryKind::HardLink(target) => {
                if let Some((_, Node { kind: Kind::File(content), .. })) = self.tree.lookup(&target)
                {
                    let content = content.clone();
                    self.keep(package, &path, Kind::File(content));
                }
                next(Entry { kind: EntryKind::HardLink(target), ..entry })
            }
            other => next(Entry { kind: other, ..entry }),
        }
    }

    fn keep(&mut self, package: &str, path: &GuestPath, kind: Kind) {
        let origin = Origin::Package(package.to_owned());
        let node = Node { meta: Meta::with_mode(0o644), kind, origin };
        // A path that another package blocks is a damaged pair of packages, which unpacking reports.
        if self.tree.replace(path, node).is_ok() {
            self.files.entry(package.to_owned()).or_default().insert(path.clone());
        }
    }

    /// The text at `path`, links followed, and where it really is.
    pub fn text(&self, path: &str) -> Option<(GuestPath, String)> {
        let path = GuestPath::new(path).ok()?;
        let (real, node) = self.tree.lookup(&path)?;
        let Kind::File(content) = &node.kind else { return None };
        Some((real, String::from_utf8_lossy(&content.read().ok()?).into_owned()))
    }

    /// The files that `package` itself brought, links left out.
    pub fn files_of(&self, package: &str) -> impl Iterator<Item = (&GuestPath, &Content)> {
        let paths = self.files.get(package).into_iter().flatten();
        paths.filter_map(|path| match self.tree.get(path) {
            Some(Node { kind: Kind::File(content), .. }) => Some((path, content)),
            _ => None,
        })
    }
}

/// `name (version)`, the version optional.
fn name_and_version(text: &str) -> (String, Option<String>) {
    match text.split_once('(') {
        Some((name, rest)) => {
            (name.trim().to_owned(), Some(rest.trim_end().trim_end_matches(')').trim().to_owned()))
        }
        None => (text.trim().to_owned(), None),
    }
}

/// Whether a member of a package says something about licences. Of links, those between folders of
/// documentation count too.
fn is_material(path: &GuestPath, link: bool) -> bool {
    let Some(path) = path.as_str() else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    if let Some(inside) = path.strip_prefix("usr/share/doc/") {
        return name == "copyright" || (link && !inside.contains('/'));
    }
    if path.starts_with("usr/share/common-licenses/") || path.starts_with("usr/share/licenses/") {
        return true;
    }
    let firmware = path.strip_prefix("usr/").unwrap_or(path).strip_prefix("lib/firmware/");
    firmware.is_some()
        && (name == "WHENCE"
            || ["LICENCE", "LICENSE", "GPL-", "NOTICE"].iter().any(|begin| name.starts_with(begin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry<'a>(path: &str, kind: EntryKind<'a>) -> Entry<'a> {
        Entry::new(GuestPath::new(path).expect("a path"), 0o644, kind)
    }

    #[test]
    fn licence_files_are_copied_and_still_handed_on() {
        let mut collector = Collector::new();
        for (path, text) in [("usr/share/doc/a/copyright", "terms"), ("usr/bin/a", "program")] {
            let mut content = text.as_bytes();
            let kind = EntryKind::File { size: text.len() as u64, content: &mut content };
            let mut seen = String::new();
            let passed = collector.pass("a", entry(path, kind), |entry| {
                let EntryKind::File { size, content } = entry.kind else { panic!("a file") };
                content.read_to_string(&mut seen).expect("readable");
                assert_eq!(size, seen.len() as u64);
                Ok::<(), CollectError>(())
            });
            passed.expect("passed");
            assert_eq!(seen, text, "{path}");
        }
        let link = EntryKind::Symlink(b"a".to_vec());
        let passed =
            collector.pass("b", entry("usr/share/doc/b", link), |_| Ok::<(), CollectError>(()));
        passed.expect("passed");
        let (real, text) = collector.text("usr/share/doc/b/copyright").expect("through the link");
        assert_eq!(
            (real.to_string().as_str(), text.as_str()),
            ("/usr/share/doc/a/copyright", "terms")
        );
        assert_eq!(collector.files_of("a").count(), 1);
        assert_eq!(collector.files_of("b").count(), 0);
    }

    #[test]
    fn what_is_too_large_is_said_and_handed_on() {
        let mut collector = Collector::new();
        let mut content = io::empty();
        let kind = EntryKind::File { size: FILE_LIMIT + 1, content: &mut content };
        let mut handed_on = false;
        let passed = collector.pass("a", entry("usr/share/doc/a/copyright", kind), |_| {
            handed_on = true;
            Ok::<(), CollectError>(())
        });
        passed.expect("passed");
        assert!(handed_on && collector.text("usr/share/doc/a/copyright").is_none());
        assert!(collector.skipped["a"][0].contains("too much"));
    }

    #[test]
    fn control_fields_name_the_source() {
        let fields = "Package: linux-image\nSource: linux-signed-amd64 (6.12.1+1)\n\
                      Built-Using: linux (= 6.12.1-1), gcc-14 (= 14.2)\nVersion: 6.12.1-1\n";
        let control = Control::of_fields(fields.as_bytes()).expect("fields");
        assert_eq!(control.source.as_deref(), Some("linux-signed-amd64"));
        assert_eq!(control.source_version.as_deref(), Some("6.12.1+1"));
        let using = [("gcc-14", "14.2"), ("linux", "6.12.1-1")];
        assert_eq!(control.built_using, using.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn only_what_is_about_licences_is_kept() {
        let material = |path: &str, link| is_material(&GuestPath::new(path).expect("a path"), link);
        for path in [
            "usr/share/doc/a/copyright",
            "usr/share/common-licenses/GPL-2",
            "usr/share/licenses/a/LICENSE",
            "lib/firmware/WHENCE",
            "usr/lib/firmware/LICENCE.iwlwifi_firmware",
            "lib/firmware/qca/NOTICE.txt",
        ] {
            assert!(material(path, false), "{path}");
        }
        for path in ["usr/share/doc/a/changelog.gz", "usr/bin/copyright", "lib/firmware/a.bin"] {
            assert!(!material(path, false), "{path}");
        }
        assert!(material("usr/share/doc/a", true) && !material("usr/share/doc/a/README", true));
    }
}
