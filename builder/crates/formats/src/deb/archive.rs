//! Reads Debian packages: deb(5).
//!
//! A package is an `ar` archive of `debian-binary`, `control.tar` and `data.tar`, in this order. It is
//! read from begin to end without seeking: [`Deb::open`] takes the control files in, then
//! [`Deb::read_data`] streams what is to be installed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use super::ar::{ArError, ArReader, MemberHeader};
use crate::tarball::{self, TarError, TarLimits};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::entry::{Entry, EntryKind};

/// How much a package may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebLimits {
    /// All control files together, unpacked, in bytes.
    pub control: u64,
    /// What `data.tar` may unpack to.
    pub data: Limits,
    /// Its members.
    pub tar: TarLimits,
}

impl Default for DebLimits {
    fn default() -> Self {
        DebLimits { control: 64 << 20, data: Limits::default(), tar: TarLimits::default() }
    }
}

/// Why a package cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// The outer archive is cut off, damaged, or not one.
    #[error("{package} is not a Debian package: {source}")]
    Ar {
        /// The package.
        package: String,
        /// What is wrong.
        source: ArError,
    },
    /// The outer archive has the wrong members.
    #[error("{package} is not a Debian package that can be read: {why}")]
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
        /// `control.tar.xz` or `data.tar.xz`.
        member: String,
        /// What is wrong.
        source: TarError,
    },
}

/// The control files of a package, as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// `control`: the fields (deb-control(5)).
    pub fields: Vec<u8>,
    /// The maintainer scripts among `preinst`, `postinst`, `prerm`, `postrm` and `config`, by name.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// `conffiles`: absolute paths, one in a line.
    pub conffiles: Option<Vec<u8>>,
    /// `triggers` (deb-triggers(5)).
    pub triggers: Option<Vec<u8>>,
    /// `md5sums` of the data.
    pub md5sums: Option<Vec<u8>>,
    /// All others by name: `shlibs`, `symbols`, `templates`.
    pub others: BTreeMap<String, Vec<u8>>,
}

/// A package that is being read.
pub struct Deb<R> {
    package: String,
    limits: DebLimits,
    jobs: NonZeroUsize,
    control: Control,
    archive: ArReader<R>,
}

const SCRIPTS: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];

impl<R: Read> Deb<R> {
    /// Begins to read a package, `package` in errors, up to the end of its control files.
    ///
    /// # Errors
    /// [`DebError`].
    pub fn open(package: &str, input: R, limits: DebLimits) -> Result<Self, DebError> {
        let at = |source| DebError::Ar { package: package.to_owned(), source };
        let wrong = |why: String| DebError::Format { package: package.to_owned(), why };
        let mut archive = ArReader::new(input).map_err(at)?;
        let first = archive.advance().map_err(at)?;
        match first {
            Some(MemberHeader { name, size }) if name == "debian-binary" && size < 1024 => {
                let mut version = String::new();
                let read = archive.read_to_string(&mut version);
                read.map_err(|error| wrong(format!("debian-binary: {error}")))?;
                if !version.starts_with("2.") {
                    return Err(wrong(format!("its format is {:?}, not 2.x", version.trim_end())));
                }
            }
            _ => return Err(wrong("it does not begin with debian-binary".to_owned())),
        }
        let (name, compression) = named_member(package, &mut archive, "control.tar")?;
        let limit = Limits { size: limits.control, ratio: limits.data.ratio };
        let member =
            |source| DebError::Tar { package: package.to_owned(), member: name.clone(), source };
        let mut reader = compression
            .reader(&mut archive, limit)
            .map_err(|error| member(TarError::Read(error)))?;
        let control = read_control(&mut reader, limits.tar).map_err(member)?;
        drain(&mut reader).map_err(|error| member(TarError::Read(error)))?;
        drop(reader);
        if control.fields.is_empty() {
            return Err(wrong(format!("{name} has no file 'control'")));
        }
        let jobs = NonZeroUsize::MIN;
        Ok(Deb { package: package.to_owned(), limits, jobs, control, archive })
    }

    /// The same, with up to `jobs` threads that unpack.
    #[must_use]
    pub fn with_jobs(self, jobs: NonZeroUsize) -> Self {
        Deb { jobs, ..self }
    }

    /// The control files.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Hands all that is to be installed to `visit`, in the order of the package, and checks that
    /// the package is complete. Returns the control files.
    ///
    /// # Errors
    /// Whatever `visit` reports, or [`DebError`] as `E`. What was visited before an error must be
    /// thrown away: checksums stand at the end.
    pub fn read_data<E: From<DebError>>(
        mut self,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<Control, E> {
        let (name, compression) = named_member(&self.package, &mut self.archive, "data.tar")?;
        let package = self.package;
        let member =
            |source| DebError::Tar { package: package.clone(), member: name.clone(), source };
        let mut reader = compression
            .reader_by(self.jobs, &mut self.archive, self.limits.data)
            .map_err(|error| member(TarError::Read(error)))?;
        tarball::read(&mut reader, self.limits.tar, &mut |entry| {
            visit(entry).map_err(Either::Theirs)
        })
        .map_err(|error| match error {
            Either::Theirs(error) => error,
            Either::Ours(error) => member(error).into(),
        })?;
        drain(&mut reader).map_err(|error| member(TarError::Read(error)))?;
        drop(reader);
        // The end of the outer member, for a package that is cut off.
        let cut = |source| DebError::Ar { package: package.clone(), source };
        self.archive.advance().map_err(cut)?;
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

/// Goes to the next member, which must be `wanted` with an optional suffix. Members whose names
/// begin with `_` may stand anywhere after the first one and are passed over.
fn named_member<R: Read>(
    package: &str,
    archive: &mut ArReader<R>,
    wanted: &str,
) -> Result<(String, Compression), DebError> {
    loop {
        let next = archive
            .advance()
            .map_err(|source| DebError::Ar { package: package.to_owned(), source })?;
        let why = match next {
            Some(MemberHeader { name, .. }) if name.starts_with('_') => continue,
            Some(MemberHeader { name, .. }) => match name.strip_prefix(wanted) {
                Some("" | ".gz" | ".xz" | ".zst") => {
                    let compression = Compression::of_name(&name);
                    return Ok((name, compression));
                }
                Some(suffix) if suffix.starts_with('.') => {
                    format!(
                        "{name} is compressed in an unsupported way; .gz, .xz and .zst are known"
                    )
                }
                _ => format!("it has {name:?} where {wanted} is expected"),
            },
            None => format!("it has no {wanted}"),
        };
        return Err(DebError::Format { package: package.to_owned(), why });
    }
}

fn read_control(reader: &mut dyn Read, limits: TarLimits) -> Result<Control, TarError> {
    let mut control = Control::default();
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
        let again = match name {
            "control" => !std::mem::replace(&mut control.fields, bytes).is_empty(),
            "conffiles" => control.conffiles.replace(bytes).is_some(),
            "triggers" => control.triggers.replace(bytes).is_some(),
            "md5sums" => control.md5sums.replace(bytes).is_some(),
            script if SCRIPTS.contains(&script) => {
                control.scripts.insert(script.to_owned(), bytes).is_some()
            }
            other => control.others.insert(other.to_owned(), bytes).is_some(),
        };
        if again { Err(odd("it appears twice".to_owned())) } else { Ok(()) }
    })?;
    Ok(control)
}

/// Reads what is left, so that the decoder checks its checksums.
fn drain(reader: &mut dyn Read) -> io::Result<()> {
    io::copy(reader, &mut io::sink()).map(drop)
}
