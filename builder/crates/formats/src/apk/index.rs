//! `APKINDEX.tar.gz`: the list of a repository's packages, and who signed it.
//!
//! gzip members: signatures, then a tar archive of `DESCRIPTION` and `APKINDEX`
//! ([`crate::apkindex`]). The signatures are over all bytes that follow their member.

use std::io;

use super::member::{self, FrontError};
use super::signature::{self, Signature, SignatureError, Trust};
use crate::fault::Fault;
use crate::keyring::PublicKey as _;
use crate::package::{IndexError, Package};
use crate::tarball::TarError;
use crate::{Verified, apkindex};
use wifibox_ground::codec::{Compression, Limits};

/// An index file is never larger than this many bytes. Alpine's largest has some 2 MB.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// It never unpacks to more than this many bytes.
const UNPACKED_LIMIT: u64 = 128 << 20;

/// The contents of a signed index. Trusted only as [`Verified<SignedIndex>`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIndex {
    /// Its packages, in its order.
    pub packages: Vec<Package>,
    /// Its `DESCRIPTION`: `v3.22.1-5-gabcdef`. Empty if there is none.
    pub description: String,
}

/// The contents of an index whose signature was not checked: good only for finding the package that
/// holds the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedIndex {
    /// Its packages, in its order.
    pub unverified_packages: Vec<Package>,
    /// The names of the keys that it claims to be signed by.
    pub claimed_keys: Vec<String>,
}

/// Why an index is not trusted, or cannot be read. `name` is where it comes from.
#[derive(Debug, thiserror::Error)]
pub enum ApkIndexError {
    /// No pinned key vouches for it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is truncated, damaged, or too large.
    #[error("{name} is damaged or cut off: {source}; fetch it again, or try another mirror")]
    Damaged {
        /// The file.
        name: String,
        /// The error of the tar reader.
        source: TarError,
    },
    /// It is not an index.
    #[error("{name} is not an APKINDEX.tar.gz: {why}")]
    NotAnIndex {
        /// The file.
        name: String,
        /// The reason, for the message.
        why: String,
    },
    /// It is an index of apk's format v3.
    #[error("{name} is an index of apk's format v3 (ADB), where one of format v2 is expected")]
    Version3 {
        /// The file.
        name: String,
    },
    /// Its records cannot be parsed.
    #[error("{name}: {source}")]
    Records {
        /// The file.
        name: String,
        /// The parser's error.
        source: IndexError,
    },
}

impl ApkIndexError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            ApkIndexError::Signature(_) => Fault::Forged,
            ApkIndexError::Damaged { source, .. } => source.kind(),
            ApkIndexError::NotAnIndex { .. } | ApkIndexError::Version3 { .. } => Fault::Foreign,
            ApkIndexError::Records { source, .. } => source.kind(),
        }
    }
}

/// Reads an index, `name` in errors, that a pinned key signed. Nothing but the front members and one
/// more gzip member are unpacked before the signature was checked.
///
/// # Errors
/// [`ApkIndexError`].
pub fn read_signed(
    name: &str,
    bytes: &[u8],
    trust: &Trust<'_>,
) -> Result<Verified<SignedIndex>, ApkIndexError> {
    let (signatures, signed) = front(name, bytes)?;
    let key = signature::verify(name, &signatures, signed, trust)?;
    let index = unpack(name, signed)?;
    Ok(Verified::new(index, vec![key.fingerprint().to_string()]))
}

/// Reads the records of an index whose signature is NOT checked.
///
/// # Errors
/// [`ApkIndexError`], but never its `Signature`.
pub fn read_unsigned_records(name: &str, bytes: &[u8]) -> Result<UnverifiedIndex, ApkIndexError> {
    let (signatures, signed) = front(name, bytes)?;
    let index = unpack(name, signed)?;
    Ok(UnverifiedIndex {
        unverified_packages: index.packages,
        claimed_keys: signatures.into_iter().map(|signature| signature.key).collect(),
    })
}

/// The signatures, and the bytes that they are over.
fn front<'b>(name: &str, bytes: &'b [u8]) -> Result<(Vec<Signature>, &'b [u8]), ApkIndexError> {
    let not = |why: &str| ApkIndexError::NotAnIndex { name: name.to_owned(), why: why.to_owned() };
    if crate::adb::is_adb(bytes) {
        return Err(ApkIndexError::Version3 { name: name.to_owned() });
    }
    if bytes.is_empty() {
        return Err(not("it is empty"));
    }
    if !member::is_gzip(bytes) {
        return Err(not("it is not a gzip file; the server may have sent an error page"));
    }
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(not(&format!("it has more than {SIZE_LIMIT} bytes")));
    }
    let (signatures, length, first) =
        member::read_front(&mut &*bytes, UNPACKED_LIMIT).map_err(|error| {
            let source = match error {
                FrontError::Gzip(error) => TarError::Read(error),
                FrontError::Tar(error) => error,
            };
            ApkIndexError::Damaged { name: name.to_owned(), source }
        })?;
    match first {
        Some(_) => Ok((signatures, bytes.get(length..).unwrap_or_default())),
        None => {
            let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "nothing follows its signature");
            Err(ApkIndexError::Damaged { name: name.to_owned(), source: TarError::Read(cut) })
        }
    }
}

fn unpack(name: &str, signed: &[u8]) -> Result<SignedIndex, ApkIndexError> {
    let damaged = |source| ApkIndexError::Damaged { name: name.to_owned(), source };
    let not = |why: &str| ApkIndexError::NotAnIndex { name: name.to_owned(), why: why.to_owned() };
    let limits = Limits { size: UNPACKED_LIMIT, ..Limits::default() };
    let mut archive = Vec::new();
    Compression::Gzip
        .reader(signed, limits)
        .and_then(|mut reader| reader.read_to_end(&mut archive))
        .map_err(|error| damaged(TarError::Read(error)))?;
    let (mut text, mut description, mut package) = (None, Vec::new(), false);
    for (file, content) in member::files(&archive).map_err(damaged)? {
        match &*file {
            "APKINDEX" if text.is_some() => return Err(not("it holds two files APKINDEX")),
            "APKINDEX" => text = Some(content),
            "DESCRIPTION" => description = content,
            other => package |= other == ".PKGINFO",
        }
    }
    let Some(text) = text else {
        return Err(not(if package { "it is a package" } else { "it holds no file APKINDEX" }));
    };
    let packages = apkindex::parse(&text[..])
        .map_err(|source| ApkIndexError::Records { name: name.to_owned(), source })?;
    let description = String::from_utf8_lossy(&description).trim().to_owned();
    Ok(SignedIndex { packages, description })
}
