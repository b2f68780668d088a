//! Why packages cannot be chosen, or a lock cannot be made.

use std::path::PathBuf;

use wifibox_fetch::FetchError;
use wifibox_formats::listing::ListingError;
use wifibox_formats::{PackageError, adb, apk, deb, opkg};
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::failure::Kind;
use wifibox_ground::location::LocationError;
use wifibox_recipe::RecipeError;

use crate::lock::{LockError, Target};
use wifibox_solver::Unsatisfiable;

/// Why a lock, or a question about one, failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant says what it is by its message")]
pub enum Error {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the packages of {base} cannot be reached: {source}")]
    Unreachable { base: String, repository: String, others: Vec<String>, source: FetchError },
    #[error("{}: {}", .0, .1)]
    Mirror(String, LocationError),
    #[error("repository {repository}: no mirror is known; name one with --mirror {repository}=URL")]
    NoMirror { repository: String },
    #[error("cannot read the keyring {path}: {source}")]
    ReadKeyring { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Keyring(#[from] deb::KeyringError),
    #[error(
        "repository {repository}: none of its signing keys is on this machine: {looked}\n  \
         wanted: {wanted}"
    )]
    NoKeys { repository: String, looked: String, wanted: String },
    #[error("recipe, repository {repository}: {why}")]
    BadKey { repository: String, why: String },
    #[error(transparent)]
    Release(#[from] deb::ReleaseError),
    #[error(transparent)]
    Index(#[from] deb::index::IndexError),
    #[error("{name}: {source}")]
    Records { name: String, source: wifibox_formats::IndexError },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("the lock file {path} is out of date:\n{changes}")]
    LockOutdated { path: PathBuf, changes: String },
    #[error(
        "the index {index} is of {offered}, and the lock {path} was made of one of {locked}: whoever serves \
         the older one may want packages with known holes to be taken"
    )]
    Rollback { path: PathBuf, index: String, offered: String, locked: String },
    #[error(
        "{repository} has {offered}, and the lock {path} has {locked}: whoever serves the older one may want \
         packages with known holes to be taken"
    )]
    OlderPackage { path: PathBuf, repository: String, offered: String, locked: String },
    #[error(
        "no signature stands for the packages of {repository}: {} would be pinned as they are now: {}",
        .files.len(), some(.files)
    )]
    NewPins { repository: String, target: Target, files: Vec<String>, published: bool },
    #[error(transparent)]
    Listing(#[from] ListingError),
    #[error("there is no lock file {path}")]
    NoLock { path: PathBuf },
    #[error("{composition}: {source}")]
    Unsatisfiable { composition: String, source: Box<Unsatisfiable> },
    #[error("package {name} {version} has no SHA-256 in its index, so it cannot be trusted")]
    Unhashed { name: String, version: String },
    #[error("package {package} is not in this guest{why}")]
    NotInGuest { package: String, why: String, near: Vec<String> },
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    ApkIndex(#[from] apk::ApkIndexError),
    #[error(transparent)]
    ApkKey(#[from] apk::KeyError),
    #[error(transparent)]
    Feed(#[from] opkg::FeedError),
    #[error(transparent)]
    FeedKey(#[from] opkg::KeyringError),
    #[error(transparent)]
    FeedTarget(#[from] opkg::feeds::TargetError),
    #[error("repository {repository}: {source}")]
    KernelMismatch { repository: String, source: opkg::KernelMismatch },
    #[error(transparent)]
    AdbIndex(#[from] adb::IndexReadError),
    #[error(transparent)]
    AdbKey(#[from] adb::KeyringError),
    #[error("cannot read back {what}: {source}")]
    ReadBack { what: String, source: std::io::Error },
    #[error("{0}")]
    Unsupported(String),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(error) => error.kind(),
            Error::Fetch(error) | Error::Unreachable { source: error, .. } => error.kind(),
            // It is the index that names a file outside of its archive.
            Error::Mirror(_, LocationError::Path(_)) => Kind::Verification,
            Error::Mirror(..) | Error::NotInGuest { .. } => Kind::Usage,
            Error::LockOutdated { .. } | Error::NoLock { .. } => Kind::LockOutdated,
            Error::NoKeys { .. }
            | Error::Unhashed { .. }
            | Error::Rollback { .. }
            | Error::OlderPackage { .. }
            | Error::NewPins { .. } => Kind::Verification,
            Error::Package(error) => error.kind().into(),
            Error::ApkIndex(error) => error.kind().into(),
            Error::Feed(error) => error.kind().into(),
            Error::AdbIndex(error) => error.kind().into(),
            Error::Release(error) => error.kind().into(),
            Error::Records { source, .. } => source.kind().into(),
            Error::NoMirror { .. }
            | Error::ReadKeyring { .. }
            | Error::Keyring(_)
            | Error::Index(_)
            | Error::Listing(_)
            | Error::BadKey { .. }
            | Error::Lock(_)
            | Error::Unsatisfiable { .. }
            | Error::ApkKey(_)
            | Error::FeedKey(_)
            | Error::FeedTarget(_)
            | Error::KernelMismatch { .. }
            | Error::AdbKey(_)
            | Error::ReadBack { .. }
            | Error::Unsupported(_) => Kind::Failed,
            Error::Interrupted(_) => Kind::Interrupted,
        }
    }
}

/// The first names of a list, and how many more there are.
fn some(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(4));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use wifibox_ground::artefact::Artefact;
    use wifibox_ground::location::Location;

    use super::*;

    #[test]
    fn a_file_name_that_leaves_the_archive_is_a_lie_and_no_mistake_of_the_user() {
        let mirror = [Location::parse("http://m.example/").expect("a mirror")];
        let error = Artefact::on_mirrors("x 1", &mirror, "../../etc/passwd").expect_err("outside");
        assert_eq!(Error::Mirror("package x".to_owned(), error).kind(), Kind::Verification);
        let error = Location::parse("ftp://m.example/").expect_err("unknown");
        assert_eq!(Error::Mirror("debian".to_owned(), error).kind(), Kind::Usage);
    }
}
