//! Alpine packages (format v2) and repositories for tests: `.apk` files and signed indexes.

use std::fs;
use std::path::Path;

use tar::EntryType;
use wifibox_formats::Identity;
use wifibox_formats::apk::signature::Kind;
use wifibox_ground::digest::Sha256;

use super::apkkeys::SigningKey;
use super::kernel::{BUILT_IN, kernel_image};
pub use super::rawtar::{Member, gzip, tar};

/// The gzip member of signatures over `message`; nothing if nobody signs.
pub fn signatures(signers: &[(Kind, SigningKey)], message: &[u8]) -> Vec<u8> {
    let files = signers.iter().map(|(kind, key)| {
        Member::new(key.signature_file(*kind), EntryType::Regular, key.sign(*kind, message))
    });
    let files: Vec<_> = files.collect();
    if files.is_empty() { Vec::new() } else { gzip(&tar(&files, false)) }
}

/// A package to be made.
#[derive(Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// `x86_64` unless changed.
    pub architecture: String,
    /// Lines of `.PKGINFO` beside those that every package has.
    pub info: Vec<(String, String)>,
    pub control: Vec<Member>,
    pub data: Vec<Member>,
    pub signers: Vec<(Kind, SigningKey)>,
    /// In how many gzip members its data are.
    pub data_members: usize,
    /// The `datahash` that `.PKGINFO` gives instead of the true one.
    pub data_hash: Option<String>,
}

/// A package, or what is to become one, in its parts: gzip members.
pub struct Parts {
    pub signature: Vec<u8>,
    pub control: Vec<u8>,
    pub data: Vec<u8>,
}

impl Parts {
    pub fn join(&self) -> Vec<u8> {
        [&self.signature[..], &self.control, &self.data].concat()
    }
}

impl Package {
    pub fn new(name: &str, version: &str) -> Self {
        Package {
            name: name.into(),
            version: version.into(),
            architecture: "x86_64".into(),
            info: Vec::new(),
            control: Vec::new(),
            data: Vec::new(),
            signers: Vec::new(),
            data_members: 1,
            data_hash: None,
        }
    }

    /// Adds a line to `.PKGINFO` (`depend`).
    pub fn info(mut self, key: &str, value: &str) -> Self {
        self.info.push((key.into(), value.into()));
        self
    }

    /// Adds a control file by its full name (`.post-install`).
    pub fn control(mut self, name: &str, content: &[u8]) -> Self {
        self.control.push(Member::new(name, EntryType::Regular, content));
        self
    }

    /// Adds a member to the data as it is.
    pub fn raw(mut self, member: Member) -> Self {
        self.data.push(member);
        self
    }

