//! A guest, or a release, out of a registry.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_fetch::Access;
use wifibox_fetch::registry::{Purpose, Reference, Registry};
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::OutputFolder;
use wifibox_ground::sums::{SIGNATURES, SUMS, SUMS_LIMIT, Sums};
use wifibox_ground::work::Work;
use wifibox_report::artifact::{Listed, Planned, is_inside};
use wifibox_report::findings::{Findings, Options, Signed};
use wifibox_report::output::{self, SIZE_LIMIT};
use wifibox_report::release::INDEX;
use wifibox_report::signature::PublicKey;
use wifibox_report::verify::verify;

use super::about::{Cosign, Minisig, about};
use super::choose::{Chosen, choose};
use super::sources::Sources;
use super::{RegistryChoice, TransferError, connect};
use crate::Amount;

/// A guest's manifest.
const MANIFEST: &str = "manifest.json";

/// What is to be pulled, and where it goes.
pub struct PullRequest<'a> {
    /// The address.
    pub reference: &'a Reference,
    /// Which guest of several: its flavor, or its name.
    pub flavor: Option<&'a str>,
    /// The folder to write.
    pub out: &'a Path,
    /// The key that must have signed it; without one nobody says who made it.
    pub key: Option<&'a PublicKey>,
    /// How the registry is asked.
    pub registry: &'a RegistryChoice,
}

/// What was pulled.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PullReport {
    /// The address.
    pub reference: String,
    /// The digest of what is there: a manifest, or an index of several.
    pub digest: Sha256,
    /// The folder.
    pub out: PathBuf,
    /// The manifests whose files are in it.
    pub manifests: Vec<Pulled>,
    /// Who made it, and that it is whole.
    pub verify: Findings,
    /// Signatures of cosign beside it, which were not checked.
    pub cosign: Vec<Cosign>,
    /// Files that were fetched, and the bytes that came for that.
    pub fetched: Amount,
    /// Files that were here, and all bytes that did not have to come.
    pub here: Amount,
}

/// A manifest that was pulled.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Pulled {
    /// The guest's name in its release; empty for a single guest, and for the release itself.
    pub name: String,
    /// The manifest's digest.
    pub digest: Sha256,
}

/// Pulls a guest or a release, and puts it in its place once all of it was checked.
///
/// # Errors
/// [`TransferError`]: the registry does not have it, it is not signed by the key, or the folder cannot be written.
pub fn pull(
    request: &PullRequest<'_>,
    access: &Access,
    work: &Work<'_>,
) -> Result<PullReport, TransferError> {
    let PullRequest { reference, out, key, .. } = *request;
    let registry = connect(reference, Purpose::Pull, request.registry, access, work)?;
    let store = access.store()?;
    // What stands in the way is known before anything is fetched.
    let folder = OutputFolder::begin_fetched(out)?;
    let (chosen, digest) = choose(&registry, reference, request.flavor)?;
    let mut sources = Sources::new(&registry, &store, out);
    let what = reference.to_string();
    let plan = plan(&registry, &mut sources, &chosen, key, &what)?;
    for file in plan.listed.files() {
        work.check()?;
        if file.path != SUMS {
            sources.write(&folder, file)?;
        }
    }
    folder.write_bytes(SUMS, 0o644, &plan.sums.bytes)?;
    if let Some(signature) = &plan.signature {
        folder.write_bytes(SIGNATURES[0], 0o644, signature)?;
    }
    for path in plan.listed.folders() {
        folder.make_folder(path)?;
    }
    links(&folder, &chosen, &what)?;
    work.check()?;
    let options = Options { public_key: key, ignore_missing: false };
    let findings = verify(folder.work_folder(), &options)?;
    if !findings.is_sound() {
        let (problems, more) = (findings.problems, findings.more);
        return Err(TransferError::Unsound { what, problems, more });
    }
    if key.is_some() && !matches!(findings.signature, Signed::Good { .. }) {
        return Err(TransferError::Unsigned { what });
    }
    work.check()?;
    let (fetched, here) = (sources.fetched, sources.here);
    folder.finish_as_it_is()?;
    Ok(PullReport {
        reference: what,
        digest,
        out: out.to_owned(),
        manifests: chosen
            .into_iter()
            .map(|one| Pulled { name: one.name, digest: one.digest })
            .collect(),
        verify: findings,
        cosign: plan.cosign,
        fetched,
        here,
    })
}

