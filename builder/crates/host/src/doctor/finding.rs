//! A cause, how bad it is, and what to type.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What a cause does, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The guest does not start, or not with its card.
    Guest,
    /// The guest runs, and the host has no network by it.
    Network,
    /// It works, but not as well as it could, or not for long.
    Advice,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guest => "guest",
            Self::Network => "network",
            Self::Advice => "advice",
        })
    }
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What it does.
    pub severity: Severity,
    /// Its name, the same in every version.
    pub cause: &'static str,
    /// The cause in a sentence, and what to do that cannot be typed.
    pub what: String,
    /// The line that tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// What to type.
    pub cure: Vec<String>,
}

impl Finding {
    pub(super) fn new(severity: Severity, cause: &'static str, what: impl Into<String>) -> Self {
        Self { severity, cause, what: what.into(), evidence: None, cure: Vec::new() }
    }

    pub(super) fn guest(cause: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Guest, cause, what)
    }

    pub(super) fn network(cause: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Network, cause, what)
    }

    pub(super) fn advice(cause: &'static str, what: impl Into<String>) -> Self {
        Self::new(Severity::Advice, cause, what)
    }

    pub(super) fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into().trim().to_owned());
        self
    }

    pub(super) fn cure(mut self, commands: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.cure.extend(commands.into_iter().map(Into::into));
        self
    }
}
