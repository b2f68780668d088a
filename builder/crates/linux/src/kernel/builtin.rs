//! The modules built into a kernel: `modules.builtin` and `modules.builtin.modinfo`.
//!
//! The first lists the modules that were linked in, one path (`kernel/fs/ext4/ext4.ko`) a line; the
//! second holds their `.modinfo`, as NUL-terminated `module.key=value` strings (both are described in
//! the kernel's Documentation/kbuild/kbuild.rst).

use std::collections::{BTreeMap, BTreeSet};

use super::modinfo::Modinfo;
use super::name::{ModuleName, NotAModuleName};
use super::pattern;
use wifibox_ground::path::{GuestPath, PathError};

/// Why a list of built-in modules cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// A line of `modules.builtin` does not name a module.
    #[error("modules.builtin, line {line}: {text:?} is not the path of a module (*.ko)")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// A line of `modules.builtin` is not a path.
    #[error("modules.builtin, line {line}: {source}")]
    Path {
        /// The line's number, from 1.
        line: usize,
        /// The error of the path's parser.
        source: PathError,
    },
    /// An entry of `modules.builtin.modinfo` is damaged.
    #[error("modules.builtin.modinfo: {0}")]
    Name(#[from] NotAModuleName),
}

/// The modules that were linked into a kernel.
#[derive(Debug, Clone, Default)]
pub struct Builtin {
    names: BTreeSet<ModuleName>,
    info: BTreeMap<ModuleName, Modinfo>,
    /// Normalised alias patterns, in the order of the file.
    aliases: Vec<(String, ModuleName)>,
}

impl Builtin {
    /// Reads `modules.builtin` and, where the kernel comes with it, `modules.builtin.modinfo`.
    ///
    /// # Errors
    /// [`BuiltinError`].
    pub fn parse(list: &[u8], modinfo: Option<&[u8]>) -> Result<Self, BuiltinError> {
        let mut builtin = Builtin::default();
        for (index, text) in list.split(|byte| *byte == b'\n').enumerate() {
            let line = index + 1;
            if text.is_empty() {
                continue;
            }
            let path =
                GuestPath::new(text).map_err(|source| BuiltinError::Path { line, source })?;
            let name = ModuleName::of_file(&path).ok_or_else(|| BuiltinError::Line {
                line,
                text: String::from_utf8_lossy(text).into_owned(),
            })?;
            builtin.names.insert(name);
        }
        for entry in modinfo.unwrap_or_default().split(|byte| *byte == 0) {
            builtin.entry(&String::from_utf8_lossy(entry))?;
        }
        Ok(builtin)
    }

    fn entry(&mut self, entry: &str) -> Result<(), NotAModuleName> {
        let Some((name, rest)) = entry.split_once('.') else { return Ok(()) };
        let Some((key, value)) = rest.split_once('=') else { return Ok(()) };
        let name = ModuleName::new(name)?;
        if key == "alias"
            && let Some(normal) = pattern::normalize(value)
        {
            self.aliases.push((normal, name.clone()));
        }
        self.info.entry(name).or_default().add(key, value)
    }

    /// Adds a module that is known to be built in: what a kernel's descriptor states where its
    /// packages hold no list (OpenWrt's do not).
    pub fn add(&mut self, name: ModuleName) {
        self.names.insert(name);
    }

    /// Whether this module is built in.
    pub fn contains(&self, name: &ModuleName) -> bool {
        self.names.contains(name)
    }

    /// The built-in modules, sorted.
    pub fn names(&self) -> impl Iterator<Item = &ModuleName> {
        self.names.iter()
    }

    /// The metadata of a built-in module (its firmware, its soft dependencies).
    pub fn info(&self, name: &ModuleName) -> Option<&Modinfo> {
        self.info.get(name)
    }

    /// The built-in modules that one of whose aliases matches `alias`.
    pub(crate) fn find_alias(&self, alias: &str) -> BTreeSet<&ModuleName> {
        let Some(wanted) = pattern::normalize(alias) else { return BTreeSet::new() };
        let hit = self.aliases.iter().filter(|(alias, _)| pattern::matches(alias, &wanted));
        hit.map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> ModuleName {
        ModuleName::new(text).expect("a name")
    }

    #[test]
    fn lists_and_their_modinfo_are_read() {
        let list = b"kernel/fs/ext4/ext4.ko\nkernel/crypto/crc32c-generic.ko\n";
        let info =
            b"ext4.license=GPL\0ext4.softdep=pre: crc32c\0crc32c_generic.alias=crypto-crc32c\0\
            xhci.firmware=renesas.mem\0odd.description=two\nlines = here\0";
        let builtin = Builtin::parse(list, Some(info)).expect("parsed");
        assert!(builtin.contains(&name("ext4")) && builtin.contains(&name("crc32c_generic")));
        assert!(!builtin.contains(&name("xhci")));
        let found: Vec<_> = builtin.find_alias("crypto-crc32c").into_iter().collect();
        assert_eq!(found, [&name("crc32c-generic")]);
        assert_eq!(builtin.info(&name("xhci")).expect("info").firmware, ["renesas.mem"]);
        assert_eq!(builtin.info(&name("ext4")).expect("info").soft().pre, ["crc32c"]);
        assert_eq!(builtin.names().count(), 2);
        let mut stated = Builtin::default();
        stated.add(name("squashfs"));
        assert!(stated.contains(&name("squashfs")));
    }

    #[test]
    fn a_line_that_is_no_module_is_an_error() {
        let error = Builtin::parse(b"kernel/a.ko\nkernel/b\n", None).expect_err("refused");
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(Builtin::parse(b"../a.ko\n", None).is_err());
    }

    proptest! {
        #[test]
        fn noise_never_panics(list in prop::collection::vec(any::<u8>(), 0..80),
                              info in "[a-z.=\\x00\\n]{0,80}") {
            let _ = Builtin::parse(&list, Some(info.as_bytes()));
        }
    }
}
