//! What a check of an output or a release finds.

use std::fmt;
use std::io;
use std::path::PathBuf;

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
    /// Files that are missing are none that are wrong: a part of a release is checked.
    pub ignore_missing: bool,
}

/// What is wrong with an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file: relative to the folder, or `root.img:/PATH` for one in the image.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// What is known about who made a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum Signed {
    /// There is no signature.
    #[default]
    No,
    /// There is a file that claims to be one; no key was given to check it with.
    Unchecked,
    /// It does not hold.
    Bad,
    /// The given key made it.
    Good {
        /// What the signer wrote beside it.
        comment: String,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Findings {
    /// The build id, as far as the manifest can be read.
    pub build_id: Option<String>,
    /// How many files of the folder have the hash that they should have.
    pub files: u64,
    /// How many nodes of root.img are as the manifest lists them.
    pub nodes: u64,
    /// Who made it.
    pub signature: Signed,
    /// What is known of a release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// How many files are missing that may be.
    pub missing: u64,
    /// Files that are wrong.
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub more: u64,
}

impl Findings {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    pub(crate) fn add(&mut self, file: impl Into<String>, what: impl Into<String>) {
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
    /// What the system said.
    pub source: io::Error,
}
