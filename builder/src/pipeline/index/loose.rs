//! Repositories without an index: package files that the recipe pins, whose records are read from
//! the packages themselves.

use super::{Offered, mirrors};
use crate::fetch::{Artefact, Fetcher};
use crate::lock::LockedPackage;
use crate::pipeline::source::Source;
use crate::pipeline::{Environment, Error};
use crate::recipe::{Format, Repository};
use crate::repo::apk::{Apk, ApkLimits};

/// Fetches the packages of `repository` and adds their records.
///
/// # Errors
/// [`Error`]: a package cannot be had, is not the pinned one, or cannot be read.
pub fn load(
    source: &Source,
    repository: &Repository,
    environment: &Environment<'_>,
    fetcher: &Fetcher<'_>,
    offered: &mut Offered,
) -> Result<(), Error> {
    if source.format != Format::Apk {
        return Err(Error::Unsupported(format!(
            "repository {}: packages without an index are read in the format apk only",
            repository.name
        )));
    }
    let mirrors = mirrors(repository, source.format, environment)?;
    let artefact = |pinned: &crate::recipe::LoosePackage| {
        let name = pinned.file.rsplit('/').next().unwrap_or_default();
        let artefact = Artefact::on_mirrors(name, &mirrors, &pinned.file)
            .map_err(|error| Error::Mirror(format!("package {}", pinned.file), error))?;
        Ok(artefact.expecting(Some(pinned.size), pinned.sha256))
    };
    let artefacts: Vec<Artefact> =
        repository.packages.iter().map(artefact).collect::<Result<_, Error>>()?;
    let files = fetcher.fetch_all(&artefacts, environment.jobs.get())?;
    for (pinned, file) in repository.packages.iter().zip(files) {
        let reader = std::io::BufReader::new(file.open()?);
        let apk = Apk::open(&pinned.file, reader, ApkLimits::default())?;
        let mut package = apk.control().info.to_package();
        package.path = pinned.file.clone();
        package.size = pinned.size;
        package.sha256 = Some(pinned.sha256);
        package.identity = Some(apk.control().identity.clone());
        offered.packages.push(LockedPackage { repository: repository.name.clone(), package });
    }
    Ok(())
}
