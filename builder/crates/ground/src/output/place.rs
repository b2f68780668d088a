//! Where an output goes. What is there already makes way only if a build wrote it: each file must be in the old
//! output's own list, with the hash that it had.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::work::{OLD, WorkFolder};
use super::{OutputError, at};
use crate::regular;
use crate::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};

/// Larger files are images, which nobody edits: they are hashed when the new output is complete, in bytes.
const SMALL: u64 = 1 << 20;

/// Which old outputs make way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// Those that a build wrote.
    Built,
    /// Those, also with a signature, and releases: what was fetched can be fetched again.
    Fetched,
    /// Repositories of packages that an export wrote.
    Repository,
}

/// The place of an output: where `target` is a link to a folder, on another disk perhaps, that folder. The link stays.
pub(super) fn followed(target: &Path) -> Cow<'_, Path> {
    let is_link = target.symlink_metadata().is_ok_and(|data| data.is_symlink());
    let folder = is_link.then(|| target.canonicalize().ok()).flatten();
    folder.map_or(Cow::Borrowed(target), Cow::Owned)
}

/// Whether an output can be put in this place: nothing is there, an empty folder, or an output that is as it was
/// built. Files over 1 MiB are looked at again before they are replaced.
///
/// # Errors
/// [`OutputError::NotAFolder`], [`OutputError::Foreign`], [`OutputError::InTheWay`]: something would be lost; or the
/// old output cannot be read.
pub fn check_target(target: &Path) -> Result<(), OutputError> {
    check(target, SMALL, Old::Built)
}

/// As [`check_target`], for an output that replaces such an old one.
pub(super) fn check_small(target: &Path, old: Old) -> Result<(), OutputError> {
    check(target, SMALL, old)
}

/// As [`check_small`], of all files.
pub(super) fn check_all(target: &Path, old: Old) -> Result<(), OutputError> {
    check(target, u64::MAX, old)
}

/// Hashes files up to a size of `limit` bytes; of the others the names count.
fn check(target: &Path, limit: u64, old: Old) -> Result<(), OutputError> {
    match target.metadata() {
        Err(error) if !regular::is_missing(&error) => {
            return Err(at("cannot look at", target)(error));
        }
        Err(_) if target.symlink_metadata().is_err() => {
            // A file is no place for a folder, before anything is fetched.
            let file = target.ancestors().skip(1).find(|above| above.is_file());
            let wrong = file.map(|file| OutputError::NotAFolder { path: file.to_owned() });
            return wrong.map_or(Ok(()), Err);
        }
        Ok(data) if data.is_dir() => {}
        _ => return Err(OutputError::NotAFolder { path: target.to_owned() }),
    }
    let mut found = Vec::new();
    walk(target, "", &mut found)?;
    if found.is_empty() {
        return Ok(());
    }
    let foreign = || OutputError::Foreign { path: target.to_owned() };
    let sums = read_sums(target, old)?.ok_or_else(foreign)?;
    let mut in_the_way = Vec::new();
    for (name, kind) in found {
        let path = target.join(&name);
        match sums.hashes.get(&name) {
            _ if name == SUMS => {}
            None if old == Old::Fetched && kind == Kind::File && name == SIGNATURES[0] => {}
            Some(hash) if kind == Kind::File => {
                let data = path.symlink_metadata().map_err(at("cannot read", &path))?;
                if data.len() > limit {
                    continue;
                }
                let (found, _) = regular::hash(&path).map_err(at("cannot read", &path))?;
                if found != *hash {
                    in_the_way.push(format!("{name} (changed since it was built)"));
                }
            }
            // The list is of files; a link within the output holds nothing that could be lost.
            None if kind == Kind::Link && stays_inside(target, &path) => {}
            _ => in_the_way.push(name),
        }
    }
    if in_the_way.is_empty() {
        return Ok(());
    }
    in_the_way.sort();
    Err(OutputError::InTheWay { path: target.to_owned(), files: in_the_way })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
    /// A device, a socket and their like.
    Other,
}

/// Adds everything below `folder` that is no folder, by its path from where the walk began.
fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, Kind)>) -> Result<(), OutputError> {
    let unreadable = || at("cannot read folder", folder);
    for entry in fs::read_dir(folder).map_err(unreadable())? {
        let entry = entry.map_err(unreadable())?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(unreadable())?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{name}/"), found)?;
        } else if kind.is_symlink() {
            found.push((name, Kind::Link));
        } else {
            found.push((name, if kind.is_file() { Kind::File } else { Kind::Other }));
        }
    }
    Ok(())
}

/// The list of the output in `folder`; `None` where it is not one that a build wrote.
fn read_sums(folder: &Path, old: Old) -> Result<Option<Sums>, OutputError> {
    let path = folder.join(SUMS);
    match path.symlink_metadata() {
        Err(error) if !regular::is_missing(&error) => return Err(at("cannot read", &path)(error)),
        Ok(data) if data.is_file() => {}
        _ => return Ok(None),
    }
    let bytes = match regular::read(&path, SUMS_LIMIT) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Ok(None),
        read => read.map_err(at("cannot read", &path))?,
    };
    let head: &[&str] = match old {
        Old::Built => &["manifest.json"],
        Old::Fetched => &["manifest.json", "index.json"],
        Old::Repository => &["meta.conf"],
    };
    let known = |sums: &Sums| head.iter().any(|name| sums.hashes.contains_key(*name));
    Ok(Sums::parse(&bytes).ok().filter(known))
}

fn stays_inside(target: &Path, link: &Path) -> bool {
    let inside =
        |path: PathBuf| Some(path.canonicalize().ok()?.starts_with(target.canonicalize().ok()?));
    fs::read_link(link).is_ok_and(|to| to.is_relative()) && inside(link.to_owned()).unwrap_or(false)
}

/// Gives the finished folder `work` its name `target`, both in one file system. What was there is in `work` afterwards,
/// or gone.
///
/// # Errors
/// [`OutputError::Io`]; what was at `target` is then still there.
pub(super) fn put(work: &Path, target: &Path) -> Result<(), OutputError> {
    let in_place = || at("cannot put in place", target);
    if let Err(error) = target.symlink_metadata() {
        if !regular::is_missing(&error) {
            return Err(at("cannot look at", target)(error));
        }
        match fs::rename(work, target) {
            // Another builder has put its output there in the meantime: it is replaced as any former one.
            Err(error)
                if error.kind() == io::ErrorKind::DirectoryNotEmpty
                    && matches!(read_sums(target, Old::Built), Ok(Some(_))) => {}
            done => return done.map_err(in_place()),
        }
    }
    if let Some(exchanged) = exchange(work, target) {
        return exchanged.map_err(in_place());
    }
    // Two renames, because a folder cannot be renamed over one that is not empty.
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let old = WorkFolder::replaced(work.parent().unwrap_or(Path::new(".")), &name)
        .map_err(at("cannot make a folder beside", target))?;
    let aside = old.path().join(OLD);
    fs::rename(target, &aside).map_err(at("cannot move away", target))?;
    if let Err(error) = fs::rename(work, target) {
        fs::rename(&aside, target).map_err(at("cannot put back", target))?;
        return Err(in_place()(error));
    }
    Ok(())
}

/// Exchanges two folders in one step: renameat2(2) of Linux, renameatx_np(2) of macOS. `None` where the system or the
/// file system cannot.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP | Errno::PERM) => None,
        done => Some(done.map_err(io::Error::from)),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}
