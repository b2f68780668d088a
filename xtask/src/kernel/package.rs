//! What the builder reads: a package of apk v2 with image, configuration, modules and licence, and beside it a record
//! of what it was made of and with, and the list `distinfo` of all kernels in the folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::write::GzEncoder;
use serde::Serialize;
use tar::{EntryType, Header};
use wifibox_ground::digest::{Sha256, hex};
use wifibox_ground::output::put;

use super::config::Fragments;
use super::make::Build;
use super::source::{Source, licences};
use super::{Failure, Variant};

/// Counts changes of `kernels/slim` and of this chore, of one source: up with each that changes the package, and back to
/// 0 with the next source.
const REVISION: u32 = 0;

/// What a kernel was made of and with, for somebody who makes it again.
#[derive(Serialize)]
struct Record<'a> {
    format: u32,
    package: &'a str,
    version: &'a str,
    source: &'a str,
    source_version: &'a str,
    source_sha256: Sha256,
    configuration_sha256: Sha256,
    toolchain: Vec<String>,
    files: BTreeMap<String, Sha256>,
}

/// Writes package, record and list into `out`; gives back what was written, in words.
pub fn write(
    build: &Build<'_>,
    source: &Source,
    fragments: &Fragments,
    variant: Variant,
    out: &Path,
) -> Result<String, Failure> {
    let name = variant.package();
    // apk's versions have one number for the revision: Debian's, and below it this project's.
    let version = format!("{}-r{}", source.linux(), source.revision() * 100 + REVISION);
    let files = contents(build, &name)?;
    let package = Package { name: &name, version: &version, variant, time: build.tree.time };
    let bytes = package.bytes(&files)?;
    let record = Record {
        format: 1,
        package: &name,
        version: &version,
        source: &source.name,
        source_version: &source.version,
        source_sha256: source.sha256,
        configuration_sha256: fragments.sha256(),
        toolchain: build.toolchain(),
        files: files.iter().map(|(path, bytes)| (path.clone(), Sha256::of(bytes))).collect(),
    };
    let file = format!("{name}-{version}.apk");
    put(&out.join(&file), &bytes, 0o644)?;
    let text = serde_json::to_string_pretty(&record)? + "\n";
    put(&out.join(format!("{name}-{version}.json")), text.as_bytes(), 0o644)?;
    put(&out.join("distinfo"), distinfo(out)?.as_bytes(), 0o644)?;
    let modules = files.keys().filter(|path| path.ends_with(".ko")).count();
    Ok(format!("{file}: {modules} modules, {} bytes, SHA-256 {}", bytes.len(), Sha256::of(&bytes)))
}

/// The files of the package by path, sorted.
fn contents(build: &Build<'_>, name: &str) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    files.insert("boot/vmlinuz".to_owned(), fs::read(build.image())?);
    files.insert("boot/config".to_owned(), build.config()?.into_bytes());
    files.insert("boot/System.map".to_owned(), fs::read(build.folder.join("System.map"))?);
    for (licence, text) in licences(build.tree)? {
        files.insert(format!("usr/share/licenses/{name}/{licence}"), text);
    }
    modules(&build.stage(), Path::new("lib"), &mut files)?;
    Ok(files)
}

/// The installed files below `folder` of the stage: not the links to source and build, which are this machine's.
fn modules(
    stage: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    for entry in fs::read_dir(stage.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            modules(stage, &path, files)?;
        } else if kind.is_file() {
            files.insert(path.display().to_string(), fs::read(entry.path())?);
        }
    }
    Ok(())
}

struct Package<'a> {
    name: &'a str,
    version: &'a str,
    variant: Variant,
    time: u32,
}

impl Package<'_> {
    /// The package: two gzip members, control and data (apk-package(5)).
    fn bytes(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Failure> {
        let mut data = tar::Builder::new(Vec::new());
        let mut folders: Vec<&str> = Vec::new();
        for (path, content) in files {
            for (at, _) in path.match_indices('/') {
                let folder = path.get(..at).unwrap_or_default();
                if !folders.contains(&folder) {
                    folders.push(folder);
                    let header = self.header(EntryType::Directory, 0o755, 0);
                    append(&mut data, header, &format!("{folder}/"), &[])?;
                }
            }
            let sum = wifibox_testkit::apkkeys::sha1(content);
            let sum = hex(&sum);
            data.append_pax_extensions([("APK-TOOLS.checksum.SHA1", sum.as_bytes())])?;
            let header = self.header(EntryType::Regular, 0o644, content.len() as u64);
            append(&mut data, header, path, content)?;
        }
        let data = gzip(&data.into_inner()?)?;
        let installed: usize = files.values().map(Vec::len).sum();
        let info = format!(
            "# Made by wifibox-build's cargo xtask kernel\npkgname = {}\npkgver = {}\narch = {}\nsize = {installed}\n\
             pkgdesc = Small Linux kernel for Wi-Fi router guests\nurl = {}\nbuilddate = {}\norigin = linux-slim\n\
             license = GPL-2.0-only WITH Linux-syscall-note\ndatahash = {}\n",
            self.name,
            self.version,
            self.variant.machine.name(),
            env!("CARGO_PKG_REPOSITORY"),
            self.time,
            Sha256::of(&data),
        );
        let mut control = tar::Builder::new(Vec::new());
        let header = self.header(EntryType::Regular, 0o644, info.len() as u64);
        append(&mut control, header, ".PKGINFO", info.as_bytes())?;
        // Only the last part of a package has the blocks that mark an archive's end.
        let mut control = control.into_inner()?;
        control.truncate(control.len() - 1024);
        Ok([gzip(&control)?, data].concat())
    }

    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time.into());
        header.set_size(size);
        header
    }
}

fn append(
    tar: &mut tar::Builder<Vec<u8>>,
    mut header: Header,
    path: &str,
    content: &[u8],
) -> Result<(), Failure> {
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_path(path)?;
    header.set_cksum();
    tar.append(&header, content)?;
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes)?;
    Ok(out.finish()?)
}

/// The list of the packages in `folder`, as FreeBSD's ports have it.
fn distinfo(folder: &Path) -> Result<String, Failure> {
    let mut lines = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".apk") {
            let bytes = fs::read(entry.path())?;
            let (sha256, size) = (Sha256::of(&bytes), bytes.len());
            lines.insert(
                name.clone(),
                format!("SHA256 ({name}) = {sha256}\nSIZE ({name}) = {size}\n"),
            );
        }
    }
    Ok(lines.into_values().collect())
}
