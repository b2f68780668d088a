//! The one place where an error becomes an exit code and advice.

use std::error::Error as StdError;
use std::io;

use crate::cli::answers::{Failed, Fault};
use wifibox_fetch::FetchError;
use wifibox_ground::failure::Kind;
use wifibox_host::freebsd_pkg::PackageError;
use wifibox_host::install::InstallError;
use wifibox_host::{HostError, qemu};
use wifibox_linux::drivers;
use wifibox_pipeline::Error;
use wifibox_recipe::{Problem, RecipeError};
use wifibox_report::output::LoadError;
use wifibox_resolve::Error as ResolveError;

/// A verb that did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// The fault.
    pub error: Box<dyn StdError>,
    /// Which kind of failure it is: the exit code says it.
    pub kind: Kind,
    /// The next step for the user.
    pub hints: Vec<String>,
    /// The exit code says all: nothing went wrong.
    pub silent: bool,
}

impl Failure {
    pub(super) fn new(error: impl Into<Box<dyn StdError>>, kind: Kind) -> Self {
        Failure { error: error.into(), kind, hints: Vec::new(), silent: false }
    }

    /// A failure of the arguments.
    pub fn usage(error: impl Into<Box<dyn StdError>>) -> Self {
        Failure::new(error, Kind::Usage)
    }

    /// A failure of the work.
    pub fn failed(error: impl Into<Box<dyn StdError>>) -> Self {
        Failure::new(error, Kind::Failed)
    }

    /// Something is not what it should be.
    pub fn verification(error: impl Into<Box<dyn StdError>>) -> Self {
        Failure::new(error, Kind::Verification)
    }

    /// The user ended the work.
    pub fn interrupted(error: impl Into<Box<dyn StdError>>) -> Self {
        Failure::new(error, Kind::Interrupted)
    }

    /// An answer that the exit code 1 gives.
    pub fn silent() -> Self {
        Failure { silent: true, ..Failure::failed("") }
    }

    /// The same, with advice.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, with the name that may have been meant.
    pub(crate) fn with_near(mut self, name: Option<&str>) -> Self {
        self.hints.extend(name.and_then(|name| question(&[name])));
        self
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::LockOutdated => 3,
            Kind::Verification => 4,
            Kind::Interrupted => 130,
        }
    }

    /// What to do next, as far as it is known here or follows from what the system said.
    pub fn advice(&self) -> Vec<String> {
        let mut hints = self.hints.clone();
        hints.extend(scarcity(self.error.as_ref()).map(str::to_owned));
        hints
    }

    /// What went wrong, in words.
    pub fn message(&self) -> String {
        self.error.to_string()
    }

    /// Its causes, each behind the one before, without those that the message names already.
    pub fn causes(&self) -> Vec<String> {
        let mut said = self.message();
        let mut causes = Vec::new();
        let mut source = self.error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !said.contains(&text) {
                said += &text;
                causes.push(text);
            }
            source = cause.source();
        }
        causes
    }

    /// The same for programs.
    pub fn fields(&self) -> Failed {
        let kind = match self.kind {
            Kind::Failed => "failed",
            Kind::Usage => "usage",
            Kind::LockOutdated => "lock_outdated",
            Kind::Verification => "verification",
            Kind::Interrupted => "interrupted",
        };
        let (message, exit_code) = (self.message(), self.code());
        let (hints, causes) = (self.advice(), self.causes());
        Failed { error: Fault { message, kind, exit_code, hints, causes } }
    }
}

/// What to do where the system has run out of something.
fn scarcity(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return match (error.kind(), error.raw_os_error()) {
                // EMFILE and ENFILE have the same numbers everywhere, and no kind of their own.
                (_, Some(23 | 24)) => Some(
                    "too many files are open: raise the limit with 'ulimit -n 8192', or give fewer --jobs",
                ),
                (io::ErrorKind::OutOfMemory, _) => {
                    Some("there is no memory left: give fewer --jobs, or end other programs")
                }
                (io::ErrorKind::WouldBlock, Some(_)) => {
                    Some("no thread can be made: give fewer --jobs, or raise the limit 'ulimit -u'")
                }
                (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => Some(
                    "the disk, or your share of it, is full: 'wifibox-build cache clear' frees what can be made anew",
                ),
                (io::ErrorKind::ReadOnlyFilesystem, _) => Some(
                    "that place is read-only: name another one with --cache-dir, --lock-file or --out",
                ),
                _ => None,
            };
        }
        next = error.source();
    }
    None
}

impl From<RecipeError> for Failure {
    fn from(error: RecipeError) -> Self {
        Error::from(error).into()
    }
}

impl From<ResolveError> for Failure {
    fn from(error: ResolveError) -> Self {
        Error::from(error).into()
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        let kind = error.kind();
        let hints = match error {
            HostError::Output(LoadError::Damaged { .. }) | HostError::Value(_) => vec![
                "'wifibox-build verify' with this folder says which files are not as the build wrote \
                 them; build the guest again, or take its folder from where it came from"
                    .to_owned(),
            ],
            _ => Vec::new(),
        };
        Failure { hints, ..Failure::new(error, kind) }
    }
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        match error {
            InstallError::Host(error) => error.into(),
            error => {
                let (kind, hints) = (error.kind(), error.hint().into_iter().collect());
                Failure { hints, ..Failure::new(error, kind) }
            }
        }
    }
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Self {
        let (kind, hints) = (error.kind(), error.hint().into_iter().collect());
        Failure { hints, ..Failure::new(error, kind) }
    }
}

