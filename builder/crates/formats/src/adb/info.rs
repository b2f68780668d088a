//! A package as an index or the package itself describes it: apk's schema `pkginfo`
//! (`src/apk_adb.c`).

use super::dependency;
use super::error::AdbError;
use super::value::{Field, List};
use crate::identity::Identity;
use crate::package::Package;
use wifibox_ground::digest::hex;
use wifibox_ground::version::Scheme;

const NAME: Field = Field(1, "name");
const VERSION: Field = Field(2, "version");
const HASHES: Field = Field(3, "hashes");
const DESCRIPTION: Field = Field(4, "description");
const ARCH: Field = Field(5, "arch");
const LICENSE: Field = Field(6, "license");
const ORIGIN: Field = Field(7, "origin");
const MAINTAINER: Field = Field(8, "maintainer");
const URL: Field = Field(9, "url");
const REPO_COMMIT: Field = Field(10, "repo-commit");
const BUILD_TIME: Field = Field(11, "build-time");
const INSTALLED_SIZE: Field = Field(12, "installed-size");
const FILE_SIZE: Field = Field(13, "file-size");
const PROVIDER_PRIORITY: Field = Field(14, "provider-priority");
const DEPENDS: Field = Field(15, "depends");
const PROVIDES: Field = Field(16, "provides");
const REPLACES: Field = Field(17, "replaces");
const INSTALL_IF: Field = Field(18, "install-if");
const RECOMMENDS: Field = Field(19, "recommends");
const LAYER: Field = Field(20, "layer");
const TAGS: Field = Field(21, "tags");

/// A package as an apk v3 index or the package itself describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The fields common to all kinds of repositories. [`Package::identity`] is the hash of the
    /// package's ADB payload; [`Package::path`] is set only where the index has a rule for file
    /// names.
    pub package: Package,
    /// The field `hashes`: in an index the hash of the package's ADB payload, in a package an id of
    /// its own that says nothing about its contents.
    pub hashes: Vec<u8>,
    /// Who maintains it.
    pub maintainer: String,
    /// Its home page.
    pub url: String,
    /// The commit of the repository it was built from, in hexadecimal digits.
    pub commit: String,
    /// Packages that are recommended beside it, in apk's syntax.
    pub recommends: String,
    /// Which of apk's databases it belongs in: 0 is the root's, 1 is one that does not persist.
    pub layer: u64,
    /// Free words, as `name` or `name=value`.
    pub tags: Vec<String>,
}

impl Info {
    /// Reads one object; `place` names it in errors until its name is known.
    pub fn read(file: &str, place: &str, object: &List<'_, '_>) -> Result<Self, AdbError> {
        let bytes = |place: &str, field| object.blob(field).map_err(AdbError::value(file, place));
        let strict = |place: &str, field: Field| {
            let text = std::str::from_utf8(bytes(place, field)?.unwrap_or_default());
            let odd = |_| AdbError::schema(file, place, format!("its {} is not UTF-8", field.1));
            text.map(str::to_owned).map_err(odd)
        };
        let name = strict(place, NAME)?;
        let place = format!("package {}", if name.is_empty() { place } else { &name });
        let version = strict(&place, VERSION)?;
        check(file, &place, &name, &version)?;
        let value = || AdbError::value(file, &place);
        let text = |field| {
            let bytes = bytes(&place, field)?.unwrap_or_default();
            Ok(String::from_utf8_lossy(bytes).into_owned())
        };
        let number = |field| Ok(object.int(field).map_err(value())?.unwrap_or_default());
        let hashes = bytes(&place, HASHES)?.unwrap_or_default().to_vec();
        let mut package = Package {
            name,
            version,
            architecture: strict(&place, ARCH)?,
            size: number(FILE_SIZE)?,
            installed_size: number(INSTALLED_SIZE)?,
            identity: Identity::from_digest(&hashes),
            provider_priority: number(PROVIDER_PRIORITY)?.try_into().unwrap_or(u32::MAX),
            description: text(DESCRIPTION)?,
            license: text(LICENSE)?,
            origin: text(ORIGIN)?,
            build_time: number(BUILD_TIME)?,
            ..Package::default()
        };
        if !Scheme::Apk.is_valid(&package.version) {
            package.refused = Some(format!("its version {:?} is not valid", package.version));
        }
        let mut relations = |field: Field| {
            let found = dependency::read(object, field).map_err(value())?;
            if let Some(bad) = found.unreadable {
                let why = format!("its index record has an unreadable {}: {bad}", field.1);
                package.refused.get_or_insert(why);
            }
            Ok(found.text)
        };
        let (depends, provides) = (relations(DEPENDS)?, relations(PROVIDES)?);
        let (replaces, install_if) = (relations(REPLACES)?, relations(INSTALL_IF)?);
        let recommends = relations(RECOMMENDS)?;
        let package = Package { depends, provides, replaces, install_if, ..package };
        let mut tags = Vec::new();
        if let Some(list) = object.list(TAGS).map_err(value())? {
            for item in list.items(TAGS.1) {
                if let Some(tag) = list.blob(item).map_err(value())? {
                    tags.push(String::from_utf8_lossy(tag).into_owned());
                }
            }
        }
        Ok(Info {
            package,
            hashes,
            maintainer: text(MAINTAINER)?,
            url: text(URL)?,
            commit: hex(bytes(&place, REPO_COMMIT)?.unwrap_or_default()),
            recommends,
            layer: number(LAYER)?,
            tags,
        })
    }
}

/// Names and versions become parts of file names, so their characters are checked.
fn check(file: &str, place: &str, name: &str, version: &str) -> Result<(), AdbError> {
    let odd = |why: String| Err(AdbError::schema(file, place, why));
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) || !name.bytes().all(known) {
        return odd(format!("{name:?} cannot be the name of a package"));
    }
    if version.is_empty() || !version.bytes().all(|byte| known(byte) || byte == b'~') {
        return odd(format!("{version:?} cannot be a version"));
    }
    Ok(())
}
