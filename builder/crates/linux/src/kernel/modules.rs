//! The modules that a kernel's packages offer, unpacked and read only when asked for.
//!
//! A distribution's kernel package holds thousands of compressed modules (Debian's: 4,229, 500 MB
//! unpacked) of which a guest needs a few dozen. The package streams past once: its members are taken
//! in as they are ([`Modules::insert`], a [`Content`] is a handle into a spool), a module's name is
//! its file's, and a module is unpacked when the closure reaches it. Several threads unpack; the
//! result does not depend on how many.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZero;
use std::sync::OnceLock;

use super::modinfo::{Modinfo, Module};
use super::modinfo_error::ModinfoError;
use super::name::ModuleName;
use super::pattern;
use wifibox_ground::codec::{Compression, read_unpacked};
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::digest::Sha256;
use wifibox_ground::parallel::in_parallel;
use wifibox_ground::path::GuestPath;
use wifibox_tree::unpacked::Unpacked;

/// The largest module that is unpacked, in bytes; with debugging information the largest are 0.6 GB,
/// without it 40 MB.
const MODULE_LIMIT: u64 = 256 << 20;

/// Why a module cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// It cannot be read or unpacked.
    #[error("module {path}: cannot unpack it: {source}")]
    Unpack {
        /// The module's file, in its package.
        path: GuestPath,
        /// The underlying I/O error, or that of the decoder.
        source: io::Error,
    },
    /// It is damaged.
    #[error("module {path}: {source}")]
    Damaged {
        /// The module's file, in its package.
        path: GuestPath,
        /// The reason why it cannot be parsed.
        source: ModinfoError,
    },
}

/// How [`Modules::insert`] classified a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A module.
    Module,
    /// One of the `modules.*` files beside the modules.
    Metadata,
    /// Neither: not below `lib/modules/VERSION`, or nothing that depmod would look at.
    Nothing,
}

/// A module that was unpacked and read.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its metadata and symbols.
    pub module: Module,
    /// Its bytes, unpacked; a signature behind them is still there.
    pub content: Content,
}

#[derive(Debug)]
struct Entry {
    /// Below `lib/modules/VERSION`, with any compression suffix.
    path: GuestPath,
    packed: Content,
    loaded: OnceLock<Loaded>,
}

/// The modules of one kernel version.
#[derive(Debug)]
pub struct Modules {
    version: String,
    spool: Spool,
    entries: BTreeMap<ModuleName, Entry>,
    metadata: BTreeMap<String, Content>,
    keep: Option<Unpacked>,
    flat: bool,
    aliases: OnceLock<Vec<(String, ModuleName)>>,
    crypto_aliases: OnceLock<Vec<(String, ModuleName)>>,
}

/// Takes a path below `lib/modules` or `usr/lib/modules` apart: the kernel's version, and the rest.
pub fn module_path(path: &GuestPath) -> Option<(String, GuestPath)> {
    let mut parts = path.components().skip_while(|part| *part == b"usr").peekable();
    if parts.next()? != b"lib" || parts.next()? != b"modules" {
        return None;
    }
    let version = std::str::from_utf8(parts.next()?).ok()?.to_owned();
    let rest = parts.fold(GuestPath::root(), |at, part| at.join(part).unwrap_or(at));
    (!rest.is_root()).then_some((version, rest))
}

impl Modules {
    /// No modules yet, of the kernel `version`; unpacked ones are kept in `spool`.
    pub fn new(version: impl Into<String>, spool: Spool) -> Self {
        Modules {
            version: version.into(),
            spool,
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
            keep: None,
            flat: false,
            aliases: OnceLock::new(),
            crypto_aliases: OnceLock::new(),
        }
    }

    /// The same, with unpacked modules taken from and kept in a cache.
    #[must_use]
    pub(crate) fn kept_in(mut self, cache: Option<&Unpacked>) -> Self {
        self.keep = cache.cloned();
        self
    }

