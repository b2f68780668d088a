//! The values that a shell offers for an option: names of the recipes, those of `--recipes DIR` if the command
//! line has it.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap_complete::CompletionCandidate;

use super::project_file::Place;
use wifibox_recipe::{Catalog, Listed, Listing, ProjectFile, Sources};

/// Bases.
pub fn bases() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.bases)
}

/// Chipsets.
pub fn flavors() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.flavors)
}

/// Guests of the project that the command line names, or of the one here.
pub fn guests() -> Vec<CompletionCandidate> {
    let guests = || {
        let named = said("--project").map(PathBuf::from);
        let place = Place::find(named.as_deref(), false, &[]);
        let sources = place.ok()??.add_to(Sources::embedded(), true).ok()?;
        let (written, ..) = ProjectFile::read(&sources).ok()??;
        Some(written.guests.iter().map(|(name, _)| name.value.clone()).collect::<Vec<_>>())
    };
    guests().unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
}

/// Roles.
pub fn roles() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.roles)
}

/// Features.
pub fn features() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.features)
}

/// Kernels.
pub fn kernels() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.kernels)
}

/// Hypervisors that guests are built for.
pub fn hypervisors() -> Vec<CompletionCandidate> {
    candidates(|listing| listing.hypervisors)
}

/// Releases of the base that the command line names, or of all.
pub fn releases() -> Vec<CompletionCandidate> {
    of_bases(|base| &base.only_with)
}

/// Architectures of the base that the command line names, or of all.
pub fn architectures() -> Vec<CompletionCandidate> {
    of_bases(|base| &base.architectures)
}

fn candidates(pick: fn(Listing) -> Vec<Listed>) -> Vec<CompletionCandidate> {
    let listed = listing().map(pick).unwrap_or_default();
    let candidate =
        |item: Listed| CompletionCandidate::new(item.name).help(Some(item.summary.into()));
    listed.into_iter().map(candidate).collect()
}

fn of_bases(pick: fn(&Listed) -> &Vec<String>) -> Vec<CompletionCandidate> {
    let bases = listing().map(|listing| listing.bases).unwrap_or_default();
    let named = said("--base");
    let mut candidates = Vec::new();
    for base in bases.iter().filter(|base| named.as_ref().is_none_or(|named| *named == base.name)) {
        for name in pick(base) {
            let of = format!("{}: {}", base.name, base.summary);
            candidates.push(CompletionCandidate::new(name).help(Some(of.into())));
        }
    }
    candidates
}

/// The recipes' names; `None` where the recipes cannot be read, which a completion is no place to tell.
fn listing() -> Option<Listing> {
    let sources = match said("--recipes") {
        Some(folder) => Sources::folder(folder.as_ref()).ok()?,
        None => Sources::embedded(),
    };
    Some(Catalog::load(&sources).ok()?.list())
}

/// The value of an option in the command line that is being completed.
fn said(option: &str) -> Option<String> {
    let words: Vec<_> = std::env::args_os().collect();
    let place = words.iter().position(|word| word == OsStr::new(option));
    let next = place.and_then(|place| words.get(place + 1));
    let next = next.map(|value| value.to_string_lossy().into_owned());
    let joined = || {
        let mut words = words.iter().filter_map(|word| word.to_str());
        words.find_map(|word| Some(word.strip_prefix(option)?.strip_prefix('=')?.to_owned()))
    };
    next.or_else(joined)
}
