//! What is about a manifest: minisign's signatures, by which it is trusted, and cosign's, which are only shown.

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_fetch::registry::{At, Descriptor, Document, Registry};
use wifibox_ground::digest::Sha256;
use wifibox_report::artifact::SIGNATURE;
use wifibox_report::signature::SIZE_LIMIT;

use super::TransferError;
use super::sources::Sources;

/// The most signatures of one manifest that are looked at: the newest key's, and those of keys before.
const SIGNATURES: usize = 8;
/// What cosign calls its signatures where they refer to what they are over.
const COSIGN: [&str; 3] = [
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.cosign.simplesigning.v1+json",
];

/// A signature of cosign that lies beside a guest. It is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cosign {
    /// The manifest that it is over.
    pub subject: Sha256,
    /// The signature's manifest.
    pub digest: Sha256,
    /// How many signatures are in it.
    pub signatures: usize,
    /// Where it was found: `tag`, or `referrer`.
    pub place: &'static str,
}

/// A signature of minisign.
pub(super) struct Minisig {
    pub(super) blob: Descriptor,
    pub(super) bytes: Vec<u8>,
}

/// The signatures over the manifest with this digest: minisign's, and cosign's.
pub(super) fn about(
    registry: &Registry<'_>,
    sources: &mut Sources<'_>,
    subject: &Sha256,
) -> Result<(Vec<Minisig>, Vec<Cosign>), TransferError> {
    let (mut minisigs, mut cosign) = (Vec::new(), Vec::new());
    let referrers = registry.referrers(subject)?;
    for referrer in &referrers {
        let Some(kind) = referrer.artifact_type.as_deref() else { continue };
        let is_minisig = kind == SIGNATURE && minisigs.len() < SIGNATURES;
        if !is_minisig && !COSIGN.contains(&kind) {
            continue;
        }
        // One that is gone, or cannot be read, is none.
        let Ok((Document::Manifest(manifest), digest)) =
            registry.document(At::Digest(&referrer.digest))
        else {
            continue;
        };
        if !is_minisig {
            let signatures = manifest.layers.len();
            cosign.push(Cosign { subject: *subject, digest, signatures, place: "referrer" });
            continue;
        }
        let is_about = manifest.subject.as_ref().is_some_and(|about| about.digest == *subject);
        if let ([blob], true) = (&manifest.layers[..], is_about)
            && blob.size <= SIZE_LIMIT
        {
            let bytes = sources.read(blob, "SHA256SUMS.minisig")?;
            minisigs.push(Minisig { blob: blob.clone(), bytes });
        }
    }
    // The newest is at the end of the list.
    minisigs.reverse();
    let tag = format!("sha256-{subject}.sig");
    if let Ok((Document::Manifest(manifest), digest)) = registry.document(At::Tag(&tag)) {
        let signatures = manifest.layers.len();
        cosign.push(Cosign { subject: *subject, digest, signatures, place: "tag" });
    }
    Ok((minisigs, cosign))
}
