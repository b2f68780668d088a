//! Reads OpenWrt's packages: `.ipk`, as `ipkg-build` makes them and opkg reads them.
//!
//! A package is a gzipped tar of `./debian-binary`, `./data.tar.gz` and `./control.tar.gz`; OpenWrt
//! puts the data before the control files, others the other way round. Both are read: [`Ipk::open`]
//! goes through the whole file for the control files, [`Ipk::read_data`] once more for the data, so
//! that nothing has to be kept aside. Early packages are `ar` archives of the same members.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::control::{self, Control};
use super::members;
use crate::IndexError;
use crate::deb::ar::ArError;
use crate::tarball::{self, TarError, TarLimits};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::{Entry, EntryKind};

/// How much a package may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpkLimits {
    /// All control files together, unpacked, in bytes.
    pub control: u64,
    /// What `data.tar` may unpack to.
    pub data: Limits,
    /// Its members.
    pub tar: TarLimits,
}

impl Default for IpkLimits {
    fn default() -> Self {
        IpkLimits { control: 16 << 20, data: Limits::default(), tar: TarLimits::default() }
    }
}

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IpkError {
    /// The outer tar archive is cut off, damaged, or not one.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Outer {
        /// The package.
        package: String,
        /// What is wrong.
        source: TarError,
    },
    /// The outer ar archive is cut off, damaged, or not one.
    #[error("{package} is not an OpenWrt package that can be read: {source}")]
    Ar {
        /// The package.
        package: String,
        /// What is wrong.
        source: ArError,
    },
    /// The outer archive has the wrong members.
    #[error("{package} is not an OpenWrt package that can be read: {why}")]
    Format {
        /// The package.
        package: String,
        /// What is wrong.
        why: String,
    },
    /// A member of the outer archive cannot be unpacked.
    #[error("{package}, {member}: {source}")]
    Tar {
        /// The package.
        package: String,
        /// `control.tar.gz` or `data.tar.gz`.
        member: String,
        /// What is wrong.
        source: TarError,
    },
    /// The control fields cannot be read.
    #[error("{package}, control: {source}")]
    Control {
        /// The package.
        package: String,
        /// What is wrong.
        source: IndexError,
    },
}

/// A package whose control files were read.
pub struct Ipk<R> {
    package: String,
    limits: IpkLimits,
    control: Control,
    source: R,
}

impl<R: Read + Seek> Ipk<R> {
    /// Reads a package, `package` in errors, once from begin to end, for its control files.
    ///
    /// # Errors
    /// [`IpkError`].
    pub fn open(package: &str, mut source: R, limits: IpkLimits) -> Result<Self, IpkError> {
        let wrong = |why: String| IpkError::Format { package: package.to_owned(), why };
        let mut format = None;
        let mut control = None;
        let mut data = false;
        members::each(package, &mut source, &mut |name, content| {
            let again = if name == "debian-binary" {
                let mut version = String::new();
                content
                    .take(1024)
                    .read_to_string(&mut version)
                    .map_err(|error| wrong(format!("debian-binary: {error}")))?;
                if !version.starts_with("2.") {
                    return Err(wrong(format!("its format is {:?}, not 2.x", version.trim_end())));
                }
                format.replace(()).is_some()
            } else if let Some(compression) = compression(package, name, "control.tar")? {
                let limit = Limits { size: limits.control, ratio: limits.data.ratio };
                let read = unpacked(compression, content, limit, |reader| {
                    read_control(reader, limits.tar)
                });
                let files = read.map_err(|source| tar(package, name, source))?;
                control.replace(control::parsed(package, files)?).is_some()
            } else if compression(package, name, "data.tar")?.is_some() {
                std::mem::replace(&mut data, true)
            } else {
                false
            };
            if again { Err(wrong(format!("it has {name} twice"))) } else { Ok(()) }
        })?;
        format.ok_or_else(|| wrong("it has no debian-binary".to_owned()))?;
        let control = control.ok_or_else(|| wrong("it has no control.tar.gz".to_owned()))?;
        if !data {
            return Err(wrong("it has no data.tar.gz".to_owned()));
        }
        Ok(Ipk { package: package.to_owned(), limits, control, source })
    }

