//! The folders that a guest mounts by 9P: `config`, `var` and `app_config`.
//!
//! An output folder holds configuration samples (`etc/wifibox/**/*.sample`) and the skeleton of the
//! share `var`. [`prepare`] lays out working copies of them in a state folder: a file that is there
//! already is the user's and stays as it is. Which shares there are, and where the samples of each are,
//! the guest's description says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wifibox_ground::guest::{self, Guest};

/// Why shares cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The operation that failed, as an infinitive.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// `app_config` does not lead to a folder.
    #[error(
        "{path} {what}, and must be a link to the folder `wpa_supplicant` or `hostapd` beside it: \
         'ln -sfn wpa_supplicant {path}' makes one"
    )]
    AppConfig {
        /// The link.
        path: PathBuf,
        /// The fault, as a predicate of the path.
        what: &'static str,
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

/// The shares of `guest`, whose folders are below `state`.
#[must_use]
pub(crate) fn of(guest: &Guest, state: &Path) -> Vec<Share> {
    let shares = guest.shares.iter();
    shares.map(|share| Share::new(&share.tag, state.join(folder(share)), share.read_only)).collect()
}

/// The name of a share's folder. That of `app_config` has its daemon's name: two roles may have their
/// states side by side.
pub(crate) fn folder(share: &guest::Share) -> &str {
    let samples = share.samples.as_deref().unwrap_or(&share.tag);
    match share.tag.as_str() {
        "app_config" => samples.rsplit('/').next().unwrap_or(samples),
        tag => tag,
    }
}

/// The folder that an installed guest mounts by `tag`, on a host that keeps the guest's configuration in
/// `configuration` and its logs and state in `var`.
pub(crate) fn installed(guest: &Guest, tag: &str, configuration: &str, var: &str) -> String {
    match tag {
        "config" => format!("{configuration}/appliance"),
        "var" => var.to_owned(),
        "app_config" => format!("{configuration}/{}", guest.application.name()),
        other => format!("{configuration}/{other}"),
    }
}

/// Lays out the shares of `guest` below `state`, with the samples of its output folder `output`.
///
/// # Errors
/// A file cannot be copied.
pub fn prepare(guest: &Guest, output: &Path, state: &Path) -> Result<Vec<Share>, Error> {
    let shares = of(guest, state);
    for (described, share) in guest.shares.iter().zip(&shares) {
        fs::create_dir_all(&share.folder).map_err(failed("make", &share.folder))?;
        let source = described.samples.as_ref().map(|samples| output.join(samples));
        if let Some(source) = source.filter(|source| source.is_dir()) {
            copy(&source, &share.folder)?;
        }
    }
    Ok(shares)
}

/// The folder that `app_config`, a link in a host's `etc/wifibox`, leads to; none if there is no such
/// link. wifibox-core resolves it in the same way, and bhyve ends where it is no folder.
///
/// # Errors
/// [`Error::AppConfig`]: it is something else, or leads nowhere.
pub(super) fn application(link: &Path) -> Result<Option<PathBuf>, Error> {
    let unfit = |what| Err(Error::AppConfig { path: link.to_owned(), what });
    match fs::metadata(link) {
        Ok(found) if found.is_dir() => Ok(Some(link.to_owned())),
        Ok(_) => unfit("is a file"),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("read", link)(error)),
        Err(_) if link.is_symlink() => unfit("leads nowhere"),
        Err(_) => Ok(None),
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
    use crate::sample;

    fn output() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let etc = folder.path().join("etc/wifibox");
        fs::create_dir_all(etc.join("appliance/sysctl.d")).unwrap();
        fs::create_dir_all(etc.join("hostapd")).unwrap();
        fs::create_dir_all(folder.path().join("var/log")).unwrap();
        fs::write(etc.join("appliance/hostname.sample"), "sample\n").unwrap();
        fs::write(etc.join("appliance/sysctl.d/x.conf.sample"), "x = 1\n").unwrap();
        fs::write(etc.join("hostapd/hostapd.conf.sample"), "").unwrap();
        folder
    }

    #[test]
    fn samples_become_files_and_the_users_files_stay() {
        let (output, state) = (output(), tempfile::tempdir().unwrap());
        let mut guest = sample::guest();
        guest.shares[2].samples = Some("etc/wifibox/hostapd".to_owned());
        let shares = prepare(&guest, output.path(), state.path()).unwrap();
        let tags: Vec<&str> = shares.iter().map(|share| share.tag.as_str()).collect();
        assert_eq!(tags, ["config", "var", "app_config"]);
        assert_eq!(shares[2].folder, state.path().join("hostapd"));
        assert!(shares[0].read_only && !shares[1].read_only);
        let hostname = state.path().join("config/hostname");
        assert_eq!(fs::read_to_string(&hostname).unwrap(), "sample\n");
        assert!(state.path().join("config/sysctl.d/x.conf").is_file());
        assert!(state.path().join("hostapd/hostapd.conf").is_file());
        assert!(state.path().join("var/log").is_dir());

        fs::write(&hostname, "mine\n").unwrap();
        prepare(&guest, output.path(), state.path()).unwrap();
        assert_eq!(fs::read_to_string(&hostname).unwrap(), "mine\n");
    }

    #[test]
    fn a_share_without_samples_is_an_empty_folder() {
        let (output, state) = (output(), tempfile::tempdir().unwrap());
        let mut guest = sample::guest();
        guest.shares.truncate(1);
        guest.shares[0].samples = None;
        let shares = prepare(&guest, output.path(), state.path()).unwrap();
        assert_eq!(shares, [Share::new("config", state.path().join("config"), true)]);
        assert_eq!(fs::read_dir(&shares[0].folder).unwrap().count(), 0);
    }

    #[test]
    fn app_config_is_a_link_to_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("app_config");
        assert_eq!(application(&link).unwrap(), None);
        std::os::unix::fs::symlink("hostapd", &link).unwrap();
        let refused = |words: &str| {
            let message = application(&link).unwrap_err().to_string();
            assert!(message.contains(words) && message.contains("ln -sfn"), "{message}");
        };
        refused("leads nowhere");
        fs::create_dir(folder.path().join("hostapd")).unwrap();
        assert_eq!(application(&link).unwrap().as_deref(), Some(link.as_path()));
        fs::remove_file(&link).unwrap();
        fs::write(&link, "hostapd\n").unwrap();
        refused("is a file");
    }
}
