//! `+MANIFEST` and `+COMPACT_MANIFEST` of a package, and its entry in the catalogue: one object in JSON, with more or
//! less in it.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::Request;
use super::contents::Contents;
use super::error::PackageError;
use super::words;
use wifibox_ground::digest::Sha256;
use wifibox_report::export::freebsd_port::{day, machine};

/// SHA-256 in hexadecimal, as pkg numbers its kinds of checksums.
const SHA256: &str = "1$";

/// What all three have.
#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    pub(super) name: String,
    origin: &'static str,
    pub(super) version: String,
    comment: &'static str,
    maintainer: &'static str,
    www: &'static str,
    abi: String,
    arch: String,
    prefix: String,
    flatsize: u64,
    licenselogic: &'static str,
    licenses: [&'static str; 2],
    desc: &'static str,
    deps: BTreeMap<&'static str, Dependency>,
    categories: [&'static str; 1],
    annotations: BTreeMap<&'static str, String>,
    lua_scripts: BTreeMap<&'static str, [String; 1]>,
    messages: [Message; 1],
    #[serde(skip)]
    files: BTreeMap<String, File>,
    #[serde(skip)]
    directories: BTreeMap<String, Owner>,
}

/// Any version will do.
#[derive(Debug, Serialize)]
struct Dependency {
    origin: &'static str,
}

#[derive(Debug, Serialize)]
struct Message {
    r#type: &'static str,
    message: &'static str,
}

#[derive(Debug, Serialize)]
struct Owner {
    uname: &'static str,
    gname: &'static str,
    perm: String,
}

#[derive(Debug, Serialize)]
struct File {
    sum: String,
    #[serde(flatten)]
    owner: Owner,
    #[serde(skip_serializing_if = "Option::is_none")]
    symlink_target: Option<String>,
    mtime: u64,
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    files: &'a BTreeMap<String, File>,
    directories: &'a BTreeMap<String, Owner>,
}

/// An entry of the catalogue.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) manifest: Manifest,
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sum: Sha256,
}

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    sum: String,
    pkgsize: u64,
    // pkg 1.2 reads the first, later ones the second.
    path: &'a str,
    repopath: &'a str,
}

fn owner(mode: u32) -> Owner {
    Owner { uname: "root", gname: "wheel", perm: format!("{mode:04o}") }
}

impl Manifest {
    /// That of the package `name` with these contents.
    pub(super) fn of(
        name: &str,
        contents: &Contents,
        request: &Request<'_>,
    ) -> Result<Self, PackageError> {
        let mtime = contents.time;
        let mut files = BTreeMap::new();
        for item in &contents.files {
            let (sum, owner) = (format!("{SHA256}{}", item.wanted.sha256), owner(item.wanted.mode));
            files
                .insert(item.wanted.path.clone(), File { sum, owner, symlink_target: None, mtime });
        }
        for (path, target) in &contents.links {
            // The sum of a link is that of its target.
            let sum = format!("{SHA256}{}", Sha256::of(target.trim_start_matches('/').as_bytes()));
            let symlink_target = Some(target.clone());
            files.insert(path.clone(), File { sum, owner: owner(0o755), symlink_target, mtime });
        }
        let directories =
            contents.folders.iter().map(|path| (path.clone(), owner(0o755))).collect();
        let links: u64 = contents.links.iter().map(|(_, target)| target.len() as u64).sum();
        let mut deps = vec![words::CORE];
        if contents.features.iter().any(|feature| feature == words::SOCKETS) {
            deps.push(words::SOCAT);
        }
        let deps = deps.into_iter().map(|(name, origin)| (name, Dependency { origin }));
        // What the files are made for is a processor; no file depends on the release of FreeBSD.
        let machine = machine(&contents.machine);
        let legacy = match machine {
            "amd64" => "x86:64",
            "aarch64" => "aarch64:64",
            other => other,
        };
        let revision = match request.revision {
            0 => String::new(),
            revision => format!("_{revision}"),
        };
        let message = Message { r#type: "install", message: words::message(&contents.features) };
        let annotations = [("build_id", &contents.build_id), ("builder", &contents.builder)];
        Ok(Manifest {
            name: name.to_owned(),
            origin: words::ORIGIN,
            version: format!("{}{revision}", day(contents.time)),
            comment: words::COMMENT,
            maintainer: words::MAINTAINER,
            www: words::WWW,
            abi: format!("FreeBSD:*:{machine}"),
            arch: format!("freebsd:*:{legacy}"),
            prefix: request.layout.prefix.clone(),
            flatsize: contents.size() + links,
            licenselogic: "and",
            licenses: words::LICENCES,
            desc: words::DESCRIPTION.trim_end(),
            deps: deps.collect(),
            categories: [words::CATEGORY],
            annotations: annotations.map(|(key, value)| (key, value.clone())).into(),
            lua_scripts: scripts(&contents.samples()),
            messages: [message],
            files,
            directories,
        })
    }

    /// The text of `+COMPACT_MANIFEST`.
    pub(super) fn compact(&self) -> Result<Vec<u8>, PackageError> {
        json(self)
    }

    /// The text of `+MANIFEST`.
    pub(super) fn whole(&self) -> Result<Vec<u8>, PackageError> {
        json(&Whole { manifest: self, files: &self.files, directories: &self.directories })
    }
}

impl Listed {
    /// The text of its entry in the catalogue.
    pub(super) fn entry(&self) -> Result<Vec<u8>, PackageError> {
        let Listed { manifest, path, size, sum } = self;
        let sum = format!("{SHA256}{sum}");
        json(&Entry { manifest, sum, pkgsize: *size, path, repopath: path })
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, PackageError> {
    serde_json::to_vec(value).map_err(|error| PackageError::Pack(io::Error::from(error)))
}

/// What the keyword `@sample` of a packing list does, in pkg's own Lua: a sample becomes the file that it is a sample of
/// where there is none, and that file goes with it unless somebody changed it.
fn scripts(samples: &[&str]) -> BTreeMap<&'static str, [String; 1]> {
    if samples.is_empty() {
        return BTreeMap::new();
    }
    let names: String = samples.iter().map(|name| format!("  \"{name}\",\n")).collect();
    let script = |body: &str| [format!("for _, file in ipairs({{\n{names}}}) do\n{body}end\n")];
    let install = "  if not pkg.stat(file) then\n    pkg.copy(file .. \".sample\", file)\n  end\n";
    let remove = "  if pkg.filecmp(file .. \".sample\", file) == 0 then\n    os.remove(file)\n  \
                  elseif not pkg_upgrade and pkg.stat(file) then\n    \
                  pkg.print_msg(file .. \" was changed, and stays.\")\n  end\n";
    [("post-install", script(install)), ("pre-deinstall", script(remove))].into()
}
