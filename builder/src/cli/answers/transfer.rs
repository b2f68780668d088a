//! The JSON of the verbs that speak to a registry.

use schemars::JsonSchema;
use serde::Serialize;

use wifibox_pipeline::transfer::{PullReport, PushReport};

/// What `pull` fetched.
#[derive(Serialize, JsonSchema)]
pub struct Pull<'a> {
    /// What was pulled.
    pub pull: &'a PullReport,
}

/// What `push` sent.
#[derive(Serialize, JsonSchema)]
pub struct Push<'a> {
    /// What was pushed.
    pub push: &'a PushReport,
}
