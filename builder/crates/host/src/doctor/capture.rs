//! A folder that `capture.sh` made: outputs of commands, files of the host, and what is where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The most that is read of one file, in bytes.
const SIZE_LIMIT: u64 = 8 << 20;

/// Why a folder is no capture.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is no `system` in it.
    #[error(
        "{path} is no capture: it has no file `system`; make one on the host with 'wifibox-build doctor --script', \
         which prints the script for it"
    )]
    None {
        /// The folder.
        path: PathBuf,
    },
    /// A file of it cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
}

/// The system that a capture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// FreeBSD, with bhyve.
    FreeBsd,
    /// Linux, with VFIO.
    Linux,
    /// Xen's dom0.
    Xen,
}

/// What is at a path of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    None,
    File(u64),
    Folder,
    Other,
    /// A link, the text of it, and what it leads to.
    Link(String, Box<Place>),
}

/// A capture.
#[derive(Debug)]
pub struct Capture {
    folder: PathBuf,
    pub(super) system: System,
    places: BTreeMap<String, Place>,
}

impl Capture {
    /// Reads what is where in `folder`.
    ///
    /// # Errors
    /// It is no capture.
    pub fn open(folder: &Path) -> Result<Self, CaptureError> {
        let none = || CaptureError::None { path: folder.to_owned() };
        let system = match read(&folder.join("system"))?.ok_or_else(none)?.trim() {
            "FreeBSD" => System::FreeBsd,
            "Xen" => System::Xen,
            "Linux" => System::Linux,
            _ => return Err(none()),
        };
        let paths = read(&folder.join("paths"))?.unwrap_or_default();
        let places = paths.lines().filter_map(place).collect();
        Ok(Self { folder: folder.to_owned(), system, places })
    }

    /// The output of a command; empty where there was none.
    pub(super) fn output(&self, name: &str) -> String {
        self.find(name).unwrap_or_default()
    }

    /// The output of a command, where there was one.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        read(&self.folder.join(name)).ok().flatten()
    }

    /// A file of the host, where there is one.
    pub(super) fn file(&self, path: &str) -> Option<String> {
        read(&self.folder.join("root").join(path.trim_start_matches('/'))).ok().flatten()
    }

    /// What is at a path of the host, if the capture says so.
    pub(super) fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// Whether it is certain that nothing is there.
    pub(super) fn lacks(&self, path: &str) -> bool {
        self.place(path) == Some(&Place::None)
    }

    /// Whether a line of `ps` says that this runs.
    pub(super) fn runs(&self, words: &str) -> bool {
        self.output("ps").lines().any(|line| line.contains(words))
    }

    /// The variables of sysctl(8), by name.
    pub(super) fn sysctl(&self, name: &str) -> Option<String> {
        let text = self.find("sysctl")?;
        text.lines().find_map(|line| {
            let value = line.strip_prefix(name)?;
            let value = value.strip_prefix(':').or_else(|| value.strip_prefix('='))?;
            Some(value.trim().to_owned())
        })
    }
}

/// A line of `paths`: kind, path, and for links where they lead and to what.
fn place(line: &str) -> Option<(String, Place)> {
    let mut parts = line.split('\t');
    let (kind, path, more) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let plain = |kind: &str, size: &str| match kind {
        "file" => Place::File(size.parse().unwrap_or(0)),
        "folder" => Place::Folder,
        "none" => Place::None,
        _ => Place::Other,
    };
    let place = match kind {
        "link" => Place::Link(more.to_owned(), Box::new(plain(parts.next()?, ""))),
        kind => plain(kind, more),
    };
    Some((path.to_owned(), place))
}

fn read(path: &Path) -> Result<Option<String>, CaptureError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SIZE_LIMIT).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).replace('\r', ""))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CaptureError::Read { path: path.to_owned(), source }),
    }
}
