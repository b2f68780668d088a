//! Names of kernel modules: `-` and `_` are the same letter, and a file's name gives its module's.
//!
//! The rules are kmod's (`modname_normalize` and `path_to_modname` in its shared/util.c).

use std::fmt;

use serde::{Serialize, Serializer};

use wifibox_ground::codec::Compression;
use wifibox_ground::path::GuestPath;

/// A module's name as the kernel and the depmod indexes spell it: with `_`, never `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleName(String);

/// Text that cannot be a module's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not the name of a kernel module: letters, digits, '_', '-' and the like are \
     expected, without '.', '/', blanks or an extension"
)]
pub struct NotAModuleName(pub String);

impl ModuleName {
    /// Reads a name as people and `.modinfo` write it.
    ///
    /// # Errors
    /// [`NotAModuleName`] when it is empty, longer than 255 bytes, or holds a `.`, a `/`, a blank,
    /// or anything but printable ASCII.
    pub fn new(text: &str) -> Result<Self, NotAModuleName> {
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b'.';
        if text.is_empty() || text.len() > 255 || !text.bytes().all(fits) {
            return Err(NotAModuleName(text.to_owned()));
        }
        Ok(ModuleName(text.replace('-', "_")))
    }

    /// The module that a file holds, by its name (`.../snd-hda.ko.xz` holds `snd_hda`); `None` for a
    /// file that is not a module.
    pub fn of_file(path: &GuestPath) -> Option<Self> {
        let (name, _) = Compression::split_name(path.name());
        let stem = name.strip_suffix(b".ko")?;
        // Like depmod: the name ends at the first dot.
        let stem = stem.split(|byte| *byte == b'.').next()?;
        ModuleName::new(std::str::from_utf8(stem).ok()?).ok()
    }

    /// The name, with `_`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for ModuleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphen_and_underscore_are_one_letter() {
        assert_eq!(ModuleName::new("snd-hda_intel"), ModuleName::new("snd_hda-intel"));
        for bad in ["", "a b", "a/b", "a.ko", "ä", "a\n", &"a".repeat(256)] {
            assert!(ModuleName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn files_name_their_modules() {
        let name = |text: &str| {
            ModuleName::of_file(&GuestPath::new(text).expect("a path")).map(|n| n.to_string())
        };
        for suffix in ["", ".gz", ".xz", ".zst"] {
            let path = format!("kernel/net/9p/9pnet-virtio.ko{suffix}");
            assert_eq!(name(&path).as_deref(), Some("9pnet_virtio"));
        }
        for other in ["modules.order", "a.o", "a.ko.bz2", ".ko", "kernel"] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
