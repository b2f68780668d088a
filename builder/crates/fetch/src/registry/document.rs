//! The documents of the OCI image specification (version 1.1): manifests, indexes, descriptors. What others add to them
//! is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use wifibox_ground::digest::Sha256;

/// The media type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of [`EMPTY`].
pub const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The configuration of an artifact that has none.
pub const EMPTY: &[u8] = b"{}";
/// The largest manifest or index that is read, in bytes: what the specification tells registries to take.
pub(super) const DOCUMENT_LIMIT: u64 = 4 << 20;
/// The most files of a manifest, and the most manifests of an index.
const ENTRY_LIMIT: usize = 8192;

/// What a manifest or an index says of a blob or of another manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    #[serde(with = "digest")]
    pub digest: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// Of a manifest, what it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact_type: Option<String>,
    /// What else is said of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// That of these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: Sha256::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    /// An annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str)
    }
}

/// A list of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// [`MANIFEST_TYPE`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact_type: Option<String>,
    /// The configuration of an image; [`EMPTY`] for all else.
    pub config: Descriptor,
    /// The files.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<Descriptor>,
    /// What else is said of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// An artifact of this type, without a configuration.
    pub fn new(artifact_type: &str, layers: Vec<Descriptor>) -> Self {
        Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            artifact_type: Some(artifact_type.to_owned()),
            config: Descriptor::of(EMPTY_TYPE, EMPTY),
            layers,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// A list of manifests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u32,
    /// [`INDEX_TYPE`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub media_type: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
    /// What else is said of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// An index of these manifests.
    pub fn new(artifact_type: Option<&str>, manifests: Vec<Descriptor>) -> Self {
        Index {
            schema_version: 2,
            media_type: Some(INDEX_TYPE.to_owned()),
            artifact_type: artifact_type.map(str::to_owned),
            manifests,
            annotations: BTreeMap::new(),
        }
    }
}

/// One or the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A list of files.
    Manifest(Box<Manifest>),
    /// A list of manifests.
    Index(Index),
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            schema_version: u32,
            media_type: Option<String>,
            #[serde(default)]
            manifests: Option<serde::de::IgnoredAny>,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.schema_version != 2 {
            return Err(format!("its schemaVersion is {}, expected 2", head.schema_version));
        }
        let is_index = match head.media_type.as_deref() {
            Some(MANIFEST_TYPE) => false,
            Some(INDEX_TYPE) => true,
            None => head.manifests.is_some(),
            Some(other) => {
                return Err(format!(
                    "its media type is {other}: no guest that this program pushed"
                ));
            }
        };
        let (document, count) = if is_index {
            let index: Index = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            let count = index.manifests.len();
            (Document::Index(index), count)
        } else {
            let manifest: Manifest =
                serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
            let count = manifest.layers.len();
            (Document::Manifest(Box::new(manifest)), count)
        };
        if count > ENTRY_LIMIT {
            return Err(format!("it has {count} entries, at most {ENTRY_LIMIT} are read"));
        }
        Ok(document)
    }
}

/// The form of a digest in these documents: `sha256:`, and 64 digits.
mod digest {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use wifibox_ground::digest::Sha256;

    pub(super) fn serialize<S: Serializer>(
        digest: &Sha256,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("sha256:{digest}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Sha256, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hex = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        hex.ok_or_else(|| D::Error::custom(format!("{text:?} is no digest by SHA-256")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart_and_read_back() {
        let file = Descriptor::of("text/plain", b"x");
        let manifest = Manifest::new("a/b", vec![file.clone()]);
        let bytes = serde_json::to_vec(&manifest).expect("JSON");
        assert_eq!(Document::parse(&bytes), Ok(Document::Manifest(Box::new(manifest))));
        let mut index = Index::new(None, vec![file]);
        for media_type in [Some(INDEX_TYPE.to_owned()), None] {
            index.media_type = media_type;
            let bytes = serde_json::to_vec(&index).expect("JSON");
            assert_eq!(Document::parse(&bytes), Ok(Document::Index(index.clone())));
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        let empty = Descriptor::of(EMPTY_TYPE, EMPTY);
        let many = Index::new(None, vec![empty; ENTRY_LIMIT + 1]);
        let many = serde_json::to_string(&many).expect("JSON");
        for (text, why) in [
            ("", "EOF"),
            ("[]", "expected struct"),
            (r#"{"schemaVersion":1}"#, "schemaVersion is 1"),
            (r#"{"schemaVersion":2,"mediaType":"x"}"#, "media type is x"),
            (r#"{"schemaVersion":2}"#, "missing field"),
            (
                r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha512:1","size":1}]}"#,
                "no digest by SHA-256",
            ),
            (
                r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:1","size":-1}]}"#,
                "",
            ),
            (&many, "at most 8192"),
        ] {
            let error = Document::parse(text.as_bytes()).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }
}
