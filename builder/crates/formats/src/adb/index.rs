//! The package index of apk v3 (`packages.adb`): signed, with the hash of each package's metadata.

use std::io::Read;

use super::container::{Container, Schema};
use super::error::AdbError;
use super::file_name;
use super::info::Info;
use super::key::{Fingerprint, Keyring};
use super::limits::AdbLimits;
use super::signature::{self, SignatureError};
use super::value::{Field, Values};
use crate::fault::Fault;
use crate::package::Package;
use crate::verified::Verified;
use wifibox_ground::digest::hex;

const DESCRIPTION: Field = Field(1, "description");
const PACKAGES: Field = Field(2, "packages");
const PKGNAME_SPEC: Field = Field(3, "pkgname-spec");

/// A package index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// The repository's description of itself, such as a version.
    pub description: String,
    /// The rule by which file names are made, if it is not `${name}-${version}.apk`.
    pub file_names: Option<String>,
    /// The packages, in the order of the index.
    pub infos: Vec<Info>,
}

/// Why an index is not used.
#[derive(Debug, thiserror::Error)]
pub enum IndexReadError {
    /// It cannot be read.
    #[error(transparent)]
    Adb(#[from] AdbError),
    /// It can be read, but not trusted.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl IndexReadError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            IndexReadError::Adb(error) => error.kind(),
            IndexReadError::Signature(_) => Fault::Forged,
        }
    }
}

impl Index {
    /// Reads an index, `file` in errors, that one of the `pinned` keys signed.
    ///
    /// # Errors
    /// [`IndexReadError`]; the signature is checked before any value is read.
    pub fn read(
        file: &str,
        input: impl Read,
        limits: &AdbLimits,
        keyring: &Keyring,
        pinned: &[Fingerprint],
    ) -> Result<Verified<Index>, IndexReadError> {
        let container = whole(file, input, limits)?;
        let signers = signature::require(file, &container, keyring, pinned)?;
        let index = Index::parse(file, &container, limits)?;
        let signers = signers.iter().map(ToString::to_string).collect();
        Ok(Verified::new(index, signers))
    }

    /// Reads an index without asking who made it: for inspection, and where a check was waived.
    ///
    /// # Errors
    /// [`AdbError`].
    pub fn read_unverified(
        file: &str,
        input: impl Read,
        limits: &AdbLimits,
    ) -> Result<Index, AdbError> {
        Index::parse(file, &whole(file, input, limits)?, limits)
    }

    fn parse(file: &str, container: &Container<'_>, limits: &AdbLimits) -> Result<Index, AdbError> {
        let value = || AdbError::value(file, "index");
        let values = Values::new(container.payload(), limits.values).map_err(value())?;
        if values.is_empty() {
            return Ok(Index::default());
        }
        let root = values.root().map_err(value())?;
        let text = |field: Field| match root.blob(field).map_err(value())? {
            None => Ok(None),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_) => {
                    Err(AdbError::schema(file, "index", format!("its {} is not UTF-8", field.1)))
                }
            },
        };
        let mut index = Index {
            description: text(DESCRIPTION)?.unwrap_or_default(),
            file_names: text(PKGNAME_SPEC)?.filter(|rule| rule != file_name::DEFAULT),
            infos: Vec::new(),
        };
        if let Some(rule) = &index.file_names {
            file_name::check(file, rule)?;
        }
        let Some(packages) = root.list(PACKAGES).map_err(value())? else { return Ok(index) };
        if packages.count() > limits.entries {
            let why = format!("it lists more than {} packages", limits.entries);
            return Err(AdbError::schema(file, "index", why));
        }
        for item in packages.items("package") {
            let place = format!("package number {}", item.0);
            let object = packages.list(item).map_err(AdbError::value(file, &*place))?;
            let object = object.ok_or_else(|| AdbError::schema(file, &*place, "it is empty"))?;
            let mut info = Info::read(file, &place, &object)?;
            complete(&mut info, index.file_names.as_deref());
            index.infos.push(info);
        }
        Ok(index)
    }

    /// The records of the packages, in the order of the index.
    pub fn packages(&self) -> impl Iterator<Item = &Package> {
        self.infos.iter().map(|info| &info.package)
    }
}

/// Reads a file to its end, so that its compression is checked to the end too.
fn whole<'r>(
    file: &str,
    input: impl Read + 'r,
    limits: &AdbLimits,
) -> Result<Container<'r>, AdbError> {
    let mut container = Container::open(file, input, Schema::INDEX, limits)?;
    match container.next_data()? {
        None => Ok(container),
        Some(_) => Err(AdbError::format(file, "it has data blocks, which an index has not")),
    }
}

/// Adds to a record what only the index as a whole knows: its path, and whether it can be checked.
fn complete(info: &mut Info, rule: Option<&str>) {
    let package = &mut info.package;
    if package.identity.is_none() {
        let why = "the index has no hash of it that is known, so it could not be checked";
        package.refused.get_or_insert_with(|| why.to_owned());
    }
    let Some(rule) = rule else { return };
    let variables = file_name::Variables {
        name: &package.name,
        version: &package.version,
        arch: &package.architecture,
        hash: &hex(&info.hashes),
    };
    match file_name::expand(rule, &variables) {
        Ok(path) => package.path = path,
        Err(why) => {
            package.refused.get_or_insert(why);
        }
    }
}
