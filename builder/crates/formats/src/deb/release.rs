//! The Release file of a Debian suite: what the archive's owner signed.
//!
//! It comes as `InRelease` (clearsigned) or as `Release` with a detached `Release.gpg`. Format: the
//! repository format of the Debian wiki. Here is decided who is believed; the fields are read in
//! `release_fields`, from nothing but the text that the signatures cover.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::cleartext;
use super::keyring::{Fingerprint, Keyring};
use super::signature::{self, SignatureError};
use crate::Verified;
use crate::fault::Fault;
use wifibox_ground::digest::Sha256;

/// A Release file is never larger than this many bytes.
pub const SIZE_LIMIT: u64 = 32 << 20;

/// How far the date of a Release file may be ahead of the clock: clocks of build hosts differ.
const FUTURE_LIMIT: SignedDuration = SignedDuration::from_hours(24);

/// A file that a Release file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Sha256,
}

/// The fields of a Release file. Trusted only as [`Verified<Release>`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// `Suite`: `stable`.
    pub suite: Option<String>,
    /// `Codename`: `trixie`.
    pub codename: Option<String>,
    /// `Version`: `13.7`.
    pub version: Option<String>,
    /// `Date`: when it was written.
    pub date: Timestamp,
    /// `Valid-Until`: after this time it may be an old one that someone keeps serving.
    pub valid_until: Option<Timestamp>,
    /// `Acquire-By-Hash`: indexes can be fetched under their digests.
    pub acquire_by_hash: bool,
    /// `Architectures`.
    pub architectures: Vec<String>,
    /// Whether packages for all architectures have their own indexes (`binary-all`) and are
    /// missing in those of each architecture (`No-Support-for-Architecture-all`).
    pub all_is_separate: bool,
    /// `Components`, without what stands before a slash: the security archive writes `updates/main`, and
    /// has its files below `main`.
    pub components: Vec<String>,
    /// `NotAutomatic` and `ButAutomaticUpgrades`: whether packages come from here unasked.
    pub automatic: Automatic,
    /// `SHA256`: the files of the suite, by path below its folder.
    pub files: BTreeMap<String, Listed>,
}

/// Whether packages of a suite are taken without being asked for: apt_preferences(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Automatic {
    /// They are.
    #[default]
    Yes,
    /// Newer versions of what came from there are (`ButAutomaticUpgrades`): backports.
    UpgradesOnly,
    /// They are not: experimental.
    No,
}

impl Automatic {
    /// The priority that apt gives the suite where nobody set one.
    pub fn priority(self) -> i16 {
        match self {
            Automatic::Yes => 500,
            Automatic::UpgradesOnly => 100,
            Automatic::No => 1,
        }
    }
}

/// Whose signatures are trusted, and when.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Key material.
    pub keyring: &'a Keyring,
    /// The primary keys that are trusted, whatever else the keyring holds.
    pub pinned: &'a [Fingerprint],
    /// The present time.
    pub now: Timestamp,
    /// Whether `Valid-Until` counts.
    pub freshness: Freshness,
}

/// Whether a Release file must not be outdated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// It must not.
    #[default]
    Required,
    /// It may be: whoever controls the mirror or the line can then serve old packages with known
    /// holes without being noticed. For archives that are no longer updated, and snapshots.
    WaivedAllowingReplayOfOldPackages,
}

/// Why a Release file is not trusted, or cannot be read. `name` is where it comes from.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReleaseError {
    /// No pinned key vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is outdated.
    #[error(
        "{name} was valid until {until}, and it is {now} now; use an up-to-date mirror, check the \
         clock, or allow outdated indexes if this archive is no longer updated"
    )]
    Outdated {
        /// The file.
        name: String,
        /// The end of its time.
        until: Timestamp,
        /// The present time.
        now: Timestamp,
    },
    /// It is dated ahead of the clock.
    #[error("{name} is dated {date}, and it is only {now}; is the clock right?")]
    FromTheFuture {
        /// The file.
        name: String,
        /// Its date.
        date: Timestamp,
        /// The present time.
        now: Timestamp,
    },
    /// The signed text is not a Release file.
    #[error("{name}, line {line}: {why}")]
    Malformed {
        /// The file.
        name: String,
        /// The line of the signed text, from 1; 0 where it is not about one line.
        line: usize,
        /// The reason, for the message.
        why: String,
    },
}

impl ReleaseError {
    /// The kind of the fault. An outdated file may be an old one that somebody keeps serving.
    pub fn kind(&self) -> Fault {
        match self {
            ReleaseError::Signature(_)
            | ReleaseError::Outdated { .. }
            | ReleaseError::FromTheFuture { .. } => Fault::Forged,
            ReleaseError::Malformed { .. } => Fault::Damaged,
        }
    }
}

/// Reads a clearsigned `InRelease` file and checks that it is trusted.
///
/// # Errors
/// [`ReleaseError`].
pub fn read_inrelease(
    name: &str,
    bytes: &[u8],
    trust: &Trust<'_>,
) -> Result<Verified<Release>, ReleaseError> {
    check_size(name, bytes)?;
    let signed = cleartext::split(bytes)
        .map_err(|why| SignatureError::NotSigned { name: name.to_owned(), why })?;
    let signatures = signature::parse(name, signed.signatures)?;
    trusted(name, &signed.text, &signatures, trust)
}

/// Reads a `Release` file with its detached signatures (`Release.gpg`, armored or binary) and checks
/// that it is trusted. For archives without `InRelease`.
///
/// # Errors
/// [`ReleaseError`].
pub fn read_detached(
    name: &str,
    release: &[u8],
    signatures: &[u8],
    trust: &Trust<'_>,
) -> Result<Verified<Release>, ReleaseError> {
    check_size(name, release)?;
    check_size(name, signatures)?;
    let signatures = signature::parse(name, signatures)?;
    trusted(name, release, &signatures, trust)
}

fn check_size(name: &str, bytes: &[u8]) -> Result<(), ReleaseError> {
    if bytes.len() as u64 > SIZE_LIMIT {
        let why = format!("it is larger than {SIZE_LIMIT} bytes");
        return Err(ReleaseError::Malformed { name: name.to_owned(), line: 0, why });
    }
    Ok(())
}

/// `text` is what the signatures are over, and all that is read.
fn trusted(
    name: &str,
    text: &[u8],
    signatures: &[pgp::packet::Signature],
    trust: &Trust<'_>,
) -> Result<Verified<Release>, ReleaseError> {
    let Trust { keyring, pinned, now, freshness } = *trust;
    let signers = signature::verify(name, text, signatures, keyring, pinned, now)?;
    let release = Release::parse(name, text)?;
    let name = name.to_owned();
    if release.date.duration_since(now) > FUTURE_LIMIT {
        return Err(ReleaseError::FromTheFuture { name, date: release.date, now });
    }
    match release.valid_until {
        Some(until) if until < now && freshness == Freshness::Required => {
            Err(ReleaseError::Outdated { name, until, now })
        }
        _ => Ok(Verified::new(release, signers.iter().map(ToString::to_string).collect())),
    }
}
