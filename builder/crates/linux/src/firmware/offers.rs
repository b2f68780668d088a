//! The firmware files and links that packages offer, by the names that drivers ask for.
//!
//! A name is a path below `lib/firmware` without a compression suffix: `iwlwifi-cc-a0-77.ucode` may
//! be offered as `usr/lib/firmware/iwlwifi-cc-a0-77.ucode.zst`. Links may lead to links, and to
//! directories (`ath11k/WCN6855/hw2.1 -> hw2.0`).

use std::collections::{BTreeMap, BTreeSet};

use super::whence::Whence;
use wifibox_ground::codec::Compression;
use wifibox_ground::path::GuestPath;

/// Links followed for one name, as in Linux (`MAXSYMLINKS`).
const LINK_LIMIT: usize = 40;

/// A file or link that a package offers under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The file in its package; for a link that no package holds, where it would be.
    pub path: GuestPath,
    /// How the file is compressed, by its suffix.
    pub compression: Compression,
    /// Where a link leads, as written but without a compression suffix; `None` for a file.
    pub link: Option<String>,
    /// The package, or `WHENCE`.
    pub from: String,
}

/// Why a name leads to no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoFile {
    /// Nothing is offered under it.
    Missing,
    /// Its links lead to something that is not offered.
    Dangling,
    /// Its links go round in a circle.
    Circle,
    /// Its links lead out of `lib/firmware`.
    Outside,
}

/// A name followed to its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name of the file itself.
    pub file: String,
    /// The links on the way, in the order of following.
    pub links: Vec<String>,
}

/// All that packages offer.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    by_name: BTreeMap<String, Offer>,
    /// Directories that hold something, and those above them.
    directories: BTreeSet<String>,
}

/// The name that drivers use for a path; `None` for one that is not below `lib/firmware`, or no text.
/// Of the suffixes, the kernel's firmware loader knows `.xz` and `.zst`.
pub(crate) fn name_of(path: &GuestPath) -> Option<(String, Compression)> {
    let text = path.as_str()?;
    let below = text.strip_prefix("usr/").unwrap_or(text).strip_prefix("lib/firmware/")?;
    Some(without_suffix(below))
}

fn without_suffix(name: &str) -> (String, Compression) {
    for kind in [Compression::Xz, Compression::Zstd] {
        if let Some(stem) = name.strip_suffix(kind.suffix()) {
            return (stem.to_owned(), kind);
        }
    }
    (name.to_owned(), Compression::None)
}

impl Offers {
    /// Offers a file of `package`. An uncompressed file goes before a compressed one, and the first
    /// before later ones. Returns whether the path is one of firmware.
    pub fn file(&mut self, path: &GuestPath, package: &str) -> bool {
        let Some((name, compression)) = name_of(path) else { return false };
        let better = match self.by_name.get(&name) {
            Some(old) => {
                old.link.is_some()
                    || (compression == Compression::None && old.compression != Compression::None)
            }
            None => true,
        };
        if better {
            let (path, from) = (path.clone(), package.to_owned());
            self.put(name, Offer { path, compression, link: None, from });
        }
        true
    }

    /// Offers a symbolic link of `package`, with its target as written. Returns whether the path is
    /// one of firmware.
    pub fn link(&mut self, path: &GuestPath, target: &[u8], package: &str) -> bool {
        let Some((name, compression)) = name_of(path) else { return false };
        let Ok(target) = std::str::from_utf8(target) else { return false };
        if !self.by_name.contains_key(&name) {
            let link = Some(without_suffix(target).0);
            let (path, from) = (path.clone(), package.to_owned());
            self.put(name, Offer { path, compression, link, from });
        }
        true
    }

    /// Adds the links that WHENCE lists and no package holds.
    pub fn add_whence(&mut self, whence: &Whence) {
        for (name, target) in whence.links() {
            self.add_link(name, target, "WHENCE");
        }
    }

