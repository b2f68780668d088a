//! All formats behind one trait.

use std::io::{Read, Seek};

use crate::{Apk, Apk3, Deb, Ipk};
use wifibox_formats::adb;
use wifibox_formats::apk::ApkError;
use wifibox_formats::reader::{
    Itself, Metadata, OpenOptions, PackageInput, Source, StreamError, Visitor,
};
use wifibox_formats::tarball::TarError;
use wifibox_formats::{OpenPackage, Package, PackageError, PackageFormat, PackageReader};

/// The readers of all formats.
#[derive(Debug, Clone, Copy, Default)]
pub struct Readers;

impl OpenPackage for Readers {
    fn open<'r>(
        &self,
        format: PackageFormat,
        package: &str,
        mut input: Box<dyn PackageInput + 'r>,
        options: OpenOptions<'_>,
    ) -> Result<Box<dyn PackageReader + 'r>, PackageError> {
        let OpenOptions { limits, jobs, identity } = options;
        let start = input.fill_buf().map_err(|error| ApkError::Tar {
            package: package.to_owned(),
            member: "control files",
            source: TarError::Read(error),
        })?;
        Ok(match format.of_start(start) {
            PackageFormat::Deb => Box::new(Deb::open(package, input, limits)?.with_jobs(jobs)),
            PackageFormat::Ipk => Box::new(Ipk::open(package, input, limits)?),
            PackageFormat::Apk => {
                let apk = Apk::open(package, input, limits)?;
                identity.map_or(Ok(()), |identity| apk.check_identity(identity))?;
                Box::new(apk)
            }
            PackageFormat::Apk3 => Box::new(match identity {
                Some(identity) => Apk3::open_expected(package, input, limits.into(), identity)?,
                None => Apk3::open(package, input, limits.into())?,
            }),
        })
    }
}

impl<R: Read> PackageReader for Deb<R> {
    fn metadata(&self) -> Metadata {
        let control = self.control();
        Metadata {
            scripts: control.scripts.clone(),
            templates: control.others.get("templates").cloned(),
            replaces: control.field("Replaces").unwrap_or_default(),
            source: Source::Fields(control.fields.clone()),
            itself: Itself {
                name: control.field("Package").unwrap_or_default(),
                version: control.field("Version").unwrap_or_default(),
            },
            ..Metadata::default()
        }
    }

    fn record(&self) -> Result<Package, PackageError> {
        Ok(self.to_package()?)
    }

    fn stream(self: Box<Self>, visit: &mut Visitor<'_>) -> Result<(), StreamError> {
        self.read_data(visit).map(drop)
    }
}

impl<R: Read> PackageReader for Apk<R> {
    fn metadata(&self) -> Metadata {
        let info = &self.control().info;
        Metadata {
            scripts: self.control().scripts.clone(),
            triggers: info.triggers.split_ascii_whitespace().map(str::to_owned).collect(),
            replaces: info.replaces.clone(),
            replaces_priority: info.replaces_priority,
            source: Source::Origin { origin: info.origin.clone(), commit: info.commit.clone() },
            itself: Itself { name: info.name.clone(), version: info.version.clone() },
            ..Metadata::default()
        }
    }

    fn record(&self) -> Result<Package, PackageError> {
        Ok(self.control().to_package())
    }

    fn stream(self: Box<Self>, visit: &mut Visitor<'_>) -> Result<(), StreamError> {
        self.read_data(visit).map(drop)
    }
}

impl PackageReader for Apk3<'_> {
    fn metadata(&self) -> Metadata {
        let control = self.control();
        let adb::Info { package, commit, .. } = &control.info;
        Metadata {
            scripts: control.scripts.clone(),
            triggers: control.triggers.clone(),
            replaces: package.replaces.clone(),
            replaces_priority: control.replaces_priority.try_into().unwrap_or(u32::MAX),
            source: Source::Origin { origin: package.origin.clone(), commit: commit.clone() },
            itself: Itself { name: package.name.clone(), version: package.version.clone() },
            ..Metadata::default()
        }
    }

    fn record(&self) -> Result<Package, PackageError> {
        Ok(self.control().info.package.clone())
    }

    fn stream(self: Box<Self>, visit: &mut Visitor<'_>) -> Result<(), StreamError> {
        self.read_data(visit).map(drop)
    }
}

impl<R: Read + Seek> PackageReader for Ipk<R> {
    fn metadata(&self) -> Metadata {
        let control = self.control();
        let fields = control.fields.iter().map(|(name, value)| format!("{name}: {value}\n"));
        Metadata {
            scripts: control.scripts.clone(),
            replaces: control.field("Replaces").unwrap_or_default().to_owned(),
            source: Source::Fields(fields.collect::<String>().into_bytes()),
            itself: Itself {
                name: control.name().to_owned(),
                version: control.field("Version").unwrap_or_default().to_owned(),
            },
            opkg: Some(control.clone()),
            ..Metadata::default()
        }
    }

    fn record(&self) -> Result<Package, PackageError> {
        Ok(self.control().to_package())
    }

    fn stream(self: Box<Self>, visit: &mut Visitor<'_>) -> Result<(), StreamError> {
        self.read_data(visit).map(drop)
    }
}