/// What is to be fetched: all of it listed in a list that was signed.
struct Plan {
    listed: Listed,
    sums: Sums,
    signature: Option<Vec<u8>>,
    cosign: Vec<Cosign>,
}

/// Reads the list of hashes, holds its signature against the key, and what the registry lists against it.
fn plan(
    registry: &Registry<'_>,
    sources: &mut Sources<'_>,
    chosen: &[Chosen],
    key: Option<&PublicKey>,
    what: &str,
) -> Result<Plan, TransferError> {
    let hostile = |why: String| TransferError::Hostile { what: what.to_owned(), why };
    let (mut listed, mut cosign, mut minisigs) = (Listed::default(), Vec::new(), Vec::new());
    for one in chosen {
        listed.add(&one.manifest, &one.prefix).map_err(hostile)?;
        let (found, others) = about(registry, sources, &one.digest)?;
        minisigs.push(found);
        cosign.extend(others);
    }
    let small = |file: Option<&Planned>, path: &str, limit: u64| {
        let file = file.filter(|file| file.blob.size <= limit);
        file.cloned().ok_or_else(|| hostile(format!("it has no {path}, or a far too large one")))
    };
    let bytes = sources.read(&small(listed.file(SUMS), SUMS, SUMS_LIMIT)?.blob, SUMS)?;
    let mut minisigs = minisigs.into_iter();
    let own = minisigs.next().unwrap_or_default();
    let signature = match key {
        Some(key) => Some(signed(&own, key, &bytes, what)?),
        None => own.into_iter().next().map(|one| one.bytes),
    };
    let sums = Sums::parse(&bytes).map_err(|why| hostile(format!("{SUMS}: {why}")))?;
    // The signatures of a release's guests are files of the release.
    for (one, found) in chosen.iter().skip(1).zip(minisigs) {
        let path = format!("{}{}", one.prefix, SIGNATURES[0]);
        let hash = sums.hashes.get(&path);
        if let Some(signature) = found.iter().find(|found| Some(&found.blob.digest) == hash) {
            listed.insert(path, &signature.blob).map_err(hostile)?;
        }
    }
    listed.compare(&sums).map_err(hostile)?;
    let head = if listed.file(MANIFEST).is_some() { MANIFEST } else { INDEX };
    let bytes = sources.read(&small(listed.file(head), head, SIZE_LIMIT)?.blob, head)?;
    listed.compare_sizes(head, &bytes).map_err(hostile)?;
    Ok(Plan { listed, sums, signature, cosign })
}

/// The first signature that is by the key.
fn signed(
    found: &[Minisig],
    key: &PublicKey,
    sums: &[u8],
    what: &str,
) -> Result<Vec<u8>, TransferError> {
    let mut why = None;
    for one in found {
        match key.verify(sums, &one.bytes) {
            Ok(_) => return Ok(one.bytes.clone()),
            Err(error) => why = Some(error.to_string()),
        }
    }
    let what = what.to_owned();
    Err(match why {
        Some(why) => TransferError::BadSignature { what, why },
        None => TransferError::Unsigned { what },
    })
}

/// Makes the links that the guests' manifests list: they are no files, and a registry has none.
fn links(folder: &OutputFolder, chosen: &[Chosen], what: &str) -> Result<(), TransferError> {
    for one in chosen {
        let inside = folder.work_folder().join(&one.prefix);
        // A release's own files have none; what is wrong with a manifest is found when all is checked.
        let Ok(manifest) = output::load(&inside) else { continue };
        for link in &manifest.links {
            let path = format!("{}{}", one.prefix, link.path);
            if !is_inside(&path) || leads_out(folder.work_folder(), &path) {
                let why = format!("{:?} is no path of a link in a folder", link.path);
                return Err(TransferError::Hostile { what: what.to_owned(), why });
            }
            folder.make_link(&path, &link.target)?;
        }
    }
    Ok(())
}

/// Whether something above `path` in `folder` is no folder: a link that was made before.
fn leads_out(folder: &Path, path: &str) -> bool {
    let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    let data = above.filter_map(|above| folder.join(above).symlink_metadata().ok());
    data.into_iter().any(|data| !data.is_dir())
}
