//! Repositories without an index: package files that the recipe pins, whose records are read from
//! the packages themselves.

use super::Offered;
use crate::lock::LockedPackage;
use crate::mirrors::mirrors;
use crate::source::Source;
use crate::{Context, Error};
use wifibox_fetch::Fetcher;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{Package, PackageFormat};
use wifibox_ground::artefact::Artefact;
use wifibox_recipe::{Format, LoosePackage, Repository};

/// Fetches the packages of `repository` and adds their records.
///
/// # Errors
/// [`Error`]: a package cannot be had, is not the pinned one, or cannot be read.
pub fn load(
    source: &Source,
    repository: &Repository,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    if source.format != Format::Apk {
        return Err(Error::Unsupported(format!(
            "repository {}: packages without an index are read in the format apk only",
            repository.name
        )));
    }
    let described = |pinned: &&LoosePackage| pinned.depends.is_some();
    for pinned in repository.packages.iter().filter(described) {
        let package = described_here(repository, pinned)?;
        offered.packages.push(LockedPackage { repository: repository.name.clone(), package });
    }
    let mirrors = mirrors(repository, source.format, context)?;
    let artefact = |pinned: &LoosePackage| {
        let name = pinned.file.rsplit('/').next().unwrap_or_default();
        let artefact = Artefact::on_mirrors(name, &mirrors, &pinned.file)
            .map_err(|error| Error::Mirror(format!("package {}", pinned.file), error))?;
        Ok(artefact.expecting(Some(pinned.size), pinned.sha256))
    };
    let others: Vec<_> = repository.packages.iter().filter(|pinned| !described(pinned)).collect();
    let artefacts: Vec<Artefact> =
        others.iter().copied().map(artefact).collect::<Result<_, Error>>()?;
    let files = fetcher.fetch_all(&artefacts, context.work.jobs.get())?;
    for (pinned, file) in others.into_iter().zip(files) {
        let reader = std::io::BufReader::new(file.open()?);
        let (format, options) = (PackageFormat::Apk, OpenOptions::default());
        let apk = context.packages.open(format, &pinned.file, Box::new(reader), options)?;
        let mut package = apk.record()?;
        package.path = pinned.file.clone();
        package.size = pinned.size;
        package.sha256 = Some(pinned.sha256);
        offered.packages.push(LockedPackage { repository: repository.name.clone(), package });
    }
    Ok(())
}

/// The record of a package that the recipe describes, from `FOLDER/NAME-VERSION.apk`.
fn described_here(repository: &Repository, pinned: &LoosePackage) -> Result<Package, Error> {
    let file = pinned.file.rsplit('/').next().unwrap_or_default();
    let Some((name, version)) = name_and_version(file) else {
        return Err(Error::Unsupported(format!(
            "repository {}: the file name of {} is not made as NAME-VERSION.apk, so that its \
             'depends' do not say enough: leave them out",
            repository.name, pinned.file
        )));
    };
    Ok(Package {
        name: name.to_owned(),
        version,
        path: pinned.file.clone(),
        size: pinned.size,
        sha256: Some(pinned.sha256),
        depends: pinned.depends.iter().flatten().cloned().collect::<Vec<_>>().join(" "),
        ..Package::default()
    })
}

/// Name and version of the package in the file `NAME-VERSION.apk`.
pub(super) fn name_and_version(file: &str) -> Option<(&str, String)> {
    // A version is two parts: `6.18.21-r0`.
    let mut parts = file.strip_suffix(".apk")?.rsplitn(3, '-');
    let (revision, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name, format!("{version}-{revision}")))
}
