//! The index files that modprobe needs, as `depmod` writes them into `lib/modules/VERSION`.
//!
//! Byte for byte what kmod 34's depmod writes for the same modules without a configuration of its own
//! (tools/depmod.c). Older versions differ as follows: before 34 the nodes of the binary indexes stand
//! children first (readers do not care), before 33 there is no `modules.weakdep`. busybox's modprobe
//! reads `modules.dep`, `modules.alias` and `modules.symbols`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::closure::Closure;
use super::modinfo::Module;
use super::modules::Modules;
use super::name::ModuleName;
use wifibox_ground::path::GuestPath;

mod graph;
mod hash;
mod text;
mod trie;

pub use trie::IndexError;

/// Why there are no index files.
#[derive(Debug, thiserror::Error)]
pub enum DepmodError {
    /// Modules that need each other's symbols cannot be loaded.
    #[error("modules need each other's symbols and cannot be loaded: {}", .0.join(", "))]
    Cycle(Vec<String>),
    /// The format has no room for something.
    #[error("{file}: {source}")]
    Index {
        /// The index file.
        file: &'static str,
        /// The limit of the format that is exceeded.
        source: IndexError,
    },
    /// A member of the closure was not read.
    #[error("module {0} is to be indexed but was not read")]
    NotLoaded(ModuleName),
    /// A file beside the modules cannot be read back.
    #[error("cannot read {file} of kernel {kernel}: {source}")]
    Metadata {
        /// The file.
        file: &'static str,
        /// The kernel's version.
        kernel: String,
        /// The underlying I/O error.
        source: io::Error,
    },
}

/// A module that is to be indexed.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// Its name.
    pub name: ModuleName,
    /// Its file below `lib/modules/VERSION`.
    pub path: GuestPath,
    /// Its metadata and symbols.
    pub module: &'a Module,
}

/// The kernel's own files beside its modules, as its build made them.
#[derive(Debug, Clone, Copy, Default)]
pub struct KernelFiles<'a> {
    /// `modules.order`: which of two modules that claim a device comes first.
    pub order: Option<&'a [u8]>,
    /// `modules.builtin`.
    pub builtin: Option<&'a [u8]>,
    /// `modules.builtin.modinfo`.
    pub builtin_modinfo: Option<&'a [u8]>,
}

/// Files below `lib/modules/VERSION`, by name.
pub type Files = BTreeMap<&'static str, Vec<u8>>;

/// The files that depmod would write for these modules.
///
/// # Errors
/// [`DepmodError`].
pub fn index(sources: &[Source<'_>], kernel: KernelFiles<'_>) -> Result<Files, DepmodError> {
    let graph = graph::Graph::new(sources, kernel.order.unwrap_or_default())?;
    let in_file = |file| move |source| DepmodError::Index { file, source };
    // As depmod: an empty file where the kernel's build left none to index.
    let builtin = kernel.builtin.map_or(Ok(Vec::new()), text::builtin_bin);
    let builtin_alias = kernel.builtin_modinfo.map_or(Ok(Vec::new()), text::builtin_alias_bin);
    Ok(BTreeMap::from([
        ("modules.dep", text::dep(&graph)),
        ("modules.dep.bin", text::dep_bin(&graph).map_err(in_file("modules.dep.bin"))?),
        ("modules.alias", text::alias(&graph)),
        ("modules.alias.bin", text::alias_bin(&graph).map_err(in_file("modules.alias.bin"))?),
        ("modules.softdep", text::softdep(&graph)),
        ("modules.weakdep", text::weakdep(&graph)),
        ("modules.symbols", text::symbols(&graph)),
        ("modules.symbols.bin", text::symbols_bin(&graph).map_err(in_file("modules.symbols.bin"))?),
        ("modules.builtin.bin", builtin.map_err(in_file("modules.builtin.bin"))?),
        ("modules.builtin.alias.bin", builtin_alias.map_err(in_file("modules.builtin.alias.bin"))?),
        ("modules.devname", text::devname(&graph)),
    ]))
}

/// The modules of a closure, ready to be indexed or checked.
///
/// # Errors
/// [`DepmodError::NotLoaded`] when the closure was made of other modules.
pub fn sources<'a>(
    modules: &'a Modules,
    closure: &Closure,
) -> Result<Vec<Source<'a>>, DepmodError> {
    let source = |name: &ModuleName| match (modules.loaded(name), modules.path(name)) {
        (Some(loaded), Some(path)) => {
            Ok(Source { name: name.clone(), path, module: &loaded.module })
        }
        _ => Err(DepmodError::NotLoaded(name.clone())),
    };
    closure.members.keys().map(source).collect()
}

/// All files that belong beside a closure's modules: the indexes, `modules.order` cut down to the
/// modules that are there, and what the kernel's build says about built-in modules.
///
/// # Errors
/// [`DepmodError`].
pub fn files(modules: &Modules, closure: &Closure) -> Result<Files, DepmodError> {
    let sources = sources(modules, closure)?;
    let read = |file: &'static str| {
        let content = modules.metadata(file).map(|content| content.read());
        let kernel = || modules.version().to_owned();
        content.transpose().map_err(|source| DepmodError::Metadata {
            file,
            kernel: kernel(),
            source,
        })
    };
    let names: BTreeSet<&ModuleName> = closure.members.keys().collect();
    let order = read("modules.order")?.map(|order| graph::filtered_order(&order, &names));
    let (builtin, modinfo) = (read("modules.builtin")?, read("modules.builtin.modinfo")?);
    let kernel = KernelFiles {
        order: order.as_deref(),
        builtin: builtin.as_deref(),
        builtin_modinfo: modinfo.as_deref(),
    };
    let mut files = index(&sources, kernel)?;
    let copies = [
        ("modules.order", order),
        ("modules.builtin", builtin),
        ("modules.builtin.modinfo", modinfo),
    ];
    files.extend(copies.into_iter().filter_map(|(name, bytes)| Some((name, bytes?))));
    Ok(files)
}

#[cfg(test)]
mod tests;