    /// The same, but in the image all modules are to lie beside each other, without folders: there
    /// OpenWrt's kmodloader looks for them.
    pub fn flattened(mut self) -> Self {
        self.flat = true;
        self
    }

    /// The kernel's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Offers a package's file; what is not this kernel's is left alone. Of two modules of one name
    /// the one below `updates/` counts, as for depmod, else the one whose path sorts first.
    pub fn insert(&mut self, path: &GuestPath, content: Content) -> Taken {
        let Some((version, rest)) = module_path(path) else { return Taken::Nothing };
        if version != self.version {
            return Taken::Nothing;
        }
        if let Some(name) = ModuleName::of_file(&rest) {
            self.aliases = OnceLock::new();
            self.crypto_aliases = OnceLock::new();
            let rank = |path: &GuestPath| path.components().next() != Some(b"updates");
            let better = match self.entries.get(&name) {
                Some(old) => (rank(&rest), &rest) < (rank(&old.path), &old.path),
                None => true,
            };
            if better {
                let entry = Entry { path: rest, packed: content, loaded: OnceLock::new() };
                self.entries.insert(name, entry);
            }
            return Taken::Module;
        }
        match rest.as_str() {
            Some(text) if text.starts_with("modules.") => {
                self.metadata.insert(text.to_owned(), content);
                Taken::Metadata
            }
            _ => Taken::Nothing,
        }
    }

