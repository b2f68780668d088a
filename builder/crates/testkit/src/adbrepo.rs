//! Packages and feeds of apk v3 for tests: unsigned packages with files, an index that a key signs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::adbkeys::Signer;
use super::adbwriter::{
    ADB, Packing, V, block, data, dependency, directory, file, index, info, link, object, pack,
    payload, plain, text,
};

/// A package to be made.
#[derive(Clone)]
pub struct Package {
    pub name: String,
    pub version: String,
    depends: Vec<V>,
    provides: Vec<V>,
    post_install: Option<String>,
    /// Files and links by folder and name: mode and bytes, or a target.
    files: BTreeMap<String, BTreeMap<String, Member>>,
}

#[derive(Clone)]
enum Member {
    File(u64, Vec<u8>),
    Symlink(String),
}

/// The `post-install` that OpenWrt gives every package, around the package's own lines.
pub(crate) fn post_install(name: &str, own: &str) -> String {
    format!(
        "#!/bin/sh\n[ \"${{IPKG_NO_SCRIPT}}\" = \"1\" ] && exit 0\n\
         [ -s ${{IPKG_INSTROOT}}/lib/functions.sh ] || exit 0\n. ${{IPKG_INSTROOT}}/lib/functions.sh\n\
         export root=\"${{IPKG_INSTROOT}}\"\nexport pkgname=\"{name}\"\nadd_group_and_user\n\
         default_postinst\n{own}"
    )
}

impl Package {
    /// A package as OpenWrt makes them, with the standard script.
    pub fn new(name: &str, version: &str) -> Self {
        Package {
            name: name.into(),
            version: version.into(),
            depends: Vec::new(),
            provides: Vec::new(),
            post_install: Some(post_install(name, "")),
            files: BTreeMap::new(),
        }
    }

    /// Adds a dependency, on exactly this version if one is given.
    pub fn depends(mut self, name: &str, version: Option<&str>) -> Self {
        self.depends.push(dependency(name, version, version.map_or(0, |_| 1)));
        self
    }

    /// Adds what must not be there.
    pub fn conflicts(mut self, name: &str) -> Self {
        self.depends.push(dependency(name, None, 16));
        self
    }

    /// Adds a name that it stands for.
    pub fn provides(mut self, name: &str) -> Self {
        self.provides.push(dependency(name, None, 0));
        self
    }

    /// The lines of its script that follow the standard ones; `None` for no script.
    pub fn script(mut self, own: Option<&str>) -> Self {
        self.post_install = own.map(|own| post_install(&self.name, own));
        self
    }

    /// Without a script, as other distributions' packages.
    pub fn plain(self) -> Self {
        self.script(None)
    }

    /// Adds a file; `path` without a leading `/`.
    pub fn file(self, path: &str, mode: u64, content: impl Into<Vec<u8>>) -> Self {
        self.member(path, Member::File(mode, content.into()))
    }

    /// Adds an empty directory.
    pub fn directory(mut self, path: &str) -> Self {
        self.files.entry(path.into()).or_default();
        self
    }

    /// Adds a symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.member(path, Member::Symlink(target.into()))
    }

    fn member(mut self, path: &str, member: Member) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.files.entry(folder.into()).or_default().insert(name.into(), member);
        self
    }

    fn info(&self) -> BTreeMap<usize, V> {
        let mut fields = info(&self.name, &self.version);
        fields.insert(6, text("MIT"));
        fields.insert(11, V::Int(1_700_000_000));
        let lists = [(15, &self.depends), (16, &self.provides)];
        for (slot, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            fields.insert(slot, V::Array(list.clone()));
        }
        fields
    }

    /// The metadata and the DATA blocks.
    fn parts(&self) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (mut folders, mut blocks) = (Vec::new(), Vec::new());
        for ((folder, members), in_package) in self.files.iter().zip(1..) {
            let mut files = Vec::new();
            for ((name, member), in_folder) in members.iter().zip(1..) {
                files.push(match member {
                    Member::Symlink(target) => link(name, 0o120_000, target.as_bytes()),
                    Member::File(mode, bytes) => {
                        if !bytes.is_empty() {
                            blocks.push(data(in_package, in_folder, bytes));
                        }
                        let V::Object(mut fields) = file(name, bytes) else { unreachable!() };
                        fields.insert(2, acl_of(*mode));
                        V::Object(fields)
                    }
                });
            }
            folders.push(directory(folder, files));
        }
        let mut root = vec![(1, V::Object(self.info()))];
        if !folders.is_empty() {
            root.push((2, V::Array(folders)));
        }
        root.extend(self.post_install.iter().map(|script| (3, object([(3, text(script))]))));
        (payload(&object(root)), blocks)
    }

    /// The unsigned package.
    pub fn build(&self) -> Vec<u8> {
        let (metadata, blocks) = self.parts();
        let blocks: Vec<Vec<u8>> = std::iter::once(block(ADB, &metadata)).chain(blocks).collect();
        plain(b"pckg", &blocks)
    }

    /// Its record in an index.
    fn record(&self) -> V {
        let mut fields = self.info();
        fields.insert(3, V::Blob(Sha256::digest(self.parts().0).to_vec()));
        fields.insert(13, V::Int(self.build().len() as u64));
        V::Object(fields)
    }
}

fn acl_of(mode: u64) -> V {
    super::adbwriter::acl(mode)
}

/// The index of `packages`, signed if there is somebody to sign it.
pub(crate) fn packages_adb(packages: &[Package], signer: Option<&Signer>) -> Vec<u8> {
    let payload = payload(&index(packages.iter().map(Package::record).collect()));
    let mut blocks = vec![block(ADB, &payload)];
    blocks.extend(signer.map(|signer| signer.sign(b"indx", &payload)));
    pack(Packing::Deflate, &plain(b"indx", &blocks))
}

/// Writes a feed into `folder`.
pub fn publish(folder: &Path, packages: &[Package], signer: Option<&Signer>) {
    fs::create_dir_all(folder).unwrap();
    for package in packages {
        let name = format!("{}-{}.apk", package.name, package.version);
        fs::write(folder.join(name), package.build()).unwrap();
    }
    fs::write(folder.join("packages.adb"), packages_adb(packages, signer)).unwrap();
}
