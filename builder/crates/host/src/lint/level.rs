//! How much a finding weighs.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// How much a finding weighs. Only errors fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The program that reads the file refuses it, or what it says cannot work.
    Error,
    /// The program takes it, and it is probably not what was meant.
    Warning,
    /// It works; something about it is worth knowing.
    Hint,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Hint => "hint",
        })
    }
}
