//! Reads Debian packages: deb(5).
//!
//! A package is an `ar` archive of `debian-binary`, `control.tar` and `data.tar`, in this order. It is
//! read from begin to end without seeking: [`Deb::open`] takes the control files in, then
//! [`Deb::read_data`] streams what is to be installed.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;

use crate::ar::{ArReader, MemberHeader};
use crate::archive::{Stop, control_files, member_compression, unpacked};
use wifibox_formats::deb::{ArError, DebError};
use wifibox_formats::deb822;
use wifibox_formats::tarball;
use wifibox_formats::{Package, PackageLimits, dpkg_index};
use wifibox_ground::codec::Compression;
use wifibox_ground::entry::Entry;

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
    limits: PackageLimits,
    jobs: NonZeroUsize,
    control: Control,
    archive: ArReader<R>,
}

impl Control {
    /// The value of a control field; `None` where there is none that can be read.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut reader = deb822::Reader::new(&self.fields[..]);
        let record = reader.next_record().ok()??;
        record.get(name).map(str::to_owned)
    }

    fn of_files(mut files: BTreeMap<String, Vec<u8>>) -> Self {
        let mut control = Control {
            fields: files.remove("control").unwrap_or_default(),
            conffiles: files.remove("conffiles"),
            triggers: files.remove("triggers"),
            md5sums: files.remove("md5sums"),
            ..Control::default()
        };
        let of_script = |name: &String| SCRIPTS.contains(&name.as_str());
        (control.scripts, control.others) =
            files.into_iter().partition(|(name, _)| of_script(name));
        control
    }
}

const SCRIPTS: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];

impl<R: Read> Deb<R> {
    /// Begins to read a package, `package` in errors, up to the end of its control files.
    ///
    /// # Errors
    /// [`DebError`].
    pub fn open(package: &str, input: R, limits: PackageLimits) -> Result<Self, DebError> {
        let at = |source| DebError::Ar { package: package.to_owned(), source };
        let wrong = |why: String| DebError::Format { package: package.to_owned(), why };
        let mut archive = ArReader::new(input).map_err(at)?;
        let first = archive.advance().map_err(at)?;
        match first {
            Some(MemberHeader { name, size }) if name == "debian-binary" && size < 1024 => {
                let mut version = String::new();
                let read = archive.read_to_string(&mut version);
                read.map_err(|error| at(ArError::Read(error)))?;
                if !version.starts_with("2.") {
                    let package = package.to_owned();
                    let why = format!("its format is {:?}, not 2.x", version.trim_end());
                    return Err(DebError::Unsupported { package, why });
                }
            }
            _ => {
                let why = "it does not begin with debian-binary".to_owned();
                return Err(DebError::Foreign { package: package.to_owned(), why });
            }
        }
        let (name, compression) = named_member(package, &mut archive, "control.tar")?;
        let files = control_files(compression, &mut archive, limits).map_err(|source| {
            DebError::Tar { package: package.to_owned(), member: name.clone(), source }
        })?;
        let control = Control::of_files(files);
        if control.fields.is_empty() {
            return Err(wrong(format!("{name} has no file 'control'")));
        }
        let jobs = NonZeroUsize::MIN;
        Ok(Deb { package: package.to_owned(), limits, jobs, control, archive })
    }

    /// The same, with up to `jobs` threads that unpack.
    #[must_use]
    pub(crate) fn with_jobs(self, jobs: NonZeroUsize) -> Self {
        Deb { jobs, ..self }
    }

    /// The control files.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The record that an index would have of this package, but for its file.
    ///
    /// # Errors
    /// [`DebError::Format`]: its fields are no record.
    pub fn to_package(&self) -> Result<Package, DebError> {
        let wrong = |why: String| DebError::Format { package: self.package.clone(), why };
        let fields = &self.control.fields[..];
        let mut records = dpkg_index::parse(fields).map_err(|error| wrong(error.to_string()))?;
        records.pop().ok_or_else(|| wrong("its file control is empty".to_owned()))
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
        unpacked(compression, self.jobs, &mut self.archive, self.limits.data, |reader| {
            tarball::read(reader, self.limits.tar, &mut |entry| visit(entry).map_err(Stop::Visitor))
        })
        .map_err(|stop| {
            stop.into_error(|source| {
                DebError::Tar { package: package.clone(), member: name.clone(), source }.into()
            })
        })?;
        // The end of the outer member, for a package that is cut off.
        let cut = |source| DebError::Ar { package: package.clone(), source };
        self.archive.advance().map_err(cut)?;
        Ok(self.control)
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
        let name = match next {
            Some(MemberHeader { name, .. }) if name.starts_with('_') => continue,
            Some(MemberHeader { name, .. }) => name,
            None => {
                let why = format!("it has no {wanted}");
                return Err(DebError::Format { package: package.to_owned(), why });
            }
        };
        return match member_compression(&name, wanted) {
            Ok(Some(compression)) => Ok((name, compression)),
            Ok(None) => {
                let why = format!("it has {name:?} where {wanted} is expected");
                Err(DebError::Format { package: package.to_owned(), why })
            }
            Err(why) => Err(DebError::Unsupported { package: package.to_owned(), why }),
        };
    }
}
