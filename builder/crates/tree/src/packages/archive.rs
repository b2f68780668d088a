//! The files of packages, opened alike whatever their format.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroUsize;

use super::ChosenPackage;
use super::Error;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{PackageError, PackageFormat, PackageLimits, PackageReader};
use wifibox_ground::content::ReadBack;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Format;

use crate::{Context, PlaceError};

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
    context: &Context<'_>,
    jobs: NonZeroUsize,
) -> Result<Option<Box<dyn PackageReader>>, Error> {
    let Some(format) = format(package) else { return Ok(None) };
    let ChosenPackage { name, record, .. } = package;
    let mut file = open_file(package)?;
    let start = file.fill_buf();
    let start = start.map_err(ReadBack::of(record.path.as_str()))?;
    let format = format.of_start(start);
    if format == PackageFormat::Apk3 && record.identity.is_none() {
        let (name, version) = (name.clone(), record.version.clone());
        return Err(wifibox_resolve::Error::Unhashed { name, version }.into());
    }
    let identity = record.identity.as_ref();
    let options = OpenOptions { limits: PackageLimits::default(), jobs, identity };
    Ok(Some(context.packages.open(format, name, Box::new(file), options)?))
}

fn open_file(package: &ChosenPackage) -> Result<BufReader<File>, Error> {
    Ok(BufReader::with_capacity(1 << 16, package.file.open()?))
}

/// Whose error it is: the package's, or that of whoever takes its members.
enum Either<E> {
    Package(PackageError),
    Taker(E),
}

impl<E> From<PackageError> for Either<E> {
    fn from(error: PackageError) -> Self {
        Either::Package(error)
    }
}

/// Reads the content of a package from begin to end.
///
/// # Errors
/// [`Error`]: the package is damaged, or `take` failed.
pub fn read_data<E: From<Error>>(
    package: &ChosenPackage,
    context: &Context<'_>,
    take: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(reader) = open(package, context, context.work.jobs)? {
        let read = reader.read_data(&mut |entry| take(entry).map_err(Either::Taker));
        return read.map_err(|error| match error {
            Either::Package(error) => Error::from(error).into(),
            Either::Taker(error) => error,
        });
    }
    let file = package.record.path.rsplit('/').next().unwrap_or_default();
    let path = GuestPath::new(format!("boot/{file}"))
        .map_err(PlaceError::of(package.name.clone()))
        .map_err(Error::from)?;
    let mut content = open_file(package)?;
    let kind = EntryKind::File { size: package.file.size, content: &mut content };
    take(Entry::new(path, 0o644, kind))
}
