//! Which module needs which, by symbols, as depmod works it out and in its order.
//!
//! The order of modules is that of `modules.order`, then of depmod's hash table; a module's
//! dependencies are listed in the order of a topological sort in which users come first
//! (`depmod_calculate_dependencies` in kmod's tools/depmod.c).

use std::collections::{BTreeMap, BTreeSet};

use super::hash;
use super::{DepmodError, Source};
use crate::kernel::name::ModuleName;

/// A module's place in [`Graph::modules`].
pub(super) type Index = usize;

pub(super) struct Graph<'a> {
    /// In depmod's order; the place is the module's priority in the indexes.
    pub(super) modules: Vec<&'a Source<'a>>,
    /// All modules that each needs, directly or not, in the order in which depmod lists them.
    pub(super) needs: Vec<Vec<Index>>,
    /// Exported symbols with their owners, in the order of depmod's hash table.
    pub(super) symbols: BTreeMap<(u32, &'a str), Index>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(sources: &'a [Source<'a>], order: &[u8]) -> Result<Self, DepmodError> {
        let modules = sorted(sources, order);
        let mut symbols = BTreeMap::new();
        for (index, source) in modules.iter().enumerate() {
            for name in &source.module.symbols.exports {
                // Of two modules that export one name, the later counts.
                symbols.insert((hash::bucket(name, hash::SYMBOL_BUCKETS), name.as_str()), index);
            }
        }
        let direct: Vec<Vec<Index>> =
            modules.iter().map(|source| owners(source, &symbols)).collect();
        let rank = users_first(&direct).map_err(|left| {
            DepmodError::Cycle(left.into_iter().map(|at| name_at(&modules, at)).collect())
        })?;
        let needs = (0..modules.len()).map(|index| all(index, &direct, &rank)).collect();
        Ok(Graph { modules, needs, symbols })
    }
}

fn name_at(modules: &[&Source<'_>], at: Index) -> String {
    modules.get(at).map(|source| source.name.to_string()).unwrap_or_default()
}

/// The modules in depmod's order.
fn sorted<'a>(sources: &'a [Source<'a>], order: &[u8]) -> Vec<&'a Source<'a>> {
    let mut places: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (place, line) in order.split(|byte| *byte == b'\n').enumerate() {
        places.entry(line).or_insert(place);
    }
    let mut modules: Vec<&Source<'_>> = sources.iter().collect();
    modules.sort_by_cached_key(|source| {
        let bucket = hash::bucket(source.name.as_str(), hash::MODULE_BUCKETS);
        let place = uncompressed(source).and_then(|path| places.get(path.as_slice()).copied());
        (place.unwrap_or(usize::MAX), bucket, source.name.clone())
    });
    modules
}

/// How `modules.order` names the module: its directory, its name with `_`, `.ko`. depmod compares
/// only the length of the name with `_`, so the file's own spelling counts.
fn uncompressed(source: &Source<'_>) -> Option<Vec<u8>> {
    let bytes = source.path.as_bytes();
    let directory = bytes.len() - source.path.name().len();
    let end = directory + source.name.as_str().len() + ".ko".len();
    bytes.get(..end).map(<[u8]>::to_vec)
}

/// The modules that own what `source` needs, in the order of its symbols, each once.
fn owners(source: &Source<'_>, symbols: &BTreeMap<(u32, &str), Index>) -> Vec<Index> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for import in &source.module.symbols.imports {
        // On PowerPC, `.name` is `name`.
        let name = import.name.strip_prefix('.').unwrap_or(&import.name);
        let owner = symbols.get(&(hash::bucket(name, hash::SYMBOL_BUCKETS), name));
        if let Some(owner) = owner
            && seen.insert(*owner)
        {
            found.push(*owner);
        }
    }
    found
}

/// Each module's place in a sort in which users come before what they use; the modules that are left
/// over when some need each other.
fn users_first(direct: &[Vec<Index>]) -> Result<Vec<usize>, Vec<Index>> {
    let mut users = vec![0usize; direct.len()];
    for used in direct.iter().flatten() {
        if let Some(count) = users.get_mut(*used) {
            *count += 1;
        }
    }
    let mut roots: Vec<Index> =
        (0..).zip(&users).filter(|(_, n)| **n == 0).map(|(i, _)| i).collect();
    let mut rank = vec![usize::MAX; direct.len()];
    let mut placed = 0;
    while let Some(index) = roots.pop() {
        if let Some(slot) = rank.get_mut(index) {
            *slot = placed;
        }
        placed += 1;
        for used in direct.get(index).into_iter().flatten() {
            let Some(count) = users.get_mut(*used) else { continue };
            *count -= 1;
            if *count == 0 {
                roots.push(*used);
            }
        }
    }
    if placed < direct.len() {
        let left = (0..).zip(&rank).filter(|(_, rank)| **rank == usize::MAX);
        return Err(left.map(|(index, _)| index).collect());
    }
    Ok(rank)
}

/// Everything that `index` needs, by rank.
fn all(index: Index, direct: &[Vec<Index>], rank: &[usize]) -> Vec<Index> {
    let mut found = BTreeSet::new();
    let mut todo: Vec<Index> = direct.get(index).cloned().unwrap_or_default();
    while let Some(at) = todo.pop() {
        let place = rank.get(at).copied().unwrap_or(usize::MAX);
        if found.insert((place, at)) {
            todo.extend(direct.get(at).into_iter().flatten());
        }
    }
    found.into_iter().map(|(_, at)| at).collect()
}

/// The lines of `modules.order` that name one of these modules.
pub(super) fn filtered_order(order: &[u8], names: &BTreeSet<&ModuleName>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in order.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let name =
            wifibox_ground::path::GuestPath::new(line).ok().and_then(|p| ModuleName::of_file(&p));
        if name.is_some_and(|name| names.contains(&name)) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
    out
}
