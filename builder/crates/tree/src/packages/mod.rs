//! The packages of a guest: chosen from the lock, fetched, and read.

mod archive;
mod claim;
mod controls;
mod error;
mod file;
pub mod licences;
mod unpacking;

use wifibox_fetch::Fetcher;
use wifibox_formats::Package;
use wifibox_recipe::Format;
use wifibox_resolve::artefact::{artefact, digest};
use wifibox_resolve::{self as resolve, Locked, Records, because};

pub use claim::Claim;
pub use controls::{Control, Said, known, read};
pub use error::Error;
pub use file::PackageFile;
pub(crate) use unpacking::{read_data, unpack_ahead};

use crate::Context;

/// A package of the guest, fetched and checked.
#[derive(Debug, Clone)]
pub struct ChosenPackage {
    /// Name.
    pub name: String,
    /// How to read it.
    pub format: Format,
    /// Whether it comes from the kernel's base, which is not the guest's: only the kernel's files
    /// are taken from it.
    pub of_kernel: bool,
    /// Its record.
    pub record: Package,
    /// In words, who asked for it.
    pub why: String,
    /// The file.
    pub file: PackageFile,
    /// Its metadata, where they are known from an earlier build.
    pub said: Option<Said>,
}

/// The packages of a guest, in the order of their locks.
pub type Packages = Vec<ChosenPackage>;

/// The part of the chosen packages that is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Their files.
    Files,
    /// Their contents: a file of which all is in the caches need not be there.
    Contents,
}

/// Resolves the requests to each source over its lock, and fetches the needed part of the chosen packages.
///
/// # Errors
/// [`Error`].
pub fn choose(
    locks: &[Locked],
    need: Need,
    asked: &resolve::Context<'_>,
    context: &Context<'_>,
    fetcher: &Fetcher<'_>,
) -> Result<Packages, Error> {
    let mut packages = Vec::new();
    let mut artefacts = Vec::new();
    for (number, Locked { source, lock, .. }) in locks.iter().enumerate() {
        let records = Records::new(source, lock.stock());
        let (universe, requests, solution) = source.world.resolve(&records, source)?;
        for package in &solution.packages {
            let place = records.place(&universe, package.item);
            let Some(locked) = place.and_then(|place| lock.packages.get(place)) else { continue };
            let artefact = artefact(source, locked, asked)?;
            let record = locked.package.clone();
            let sha256 = digest(&record)?;
            let mut chosen = ChosenPackage {
                name: record.name.clone(),
                format: source.format,
                of_kernel: number > 0,
                why: because(&universe, &requests, &package.because),
                file: PackageFile::unneeded(sha256, record.size),
                said: None,
                record,
            };
            if need == Need::Contents {
                chosen.said = known(&chosen, context);
            }
            if chosen.said.is_none() {
                artefacts.push(artefact);
            }
            packages.push(chosen);
        }
    }
    let mut files = fetcher.fetch_all(&artefacts, context.work.jobs.get())?.into_iter();
    for package in packages.iter_mut().filter(|package| package.said.is_none()) {
        if let Some(file) = files.next() {
            package.file = file.into();
        }
    }
    Ok(packages)
}
