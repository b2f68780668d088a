//! Package files of all formats, seen alike: first the metadata, then the files.
//!
//! A reader reads from the beginning of the file to its end. What reads the formats is a crate of its own,
//! `wifibox-packages`; the stages get it as an [`OpenPackage`], so that they neither depend on a format nor are
//! compiled anew where the reader of one changes.

use std::collections::BTreeMap;
use std::io::{BufRead, Seek};
use std::num::NonZeroUsize;

use crate::adb::{self, AdbError};
use crate::apk::ApkError;
use crate::deb::DebError;
use crate::fault::Fault;
use crate::identity::Identity;
use crate::limits::PackageLimits;
use crate::opkg::{self, IpkError};
use crate::package::Package;
use wifibox_ground::entry::Entry;

/// The format of a package file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageFormat {
    /// Debian's `.deb`.
    Deb,
    /// Alpine's `.apk`: format v2, or v3 where the file begins so.
    Apk,
    /// OpenWrt's `.apk` from 25.12 on: format v3.
    Apk3,
    /// OpenWrt's `.ipk` up to 24.10.
    Ipk,
}

impl PackageFormat {
    /// The format of a file that begins with `start`: where a repository may hold files of two formats,
    /// the file itself says which it is of.
    #[must_use]
    pub fn of_start(self, start: &[u8]) -> Self {
        match self {
            PackageFormat::Apk if adb::is_adb(start) => PackageFormat::Apk3,
            other => other,
        }
    }
}

/// Why a package of any format cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A `.deb`.
    #[error(transparent)]
    Deb(#[from] DebError),
    /// An `.apk` of format v2.
    #[error(transparent)]
    Apk(#[from] ApkError),
    /// An `.apk` of format v3.
    #[error(transparent)]
    Apk3(#[from] AdbError),
    /// An `.ipk`.
    #[error(transparent)]
    Ipk(#[from] IpkError),
}

impl PackageError {
    /// The kind of the fault, the same for the same fault in every format.
    pub fn kind(&self) -> Fault {
        match self {
            PackageError::Deb(error) => error.kind(),
            PackageError::Apk(error) => error.kind(),
            PackageError::Apk3(error) => error.kind(),
            PackageError::Ipk(error) => error.kind(),
        }
    }
}

/// The metadata of a package that is needed to install its files.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// Its maintainer scripts, by the names of the format.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// apk: the folders for whose changes its script `trigger` is run, as patterns.
    pub triggers: Vec<String>,
    /// Debian: the questions that its scripts may ask (`templates`).
    pub templates: Option<Vec<u8>>,
    /// The relations to packages whose files it may overwrite, in the format's own syntax.
    pub replaces: String,
    /// apk: of two packages that replace each other's files, the one with the higher number wins.
    pub replaces_priority: u32,
    /// Where it comes from.
    pub source: Source,
    /// The name and the version that it gives itself.
    pub itself: Itself,
    /// The control file of an `.ipk`.
    pub opkg: Option<opkg::Control>,
}

/// How a package names itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Itself {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How a package names its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Control fields (deb-control(5)), which opkg uses too.
    Fields(Vec<u8>),
    /// apk: the source package and the commit of the distribution's repository; either may be empty.
    Origin {
        /// The name of the source package.
        origin: String,
        /// The commit.
        commit: String,
    },
}

impl Default for Source {
    fn default() -> Self {
        Source::Fields(Vec::new())
    }
}

/// Why a stream of entries ended early.
pub enum StreamError {
    /// The visitor stopped it.
    Stopped(Stopped),
    /// The package cannot be read.
    Package(PackageError),
}

/// The word of a visitor that it does not want to go on; only this module can say it.
pub struct Stopped(());

impl From<DebError> for StreamError {
    fn from(error: DebError) -> Self {
        StreamError::Package(error.into())
    }
}

impl From<ApkError> for StreamError {
    fn from(error: ApkError) -> Self {
        StreamError::Package(error.into())
    }
}

impl From<AdbError> for StreamError {
    fn from(error: AdbError) -> Self {
        StreamError::Package(error.into())
    }
}

impl From<IpkError> for StreamError {
    fn from(error: IpkError) -> Self {
        StreamError::Package(error.into())
    }
}

/// Receives the entries of a package, one after the other.
pub type Visitor<'v> = dyn FnMut(Entry<'_>) -> Result<(), StreamError> + 'v;

/// A package file that is being read.
pub trait PackageReader {
    /// The package's metadata.
    fn metadata(&self) -> Metadata;

    /// The record that an index of the format has of this package, but for what only a repository knows: path, size
    /// and digest of the file.
    ///
    /// # Errors
    /// [`PackageError`]: its control files are no record. Only a `.deb` is opened without looking at its fields.
    fn record(&self) -> Result<Package, PackageError>;

    /// Hands all files to `visit` and checks that the package is complete and sound. Callers use the
    /// method `read_data` of `dyn PackageReader`, whose visitor has its own errors.
    ///
    /// # Errors
    /// [`StreamError`].
    fn stream(self: Box<Self>, visit: &mut Visitor<'_>) -> Result<(), StreamError>;
}

impl dyn PackageReader + '_ {
    /// Hands all that is to be installed to `visit`, in the order of the package, and checks that the
    /// package is complete and sound. Where `visit` fails because the package cannot be read on, the
    /// error is the package's.
    ///
    /// # Errors
    /// Whatever `visit` reports, or [`PackageError`] as `E`. What was visited before an error must be
    /// thrown away: checksums stand at the end.
    pub fn read_data<E: From<PackageError>>(
        self: Box<Self>,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut stopped_by = None;
        let done = self.stream(&mut |entry| {
            visit(entry).map_err(|error| {
                stopped_by = Some(error);
                StreamError::Stopped(Stopped(()))
            })
        });
        match (done, stopped_by) {
            (Err(StreamError::Package(error)), _) => Err(error.into()),
            (_, Some(error)) => Err(error),
            (Ok(()) | Err(StreamError::Stopped(_)), None) => Ok(()),
        }
    }
}

/// How a package file is read; by default by one thread, within the usual limits, whoever lists it.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions<'o> {
    /// The limits.
    pub limits: PackageLimits,
    /// At most so many threads unpack, where the format allows it.
    pub jobs: NonZeroUsize,
    /// apk: the identity by which the signed index lists the package; of v3 checked before anything in the package is
    /// looked at, of v2 before anything but the control files. `None` where nobody lists it.
    pub identity: Option<&'o Identity>,
}

impl Default for OpenOptions<'_> {
    fn default() -> Self {
        OpenOptions { limits: PackageLimits::default(), jobs: NonZeroUsize::MIN, identity: None }
    }
}

/// A package file, from its beginning; an `.ipk` is read twice.
pub trait PackageInput: BufRead + Seek {}

impl<R: BufRead + Seek> PackageInput for R {}

/// Opens package files.
pub trait OpenPackage: Sync {
    /// Opens a package file, `package` in errors, and reads it up to the end of its control files.
    ///
    /// # Errors
    /// [`PackageError`].
    fn open<'r>(
        &self,
        format: PackageFormat,
        package: &str,
        input: Box<dyn PackageInput + 'r>,
        options: OpenOptions<'_>,
    ) -> Result<Box<dyn PackageReader + 'r>, PackageError>;
}
