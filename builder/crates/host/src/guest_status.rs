//! How a guest is by its own account: `log/status` for people and `log/status.json` for programs, in its share `var`
//! (wifibox-guest(5)).

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use wifibox_ground::regular;

/// The most that is read of one file, in bytes: a guest writes some kilobytes.
const SIZE_LIMIT: u64 = 256 << 10;

/// The state of a guest.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestStatus {
    /// Its lines for people, without control characters: names of networks come from the air.
    pub text: String,
    /// The same for programs; `version` is that of the form.
    pub fields: Map<String, Value>,
    /// When it was written, by the host's clock.
    pub written: SystemTime,
}

/// There is no state to read.
#[derive(Debug, thiserror::Error)]
pub enum GuestStatusError {
    /// Neither the folder nor `log` in it has the files.
    #[error(
        "{folder}: no guest has written its status there; it does so some 15 s after its start, into the folder \
         that is shared as var"
    )]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of it cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// A file of it is not what guests write.
    #[error("{path} is not what a guest writes: {why}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl GuestStatus {
    /// Reads the state of the guest that has `folder` as its share `var`; the folder `log` in it will do as well.
    ///
    /// # Errors
    /// [`GuestStatusError`].
    pub fn read(folder: &Path) -> Result<Self, GuestStatusError> {
        let places = [folder.join("log"), folder.to_owned()];
        let found =
            places.iter().find(|place| place.join("status.json").symlink_metadata().is_ok());
        let place = found.ok_or_else(|| GuestStatusError::None { folder: folder.to_owned() })?;
        let json = place.join("status.json");
        let bytes = read(&json)?;
        let fields = serde_json::from_slice(&bytes).map_err(|error| GuestStatusError::Form {
            path: json.clone(),
            why: error.to_string(),
        })?;
        let modified = json.metadata().and_then(|data| data.modified());
        let written = modified.map_err(|source| GuestStatusError::Read { path: json, source })?;
        let text = String::from_utf8_lossy(&read(&place.join("status"))?).into_owned();
        let shown = |c: &char| *c == '\n' || !c.is_control();
        Ok(Self { text: text.chars().filter(shown).collect(), fields, written })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, GuestStatusError> {
    regular::read(path, SIZE_LIMIT)
        .map_err(|source| GuestStatusError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn share(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join("log").join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_share_or_its_log_is_read_and_nothing_reaches_the_terminal() {
        let folder = share(&[
            ("status", "network      joined \u{1b}[2Ja\n"),
            ("status.json", "{\"version\": 1, \"role\": \"station\"}\n"),
        ]);
        for place in [folder.path().to_owned(), folder.path().join("log")] {
            let status = GuestStatus::read(&place).unwrap();
            assert_eq!(status.text, "network      joined [2Ja\n");
            assert_eq!(status.fields["role"], "station");
        }
    }

    #[test]
    fn what_no_guest_wrote_is_named() {
        let error = |files: &[(&str, &str)]| {
            let folder = share(files);
            let error = GuestStatus::read(folder.path()).unwrap_err().to_string();
            error.replace(folder.path().to_str().unwrap(), "VAR")
        };
        assert!(error(&[]).starts_with("VAR: no guest has written its status there;"));
        assert!(
            error(&[("status.json", "[]")])
                .starts_with("VAR/log/status.json is not what a guest writes: ")
        );
        assert!(error(&[("status.json", "{}")]).starts_with("cannot read VAR/log/status: "));
        let large = "x".repeat(SIZE_LIMIT as usize + 1);
        assert!(error(&[("status.json", &large)]).starts_with("cannot read VAR/log/status.json: "));
    }
}
