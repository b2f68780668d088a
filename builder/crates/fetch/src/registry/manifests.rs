//! Manifests and indexes: read, and put.

use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::digest::Sha256;

use super::answer::{Answer, Request};
use super::document::DOCUMENT_LIMIT;
use super::{Document, Registry, RegistryError};

/// Both kinds of document that are read.
const ACCEPT: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
/// By this header a registry says that it will find a manifest by its subject.
const SUBJECT: &str = "oci-subject";

/// How often a manifest that was refused as such is put again.
const REFUSALS: u32 = 2;

/// Where a manifest is.
#[derive(Debug, Clone, Copy)]
pub enum At<'a> {
    /// At a tag.
    Tag(&'a str),
    /// By its digest.
    Digest(&'a Sha256),
}

impl At<'_> {
    fn name(self) -> String {
        match self {
            At::Tag(tag) => tag.to_owned(),
            At::Digest(digest) => format!("sha256:{digest}"),
        }
    }
}

impl Registry<'_> {
    /// For messages: `HOST/REPOSITORY:TAG`.
    fn name_at(&self, at: At<'_>) -> String {
        let sign = if matches!(at, At::Tag(_)) { ':' } else { '@' };
        format!("{}{sign}{}", self.name(), at.name())
    }

    /// The bytes of the manifest or index in this place, and their digest; `None` where there is none. What was asked for
    /// by its digest has it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn manifest(&self, at: At<'_>) -> Result<Option<(Vec<u8>, Sha256)>, RegistryError> {
        let what = self.name_at(at);
        let url = self.own_address(&format!("manifests/{}", at.name()));
        let answer = self.ask(&Request::get(url, &what).accepting(ACCEPT, DOCUMENT_LIMIT))?;
        match answer.status {
            200 => {}
            404 => return Ok(None),
            _ => return Err(self.refused(&what, &answer)),
        }
        let digest = Sha256::of(&answer.body);
        if let At::Digest(expected) = at
            && digest != *expected
        {
            return Err(RegistryError::Changed {
                what,
                expected: Box::new(Identity { size: None, sha256: Some(*expected) }),
                found: Box::new(Found { size: answer.body.len() as u64, sha256: Some(digest) }),
            });
        }
        Ok(Some((answer.body, digest)))
    }

    /// The same, taken apart. One that is not there is an error.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn document(&self, at: At<'_>) -> Result<(Document, Sha256), RegistryError> {
        let what = self.name_at(at);
        let found = self.manifest(at)?;
        let (bytes, digest) =
            found.ok_or_else(|| RegistryError::NotFound { what: what.clone() })?;
        let document =
            Document::parse(&bytes).map_err(|why| RegistryError::Malformed { what, why })?;
        Ok((document, digest))
    }

    /// Whether there is a manifest in this place.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn has_manifest(&self, at: At<'_>) -> Result<bool, RegistryError> {
        let what = self.name_at(at);
        let url = self.own_address(&format!("manifests/{}", at.name()));
        let answer = self.ask(&Request::head(url, &what).accepting(ACCEPT, DOCUMENT_LIMIT))?;
        match answer.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(self.refused(&what, &answer)),
        }
    }

    /// Puts a manifest or index. Gives back whether the registry will find it by its subject.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn put_manifest(
        &self,
        at: At<'_>,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        let what = self.name_at(at);
        let url = self.own_address(&format!("manifests/{}", at.name()));
        let mut refusals = 0;
        loop {
            let answer = self.ask(&Request::put(url.clone(), &what, media_type, bytes))?;
            match answer.status {
                200..=299 => return Ok(answer.headers.contains_key(SUBJECT)),
                // Debian's registry writes over its own files: while it still works on the same manifest for a push that
                // was killed, it does not find it.
                400 if refusals < REFUSALS => refusals += 1,
                _ => return Err(self.refused(&what, &answer)),
            }
            if let Some(delay) = self.settings.options.retry.delay(refusals, None) {
                self.again(&what, &answer.words(), delay)?;
            }
        }
    }

    /// An answer that refuses, as an error.
    pub(super) fn refused(&self, what: &str, answer: &Answer) -> RegistryError {
        let (host, what, why) = (self.reference.host.clone(), what.to_owned(), answer.words());
        match answer.status {
            401 | 403 if self.settings.login.is_none() => RegistryError::NoLogin { host },
            401 | 403 => RegistryError::NotAllowed { host, what, why },
            404 => RegistryError::NotFound { what },
            _ => RegistryError::Answer { what, why },
        }
    }
}
