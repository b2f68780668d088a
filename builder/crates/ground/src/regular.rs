//! Regular files of folders that somebody else may have filled. What lies there under a name may be a named pipe, a
//! device or an endless file: the type is known before anything is opened, and no more is read than was announced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::digest::Sha256;

/// Whether the error says that there is nothing of that name, and not that it cannot be looked at.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Opens a regular file for reading; links are followed. Never waits for anybody.
///
/// # Errors
/// There is no such file, it cannot be read, or it is something else than a file
/// ([`io::ErrorKind::InvalidInput`], or [`io::ErrorKind::IsADirectory`]).
pub fn open(path: &Path) -> io::Result<File> {
    check(&fs::metadata(path)?)?;
    open_now(path)
}

/// As [`open`], when something else may have got the name since it was looked at. Opening a named pipe waits for its
/// other end, and some devices wait for their medium: not with these flags.
fn open_now(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.union(OFlags::NOCTTY);
    let file = OpenOptions::new().read(true).custom_flags(number(flags)).open(path)?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// All bytes of a regular file, of which there may be `limit`.
///
/// # Errors
/// As [`open`]; or there are more ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_large = || io::Error::from(io::ErrorKind::FileTooLarge);
    if file.metadata()?.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

/// The hash and the length of a regular file. One that grows meanwhile is read up to the length that it had.
///
/// # Errors
/// As [`open`], and what reading reports.
pub fn hash(path: &Path) -> io::Result<(Sha256, u64)> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    Sha256::of_reader(file.take(length))
}

/// Why something is not a regular file.
///
/// # Errors
/// It is not one.
pub fn check(data: &Metadata) -> io::Result<()> {
    let kind = data.file_type();
    if kind.is_file() {
        return Ok(());
    }
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let what = if kind.is_symlink() { "a link" } else { special(kind) };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

fn special(kind: fs::FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Opens for reading and writing what is a regular file with one name, or makes it. A link that somebody planted is not
/// followed, and its target stays as it is.
///
/// # Errors
/// The name is that of a link, of something else than a file, or of a file that has other names, too
/// ([`io::ErrorKind::InvalidInput`]); or it cannot be opened.
pub fn open_own(path: &Path) -> io::Result<File> {
    // What cannot be looked at cannot be opened, either.
    if let Ok(data) = fs::symlink_metadata(path) {
        check(&data)?;
    }
    open_own_now(path)
}

/// As [`open_own`], when something else may have got the name since it was looked at.
fn open_own_now(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).custom_flags(number(flags));
    let file = options.open(path)?;
    let data = file.metadata()?;
    check(&data)?;
    if data.nlink() > 1 {
        let why = "it has other names, too";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(file)
}

fn number(flags: OFlags) -> i32 {
    // The bits are those of open(2), whose argument is an int.
    flags.bits().cast_signed()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    /// A folder with a file of three bytes and a named pipe that nobody writes to.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("file"), "abc").expect("written");
        let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.expect("mkfifo").success());
        folder
    }

    #[test]
    fn only_files_are_opened_and_nobody_waits() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink("file", at("link")).expect("linked");
        symlink("pipe", at("to-pipe")).expect("linked");
        symlink("/dev/zero", at("endless")).expect("linked");
        assert_eq!([3, 4].map(|limit| read(&at("link"), limit).expect("read")), [*b"abc"; 2]);
        assert_eq!(hash(&at("file")).expect("hashed"), (Sha256::of(b"abc"), 3));
        let kind = |name: &str| read(&at(name), 2).expect_err(name).to_string();
        assert_eq!(kind("pipe"), "it is a named pipe, not a file");
        assert_eq!(kind("to-pipe"), "it is a named pipe, not a file");
        assert_eq!(kind("endless"), "it is a device, not a file");
        let folder = open(folder.path()).expect_err("a folder");
        assert_eq!(folder.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(
            read(&at("file"), 2).expect_err("too large").kind(),
            io::ErrorKind::FileTooLarge
        );
    }

    #[test]
    fn what_gets_a_name_between_a_look_and_the_opening_is_refused() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink("file", at("link")).expect("linked");
        open_now(&at("pipe")).expect_err("a pipe, and nobody waits");
        open_own_now(&at("pipe")).expect_err("a pipe");
        open_own_now(&at("link")).expect_err("a link");
        open_own(&at("file/below")).expect_err("no folder");
    }

    #[test]
    fn planted_links_are_not_followed() {
        let folder = folder();
        let at = |name: &str| folder.path().join(name);
        symlink("file", at("link")).expect("linked");
        symlink("nothing", at("dangling")).expect("linked");
        fs::hard_link(at("file"), at("second")).expect("linked");
        for name in ["link", "dangling", "second", "pipe"] {
            open_own(&at(name)).expect_err(name);
        }
        assert!(!at("nothing").exists());
        fs::remove_file(at("second")).expect("removed");
        open_own(&at("file")).expect("a file of one name");
        open_own(&at("new")).expect("made");
    }
}
