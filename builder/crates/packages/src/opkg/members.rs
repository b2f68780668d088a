//! The outer archive of an `.ipk`: a gzipped tar, or the `ar` archive of early packages (deb(5)).

use std::io::{self, Read, Seek, SeekFrom};

use crate::ar::ArReader;
use crate::archive::Stop;
use wifibox_formats::deb::ArError;
use wifibox_formats::opkg::IpkError;
use wifibox_formats::tarball::{self, TarError, TarLimits};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::{Entry, EntryKind};

/// An `.ipk` has three members; some builders add one or two.
const MEMBER_LIMIT: u64 = 16;

/// The most bytes that an outer archive may unpack to: its members are compressed already.
const SIZE_LIMIT: u64 = 4 << 30;

/// Hands name and content of every member to `visit`, from beginning to end of the archive, so that
/// its checksums are checked.
///
/// # Errors
/// Whatever `visit` reports, or [`IpkError`] as `E`.
pub(super) fn each<R: Read + Seek, E: From<IpkError>>(
    package: &str,
    source: &mut R,
    visit: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let read = |source| IpkError::Outer { package: package.to_owned(), source };
    let mut magic = Vec::new();
    source.seek(SeekFrom::Start(0)).map_err(TarError::Read).map_err(read)?;
    source.by_ref().take(8).read_to_end(&mut magic).map_err(TarError::Read).map_err(read)?;
    source.seek(SeekFrom::Start(0)).map_err(TarError::Read).map_err(read)?;
    match &magic[..] {
        [0x1f, 0x8b, ..] => gzipped_tar(package, source, visit),
        b"!<arch>\n" => ar(package, source, visit),
        _ => {
            let why = "it is neither a gzipped tar archive nor an ar archive".to_owned();
            Err(IpkError::Foreign { package: package.to_owned(), why }.into())
        }
    }
}

fn gzipped_tar<R: Read, E: From<IpkError>>(
    package: &str,
    source: &mut R,
    visit: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let outer = |source| IpkError::Outer { package: package.to_owned(), source };
    let limits = Limits { size: SIZE_LIMIT, ..Limits::default() };
    let mut reader =
        Compression::Gzip.reader(source, limits).map_err(TarError::Read).map_err(outer)?;
    let tar_limits = TarLimits { entries: MEMBER_LIMIT, ..TarLimits::default() };
    let read = tarball::read(&mut reader, tar_limits, &mut |entry: Entry<'_>| {
        let name = entry.path.as_str().unwrap_or_default().to_owned();
        match entry.kind {
            EntryKind::Directory if entry.path.is_root() => Ok(()),
            EntryKind::File { content, .. } => {
                visit(&name, content).map_err(Stop::Visitor)?;
                // What the visitor left, so that a cut is noticed.
                io::copy(content, &mut io::sink()).map_err(TarError::Read)?;
                Ok(())
            }
            other => {
                let why = format!("a {} has no place in a package", other.describe());
                Err(Stop::Archive(TarError::Member { member: entry.path.to_string(), why }))
            }
        }
    });
    read.map_err(|stop| stop.into_error(|error| outer(error).into()))?;
    // The checksum of gzip stands at its end.
    io::copy(&mut reader, &mut io::sink()).map_err(TarError::Read).map_err(outer)?;
    Ok(())
}

fn ar<R: Read, E: From<IpkError>>(
    package: &str,
    source: &mut R,
    visit: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let outer = |source: ArError| IpkError::Ar { package: package.to_owned(), source };
    let mut archive = ArReader::new(source).map_err(outer)?;
    let mut count = 0;
    while let Some(member) = archive.advance().map_err(outer)? {
        count += 1;
        if count > MEMBER_LIMIT {
            let source = TarError::TooManyMembers(MEMBER_LIMIT);
            return Err(IpkError::Outer { package: package.to_owned(), source }.into());
        }
        visit(&member.name, &mut archive)?;
    }
    Ok(())
}
