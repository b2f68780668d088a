//! A folder into a registry: blobs first, then manifests, then what is about them, and the tag last, so that whoever
//! pulls meanwhile finds the old guest or all of the new one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_fetch::Access;
use wifibox_fetch::registry::{
    At, Descriptor, EMPTY, EMPTY_TYPE, INDEX_TYPE, MANIFEST_TYPE, Purpose, Reference, Registry,
    Sent,
};
use wifibox_ground::digest::Sha256;
use wifibox_ground::work::Work;
use wifibox_report::artifact::{self, Artifact, NAME, Packed};
use wifibox_report::findings::Options;
use wifibox_report::verify::verify;

use super::{RegistryChoice, TransferError, connect};
use crate::Amount;

/// What is to be pushed, and where.
pub struct PushRequest<'a> {
    /// The folder: an output, a release, or a folder of outputs.
    pub folder: &'a Path,
    /// The address.
    pub reference: &'a Reference,
    /// How the registry is asked.
    pub registry: &'a RegistryChoice,
    /// Other repositories of the registry that may have blobs already.
    pub mount_from: &'a [String],
}

/// What was pushed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PushReport {
    /// The address.
    pub reference: String,
    /// The digest of what is at the tag: a manifest, or an index of several.
    pub digest: Sha256,
    /// The manifests.
    pub manifests: Vec<Pushed>,
    /// Blobs that were sent.
    pub sent: Amount,
    /// Blobs that the registry had, or took from another of its repositories.
    pub there: Amount,
    /// Whether the registry finds signatures itself; if not, they are listed at a tag beside each manifest.
    pub lists_referrers: bool,
}

/// A manifest that was pushed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Pushed {
    /// The guest's name in its release; empty for a single guest, and for the release itself.
    pub name: String,
    /// The manifest's digest.
    pub digest: Sha256,
    /// Whether minisign's signature is beside it.
    pub signed: bool,
}

/// Pushes a folder.
///
/// # Errors
/// [`TransferError`]: the folder is not what a build wrote, or the registry refuses it.
pub fn push(
    request: &PushRequest<'_>,
    access: &Access,
    work: &Work<'_>,
) -> Result<PushReport, TransferError> {
    let PushRequest { folder, reference, .. } = *request;
    let Some(tag) = reference.tag.as_deref().filter(|_| reference.digest.is_none()) else {
        let why = "a digest follows from what is pushed: name a tag, oci://HOST/REPOSITORY:TAG";
        return Err(TransferError::Choice(format!("{reference}: {why}")));
    };
    let packed = artifact::pack(folder)?;
    check(folder, &packed, work)?;
    let registry = connect(reference, Purpose::Push, request.registry, access, work)?;
    let mut push = Push { registry: &registry, from: request.mount_from, known: BTreeSet::new() };
    let (mut sent, mut there) = (Amount::default(), Amount::default());
    let mut count = |one: Option<(Sent, u64)>| {
        let amount = match one {
            None => return,
            Some((Sent::Sent, _)) => &mut sent,
            Some((Sent::There | Sent::Mounted, _)) => &mut there,
        };
        amount.count += 1;
        amount.bytes += one.map_or(0, |(_, size)| size);
    };
    let mut lists_referrers = true;
    for artifact in &packed.artifacts {
        work.check()?;
        count(push.bytes(&Descriptor::of(EMPTY_TYPE, EMPTY), "{}", EMPTY)?);
        for file in &artifact.files {
            count(push.file(&file.path, &file.blob)?);
        }
        push.manifest(&artifact.descriptor, &artifact.bytes)?;
        for referrer in &artifact.referrers {
            count(push.file(&referrer.file.path, &referrer.file.blob)?);
            let (descriptor, bytes) = (&referrer.descriptor, &referrer.bytes);
            lists_referrers &=
                registry.put_referrer(&artifact.descriptor.digest, descriptor, bytes)?;
        }
    }
    let first = packed.artifacts.first().map(|one| (one.bytes.as_slice(), one.descriptor.digest));
    let (media_type, bytes, digest) = match (&packed.index, first) {
        (Some((bytes, index)), _) => (INDEX_TYPE, bytes.as_slice(), index.digest),
        (None, Some((bytes, digest))) => (MANIFEST_TYPE, bytes, digest),
        (None, None) => {
            return Err(TransferError::Choice(format!("{} is empty", folder.display())));
        }
    };
    registry.put_manifest(At::Tag(tag), media_type, bytes)?;
    Ok(PushReport {
        reference: reference.to_string(),
        digest,
        manifests: packed.artifacts.iter().map(pushed).collect(),
        sent,
        there,
        lists_referrers,
    })
}

fn pushed(artifact: &Artifact) -> Pushed {
    Pushed {
        name: artifact.descriptor.annotation(NAME).unwrap_or_default().to_owned(),
        digest: artifact.descriptor.digest,
        signed: artifact.is_signed(),
    }
}

/// Whether the folder, or each that is packed by itself, is what a build wrote. A release checks its guests.
fn check(folder: &Path, packed: &Packed, work: &Work<'_>) -> Result<(), TransferError> {
    let whole = packed.artifacts.iter().any(|artifact| artifact.folder.is_empty());
    let parts = packed.artifacts.iter().map(|artifact| artifact.folder.as_str());
    for part in parts.filter(|part| !whole || part.is_empty()) {
        work.check()?;
        let part = folder.join(part);
        let findings = verify(&part, &Options::default())?;
        if !findings.is_sound() {
            let what = part.display().to_string();
            let (problems, more) = (findings.problems, findings.more);
            return Err(TransferError::Unsound { what, problems, more });
        }
    }
    Ok(())
}

/// What has been pushed so far.
struct Push<'a> {
    registry: &'a Registry<'a>,
    from: &'a [String],
    /// Blobs that were looked at: files of the same content are one.
    known: BTreeSet<Sha256>,
}

impl Push<'_> {
    fn file(
        &mut self,
        path: &Path,
        blob: &Descriptor,
    ) -> Result<Option<(Sent, u64)>, TransferError> {
        let name = blob.annotation(artifact::TITLE).unwrap_or_default();
        let open = || File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>);
        self.blob(blob, name, &open)
    }

    fn bytes(
        &mut self,
        blob: &Descriptor,
        name: &str,
        bytes: &'static [u8],
    ) -> Result<Option<(Sent, u64)>, TransferError> {
        self.blob(blob, name, &|| Ok(Box::new(bytes)))
    }

    /// `None` where this blob has been dealt with.
    fn blob(
        &mut self,
        blob: &Descriptor,
        name: &str,
        open: &dyn Fn() -> io::Result<Box<dyn Read + Send>>,
    ) -> Result<Option<(Sent, u64)>, TransferError> {
        if !self.known.insert(blob.digest) {
            return Ok(None);
        }
        let sent = self.registry.put_blob(blob, name, self.from, open)?;
        Ok(Some((sent, blob.size)))
    }

    fn manifest(&self, descriptor: &Descriptor, bytes: &[u8]) -> Result<(), TransferError> {
        let at = At::Digest(&descriptor.digest);
        if !self.registry.has_manifest(at)? {
            self.registry.put_manifest(at, &descriptor.media_type, bytes)?;
        }
        Ok(())
    }
}
