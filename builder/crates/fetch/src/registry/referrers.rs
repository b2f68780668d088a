//! Manifests that are about another one: signatures, bills of materials. A registry lists them itself, or has an index of
//! them at a tag that is made of the other one's digest and kept by whoever pushes.

use reqwest::header::LINK;
use serde::Deserialize;

use wifibox_ground::digest::Sha256;

use super::answer::Request;
use super::document::DOCUMENT_LIMIT;
use super::{At, Descriptor, INDEX_TYPE, Index, Registry, RegistryError};

/// The most pages of a list that are read.
const PAGES: usize = 16;
/// The most entries of a list that are kept.
const ENTRIES: usize = 1024;

/// The tag that stands for a list of what is about this manifest.
fn tag_of(subject: &Sha256) -> String {
    format!("sha256-{subject}")
}

impl Registry<'_> {
    /// What is said to be about the manifest with this digest. Entries that cannot be read are others'.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn referrers(&self, subject: &Sha256) -> Result<Vec<Descriptor>, RegistryError> {
        let what = format!("what is about {}@sha256:{subject}", self.name());
        let mut url = self.own_address(&format!("referrers/sha256:{subject}"));
        let mut found = Vec::new();
        for page in 0..PAGES {
            let request = Request::get(url.clone(), &what).accepting(INDEX_TYPE, DOCUMENT_LIMIT);
            let answer = self.ask(&request)?;
            match answer.status {
                200 => {}
                // Registries of the time before referrers have different words for that.
                400 | 404 | 405 | 501 if page == 0 => return self.tagged(subject, &what),
                _ => return Err(self.refused(&what, &answer)),
            }
            found.extend(entries(&answer.body, &what)?);
            let next = answer.headers.get(LINK).and_then(|link| next_page(link.to_str().ok()?));
            match next.and_then(|path| self.same_host(&path)) {
                Some(next) if found.len() < ENTRIES => url = next,
                _ => break,
            }
        }
        found.truncate(ENTRIES);
        Ok(found)
    }

    /// The same where the registry makes no list itself.
    fn tagged(&self, subject: &Sha256, what: &str) -> Result<Vec<Descriptor>, RegistryError> {
        match self.manifest(At::Tag(&tag_of(subject)))? {
            Some((bytes, _)) => {
                let mut found = entries(&bytes, what)?;
                found.truncate(ENTRIES);
                Ok(found)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Puts the manifest `bytes`, which is about `subject`, and sees to it that it will be found. Gives back whether the
    /// registry finds it itself.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn put_referrer(
        &self,
        subject: &Sha256,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<bool, RegistryError> {
        let at = At::Digest(&descriptor.digest);
        if self.put_manifest(at, &descriptor.media_type, bytes)? {
            return Ok(true);
        }
        let what = format!("what is about {}@sha256:{subject}", self.name());
        let mut known = self.tagged(subject, &what)?;
        if known.iter().all(|known| known.digest != descriptor.digest) {
            known.push(descriptor.clone());
            let index = Index::new(None, known);
            let bytes = serde_json::to_vec(&index)
                .map_err(|error| RegistryError::Malformed { what, why: error.to_string() })?;
            self.put_manifest(At::Tag(&tag_of(subject)), INDEX_TYPE, &bytes)?;
        }
        Ok(false)
    }

    /// The address of the next page, if it is of the same registry.
    fn same_host(&self, path: &str) -> Option<String> {
        let base = reqwest::Url::parse(&self.address("")).ok()?;
        let next = base.join(path).ok()?;
        (next.origin() == base.origin()).then(|| next.to_string())
    }
}

/// The entries of an index of referrers, without those that have a form of their own.
fn entries(bytes: &[u8], what: &str) -> Result<Vec<Descriptor>, RegistryError> {
    #[derive(Deserialize)]
    struct Loose {
        manifests: Vec<serde_json::Value>,
    }
    let loose: Loose = serde_json::from_slice(bytes).map_err(|error| RegistryError::Malformed {
        what: what.to_owned(),
        why: error.to_string(),
    })?;
    Ok(loose.manifests.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}

/// The address in a header `Link: </v2/…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_strange_entries_and_pages() {
        let known = Descriptor::of("a/b", b"x");
        let text = serde_json::json!({ "manifests": [known, { "digest": "sha512:1" }, 7] });
        let found = entries(text.to_string().as_bytes(), "it").expect("a list");
        assert_eq!(found, [known]);
        assert!(entries(b"[]", "it").is_err());
        let next = next_page("</v2/a/referrers/x?n=1>; rel=\"next\"");
        assert_eq!(next.as_deref(), Some("/v2/a/referrers/x?n=1"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
    }
}
