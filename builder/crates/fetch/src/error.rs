//! Errors of fetching, with every location that was tried and its outcome.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::failure::Kind;

/// Why an artefact could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Every location answered, and none has it.
    #[error("{name} is nowhere to be found{}", Trials(tried))]
    NotFound {
        /// The artefact.
        name: String,
        /// The outcome at each location, in the order in which they were tried.
        tried: Vec<Tried>,
    },
    /// No location could be read through, and at least one for a reason that may pass.
    #[error("{name} could not be fetched{}", Trials(tried))]
    Network {
        /// The artefact.
        name: String,
        /// The outcome at each location, in the order in which they were tried.
        tried: Vec<Tried>,
    },
    /// A location has something else under that name, and no other one has the right thing.
    #[error(
        "{name} is not what was expected: {location} holds {found}; expected {expected}{}",
        Trials(tried)
    )]
    Verification {
        /// The artefact.
        name: String,
        /// Size and SHA-256 that were expected.
        expected: Box<Identity>,
        /// Size and, if all of it was read, SHA-256 that were found.
        found: Box<Found>,
        /// Where it was found: the first location that held something else.
        location: String,
        /// The outcome at each location, in the order in which they were tried.
        tried: Vec<Tried>,
    },
    /// A location has a file that does not pass the check that it was fetched for, and no other one
    /// has a better one.
    #[error("{name} is not what was expected: {why}{}", Trials(tried))]
    Unfit {
        /// The artefact.
        name: String,
        /// The reason, as the check gives it.
        why: String,
        /// The outcome at each location, in the order in which they were tried.
        tried: Vec<Tried>,
    },
    /// A file of unknown size is larger than it may be.
    #[error("{name} at {location} is larger than the {limit} bytes allowed for it")]
    TooLarge {
        /// The artefact.
        name: String,
        /// Where it was read.
        location: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The store, or a file of this machine, cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// The operation that failed, as an infinitive (`write`, `rename to`).
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The network may not be used, and the artefact is not on this machine.
    #[error("{name} is not on this machine, and the network may not be used{}", Trials(tried))]
    Offline {
        /// The artefact.
        name: String,
        /// The outcome at each place on this machine.
        tried: Vec<Tried>,
    },
    /// The work was cancelled. What was fetched so far is kept and resumed next time.
    #[error("fetching {name} was interrupted; what arrived is kept and will be resumed")]
    Interrupted {
        /// The artefact.
        name: String,
    },
    /// Something without a digest was asked of the store, which is addressed by digest.
    #[error("{name} has no SHA-256 to be recognised by, so it cannot be kept in the store")]
    Unrecognisable {
        /// The artefact.
        name: String,
    },
    /// Several artefacts failed, each for its own reason; in the order in which they were asked for.
    #[error("{} files could not be fetched:{}", .0.len(), Several(.0))]
    Several(Vec<FetchError>),
}

impl FetchError {
    /// Which kind of failure this is; of several, the one that matters most.
    pub fn kind(&self) -> Kind {
        match self {
            FetchError::Verification { .. } | FetchError::Unfit { .. } => Kind::Verification,
            FetchError::Interrupted { .. } => Kind::Interrupted,
            FetchError::Several(errors) => {
                let kinds: Vec<Kind> = errors.iter().map(FetchError::kind).collect();
                let worst = [Kind::Interrupted, Kind::Verification];
                worst.into_iter().find(|kind| kinds.contains(kind)).unwrap_or(Kind::Failed)
            }
            FetchError::NotFound { .. }
            | FetchError::Network { .. }
            | FetchError::TooLarge { .. }
            | FetchError::Disk { .. }
            | FetchError::Offline { .. }
            | FetchError::Unrecognisable { .. } => Kind::Failed,
        }
    }
}

/// A location that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The location, without passwords.
    pub location: String,
    /// The outcome there.
    pub outcome: Outcome,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is definitely not there (404, 410, no such file).
    NotFound(String),
    /// It could not be read, for a reason that may pass.
    Failed(String),
    /// It has it, but sends no more than so many bytes a second.
    Slow(u64),
    /// It was refused for good (403, too many redirects, not a file).
    Refused(String),
    /// It had a file of another size or digest.
    Mismatch(Found),
    /// It had a file that does not pass the check; the reason.
    Unfit(String),
    /// It was larger than this many bytes, the most that was allowed.
    TooLarge(u64),
    /// It was not asked, because the network may not be used.
    Skipped,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::NotFound(why)
            | Outcome::Failed(why)
            | Outcome::Refused(why)
            | Outcome::Unfit(why) => f.write_str(why),
            Outcome::Slow(rate) => write!(f, "slow: {rate} bytes a second"),
            Outcome::Mismatch(found) => write!(f, "something else: {found}"),
            Outcome::TooLarge(limit) => write!(f, "larger than {limit} bytes"),
            Outcome::Skipped => f.write_str("not asked (offline)"),
        }
    }
}

struct Trials<'a>(&'a [Tried]);

impl fmt::Display for Trials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(" (there is no location to try)");
        }
        self.0.iter().try_for_each(|t| write!(f, "\n  {}: {}", t.location, t.outcome))
    }
}

/// Errors of which a message shows the first few; the rest are of the same kind.
const SHOWN: usize = 5;

struct Several<'a>(&'a [FetchError]);

impl fmt::Display for Several<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(SHOWN).try_for_each(|error| write!(f, "\n{error}"))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl FetchError {
    /// A [`FetchError::Disk`]: `action` on `path` failed.
    pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FetchError {
        let path = path.to_owned();
        move |source| FetchError::Disk { action, path, source }
    }

    /// Sums up trials that all failed; the gravest outcome decides.
    pub(super) fn from_trials(name: &str, expected: &Identity, tried: Vec<Tried>) -> Self {
        let name = name.to_owned();
        for trial in &tried {
            let location = trial.location.clone();
            match &trial.outcome {
                Outcome::Mismatch(found) => {
                    let (expected, found) = (Box::new(*expected), Box::new(*found));
                    return FetchError::Verification { name, expected, found, location, tried };
                }
                Outcome::Unfit(why) => {
                    let why = format!("{location}: {why}");
                    return FetchError::Unfit { name, why, tried };
                }
                Outcome::TooLarge(limit) => {
                    return FetchError::TooLarge { name, location, limit: *limit };
                }
                _ => {}
            }
        }
        let any = |test: fn(&Outcome) -> bool| tried.iter().any(|trial| test(&trial.outcome));
        if any(|outcome| matches!(outcome, Outcome::Skipped)) {
            FetchError::Offline { name, tried }
        } else if any(|outcome| !matches!(outcome, Outcome::NotFound(_))) {
            FetchError::Network { name, tried }
        } else {
            FetchError::NotFound { name, tried }
        }
    }

    /// Whether asking for further artefacts is pointless after this.
    pub(super) fn stops_all(&self) -> bool {
        matches!(
            self,
            FetchError::Interrupted { .. } | FetchError::Disk { .. } | FetchError::Network { .. }
        )
    }
}
