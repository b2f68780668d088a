//! The folders that a guest mounts by 9P: `config`, `var` and `app_config`.
//!
//! An output folder holds configuration samples (`etc/wifibox/**/*.sample`) and the skeleton of the
//! share `var`. [`prepare`] lays out working copies of them in a state folder: a file that is there
//! already is the user's and stays as it is. The layout is that of FreeBSD Wifibox:
//! `etc/wifibox/appliance`, `etc/wifibox/NAME` with NAME in `etc/wifibox/app_config`, and `var`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why shares cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// `app_config` names no plain folder.
    #[error("{path} says {text:?}, where `wpa_supplicant` or `hostapd` is expected")]
    AppConfig {
        /// The file read.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
}

/// A folder of the host that the guest mounts by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The 9P mount tag.
    pub tag: String,
    /// The folder on the host.
    pub folder: PathBuf,
    /// Whether the guest may only read.
    pub read_only: bool,
}

impl Share {
    /// A share of `folder` under `tag`.
    #[must_use]
    pub fn new(tag: &str, folder: PathBuf, read_only: bool) -> Self {
        Self { tag: tag.to_owned(), folder, read_only }
    }
}

/// Lays out the three shares of the output folder `output` below `state`, and describes them.
///
/// # Errors
/// When a file cannot be copied, or `app_config` is damaged.
pub fn prepare(output: &Path, state: &Path) -> Result<Vec<Share>, Error> {
    let samples = output.join("etc/wifibox");
    let application = application(&samples.join("app_config"))?;
    let shares = vec![
        Share::new("config", state.join("config"), true),
        Share::new("var", state.join("var"), false),
        Share::new("app_config", state.join(&application), false),
    ];
    let sources = [samples.join("appliance"), output.join("var"), samples.join(&application)];
    for (source, share) in sources.iter().zip(&shares) {
        fs::create_dir_all(&share.folder).map_err(failed("make", &share.folder))?;
        if source.is_dir() {
            copy(source, &share.folder)?;
        }
    }
    Ok(shares)
}

/// The word in `app_config`: the folder that is shared as `app_config`.
pub(super) fn application(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    match text.trim() {
        word @ ("wpa_supplicant" | "hostapd") => Ok(word.to_owned()),
        _ => Err(Error::AppConfig { path: path.to_owned(), text }),
    }
}

/// Copies what `target` does not have yet, `.sample` dropped from names.
fn copy(source: &Path, target: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(source).map_err(failed("list", source))? {
        let entry = entry.map_err(failed("list", source))?;
        let from = entry.path();
        let kind = entry.file_type().map_err(failed("examine", &from))?;
        let mut name = PathBuf::from(entry.file_name());
        if kind.is_file() && name.extension().is_some_and(|extension| extension == "sample") {
            name.set_extension("");
        }
        let to = target.join(name);
        if kind.is_dir() {
            fs::create_dir_all(&to).map_err(failed("make", &to))?;
            copy(&from, &to)?;
        } else if kind.is_file() && !to.exists() {
            fs::copy(&from, &to).map_err(failed("write", &to))?;
        }
    }
    Ok(())
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + use<'a> {
    move |source| Error::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let etc = folder.path().join("etc/wifibox");
        fs::create_dir_all(etc.join("appliance/sysctl.d")).unwrap();
        fs::create_dir_all(etc.join("hostapd")).unwrap();
        fs::create_dir_all(folder.path().join("var/log")).unwrap();
        fs::write(etc.join("app_config"), "hostapd\n").unwrap();
        fs::write(etc.join("appliance/hostname.sample"), "sample\n").unwrap();
        fs::write(etc.join("appliance/sysctl.d/x.conf.sample"), "x = 1\n").unwrap();
        fs::write(etc.join("hostapd/hostapd.conf.sample"), "").unwrap();
        folder
    }

    #[test]
    fn samples_become_files_and_the_users_files_stay() {
        let (output, state) = (output(), tempfile::tempdir().unwrap());
        let shares = prepare(output.path(), state.path()).unwrap();
        let tags: Vec<&str> = shares.iter().map(|share| share.tag.as_str()).collect();
        assert_eq!(tags, ["config", "var", "app_config"]);
        assert_eq!(shares[2].folder, state.path().join("hostapd"));
        assert!(shares[0].read_only && !shares[1].read_only);
        let hostname = state.path().join("config/hostname");
        assert_eq!(fs::read_to_string(&hostname).unwrap(), "sample\n");
        assert!(state.path().join("config/sysctl.d/x.conf").is_file());
        assert!(state.path().join("var/log").is_dir());

        fs::write(&hostname, "mine\n").unwrap();
        prepare(output.path(), state.path()).unwrap();
        assert_eq!(fs::read_to_string(&hostname).unwrap(), "mine\n");
    }

    #[test]
    fn a_strange_app_config_is_refused() {
        let (output, state) = (output(), tempfile::tempdir().unwrap());
        fs::write(output.path().join("etc/wifibox/app_config"), "../../etc").unwrap();
        let message = prepare(output.path(), state.path()).unwrap_err().to_string();
        assert!(message.contains("app_config"), "{message}");
    }
}
