//! Debian packages and archives for tests: `.deb` files, Packages indexes, signed Release files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use pgp::crypto::hash::HashAlgorithm;
use wifibox_ground::codec::Compression;
use wifibox_ground::digest::Sha256;

use super::keys::{Key, clearsign, detached};
pub use super::tarball::{Member, ar, pack, tarball};
use super::tarball::{Members, add_member, no_members};

/// A package to be made.
#[derive(Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// How its control and data are compressed.
    pub compression: Compression,
    fields: Vec<(String, String)>,
    control: BTreeMap<String, Vec<u8>>,
    data: Members,
}

impl Package {
    pub fn new(name: &str, version: &str, architecture: &str) -> Self {
        Package {
            name: name.into(),
            version: version.into(),
            architecture: architecture.into(),
            compression: Compression::Xz,
            fields: Vec::new(),
            control: BTreeMap::new(),
            data: no_members(),
        }
    }

    /// Adds a control field (`Depends`).
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a control file (`postinst`, `conffiles`).
    pub fn control(mut self, name: &str, content: &[u8]) -> Self {
        self.control.insert(name.into(), content.into());
        self
    }

    /// Adds a file; `path` without a leading `/`. Directories on the way come along.
    pub fn file(self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.member(path, Member::File(mode, content.into()))
    }

    pub fn directory(self, path: &str, mode: u32) -> Self {
        self.member(path, Member::Directory(mode))
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.member(path, Member::Symlink(target.into()))
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.member(path, Member::HardLink(format!("./{target}")))
    }

    pub fn compressed(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    fn member(mut self, path: &str, member: Member) -> Self {
        add_member(&mut self.data, path, member);
        self
    }

    /// The control fields, as in the package.
    pub fn stanza(&self) -> String {
        let Package { name, version, architecture, .. } = self;
        let mut text = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n\
             Maintainer: Nobody <nobody@example.org>\nDescription: a package for tests\n"
        );
        for (field, value) in &self.fields {
            text.push_str(&format!("{field}: {value}\n"));
        }
        text
    }

    /// Its name in the pool; epochs are dropped.
    pub fn file_name(&self) -> String {
        let version = self.version.split_once(':').map_or(&*self.version, |(_, rest)| rest);
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }

    pub fn build(&self) -> Vec<u8> {
        let mut control = self.control.clone();
        // A package that lies about itself brings its own.
        control.entry("control".into()).or_insert_with(|| self.stanza().into_bytes());
        let mode =
            |name: &str| if name.ends_with("inst") || name.ends_with("rm") { 0o755 } else { 0o644 };
        let control = control.into_iter().map(|(name, content)| {
            let mode = mode(&name);
            (name, Member::File(mode, content))
        });
        let suffix = self.compression.suffix();
        let members = [
            ("debian-binary".to_owned(), b"2.0\n".to_vec()),
            (format!("control.tar{suffix}"), pack(self.compression, &tarball(control))),
            (format!("data.tar{suffix}"), pack(self.compression, &tarball(self.data.clone()))),
        ];
        ar(&members)
    }
}

/// A suite to be published.
#[derive(Clone)]
pub struct Suite {
    pub name: String,
    pub component: String,
    pub architecture: String,
    pub packages: Vec<Package>,
    pub date: Timestamp,
    pub valid_until: Option<Timestamp>,
    pub by_hash: bool,
    /// The forms in which the index is there.
    pub forms: Vec<Compression>,
    /// Whether there is an `InRelease`, or only `Release` and `Release.gpg`.
    pub inrelease: bool,
    /// Before the component's name in the Release file: the security archive has `updates/`.
    pub prefix: String,
    /// More fields of the Release file, each with the end of its line.
    pub fields: String,
}

impl Suite {
    /// `trixie`, component `main`, architecture `amd64`, dated `date`.
    pub fn new(date: Timestamp, packages: impl IntoIterator<Item = Package>) -> Self {
        Suite {
            name: "trixie".into(),
            component: "main".into(),
            architecture: "amd64".into(),
            packages: packages.into_iter().collect(),
            date,
            valid_until: None,
            by_hash: true,
            forms: vec![Compression::Xz, Compression::Gzip],
            inrelease: true,
            prefix: String::new(),
            fields: String::new(),
        }
    }

    /// Writes packages, index and Release files below `folder`, signed by `keys` at the date of
    /// the suite. Returns the path of the index that is preferred, below `folder`.
    pub fn publish(&self, folder: &Path, keys: &[&Key]) -> String {
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let mut index = String::new();
        for package in &self.packages {
            let bytes = package.build();
            let path = format!("pool/{}/{}", self.component, package.file_name());
            write(&path, &bytes);
            index.push_str(&format!(
                "{}Filename: {path}\nSize: {}\nSHA256: {}\n\n",
                package.stanza(),
                bytes.len(),
                Sha256::of(&bytes)
            ));
        }
        let base = format!("dists/{}", self.name);
        let binary = format!("{}/binary-{}", self.component, self.architecture);
        let listed =
            |path: &str, bytes: &[u8]| format!(" {} {} {path}\n", Sha256::of(bytes), bytes.len());
        // Like Debian's own, the plain index is listed without being there.
        let mut files = listed(&format!("{binary}/Packages"), index.as_bytes());
        let mut preferred = String::new();
        for form in &self.forms {
            let bytes = pack(*form, index.as_bytes());
            let path = format!("{binary}/Packages{}", form.suffix());
            write(&format!("{base}/{path}"), &bytes);
            if *form != Compression::None {
                files.push_str(&listed(&path, &bytes));
            }
            let mut found = format!("{base}/{path}");
            if self.by_hash {
                found = format!("{base}/{binary}/by-hash/SHA256/{}", Sha256::of(&bytes));
                write(&found, &bytes);
            }
            if preferred.is_empty() {
                preferred = found;
            }
        }
        let release = self.release(&files);
        let at = u32::try_from(self.date.as_second()).unwrap();
        if self.inrelease {
            let signed = clearsign(&release, keys, at, HashAlgorithm::Sha512);
            write(&format!("{base}/InRelease"), signed.as_bytes());
        }
        write(&format!("{base}/Release"), release.as_bytes());
        write(&format!("{base}/Release.gpg"), &detached(release.as_bytes(), keys, at));
        preferred
    }

    /// The text of the Release file that lists `files`.
    pub fn release(&self, files: &str) -> String {
        let mut text = format!(
            "Origin: Test\nSuite: stable\nCodename: {}\nVersion: 13.0\nDate: {}\n",
            self.name,
            date(self.date)
        );
        if let Some(until) = self.valid_until {
            text.push_str(&format!("Valid-Until: {}\n", date(until)));
        }
        if self.by_hash {
            text.push_str("Acquire-By-Hash: yes\n");
        }
        text.push_str(&self.fields);
        text.push_str(&format!(
            "No-Support-for-Architecture-all: Packages\nArchitectures: all {}\nComponents: {}{}\n\
             SHA256:\n{files}",
            self.architecture, self.prefix, self.component
        ));
        text
    }
}

/// `Sat, 12 Sep 2026 07:55:41 UTC`
pub fn date(time: Timestamp) -> String {
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string()
}
