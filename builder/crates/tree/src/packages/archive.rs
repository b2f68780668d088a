//! Package files of all formats, opened alike.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;

use super::Error;
use wifibox_resolve::index::v3;

use super::ChosenPackage;
use wifibox_formats::adb::AdbError;
use wifibox_formats::apk::{Apk, ApkError, ApkLimits};
use wifibox_formats::deb::{Deb, DebError, DebLimits};
use wifibox_formats::opkg::{Ipk, IpkError, IpkLimits};
use wifibox_ground::content::ReadBack;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Format;

use crate::PlaceError;

/// What kind of file a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Debian's.
    Deb,
    /// apk's format v2.
    Apk,
    /// apk's format v3.
    Apk3,
    /// OpenWrt's up to 24.10.
    Ipk,
    /// A file that stands for itself: OpenWrt's kernel image.
    File,
}

/// What kind of file a package is: by its format, and where a format has two, by how it begins.
///
/// # Errors
/// [`Error`]: it cannot be read.
pub fn kind(package: &ChosenPackage) -> Result<Kind, Error> {
    let name = |end: &str| package.record.path.ends_with(end);
    Ok(match package.format {
        Format::Dpkg => Kind::Deb,
        Format::Opkg if name(".ipk") => Kind::Ipk,
        Format::Adb if name(".apk") => Kind::Apk3,
        Format::Opkg | Format::Adb => Kind::File,
        Format::Apk => {
            let what = || package.record.path.clone();
            let begins = v3::begins_v3(&mut open(package)?)
                .map_err(|source| ReadBack { what: what(), source })?;
            if begins { Kind::Apk3 } else { Kind::Apk }
        }
    })
}

/// Opens a package file for reading from begin to end.
///
/// # Errors
/// [`Error`]: it went away, or was never needed.
pub fn open(package: &ChosenPackage) -> Result<BufReader<File>, Error> {
    Ok(BufReader::with_capacity(1 << 16, package.file.open()?))
}

/// Reads the content of a package from begin to end, unpacked by up to `jobs` threads.
///
/// # Errors
/// [`Error`]: the package is damaged, or `take` failed.
pub fn read_data<E: From<Error>>(
    package: &ChosenPackage,
    jobs: NonZeroUsize,
    take: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    read(package, jobs, &mut |entry| take(entry).map_err(Either::Taker)).map_err(
        |error| match error {
            Either::Package(error) => error.into(),
            Either::Taker(error) => error,
        },
    )
}

/// Whose error it is: the package's, or that of whoever takes its members.
enum Either<E> {
    Package(Error),
    Taker(E),
}

impl<E> From<Error> for Either<E> {
    fn from(error: Error) -> Self {
        Either::Package(error)
    }
}

impl<E> From<wifibox_resolve::Error> for Either<E> {
    fn from(error: wifibox_resolve::Error) -> Self {
        Either::Package(error.into())
    }
}

impl<E> From<DebError> for Either<E> {
    fn from(error: DebError) -> Self {
        Either::Package(error.into())
    }
}

impl<E> From<ApkError> for Either<E> {
    fn from(error: ApkError) -> Self {
        Either::Package(error.into())
    }
}

impl<E> From<AdbError> for Either<E> {
    fn from(error: AdbError) -> Self {
        Either::Package(error.into())
    }
}

impl<E> From<IpkError> for Either<E> {
    fn from(error: IpkError) -> Self {
        Either::Package(error.into())
    }
}

fn read<E>(
    package: &ChosenPackage,
    jobs: NonZeroUsize,
    mut take: &mut dyn FnMut(Entry<'_>) -> Result<(), Either<E>>,
) -> Result<(), Either<E>> {
    match kind(package)? {
        Kind::Deb => {
            let deb = Deb::open(&package.name, open(package)?, DebLimits::default())?;
            deb.with_jobs(jobs).read_data(&mut take).map(drop)
        }
        Kind::Apk => {
            let apk = Apk::open(&package.name, open(package)?, ApkLimits::default())?;
            apk.read_data(&mut take).map(drop)
        }
        Kind::Apk3 => v3::open(&package.record, open(package)?)?.read_data(&mut take).map(drop),
        Kind::Ipk => {
            let ipk = Ipk::open(&package.name, open(package)?, IpkLimits::default())?;
            ipk.read_data(&mut take).map(drop)
        }
        Kind::File => {
            let file = package.record.path.rsplit('/').next().unwrap_or_default();
            let path = GuestPath::new(format!("boot/{file}"))
                .map_err(PlaceError::of(package.name.clone()))
                .map_err(Error::from)?;
            let mut content = open(package)?;
            take(Entry {
                path,
                mode: 0o644,
                uid: 0,
                gid: 0,
                uname: Vec::new(),
                gname: Vec::new(),
                mtime: 0,
                xattrs: Default::default(),
                checksum: None,
                dotted: false,
                held: None,
                kind: EntryKind::File { size: package.file.size, content: &mut content },
            })
        }
    }
}
