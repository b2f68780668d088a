//! Reads Alpine packages of format v2: apk-package(5).
//!
//! A package is a row of gzip members: signatures, control files, data; each is a part of a tar
//! archive. It is read from begin to end without seeking: [`Apk::open`] takes signatures and control
//! files in, [`Apk::check_signature`] and [`Apk::check_identity`] say whether they are what was
//! meant, then [`Apk::read_data`] streams what is to be installed.

mod data;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use wifibox_formats::adb::is_adb;
use wifibox_formats::apk::member::{self, FrontError, Member};
use wifibox_formats::apk::signature::{self, Signature, Trust};
use wifibox_formats::apk::{ApkError, Fingerprint, PkgInfo};
use wifibox_formats::tarball::TarError;
use wifibox_formats::{Identity, Package, PackageLimits, PublicKey as _};
use wifibox_ground::entry::Entry;

/// The signatures and control files of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// `.PKGINFO`: the fields.
    pub info: PkgInfo,
    /// The scripts by name: `pre-install`, `post-install`, `pre-upgrade`, `post-upgrade`,
    /// `pre-deinstall`, `post-deinstall`, `trigger`.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// The identity by which indexes list the package: the SHA-1 of the compressed control member.
    pub identity: Identity,
    /// Its signatures, in their order; none of them checked.
    pub signatures: Vec<Signature>,
    /// All other control files by name, with their dot: apk ignores them.
    pub others: BTreeMap<String, Vec<u8>>,
}

impl Control {
    /// The record that an index would have of this package, but for the size of its file.
    pub fn to_package(&self) -> Package {
        Package { identity: Some(self.identity.clone()), ..self.info.to_package() }
    }
}

/// A package that is being read.
pub struct Apk<R> {
    package: String,
    limits: PackageLimits,
    control: Control,
    /// The control member as it stands in the file: what is signed.
    signed: Vec<u8>,
    rest: BufReader<R>,
}

const SCRIPTS: [&str; 7] = [
    "pre-install",
    "post-install",
    "pre-upgrade",
    "post-upgrade",
    "pre-deinstall",
    "post-deinstall",
    "trigger",
];

impl<R: Read> Apk<R> {
    /// Begins to read a package, `package` in errors, up to the end of its control files.
    ///
    /// # Errors
    /// [`ApkError`].
    pub fn open(package: &str, input: R, limits: PackageLimits) -> Result<Self, ApkError> {
        let wrong = |why: &str| ApkError::Format { package: package.to_owned(), why: why.into() };
        let foreign = |why: &str| {
            let (package, why) = (package.to_owned(), why.to_owned());
            ApkError::Foreign { package, why }
        };
        let tar =
            |source| ApkError::Tar { package: package.to_owned(), member: "control files", source };
        let mut rest = BufReader::with_capacity(64 << 10, input);
        let start = rest.fill_buf().map_err(|error| tar(TarError::Read(error)))?;
        if is_adb(start) {
            return Err(ApkError::Version3 { package: package.to_owned() });
        }
        if start.is_empty() {
            return Err(foreign("it is empty"));
        }
        if !member::is_gzip(start) {
            return Err(foreign("it is not a gzip file"));
        }
        let front = member::read_front(&mut rest, limits.control);
        let (signatures, _, member) = front.map_err(|error| match error {
            FrontError::Gzip(error) => tar(TarError::Read(error)),
            FrontError::Tar(error) => tar(error),
        })?;
        let Some(Member { compressed, unpacked }) = member else {
            return Err(wrong("it ends after its signature"));
        };
        let control = read_control(package, signatures, &compressed, &unpacked)?;
        Ok(Apk { package: package.to_owned(), limits, control, signed: compressed, rest })
    }

    /// The signatures and control files.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Checks that this is the package that an index lists under `expected`.
    ///
    /// # Errors
    /// [`ApkError::Identity`].
    pub fn check_identity(&self, expected: &Identity) -> Result<(), ApkError> {
        if expected.fits(&self.signed) {
            return Ok(());
        }
        Err(ApkError::Identity {
            package: self.package.clone(),
            expected: expected.clone(),
            found: self.control.identity.clone(),
        })
    }

    /// Checks that a pinned key signed the control files, and through their `datahash` the data.
    /// Returns the key's fingerprint.
    ///
    /// # Errors
    /// [`ApkError::Signature`].
    pub fn check_signature(&self, trust: &Trust<'_>) -> Result<Fingerprint, ApkError> {
        let signatures = &self.control.signatures;
        let key = signature::verify(&self.package, signatures, &self.signed, trust)?;
        Ok(key.fingerprint())
    }

    /// Hands all that is to be installed to `visit`, in the order of the package, and checks that
    /// the package is complete and each file matches its checksum. Returns the control files.
    ///
    /// # Errors
    /// Whatever `visit` reports, or [`ApkError`] as `E`. What was visited before an error must be
    /// thrown away: checksums stand at the end.
    pub fn read_data<E: From<ApkError>>(
        self,
        visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
    ) -> Result<Control, E> {
        data::read(&self.package, self.rest, self.control.info.data_hash, self.limits, visit)?;
        Ok(self.control)
    }
}

fn read_control(
    package: &str,
    signatures: Vec<Signature>,
    compressed: &[u8],
    unpacked: &[u8],
) -> Result<Control, ApkError> {
    let wrong = |why: String| ApkError::Format { package: package.to_owned(), why };
    let failed =
        |source| ApkError::Tar { package: package.to_owned(), member: "control files", source };
    let (mut info, mut scripts, mut others) = (None, BTreeMap::new(), BTreeMap::new());
    for (name, content) in member::files(unpacked).map_err(failed)? {
        let odd =
            |why: &str| failed(TarError::Member { member: name.clone(), why: why.to_owned() });
        let again = match name.strip_prefix('.') {
            Some("PKGINFO") => info.replace(content).is_some(),
            Some("INSTALL") => {
                let package = package.to_owned();
                return Err(ApkError::Version1 { package, member: name });
            }
            Some(script) if SCRIPTS.contains(&script) => {
                scripts.insert(script.to_owned(), content).is_some()
            }
            Some(other) if other.starts_with("SIGN.") => {
                return Err(odd("a signature has no place among control files"));
            }
            Some(_) => others.insert(name.clone(), content).is_some(),
            None => return Err(odd("it has no place among control files")),
        };
        if again {
            return Err(odd("it appears twice"));
        }
    }
    let Some(info) = info else { return Err(wrong("it has no file .PKGINFO".to_owned())) };
    let info = PkgInfo::parse(&info).map_err(|why| wrong(format!(".PKGINFO, {why}")))?;
    let identity = Identity::of_control(compressed);
    Ok(Control { info, scripts, identity, signatures, others })
}
