//! `provenance.json`: an in-toto statement v1 (<https://in-toto.io/Statement/v1>) whose predicate is
//! SLSA's provenance v1 (<https://slsa.dev/spec/v1.0/provenance>).
//!
//! It follows from what was built: the same sources, locks and compositions give the same bytes. There
//! is no time and no id of a run in it; who wants to know which machine built a release asks that
//! machine's operator for a separate attestation (docs/book/src/releases.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::{Artefact, Guest, Source};
use wifibox_ground::digest::Sha256;

/// The statement's type.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The predicate's type.
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
/// Says what the parameters mean.
const BUILD_TYPE: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/book/src/releases.md#build-type-v1");

/// The statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// The files that were made.
    pub subject: Vec<Resource>,
    predicate_type: String,
    predicate: Predicate,
}

/// Something with a name or address, and digests by algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uri: Option<String>,
    /// Digests in hexadecimal, by algorithm.
    pub digest: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Predicate {
    build_definition: Definition,
    run_details: RunDetails,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Definition {
    build_type: String,
    external_parameters: BTreeMap<String, Vec<Parameters>>,
    internal_parameters: BTreeMap<String, serde_json::Value>,
    resolved_dependencies: Vec<Resource>,
}

/// One call of the builder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    name: String,
    base: String,
    release: String,
    architecture: String,
    flavor: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    device: Option<wifibox_ground::device::DeviceId>,
    role: String,
    features: Vec<String>,
    hypervisor: String,
    kernel: String,
    compression: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunDetails {
    builder: Builder,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Builder {
    id: String,
    version: BTreeMap<String, String>,
}

/// The inputs of a release, its files, and its builder.
#[derive(Debug)]
pub struct Made<'a> {
    /// The files that came out.
    pub files: Vec<&'a Artefact>,
    /// The guests among them.
    pub guests: &'a [Guest],
    /// Where the builder and its recipes are from.
    pub source: Option<&'a Source>,
    /// The digest of recipes, overlays, kernel descriptors and firmware manifests.
    pub recipes: Sha256,
    /// The locks, by path.
    pub locks: Vec<&'a Artefact>,
    /// The packages that guests are made of: URLs with hashes.
    pub packages: BTreeMap<String, Sha256>,
    /// A URI that says who ran the build.
    pub builder_id: &'a str,
    /// URIs of the machines that built guests, by the guests' names; none where one built all.
    pub built_by: &'a BTreeMap<String, String>,
    /// Name and version of the builder.
    pub builder: &'a str,
}

impl Resource {
    fn named(name: &str, sha256: Sha256) -> Self {
        Resource { name: Some(name.to_owned()), uri: None, digest: digest(sha256) }
    }
}

fn digest(sha256: Sha256) -> BTreeMap<String, String> {
    BTreeMap::from([("sha256".to_owned(), sha256.to_string())])
}

impl Statement {
    /// The statement about `made`.
    pub fn new(made: &Made<'_>) -> Self {
        let mut dependencies = Vec::new();
        if let Some(source) = made.source {
            dependencies.push(Resource {
                name: None,
                uri: Some(format!("git+{}@{}", source.uri, source.commit)),
                digest: BTreeMap::from([("gitCommit".to_owned(), source.commit.clone())]),
            });
        }
        dependencies.push(Resource::named("recipes", made.recipes));
        dependencies.extend(made.locks.iter().map(|lock| Resource::named(&lock.path, lock.sha256)));
        dependencies.extend(made.packages.iter().map(|(uri, sha256)| Resource {
            name: None,
            uri: Some(uri.clone()),
            digest: digest(*sha256),
        }));
        let ids = made.guests.iter().map(|guest| (guest.name.clone(), guest.build_id.clone()));
        let ids: BTreeMap<_, _> = ids.collect();
        let mut internal = BTreeMap::from([("buildIds".to_owned(), serde_json::json!(ids))]);
        if !made.built_by.is_empty() {
            internal.insert("builtBy".to_owned(), serde_json::json!(made.built_by));
        }
        let (name, version) = made.builder.split_once(' ').unwrap_or((made.builder, ""));
        Statement {
            kind: STATEMENT.to_owned(),
            subject: made
                .files
                .iter()
                .map(|file| Resource::named(&file.path, file.sha256))
                .collect(),
            predicate_type: PREDICATE.to_owned(),
            predicate: Predicate {
                build_definition: Definition {
                    build_type: BUILD_TYPE.to_owned(),
                    external_parameters: BTreeMap::from([(
                        "guests".to_owned(),
                        made.guests.iter().map(parameters).collect(),
                    )]),
                    internal_parameters: internal,
                    resolved_dependencies: dependencies,
                },
                run_details: RunDetails {
                    builder: Builder {
                        id: made.builder_id.to_owned(),
                        version: BTreeMap::from([(name.to_owned(), version.to_owned())]),
                    },
                },
            },
        }
    }

    /// Whether it is of the types that this module writes; says what is not.
    ///
    /// # Errors
    /// The first type that differs, with the expected one.
    pub(crate) fn check_types(&self) -> Result<(), String> {
        for (what, found, expected) in [
            ("_type", &self.kind, STATEMENT),
            ("predicateType", &self.predicate_type, PREDICATE),
            ("buildType", &self.predicate.build_definition.build_type, BUILD_TYPE),
        ] {
            if found != expected {
                return Err(format!("its {what} is {found:?}, {expected:?} is expected"));
            }
        }
        Ok(())
    }
}

fn parameters(guest: &Guest) -> Parameters {
    let guest = guest.clone();
    Parameters {
        name: guest.name,
        base: guest.base,
        release: guest.release,
        architecture: guest.architecture,
        flavor: guest.flavor,
        device: guest.device,
        role: guest.role,
        features: guest.features,
        hypervisor: guest.hypervisor,
        kernel: guest.kernel,
        compression: guest.compression,
    }
}
