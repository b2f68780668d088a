//! Regular files of folders that somebody else may have filled. What lies there under a name may be a named pipe, a
//! device or an endless file: the type is known before anything is opened, and no more is read than was announced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use crate::digest::Sha256;

/// Opens a regular file for reading; links are followed. Never waits for anybody.
///
/// # Errors
/// There is no such file, it cannot be read, or it is something else than a file
/// ([`io::ErrorKind::InvalidInput`], or [`io::ErrorKind::IsADirectory`]).
pub fn open(path: &Path) -> io::Result<File> {
    check(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    without_waiting(&mut options);
    let file = options.open(path)?;
    // Something else may have got the name meanwhile.
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

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> &'static str {
    "something else"
}

/// Opening a named pipe waits for its other end, and some devices wait for their medium: not with this.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.custom_flags(flags(rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY));
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}

/// Opens for reading and writing what is a regular file with one name, or makes it. A link that somebody planted is not
/// followed, and its target stays as it is.
///
/// # Errors
/// The name is that of a link, of something else than a file, or of a file that has other names, too
/// ([`io::ErrorKind::InvalidInput`]); or it cannot be opened.
#[cfg(unix)]
pub fn open_own(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    match fs::symlink_metadata(path) {
        Ok(data) => check(&data)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY))
        .open(path)?;
    let data = file.metadata()?;
    check(&data)?;
    if data.nlink() > 1 {
        let why = "it has other names, too";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(file)
}

#[cfg(unix)]
fn flags(flags: rustix::fs::OFlags) -> i32 {
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
        assert_eq!(read(&at("link"), 3).expect("read"), b"abc");
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