    /// Adds a member, with its checksum and the directories on the way.
    pub fn member(mut self, member: Member) -> Self {
        for (at, _) in member.path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let parent = &member.path[..at];
            if !self.data.iter().any(|known| known.path == parent) {
                self.data.push(Member::new(parent, EntryType::Directory, b""));
            }
        }
        self.raw(member.checked())
    }

    pub fn file(self, path: &str, mode: u32, content: impl Into<Vec<u8>>) -> Self {
        self.member(Member { mode, ..Member::new(path, EntryType::Regular, content) })
    }

    /// The files of a kernel that calls itself `release` and has everything built in; `image` is the path of its image.
    pub fn kernel(self, image: &str, release: &str) -> Self {
        let modules = format!("lib/modules/{release}");
        self.file(image, 0o644, kernel_image(release))
            .file(&format!("{modules}/modules.builtin"), 0o644, BUILT_IN)
            .file(&format!("{modules}/modules.builtin.modinfo"), 0o644, "squashfs.license=GPL\0")
            .file(&format!("{modules}/modules.order"), 0o644, "")
    }

    pub fn directory(self, path: &str, mode: u32) -> Self {
        self.member(Member { mode, ..Member::new(path, EntryType::Directory, b"") })
    }

    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.member(Member::new(path, EntryType::Symlink, b"").to(target))
    }

    pub fn hard_link(self, path: &str, target: &str) -> Self {
        self.member(Member::new(path, EntryType::Link, b"").to(target))
    }

    pub fn signed(mut self, kind: Kind, key: &SigningKey) -> Self {
        self.signers.push((kind, key.clone()));
        self
    }

    fn compressed_data(&self) -> Vec<u8> {
        let data = tar(&self.data, true);
        let size = data.len().div_ceil(self.data_members);
        data.chunks(size).flat_map(gzip).collect()
    }

    pub fn parts(&self) -> Parts {
        let data = self.compressed_data();
        let hash = self.data_hash.clone().unwrap_or_else(|| Sha256::of(&data).to_string());
        let mut text = format!(
            "# Generated for tests\npkgname = {}\npkgver = {}\narch = {}\n",
            self.name, self.version, self.architecture
        );
        for (key, value) in &self.info {
            text.push_str(&format!("{key} = {value}\n"));
        }
        if !hash.is_empty() {
            text.push_str(&format!("datahash = {hash}\n"));
        }
        let mut control = vec![Member::new(".PKGINFO", EntryType::Regular, text)];
        control.extend(self.control.iter().cloned());
        let control = gzip(&tar(&control, false));
        Parts { signature: signatures(&self.signers, &control), control, data }
    }

    pub fn build(&self) -> Vec<u8> {
        self.parts().join()
    }

    pub fn file_name(&self) -> String {
        format!("{}-{}.apk", self.name, self.version)
    }

    /// Its record in an index. As Alpine's, it does not say what the package replaces.
    pub fn record(&self) -> String {
        let identity = Identity::of_control(&self.parts().control);
        let (name, version, size) = (&self.name, &self.version, self.build().len());
        let mut text =
            format!("C:{identity}\nP:{name}\nV:{version}\nA:{}\nS:{size}\n", self.architecture);
        for (key, field) in [
            ("size", 'I'),
            ("pkgdesc", 'T'),
            ("url", 'U'),
            ("license", 'L'),
            ("origin", 'o'),
            ("builddate", 't'),
            ("depend", 'D'),
            ("provides", 'p'),
            ("install_if", 'i'),
            ("provider_priority", 'k'),
        ] {
            let values = self.info.iter().filter(|(known, _)| known == key);
            let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
            if !values.is_empty() {
                text.push_str(&format!("{field}:{}\n", values.join(" ")));
            }
        }
        text
    }
}

/// A repository of one architecture.
#[derive(Clone, Default)]
pub struct Repository {
    pub packages: Vec<Package>,
    pub description: String,
    pub signers: Vec<(Kind, SigningKey)>,
}

impl Repository {
    pub fn new(packages: impl IntoIterator<Item = Package>) -> Self {
        let packages = packages.into_iter().collect();
        Repository { packages, description: "v0.1".into(), signers: Vec::new() }
    }

    pub fn signed(mut self, kind: Kind, key: &SigningKey) -> Self {
        self.signers.push((kind, key.clone()));
        self
    }

    /// The part of the index that is signed.
    pub fn unsigned_index(&self) -> Vec<u8> {
        let text: String = self.packages.iter().map(|package| package.record() + "\n").collect();
        let description = Member::new("DESCRIPTION", EntryType::Regular, &*self.description);
        gzip(&tar(&[description, Member::new("APKINDEX", EntryType::Regular, text)], true))
    }

    pub fn index(&self) -> Vec<u8> {
        let signed = self.unsigned_index();
        [signatures(&self.signers, &signed), signed].concat()
    }

    /// Writes index and packages into a folder, which is `<repository>/<architecture>`.
    pub fn publish(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("APKINDEX.tar.gz"), self.index()).unwrap();
        for package in &self.packages {
            fs::write(folder.join(package.file_name()), package.build()).unwrap();
        }
    }
}
