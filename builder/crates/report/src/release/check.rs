//! Holds a release's index and provenance against its hashes, and each of its guests against both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::index::{FORMAT, Guest, Index};
use super::provenance::Statement;
use super::{GUESTS, INDEX, PROVENANCE};
use crate::findings::{Findings, Options, VerifyError};
use crate::output::{SIZE_LIMIT, load};
use crate::released::Release;
use wifibox_ground::digest::Sha256;
use wifibox_ground::regular;
use wifibox_ground::sums::Sums;

/// Checks the release in `folder`, whose files have the hashes of `sums`, and these sizes; `verify` checks
/// the folder of a guest.
///
/// # Errors
/// A folder cannot be read at all. What is wrong is in `findings`.
pub fn check(
    folder: &Path,
    sums: &Sums,
    sizes: &BTreeMap<&str, u64>,
    options: &Options<'_>,
    findings: &mut Findings,
    verify: &dyn Fn(&Path) -> Result<Findings, VerifyError>,
) -> Result<(), VerifyError> {
    let Some(index) = read_index(folder, findings) else { return Ok(()) };
    compare_artefacts(&index, sums, sizes, findings);
    if folder.join(PROVENANCE).exists() || !options.ignore_missing {
        compare_provenance(folder, sums, findings);
    }
    let mut guests = BTreeMap::new();
    for guest in &index.guests {
        let place = format!("{GUESTS}/{}", guest.name);
        let inside = folder.join(&place);
        if options.ignore_missing && !inside.join("manifest.json").is_file() {
            continue;
        }
        let inner = verify(&inside)?;
        findings.nodes += inner.nodes;
        findings.more += inner.more;
        for problem in inner.problems {
            findings.add(format!("{place}/{}", problem.file), problem.what);
        }
        // What cannot be read is reported already.
        if let Ok(manifest) = load(&inside) {
            let entry = Guest::new(&guest.name, &manifest, guest.boot_tested.clone());
            if entry != (Guest { artefacts: Vec::new(), ..guest.clone() }) {
                let what = format!("says of {} what its manifest.json does not", guest.name);
                findings.add(INDEX, what);
            }
            if manifest.builder != index.builder {
                findings.add(INDEX, format!("names another builder than {place}/manifest.json"));
            }
            guests.insert(guest.name.clone(), manifest.build_id);
        }
    }
    findings.release = Some(Release { version: index.version, guests });
    Ok(())
}

/// The index: its hash is right already.
fn read_index(folder: &Path, findings: &mut Findings) -> Option<Index> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
    }
    let Ok(bytes) = regular::read(&folder.join(INDEX), SIZE_LIMIT) else {
        findings.add(INDEX, "cannot be read");
        return None;
    };
    match serde_json::from_slice::<Head>(&bytes) {
        Ok(head) if head.format != FORMAT => {
            let what = format!("has format {}, this version reads {FORMAT}", head.format);
            findings.add(INDEX, what);
            None
        }
        _ => serde_json::from_slice(&bytes)
            .map_err(|error| findings.add(INDEX, error.to_string()))
            .ok(),
    }
}

/// The index lists every file but itself, as `SHA256SUMS` does.
fn compare_artefacts(
    index: &Index,
    sums: &Sums,
    sizes: &BTreeMap<&str, u64>,
    findings: &mut Findings,
) {
    let mut listed = BTreeSet::from([INDEX]);
    for file in index.artefacts() {
        if !listed.insert(&file.path) {
            findings.add(&file.path, "is in index.json twice");
        }
        match sums.hashes.get(&file.path) {
            None => findings.add(&file.path, "is in index.json, not in SHA256SUMS"),
            Some(hash) if *hash != file.sha256 => {
                findings.add(&file.path, "has one hash in index.json, another in SHA256SUMS");
            }
            Some(_) => match sizes.get(file.path.as_str()) {
                Some(size) if *size != file.size => {
                    let what = format!("has {size} bytes, index.json says {}", file.size);
                    findings.add(&file.path, what);
                }
                _ => {}
            },
        }
    }
    for guest in &index.guests {
        let prefix = format!("{GUESTS}/{}/", guest.name);
        for file in guest.artefacts.iter().filter(|file| !file.path.starts_with(&prefix)) {
            findings.add(&file.path, format!("is said to be of {}, in index.json", guest.name));
        }
    }
    for path in sums.hashes.keys().filter(|path| !listed.contains(path.as_str())) {
        findings.add(path, "is in SHA256SUMS, not in index.json");
    }
}

/// The provenance is about every file but itself and the index.
fn compare_provenance(folder: &Path, sums: &Sums, findings: &mut Findings) {
    let statement: Statement = match regular::read(&folder.join(PROVENANCE), SIZE_LIMIT)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
    {
        Ok(statement) => statement,
        Err(why) => return findings.add(PROVENANCE, why),
    };
    if let Err(why) = statement.check_types() {
        findings.add(PROVENANCE, why);
    }
    let mut subjects: BTreeMap<&str, Option<Sha256>> = BTreeMap::new();
    for subject in &statement.subject {
        let sha256 = subject.digest.get("sha256").and_then(|digest| digest.parse().ok());
        subjects.insert(subject.name.as_deref().unwrap_or_default(), sha256);
    }
    for (path, hash) in &sums.hashes {
        if [INDEX, PROVENANCE].contains(&path.as_str()) {
            continue;
        }
        match subjects.remove(path.as_str()) {
            None => findings.add(path, "is in SHA256SUMS, not in provenance.json"),
            Some(found) if found != Some(*hash) => {
                findings.add(path, "has one hash in provenance.json, another in SHA256SUMS");
            }
            Some(_) => {}
        }
    }
    for path in subjects.into_keys() {
        findings.add(path, "is in provenance.json, not in SHA256SUMS");
    }
}