impl From<qemu::Error> for Failure {
    fn from(error: qemu::Error) -> Self {
        let kind = error.kind();
        Failure::new(error, kind)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let mut hints = Vec::new();
        if let Some(error) = error.fetch() {
            fetch_hints(error, &mut hints);
        }
        if let Some(error) = error.resolve() {
            resolve_hints(error, &mut hints);
        }
        match &error {
            Error::Recipe(error) | Error::Resolve(ResolveError::Recipe(error)) => {
                if let RecipeError::Choice(problem) | RecipeError::Invalid(problem) = error {
                    // The places stay in the message, the advice is advice.
                    let hints = problem.help.clone();
                    let message = Problem { help: Vec::new(), ..(**problem).clone() }.to_string();
                    return Failure { hints, ..Failure::new(message, kind) };
                }
            }
            Error::NotAgreed { manifest, .. } => {
                hints.push(format!("if you agree, say so with --accept-licence {manifest}"));
            }
            Error::Drivers(drivers::Error::NoSuchFirmware { wanted, .. }) if !wanted.is_empty() => {
                hints.push(format!(
                    "the modules of this guest want, among others: {}",
                    wanted.join(", ")
                ));
            }
            _ => {}
        }
        Failure { hints, ..Failure::new(error, kind) }
    }
}

fn resolve_hints(error: &ResolveError, hints: &mut Vec<String>) {
    match error {
        ResolveError::NotInGuest { near, .. } => hints.extend(question(near)),
        ResolveError::NoLock { .. } | ResolveError::LockOutdated { .. } => {
            hints.push(
                "'wifibox-build lock' writes it; so does a build without --locked".to_owned(),
            );
        }
        ResolveError::NewPins { target, published, .. } => {
            let of = if *published {
                format!("--kernel {}", target.base)
            } else {
                format!("--base {} --release {} --upgrade", target.base, target.release)
            };
            hints.push(format!(
                "'wifibox-build lock {of} --trust-new-pins' pins them and prints each pin: compare these with what \
                 somebody else has, before you build"
            ));
        }
        ResolveError::Rollback { .. } | ResolveError::OlderPackage { .. } => hints.push(
            "take another mirror with --mirror NAME=URL; if an older state is what you want, from an archive of \
             old ones, say so with --dangerously-allow-rollback"
                .to_owned(),
        ),
        ResolveError::NoKeys { .. } => hints.push(
            "name a file that holds one of them with --trust-key FILE (Debian: the package \
             debian-archive-keyring holds debian-archive-keyring.gpg; on other systems download the key from \
             https://ftp-master.debian.org/keys.html, its fingerprint is checked; FreeBSD's security/debian-keyring \
             has developers' keys only)"
                .to_owned(),
        ),
        ResolveError::Unreachable { repository, others, .. } => {
            unreachable_hints(repository, others, hints);
        }
        _ => {}
    }
}

/// The names that may have been meant, as a question.
pub fn question(names: &[impl AsRef<str>]) -> Option<String> {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let (last, first) = names.split_last()?;
    let first = if first.is_empty() { String::new() } else { first.join(", ") + " or " };
    Some(format!("did you mean {first}{last}?"))
}

fn unreachable_hints(repository: &str, others: &[String], hints: &mut Vec<String>) {
    hints.push(format!(
        "name another mirror with --mirror {repository}=URL (file://DIR for one on this machine)"
    ));
    hints.push(
        "or build without a network: from a bundle that 'wifibox-build bundle' made elsewhere, or from a \
         lock file and --distdir DIR with the downloaded files"
            .to_owned(),
    );
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|other| format!("--base {other}")).collect();
        hints.push(format!("or take another base: {}", others.join(", ")));
    }
}

pub(super) fn fetch_hints(error: &FetchError, hints: &mut Vec<String>) {
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
        FetchError::Disk { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge
            ) =>
        {
            "free some space, or name another folder with --cache-dir"
        }
        FetchError::Disk { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            "name a folder that you may write to with --cache-dir"
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read {name}: {source}")]
    struct Outer {
        name: &'static str,
        source: Inner,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct Inner(#[source] std::io::Error);

    #[test]
    fn causes_are_told_once() {
        let source = Inner(std::io::Error::other("unplugged"));
        let failure = Failure::failed(Outer { name: "f", source }).with_hint("plug it in");
        assert_eq!(failure.message(), "cannot read f: the disk is gone");
        assert_eq!(failure.causes(), ["unplugged"]);
        let expected = serde_json::json!({ "error": {
            "message": "cannot read f: the disk is gone", "kind": "failed", "exit_code": 1,
            "hints": ["plug it in"], "causes": ["unplugged"],
        }});
        assert_eq!(serde_json::to_value(failure.fields()).expect("JSON"), expected);
    }

    #[test]
    fn what_has_run_out_is_said_with_what_to_do() {
        let advice = |number: i32| {
            let source = Inner(std::io::Error::from_raw_os_error(number));
            Failure::failed(Outer { name: "f", source }).advice().join("")
        };
        // EMFILE, ENFILE, ENOMEM, ENOSPC and EROFS, in this order.
        for (number, word) in
            [(24, "ulimit -n"), (23, "ulimit -n"), (12, "memory"), (28, "full"), (30, "read-only")]
        {
            assert!(advice(number).contains(word), "{number}: {}", advice(number));
        }
        assert_eq!(advice(2), "", "what is missing has not run out");
    }

    #[test]
    fn near_names_read_as_a_question() {
        assert_eq!(question(&[""; 0]), None);
        assert_eq!(question(&["a"]).as_deref(), Some("did you mean a?"));
        assert_eq!(question(&["a", "b", "c"]).as_deref(), Some("did you mean a, b or c?"));
    }
}