    /// How many modules there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &ModuleName> {
        self.entries.keys()
    }

    /// Whether a module of this name is offered.
    pub fn contains(&self, name: &ModuleName) -> bool {
        self.entries.contains_key(name)
    }

    /// A file beside the modules, by name (`modules.order`).
    pub fn metadata(&self, name: &str) -> Option<&Content> {
        self.metadata.get(name)
    }

    /// A module's file below `lib/modules/VERSION`, as it is to be in the image: unpacked, so without
    /// a compression suffix.
    pub fn path(&self, name: &ModuleName) -> Option<GuestPath> {
        let path = &self.entries.get(name)?.path;
        let path = if self.flat { &GuestPath::new(path.name()).ok()? } else { path };
        let (stem, _) = Compression::split_name(path.as_bytes());
        GuestPath::new(stem).ok()
    }

    /// A module that [`Modules::load`] has read.
    pub fn loaded(&self, name: &ModuleName) -> Option<&Loaded> {
        self.entries.get(name)?.loaded.get()
    }

    /// Unpacks and reads these modules with up to `jobs` threads. Names that are not offered are
    /// passed over; what was read before is not read again.
    ///
    /// # Errors
    /// [`ModuleError`] of the first name in sorted order that fails.
    pub fn load(
        &self,
        names: &BTreeSet<ModuleName>,
        jobs: NonZero<usize>,
    ) -> Result<(), ModuleError> {
        let todo: Vec<&Entry> = names
            .iter()
            .filter_map(|name| self.entries.get(name))
            .filter(|entry| entry.loaded.get().is_none())
            .collect();
        let results = in_parallel(&todo, jobs, |entry| {
            let (bytes, kept) = self.unpacked(entry)?;
            let module = Module::parse(&bytes).map_err(|source| damaged(entry, source))?;
            let content = if let Some(kept) = kept {
                kept
            } else if bytes.len() as u64 == entry.packed.len() {
                // No codec's output is as long as its input: it was not packed.
                entry.packed.clone()
            } else {
                self.spool
                    .store(bytes.as_slice(), MODULE_LIMIT)
                    .map_err(|source| ModuleError::Unpack { path: entry.path.clone(), source })?
            };
            Ok(Loaded { module, content })
        });
        for (entry, result) in todo.iter().zip(results) {
            // Another call may have read it meanwhile; both read the same.
            let _ = entry.loaded.set(result?);
        }
        Ok(())
    }

    /// The bytes of a module, unpacked, and where they are kept.
    fn unpacked(&self, entry: &Entry) -> Result<(Vec<u8>, Option<Content>), ModuleError> {
        let (Some(cache), Content::Packed(packed)) = (&self.keep, &entry.packed) else {
            return Ok((unpack(entry)?, None));
        };
        let key = Sha256::of(format!("module of {}", packed.digests().sha256).as_bytes());
        if let Some(content) = cache.content(&key) {
            let failed = |source| ModuleError::Unpack { path: entry.path.clone(), source };
            return Ok((content.read().map_err(failed)?, Some(content)));
        }
        let bytes = unpack(entry)?;
        let kept = (bytes.len() as u64 != packed.len()).then(|| cache.keep(&key, &bytes).ok());
        Ok((bytes, kept.flatten()))
    }

    /// The modules one of whose aliases matches `alias`, as modprobe finds them through modules.alias.
    ///
    /// That needs every module's aliases, so every module would have to be unpacked: seconds for a
    /// distribution's kernel. An alias without a bus (`crypto-crc32c`, `sha256`) is therefore looked
    /// for first in modules below a directory named `crypto`, where the kernel keeps all algorithms;
    /// the rest is read only when none of those has it.
    ///
    /// # Errors
    /// [`ModuleError`] for a module that cannot be read.
    pub(crate) fn find_alias(
        &self,
        alias: &str,
        jobs: NonZero<usize>,
    ) -> Result<BTreeSet<ModuleName>, ModuleError> {
        let Some(wanted) = pattern::normalize(alias) else { return Ok(BTreeSet::new()) };
        if !alias.contains(':') && self.aliases.get().is_none() {
            let in_crypto = |entry: &Entry| entry.path.components().any(|part| part == b"crypto");
            let found = search(self.aliases_of(&self.crypto_aliases, in_crypto, jobs)?, &wanted);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(search(self.aliases_of(&self.aliases, |_| true, jobs)?, &wanted))
    }

    fn aliases_of<'a>(
        &self,
        slot: &'a OnceLock<Vec<(String, ModuleName)>>,
        keep: impl Fn(&Entry) -> bool,
        jobs: NonZero<usize>,
    ) -> Result<&'a [(String, ModuleName)], ModuleError> {
        if let Some(known) = slot.get() {
            return Ok(known);
        }
        let todo: Vec<(&ModuleName, &Entry)> =
            self.entries.iter().filter(|(_, entry)| keep(entry)).collect();
        let few = todo.len() < self.entries.len();
        let results = in_parallel(&todo, jobs, |(_, entry)| {
            if let Some(loaded) = entry.loaded.get() {
                return Ok(loaded.module.info.aliases.clone());
            }
            // All modules of a kernel are too many to keep.
            let bytes = if few { self.unpacked(entry)?.0 } else { unpack(entry)? };
            let info = Modinfo::parse(&bytes).map_err(|source| damaged(entry, source))?;
            Ok(info.aliases)
        });
        let mut aliases = Vec::new();
        for ((name, _), result) in todo.iter().zip(results) {
            let normal = result?.into_iter().filter_map(|alias| pattern::normalize(&alias));
            aliases.extend(normal.map(|alias| (alias, (*name).clone())));
        }
        Ok(slot.get_or_init(|| aliases))
    }
}

fn search(aliases: &[(String, ModuleName)], wanted: &str) -> BTreeSet<ModuleName> {
    let hits = aliases.iter().filter(|(alias, _)| pattern::matches(alias, wanted));
    hits.map(|(_, name)| name.clone()).collect()
}

fn unpack(entry: &Entry) -> Result<Vec<u8>, ModuleError> {
    read_unpacked(entry.packed.open(), MODULE_LIMIT)
        .map_err(|source| ModuleError::Unpack { path: entry.path.clone(), source })
}

fn damaged(entry: &Entry, source: ModinfoError) -> ModuleError {
    ModuleError::Damaged { path: entry.path.clone(), source }
}
