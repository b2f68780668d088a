//! Which manifests an address stands for: a guest's, or those of a release, or one of an index.

use wifibox_fetch::registry::{At, Descriptor, Document, Manifest, Reference, Registry};
use wifibox_ground::digest::Sha256;
use wifibox_report::artifact::{FLAVOR, GUEST, NAME, RELEASE, is_inside};

use super::TransferError;

/// A manifest, and where its files go.
pub(super) struct Chosen {
    /// The folder of its files: empty, or with `/` at its end.
    pub(super) prefix: String,
    pub(super) manifest: Manifest,
    pub(super) digest: Sha256,
    /// The guest's name in its index.
    pub(super) name: String,
}

/// The manifests to pull, and the digest of what is at the address. The first one's `SHA256SUMS` lists all files.
pub(super) fn choose(
    registry: &Registry<'_>,
    reference: &Reference,
    flavor: Option<&str>,
) -> Result<(Vec<Chosen>, Sha256), TransferError> {
    let at = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => At::Digest(digest),
        (None, tag) => At::Tag(tag.as_deref().unwrap_or_default()),
    };
    let (document, digest) = registry.document(at)?;
    let hostile = |why: String| TransferError::Hostile { what: reference.to_string(), why };
    let index = match document {
        Document::Manifest(manifest) => {
            let kind = manifest.artifact_type.as_deref().unwrap_or("an image");
            if kind != GUEST {
                return Err(hostile(format!("it is {kind}, not {GUEST}")));
            }
            let found = manifest.annotations.get(FLAVOR).map(String::as_str);
            if flavor.is_some() && flavor != found {
                let (wanted, found) = (flavor.unwrap_or_default(), found.unwrap_or("unknown"));
                let why = format!("{reference} is a guest for {found}, not for {wanted}");
                return Err(TransferError::Choice(why));
            }
            let (prefix, name) = (String::new(), String::new());
            return Ok((vec![Chosen { prefix, manifest: *manifest, digest, name }], digest));
        }
        Document::Index(index) => index,
    };
    let of_kind = |kind: &str| {
        let all = index.manifests.iter();
        all.filter(|one| one.artifact_type.as_deref() == Some(kind)).collect::<Vec<_>>()
    };
    let (releases, guests) = (of_kind(RELEASE), of_kind(GUEST));
    let read = |descriptor: &Descriptor, prefix: String| {
        let (document, digest) = registry.document(At::Digest(&descriptor.digest))?;
        let name = descriptor.annotation(NAME).unwrap_or_default().to_owned();
        match document {
            Document::Manifest(manifest) if manifest.artifact_type == descriptor.artifact_type => {
                Ok(Chosen { prefix, manifest: *manifest, digest, name })
            }
            _ => Err(hostile(format!("sha256:{digest} is not what the index says"))),
        }
    };
    if let (None, [release]) = (flavor, &releases[..]) {
        let mut chosen = vec![read(release, String::new())?];
        for guest in &guests {
            let name = guest.annotation(NAME).unwrap_or_default();
            if !is_inside(name) || name.contains('/') {
                return Err(hostile(format!("{name:?} is no name of a guest")));
            }
            chosen.push(read(guest, format!("guests/{name}/"))?);
        }
        return Ok((chosen, digest));
    }
    let named = |guest: &&&Descriptor| {
        let said = [guest.annotation(NAME), guest.annotation(FLAVOR)];
        flavor.is_none_or(|flavor| said.contains(&Some(flavor)))
    };
    let mut fit: Vec<&Descriptor> = guests.iter().filter(named).copied().collect();
    // A name is one guest's; a flavor may be that of several.
    if let Some(exact) =
        fit.iter().find(|guest| guest.annotation(NAME) == flavor && flavor.is_some())
    {
        fit = vec![exact];
    }
    match fit[..] {
        [guest] => Ok((vec![read(guest, String::new())?], digest)),
        _ => Err(TransferError::Choice(several(reference, flavor, &guests, fit.len()))),
    }
}

/// Says which guests there are.
fn several(
    reference: &Reference,
    flavor: Option<&str>,
    guests: &[&Descriptor],
    fit: usize,
) -> String {
    const SHOWN: usize = 40;
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
    let names = guests.iter().filter_map(|guest| guest.annotation(NAME)).map(plain);
    let names: Vec<String> = names.take(SHOWN).collect();
    let names = match names.join(", ") {
        names if names.is_empty() => "none".to_owned(),
        names => names,
    };
    match (flavor, fit) {
        (Some(flavor), 0) => format!("{reference} has no guest {flavor}; it has: {names}"),
        (Some(flavor), _) => {
            format!("{reference} has several guests {flavor}; name one with --flavor: {names}")
        }
        (None, _) => format!("{reference} has several guests; name one with --flavor: {names}"),
    }
}
