//! The result of checking a release.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// The result of checking a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Release {
    /// Its version.
    pub version: String,
    /// The guests that were checked, with their build ids.
    pub guests: BTreeMap<String, String>,
}