    /// The control files.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Reads the package once more and hands all that is to be installed to `visit`, in the order of
    /// the package. Returns the control files.
    ///
    /// # Errors
    /// Whatever `visit` reports, or [`IpkError`] as `E`. What was visited before an error must be
    /// thrown away: checksums stand at the end.
    pub fn read_data<E: From<IpkError>>(
        mut self,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<Control, E> {
        let (package, limits) = (&self.package, self.limits);
        members::each(package, &mut self.source, &mut |name, content| {
            let Some(compression) = compression(package, name, "data.tar")? else { return Ok(()) };
            let read = unpacked(compression, content, limits.data, |reader| {
                tarball::read(reader, limits.tar, &mut |entry| visit(entry).map_err(Either::Theirs))
            });
            read.map_err(|error| match error {
                Either::Theirs(error) => error,
                Either::Ours(source) => tar(package, name, source).into(),
            })
        })?;
        Ok(self.control)
    }
}

/// Keeps errors of the visitor apart from errors of the archive.
enum Either<E> {
    Theirs(E),
    Ours(TarError),
}

impl<E> From<TarError> for Either<E> {
    fn from(error: TarError) -> Self {
        Either::Ours(error)
    }
}

fn tar(package: &str, member: &str, source: TarError) -> IpkError {
    IpkError::Tar { package: package.to_owned(), member: member.to_owned(), source }
}

/// How the member `name` is compressed, if it is `wanted` with the suffix of a compression.
fn compression(package: &str, name: &str, wanted: &str) -> Result<Option<Compression>, IpkError> {
    match name.strip_prefix(wanted) {
        Some("" | ".gz" | ".xz" | ".zst") => Ok(Some(Compression::of_name(name))),
        Some(suffix) if suffix.starts_with('.') => Err(IpkError::Format {
            package: package.to_owned(),
            why: format!("{name} is compressed in an unsupported way; .gz, .xz and .zst are known"),
        }),
        _ => Ok(None),
    }
}

/// Reads a compressed member to its end, so that the decoder checks its checksums.
fn unpacked<T, E: From<TarError>>(
    compression: Compression,
    content: &mut dyn Read,
    limits: Limits,
    read: impl FnOnce(&mut dyn Read) -> Result<T, E>,
) -> Result<T, E> {
    let mut reader = compression.reader(content, limits).map_err(TarError::Read)?;
    let value = read(&mut reader)?;
    io::copy(&mut reader, &mut io::sink()).map_err(TarError::Read)?;
    Ok(value)
}

/// The files of `control.tar`, by name.
fn read_control(
    reader: &mut dyn Read,
    limits: TarLimits,
) -> Result<BTreeMap<String, Vec<u8>>, TarError> {
    let mut files = BTreeMap::new();
    tarball::read(reader, limits, &mut |entry: Entry<'_>| {
        let shown = entry.path.to_string();
        let odd = |why: String| TarError::Member { member: shown.clone(), why };
        let name = entry.path.as_str().ok_or_else(|| odd("its name is not UTF-8".to_owned()))?;
        let content = match entry.kind {
            EntryKind::Directory if entry.path.is_root() => return Ok(()),
            EntryKind::File { content, .. } if !name.contains('/') => content,
            other => {
                let why = format!("a {} has no place among control files", other.describe());
                return Err(odd(why));
            }
        };
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(TarError::Read)?;
        match files.insert(name.to_owned(), bytes) {
            Some(_) => Err(odd("it appears twice".to_owned())),
            None => Ok(()),
        }
    })?;
    Ok(files)
}
