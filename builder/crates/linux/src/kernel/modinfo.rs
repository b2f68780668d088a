//! The metadata of a kernel module: the `.modinfo` section of its ELF file.
//!
//! `.modinfo` is a list of NUL-terminated `key=value` strings (include/linux/moduleparam.h of the
//! kernel); ELF comes in 32 and 64 bits and both byte orders, and a signature may follow it (it stays
//! in the file and is not looked at here).

use object::{Object, ObjectSection};

use super::modinfo_error::ModinfoError;
use super::name::{ModuleName, NotAModuleName};
use super::symbols::{self, Symbols};

/// A soft dependency line (`pre: a b post: c`), taken apart. Names may be aliases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SoftDeps {
    /// To be loaded before the module.
    pub pre: Vec<String>,
    /// To be loaded after it.
    pub post: Vec<String>,
}

/// The entries of `.modinfo`, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Modinfo {
    /// The module's own name (`name=`), where it gives one.
    pub name: Option<ModuleName>,
    /// Modules that this one cannot be loaded without.
    pub depends: Vec<ModuleName>,
    /// `softdep=` lines as written.
    pub softdeps: Vec<String>,
    /// `weakdep=` lines as written.
    pub weakdeps: Vec<String>,
    /// Alias patterns.
    pub aliases: Vec<String>,
    /// Firmware files that the module may ask for; globs occur.
    pub firmware: Vec<String>,
    /// The kernel that it was built for.
    pub vermagic: Option<String>,
    /// Its licences (`license=`).
    pub licenses: Vec<String>,
    /// One line on what it is for.
    pub description: Option<String>,
    /// Symbol namespaces that it imports.
    pub import_ns: Vec<String>,
}

/// A module as far as the builder needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// Its metadata.
    pub info: Modinfo,
    /// The symbols that it exports to and needs from other modules.
    pub symbols: Symbols,
}

impl Module {
    /// Reads an unpacked module.
    ///
    /// # Errors
    /// `ModinfoError`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModinfoError> {
        let file = object::File::parse(bytes)?;
        Ok(Module { info: section(&file)?, symbols: symbols::read(&file)? })
    }
}

impl Modinfo {
    /// Reads only the `.modinfo` of an unpacked module: cheaper than [`Module::parse`].
    ///
    /// # Errors
    /// `ModinfoError`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModinfoError> {
        section(&object::File::parse(bytes)?)
    }

    /// Adds one `key=value` pair.
    pub(super) fn add(&mut self, key: &str, value: &str) -> Result<(), NotAModuleName> {
        let text = || value.to_owned();
        match key {
            "name" => self.name = Some(ModuleName::new(value)?),
            "depends" => {
                for name in value.split(',').filter(|name| !name.is_empty()) {
                    self.depends.push(ModuleName::new(name)?);
                }
            }
            "softdep" => self.softdeps.push(text()),
            "weakdep" => self.weakdeps.push(text()),
            "alias" => self.aliases.push(text()),
            "firmware" => self.firmware.push(text()),
            "vermagic" => self.vermagic = Some(text()),
            "license" => self.licenses.push(text()),
            "description" => self.description = Some(text()),
            "import_ns" => self.import_ns.push(text()),
            _ => {}
        }
        Ok(())
    }

    /// All soft dependencies, line after line. Words before the first `pre:` or `post:` count for
    /// nothing, as in kmod.
    pub fn soft(&self) -> SoftDeps {
        let mut all = SoftDeps::default();
        for line in &self.softdeps {
            let mut into = None;
            for word in line.split_ascii_whitespace() {
                match word {
                    "pre:" => into = Some(true),
                    "post:" => into = Some(false),
                    _ => match into {
                        Some(true) => all.pre.push(word.to_owned()),
                        Some(false) => all.post.push(word.to_owned()),
                        None => {}
                    },
                }
            }
        }
        all
    }

    /// All weak dependencies: modules that may be asked for at run time.
    pub fn weak(&self) -> impl Iterator<Item = &str> {
        self.weakdeps.iter().flat_map(|line| line.split_ascii_whitespace())
    }
}

fn section(file: &object::File<'_>) -> Result<Modinfo, ModinfoError> {
    let data = file.section_by_name(".modinfo").ok_or(ModinfoError::NoModinfo)?.data()?;
    let mut info = Modinfo::default();
    for entry in data.split(|byte| *byte == 0) {
        // A text that is not UTF-8 occurs in authors' names only; nothing here looks at those.
        let text = String::from_utf8_lossy(entry);
        if let Some((key, value)) = text.split_once('=') {
            info.add(key, value)?;
        }
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use wifibox_testkit::module::{Spec, elf};

    fn spec() -> Spec {
        Spec::new(&[
            "license=GPL",
            "name=one",
            "depends=snd-pcm,mac80211",
            "softdep=pre: crypto-crc32c a post: b",
            "softdep=pre: c",
            "weakdep=d e",
            "alias=pci:v1d*",
            "firmware=x/y-1.bin",
            "firmware=x/*",
            "vermagic=6.12 SMP",
        ])
    }

    #[test]
    fn every_class_and_byte_order_reads_alike() {
        for (wide, big) in [(true, false), (true, true), (false, false), (false, true)] {
            let bytes = elf(&Spec { wide, big, ..spec() });
            let info = Module::parse(&bytes).expect("parsed").info;
            assert_eq!(info, Modinfo::parse(&bytes).expect("parsed"));
            assert_eq!(info.name.as_ref().map(ModuleName::as_str), Some("one"));
            let depends: Vec<&str> = info.depends.iter().map(ModuleName::as_str).collect();
            assert_eq!(depends, ["snd_pcm", "mac80211"]);
            assert_eq!(info.soft().pre, ["crypto-crc32c", "a", "c"]);
            assert_eq!(info.soft().post, ["b"]);
            assert_eq!(info.weak().collect::<Vec<_>>(), ["d", "e"]);
            assert_eq!(info.aliases, ["pci:v1d*"]);
            assert_eq!(info.firmware, ["x/y-1.bin", "x/*"]);
            assert_eq!(info.vermagic.as_deref(), Some("6.12 SMP"));
            assert_eq!(info.licenses, ["GPL"]);
        }
    }

    #[test]
    fn a_signature_behind_the_file_does_not_disturb() {
        let mut bytes = elf(&spec());
        let plain = Module::parse(&bytes).expect("parsed");
        bytes.extend_from_slice(b"0\x82 some signature ~Module signature appended~\n");
        assert_eq!(Module::parse(&bytes).expect("parsed"), plain);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(Module::parse(b""), Err(ModinfoError::Elf(_))));
        assert!(matches!(Module::parse(b"#!/bin/sh\n"), Err(ModinfoError::Elf(_))));
        let none = elf(&Spec { modinfo: None, ..spec() });
        assert!(matches!(Module::parse(&none), Err(ModinfoError::NoModinfo)));
        let bad = elf(&Spec::new(&["depends=../../etc"]));
        assert!(matches!(Module::parse(&bad), Err(ModinfoError::Name(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn damage_never_panics(
            wide: bool, big: bool, hits in prop::collection::vec((any::<usize>(), any::<u8>()), 1..8),
            cut in any::<usize>(),
        ) {
            let mut bytes = elf(&Spec { wide, big, exports: vec!["x".into()], ..spec() });
            for (at, value) in hits {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            let _ = Module::parse(&bytes);
            let _ = Module::parse(&bytes[..cut % bytes.len()]);
        }

        #[test]
        fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Module::parse(&bytes);
        }
    }
}
