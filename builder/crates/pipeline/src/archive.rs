//! The files of packages, opened alike whatever their format.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;

use super::Error;
use super::packages::ChosenPackage;
use wifibox_formats::reader::{self, OpenOptions};
use wifibox_formats::{PackageFormat, PackageLimits, PackageReader};
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Format;

/// The format of a package's file; `None` for a file that stands for itself: OpenWrt's kernel image.
fn format(package: &ChosenPackage) -> Option<PackageFormat> {
    let is = |end: &str| package.record.path.ends_with(end);
    match package.format {
        Format::Dpkg => Some(PackageFormat::Deb),
        Format::Apk => Some(PackageFormat::Apk),
        Format::Opkg => is(".ipk").then_some(PackageFormat::Ipk),
        Format::Adb => is(".apk").then_some(PackageFormat::Apk3),
    }
}

/// Opens a package, which up to `jobs` threads unpack; `None` for a file that stands for itself. Of apk
/// v3 nothing is looked at before its metadata were found to be those that the signed index lists.
///
/// # Errors
/// [`Error`]: the file went away or was never needed, or the package is damaged or another one.
pub fn open(
    package: &ChosenPackage,
    jobs: NonZeroUsize,
) -> Result<Option<Box<dyn PackageReader>>, Error> {
    let Some(format) = format(package) else { return Ok(None) };
    let ChosenPackage { name, record, .. } = package;
    let mut file = open_file(package)?;
    let start = file.fill_buf();
    let start = start.map_err(|source| Error::ReadBack { what: record.path.clone(), source })?;
    let format = format.of_start(start);
    if format == PackageFormat::Apk3 && record.identity.is_none() {
        return Err(Error::Unhashed { name: name.clone(), version: record.version.clone() });
    }
    let identity = record.identity.as_ref();
    let options = OpenOptions { limits: PackageLimits::default(), jobs, identity };
    Ok(Some(reader::open(format, name, file, options)?))
}

fn open_file(package: &ChosenPackage) -> Result<BufReader<File>, Error> {
    Ok(BufReader::with_capacity(1 << 16, package.file.open()?))
}

/// Reads the content of a package from begin to end, unpacked by up to `jobs` threads.
///
/// # Errors
/// [`Error`]: the package is damaged, or `take` failed.
pub fn read_data(
    package: &ChosenPackage,
    jobs: NonZeroUsize,
    take: &mut dyn FnMut(Entry<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if let Some(reader) = open(package, jobs)? {
        return reader.read_data(take);
    }
    let file = package.record.path.rsplit('/').next().unwrap_or_default();
    let path = GuestPath::new(format!("boot/{file}"))
        .map_err(|error| Error::tree(package.name.clone())(error.into()))?;
    let mut content = open_file(package)?;
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
