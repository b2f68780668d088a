//! `installed.json`: what was put into a host's folders, so that an upgrade knows what somebody changed and
//! `uninstall` takes away what was put there and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{InstallError, failed};
use super::layout::{Layout, below};
use wifibox_ground::digest::Sha256;

/// The number of the record's format.
const FORMAT: u32 = 1;
/// The largest record that is read, in bytes.
const SIZE_LIMIT: u64 = 16 << 20;

/// What an installed file is for: it decides who may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What hypervisors start; an upgrade keeps the one before.
    Image,
    /// A sample or document: the guest's, replaced by an upgrade.
    Own,
    /// The host's: replaced only while nobody changed it.
    Configuration,
    /// Written once, then the guest's: its persistent disk.
    State,
}

/// A file that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is for.
    pub part: Part,
    /// What was written.
    pub sha256: Sha256,
}

/// A guest whose images are on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Build {
    /// Its build id.
    pub build_id: String,
    /// What it is, in words.
    pub title: String,
}

/// What was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `FORMAT`.
    pub format: u32,
    /// The program that wrote it.
    pub builder: String,
    /// The guest that is started.
    pub guest: Build,
    /// The one before the last upgrade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Build>,
    /// Files, as the host sees them.
    pub files: BTreeMap<String, Entry>,
    /// Links, and where they lead.
    pub links: BTreeMap<String, String>,
    /// Folders that were made.
    pub folders: BTreeSet<String>,
}

impl Record {
    /// A record of nothing yet.
    pub(super) fn new(guest: Build) -> Self {
        Self {
            format: FORMAT,
            builder: concat!("wifibox-build ", env!("CARGO_PKG_VERSION")).to_owned(),
            guest,
            previous: None,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
            folders: BTreeSet::new(),
        }
    }

    /// Reads the record of a host, if there is one.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn load(root: &Path, layout: &Layout) -> Result<Option<Self>, InstallError> {
        let path = below(root, &layout.record());
        let bytes = match fs::metadata(&path) {
            Ok(data) if data.len() <= SIZE_LIMIT => {
                fs::read(&path).map_err(failed("read", &path))?
            }
            Ok(_) => {
                return Err(InstallError::Record { path, why: "it is too large".to_owned() });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let damaged = |why: String| InstallError::Record { path: path.clone(), why };
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if record.format != FORMAT {
            let found = record.format;
            return Err(damaged(format!("it has format {found}, this program reads {FORMAT}")));
        }
        let plain = |path: &String| {
            path.strip_prefix('/')
                .is_some_and(|rest| rest.split('/').all(|part| !["", ".", ".."].contains(&part)))
        };
        let mut paths = record.files.keys().chain(record.links.keys()).chain(&record.folders);
        if let Some(path) = paths.find(|path| !plain(path)) {
            return Err(damaged(format!("{path:?} is no absolute path")));
        }
        Ok(Some(record))
    }

    /// The record as it is written.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, InstallError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| InstallError::Record {
            path: super::layout::RECORD.into(),
            why: error.to_string(),
        })?;
        Ok((text + "\n").into_bytes())
    }
}
