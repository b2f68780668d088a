//! The one place where an error becomes an exit code and advice.

use std::error::Error as StdError;

use wifibox_fetch::FetchError;
use wifibox_ground::failure::Kind;
use wifibox_host::{HostError, qemu};
use wifibox_pipeline::Error;
use wifibox_recipe::RecipeError;
use wifibox_report::output::LoadError;

/// A verb that did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub error: Box<dyn StdError>,
    /// The exit code: 1 failed, 2 usage, 3 the lock is out of date, 4 verification failed, 130
    /// interrupted.
    pub code: u8,
    /// What to do next.
    pub hints: Vec<String>,
    /// The exit code says all: nothing went wrong.
    pub silent: bool,
}

impl Failure {
    /// A failure of the arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure { error: message.into().into(), code: 2, hints: Vec::new(), silent: false }
    }

    /// A failure of the work.
    pub fn failed(error: impl Into<Box<dyn StdError>>) -> Self {
        Failure { error: error.into(), code: 1, hints: Vec::new(), silent: false }
    }
}

impl Failure {
    /// An answer that the exit code gives.
    pub fn silent(code: u8) -> Self {
        Failure { error: "".into(), code, hints: Vec::new(), silent: true }
    }

    /// Something is not what it should be.
    pub fn verification(message: impl Into<String>) -> Self {
        Failure { error: message.into().into(), code: 4, hints: Vec::new(), silent: false }
    }

    /// The same, with advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        Error::from(error).into()
    }
}

impl From<wifibox_resolve::Error> for Failure {
    fn from(error: wifibox_resolve::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = code(error.kind());
        let mut hints = Vec::new();
        if let Some(error) = error.fetch() {
            fetch_hints(error, &mut hints);
        }
        match error.resolve() {
            Some(wifibox_resolve::Error::Unreachable { repository, others, .. }) => {
                hints.push(format!(
                    "name another mirror with --mirror {repository}=URL (file://DIR for one on this \
                     machine)"
                ));
                hints.push(
                    "or build without a network: from a bundle that 'wifibox-build bundle' made \
                     elsewhere, or from a lock file and --distdir DIR with the downloaded files"
                        .to_owned(),
                );
                if !others.is_empty() {
                    let others: Vec<String> =
                        others.iter().map(|other| format!("--base {other}")).collect();
                    hints.push(format!("or take another base: {}", others.join(", ")));
                }
            }
            _ => {}
        }
        Failure { error: Box::new(error), code, hints, silent: false }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let code = code(error.kind());
        let hints = match error {
            HostError::Output(LoadError::Damaged { .. }) | HostError::Value(_) => vec![
                "'wifibox-build verify' with this folder says which files are not as the build wrote \
                 them; build the guest again, or take its folder from where it came from"
                    .to_owned(),
            ],
            _ => Vec::new(),
        };
        Failure { error: Box::new(error), code, hints, silent: false }
    }
}

impl From<qemu::Error> for Failure {
    fn from(error: qemu::Error) -> Self {
        let code = code(error.kind());
        Failure { error: Box::new(error), code, hints: Vec::new(), silent: false }
    }
}

/// The exit code of a kind of failure.
fn code(kind: Kind) -> u8 {
    match kind {
        Kind::Failed => 1,
        Kind::Usage => 2,
        Kind::LockOutdated => 3,
        Kind::Verification => 4,
        Kind::Interrupted => 130,
    }
}

fn fetch_hints(error: &FetchError, hints: &mut Vec<String>) {
    let hint = match error {
        FetchError::NotFound { .. } => {
            "mirrors delete old packages: 'wifibox-build lock --upgrade' takes the newest ones; \
             --mirror NAME=URL or --distdir DIR name other places"
        }
        FetchError::Network { .. } => {
            "name another mirror with --mirror NAME=URL, or a folder of downloaded files with \
             --distdir DIR"
        }
        FetchError::Unfit { .. } => {
            "the file is not the one that the signed index lists: try another mirror with \
             --mirror NAME=URL; if it stays so, somebody may be tampering with the connection"
        }
        FetchError::Verification { .. } => {
            "the file is not the one that the index lists: try another mirror with \
             --mirror NAME=URL; if it stays so, somebody may be tampering with the connection"
        }
        FetchError::Offline { .. } => {
            "run 'wifibox-build fetch' once with a network, or name a folder of downloaded files \
             with --distdir DIR"
        }
        FetchError::Disk { .. } => "free some space, or name another folder with --cache-dir",
        FetchError::Several(errors) => {
            errors.iter().for_each(|error| fetch_hints(error, hints));
            return;
        }
        _ => return,
    };
    if !hints.iter().any(|known| known == hint) {
        hints.push(hint.to_owned());
    }
}
