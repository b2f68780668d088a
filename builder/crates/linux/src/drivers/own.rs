//! Firmware of the user's own: settings, calibration, and files that no package may hold.
//!
//! It comes from `--firmware-add FILE[:NAME]`, which always comes in, and from
//! `firmware-blobs/local/`, whose files are there to be asked for like those of packages. Both go before
//! what packages offer.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use super::Error;
use crate::firmware::select::Wanted;
use crate::firmware::{Rules, rules};
use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;
use wifibox_ground::regular;
use wifibox_recipe::Composed;
use wifibox_tree::{Kind, Origin, Tree};
use wifibox_tree::{PlaceError, put};

/// The folder of a user's own files, laid out as `lib/firmware` is.
pub const LOCAL: &str = "firmware-blobs/local";

/// The largest file that is taken, in bytes.
const SIZE_LIMIT: u64 = 128 << 20;

/// A file to add: `FILE[:NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirmwareAdd {
    /// The file on this machine.
    pub file: PathBuf,
    /// Its name below `lib/firmware`; found by what drivers ask for if `None`.
    pub name: Option<String>,
}

impl FirmwareAdd {
    /// The error of what the system said when the file was read.
    pub fn unreadable(&self, error: &io::Error) -> Error {
        Error::OwnFirmware { file: self.file.clone(), why: format!("cannot be read: {error}") }
    }
}

impl FromStr for FirmwareAdd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (file, name) = match text.rsplit_once(':') {
            // A path with a colon in it, or a drive letter.
            Some((file, name)) if !file.is_empty() && !name.starts_with(['/', '\\']) => {
                (file, Some(name))
            }
            _ => (text, None),
        };
        if file.is_empty() || name == Some("") {
            return Err("expected FILE or FILE:NAME, for example \
                        nvram.txt:brcm/brcmfmac43602-pcie.txt"
                .to_owned());
        }
        if let Some(name) = name
            && !GuestPath::new(name).is_ok_and(|path| path.as_str() == Some(name))
        {
            return Err(format!("{name:?} is not a name below lib/firmware"));
        }
        Ok(FirmwareAdd { file: file.into(), name: name.map(str::to_owned) })
    }
}

/// One file of the user's own, in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// Its name below `lib/firmware`.
    pub name: String,
    /// Its hash.
    pub sha256: Sha256,
    /// Whether it comes in although nothing asks for it.
    pub always: bool,
}

/// Puts the user's own files into the tree's firmware folder, in place of those of packages.
///
/// # Errors
/// [`Error::OwnFirmware`]: one cannot be read, or it is not clear where it belongs.
pub fn lay(
    composed: &Composed<'_>,
    adds: &[FirmwareAdd],
    wanted: &[Wanted],
    rules: &Rules,
    tree: &mut Tree,
    folder: &GuestPath,
) -> Result<Vec<OwnFile>, Error> {
    let mut own = Vec::new();
    for name in composed.sources.files_below(LOCAL)? {
        if name != "README.md" && !name.rsplit('/').next().is_some_and(|n| n.starts_with('.')) {
            let bytes = composed.sources.read(&format!("{LOCAL}/{name}"))?.into_owned();
            lay_one(tree, folder, format!("{LOCAL}/{name}"), name, bytes, false, &mut own)?;
        }
    }
    for add in adds {
        let bytes = read(&add.file)?;
        let name = match &add.name {
            Some(name) => name.clone(),
            None => place(&add.file, wanted, rules)?,
        };
        // No path of this machine: the same file gives the same guest.
        let origin = format!("--firmware-add {name}");
        lay_one(tree, folder, origin, name, bytes, true, &mut own)?;
    }
    Ok(own)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let bad = |why: String| Error::OwnFirmware { file: file.to_owned(), why };
    let open = regular::open(file).map_err(|error| bad(error.to_string()))?;
    let mut bytes = Vec::new();
    open.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(|error| bad(error.to_string()))?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(bad(format!("it is larger than {} MiB", SIZE_LIMIT >> 20)));
    }
    Ok(bytes)
}

fn lay_one(
    tree: &mut Tree,
    folder: &GuestPath,
    origin: String,
    name: String,
    bytes: Vec<u8>,
    always: bool,
    own: &mut Vec<OwnFile>,
) -> Result<(), Error> {
    let at = |name: &str| folder.join(name).map_err(|error| PlaceError::of(origin.clone())(error));
    // What a package holds under the same name, compressed, would still be offered.
    for suffix in ["", ".xz", ".zst"] {
        tree.remove(&at(&format!("{name}{suffix}"))?);
    }
    let sha256 = Sha256::of(&bytes);
    let path = at(&name)?;
    put(tree, &path, Kind::File(Content::from_bytes(bytes)), 0o644, Origin::Recipe(origin))?;
    own.retain(|file| file.name != name);
    own.push(OwnFile { name, sha256, always });
    Ok(())
}

/// Where drivers look for a file of this name.
fn place(file: &Path, wanted: &[Wanted], rules: &Rules) -> Result<String, Error> {
    let bad = |why: String| Error::OwnFirmware { file: file.to_owned(), why };
    let Some(base) = file.file_name().and_then(|name| name.to_str()) else {
        return Err(bad("its name is not UTF-8: give it one with FILE:NAME".to_owned()));
    };
    let base = base.strip_suffix(".xz").or_else(|| base.strip_suffix(".zst")).unwrap_or(base);
    let names = wanted.iter().map(|want| want.name.as_str());
    let patterns = names.chain(rules.include.iter().chain(&rules.optional).map(String::as_str));
    let found = rules::places(patterns, base).map_err(Error::Firmware)?;
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(bad(format!(
            "no module of this guest asks for a firmware {base}: say where it goes with FILE:NAME"
        ))),
        many => {
            Err(bad(format!("it may be meant for {}: say which with FILE:NAME", many.join(" or "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_names_are_told_apart() {
        let parse = |text: &str| text.parse::<FirmwareAdd>().map(|add| (add.file, add.name));
        assert_eq!(parse("a/b.txt"), Ok(("a/b.txt".into(), None)));
        let with_name = (PathBuf::from("a/b.txt"), Some("brcm/c.txt".to_owned()));
        assert_eq!(parse("a/b.txt:brcm/c.txt"), Ok(with_name));
        assert_eq!(parse(r"C:\b.txt"), Ok((r"C:\b.txt".into(), None)));
        for bad in ["", "a:", "a:../b", "a:b/../../c"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
