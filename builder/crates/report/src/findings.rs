//! The result of checking an output or a release.

use std::fmt;
use std::io;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::released::Release;
use crate::signature::PublicKey;

/// The most problems that are told one by one.
const PROBLEM_LIMIT: usize = 100;

/// How a folder is checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The key that must have signed `SHA256SUMS`, and that of each guest of a release.
    pub public_key: Option<&'a PublicKey>,
    /// Missing files are not problems: only a part of a release is checked.
    pub ignore_missing: bool,
}

/// A fault in an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The file: relative to the folder, or `root.img:/PATH` for one in the image.
    pub file: String,
    /// The fault, as a predicate without its subject.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// The state of a folder's signature.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum Signed {
    /// There is no signature.
    #[default]
    No,
    /// There is a file that claims to be one; no key was given to check it with.
    Unchecked,
    /// The signature does not match.
    Bad,
    /// The given key made it.
    Good {
        /// The trusted comment, which the signature covers.
        comment: String,
    },
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Findings {
    /// The build id, as far as the manifest can be read.
    pub build_id: Option<String>,
    /// How many files of the folder have the hash that they should have.
    pub files: u64,
    /// How many nodes of root.img are as the manifest lists them.
    pub nodes: u64,
    /// The state of its signature.
    pub signature: Signed,
    /// The release, if the folder holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// How many files are missing, where that is allowed.
    pub missing: u64,
    /// The problems, up to a limit.
    pub problems: Vec<Problem>,
    /// How many problems there are beyond that limit.
    pub more: u64,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a problem of a file; beyond a limit they are only counted.
    pub fn add(&mut self, file: impl Into<String>, what: impl Into<String>) {
        if self.problems.len() < PROBLEM_LIMIT {
            self.problems.push(Problem { file: file.into(), what: what.into() });
        } else {
            self.more += 1;
        }
    }
}

/// A folder that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct VerifyError {
    /// The file or folder.
    pub path: PathBuf,
    /// The underlying I/O error.
    pub source: io::Error,
}