    /// Adds a link that no package holds, unless something is offered under its name.
    pub(super) fn add_link(&mut self, name: &str, target: &str, from: &str) {
        let Ok(path) = GuestPath::new(format!("lib/firmware/{name}")) else { return };
        if !self.by_name.contains_key(name) {
            let (link, from) = (Some(target.to_owned()), from.to_owned());
            let offer = Offer { path, compression: Compression::None, link, from };
            self.put(name.to_owned(), offer);
        }
    }

    fn put(&mut self, name: String, offer: Offer) {
        let mut above = name.as_str();
        while let Some((directory, _)) = above.rsplit_once('/') {
            self.directories.insert(directory.to_owned());
            above = directory;
        }
        self.by_name.insert(name, offer);
    }

    /// The file or link of exactly this name; links are not followed.
    pub fn get(&self, name: &str) -> Option<&Offer> {
        self.by_name.get(name)
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Follows a name through links, also of directories on the way, to its file.
    ///
    /// # Errors
    /// [`NoFile`].
    pub fn resolve(&self, name: &str) -> Result<Resolved, NoFile> {
        let mut rest: Vec<String> = parts(name);
        let mut done = String::new();
        let mut links = Vec::new();
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                let Some((above, _)) = done.rsplit_once('/') else {
                    if done.is_empty() {
                        return Err(NoFile::Outside);
                    }
                    done.clear();
                    continue;
                };
                done = above.to_owned();
                continue;
            }
            let next = if done.is_empty() { part } else { format!("{done}/{part}") };
            match self.by_name.get(&next) {
                Some(Offer { link: Some(target), .. }) => {
                    followed += 1;
                    if followed > LINK_LIMIT {
                        return Err(NoFile::Circle);
                    }
                    let target = match target.strip_prefix('/') {
                        None => target.as_str(),
                        Some(absolute) => {
                            done.clear();
                            below_firmware(absolute).ok_or(NoFile::Outside)?
                        }
                    };
                    rest.extend(parts(target));
                    if !links.contains(&next) {
                        links.push(next);
                    }
                }
                Some(_) if rest.is_empty() => return Ok(Resolved { file: next, links }),
                None if !rest.is_empty() && self.directories.contains(&next) => done = next,
                _ if links.is_empty() => return Err(NoFile::Missing),
                _ => return Err(NoFile::Dangling),
            }
        }
        Err(NoFile::Dangling)
    }

    /// The names below linked directories, as drivers may ask for them: `hw2.1/board-2.bin` where
    /// `hw2.1` is a link to `hw2.0`. Names that a glob should be able to match.
    pub(super) fn names_through_links(&self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.names().map(str::to_owned).collect();
        let links = self.by_name.iter().filter(|(_, offer)| offer.link.is_some());
        for (name, _) in links {
            let Some(directory) = self.directory_behind(name) else { continue };
            let prefix = format!("{directory}/");
            let below = self.by_name.range(prefix.clone()..);
            for (member, _) in below.take_while(|(member, _)| member.starts_with(&prefix)) {
                let rest = member.strip_prefix(&prefix).unwrap_or_default();
                all.insert(format!("{name}/{rest}"));
            }
        }
        all
    }

    /// The directory that a link leads to, in one step or several.
    fn directory_behind(&self, link: &str) -> Option<String> {
        let mut name = link.to_owned();
        for _ in 0..LINK_LIMIT {
            let target = self.by_name.get(&name)?.link.as_deref()?;
            name = joined(name.rsplit_once('/').map_or("", |(above, _)| above), target)?;
            if self.directories.contains(&name) {
                return Some(name);
            }
        }
        None
    }
}

fn below_firmware(absolute: &str) -> Option<&str> {
    absolute.strip_prefix("usr/").unwrap_or(absolute).strip_prefix("lib/firmware/")
}

/// The parts of a path, the last first, ready to be taken from the end.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .rev()
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

/// `target` as seen from `directory`, without `..`; `None` when it leads out.
pub(super) fn joined(directory: &str, target: &str) -> Option<String> {
    let (start, target) = match target.strip_prefix('/') {
        Some(absolute) => ("", below_firmware(absolute)?),
        None => (directory, target),
    };
    let mut out: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            out.pop()?;
        } else {
            out.push(part);
        }
    }
    Some(out.join("/"))
}

#[cfg(test)]
mod tests;
