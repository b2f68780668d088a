//! Reads OpenWrt's packages: `.ipk`, as `ipkg-build` makes them and opkg reads them.
//!
//! A package is a gzipped tar of `./debian-binary`, `./data.tar.gz` and `./control.tar.gz`; OpenWrt
//! puts the data before the control files, others the other way round. Both are read: [`Ipk::open`]
//! goes through the whole file for the control files, [`Ipk::read_data`] once more for the data, so
//! that nothing has to be kept aside. Early packages are `ar` archives of the same members.

mod members;

use std::io::{Read, Seek};
use std::num::NonZeroUsize;

use crate::archive::{Stop, control_files, member_compression, unpacked};
use wifibox_formats::PackageLimits;
use wifibox_formats::opkg::{Control, IpkError};
use wifibox_formats::tarball::{self, TarError};
use wifibox_ground::codec::Compression;
use wifibox_ground::entry::Entry;

/// A package whose control files were read.
pub struct Ipk<R> {
    package: String,
    limits: PackageLimits,
    control: Control,
    source: R,
}

impl<R: Read + Seek> Ipk<R> {
    /// Reads a package, `package` in errors, once from begin to end, for its control files.
    ///
    /// # Errors
    /// [`IpkError`].
    pub fn open(package: &str, mut source: R, limits: PackageLimits) -> Result<Self, IpkError> {
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
                    .map_err(|error| tar(package, name, TarError::Read(error)))?;
                if !version.starts_with("2.") {
                    let package = package.to_owned();
                    let why = format!("its format is {:?}, not 2.x", version.trim_end());
                    return Err(IpkError::Unsupported { package, why });
                }
                format.replace(()).is_some()
            } else if let Some(compression) = compression(package, name, "control.tar")? {
                let files = control_files(compression, content, limits)
                    .map_err(|source| tar(package, name, source))?;
                control.replace(Control::parse(package, files)?).is_some()
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
            unpacked(compression, NonZeroUsize::MIN, content, limits.data, |reader| {
                tarball::read(reader, limits.tar, &mut |entry| visit(entry).map_err(Stop::Visitor))
            })
            .map_err(|stop| stop.into_error(|source| tar(package, name, source).into()))
        })?;
        Ok(self.control)
    }
}

fn tar(package: &str, member: &str, source: TarError) -> IpkError {
    IpkError::Tar { package: package.to_owned(), member: member.to_owned(), source }
}

/// How the member `name` is compressed, if it is `wanted` with the suffix of a compression.
fn compression(package: &str, name: &str, wanted: &str) -> Result<Option<Compression>, IpkError> {
    member_compression(name, wanted)
        .map_err(|why| IpkError::Unsupported { package: package.to_owned(), why })
}
