//! The modules that a guest needs: from the wanted ones over all that they ask for.
//!
//! Follows `depends=`, `softdep=` (before and after) and `weakdep=`; what only request_module reaches
//! (iwlmvm for iwlwifi) must be wanted by name. A soft dependency may be an alias (`crypto-crc32c`),
//! which is looked up as modprobe does: module names, then aliases, then what is built in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZero;

use super::builtin::Builtin;
use super::modinfo::Modinfo;
use super::modules::{ModuleError, Modules};
use super::name::ModuleName;

mod reasons;

pub use reasons::{Missing, Want, Why};

/// Why there is no closure.
#[derive(Debug, thiserror::Error)]
pub enum ClosureError {
    /// Modules that neither exist nor are built in.
    #[error(
        "kernel {kernel} lacks modules that are needed, both as files and built in:\n  {}\n\
         Add the package that brings them, choose another kernel, or, where the guest can do without \
         one, end its name with '?'",
        list(.missing)
    )]
    Missing {
        /// The kernel's version.
        kernel: String,
        /// All of them.
        missing: Vec<Missing>,
    },
    /// Modules that need each other cannot be loaded.
    #[error("modules that need each other cannot be loaded: {}", list(.0))]
    Cycle(Vec<ModuleName>),
    /// A module was built for another kernel, which would refuse it.
    #[error(
        "module {name} was built for kernel {found}, but the kernel is {kernel}; take both from the \
         same build"
    )]
    OtherKernel {
        /// The module.
        name: ModuleName,
        /// The kernel that its `vermagic` names.
        found: String,
        /// The kernel's version.
        kernel: String,
    },
    /// A module cannot be read.
    #[error(transparent)]
    Module(#[from] ModuleError),
}

fn list(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

/// One module of the closure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// All reasons, sorted.
    pub why: BTreeSet<Why>,
    /// Modules that must be there before it can be loaded.
    pub depends: Vec<ModuleName>,
    /// Modules to load before it, when they are there.
    pub before: Vec<ModuleName>,
    /// Modules to load after it.
    pub after: Vec<ModuleName>,
}

/// The modules that a guest needs, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closure {
    /// The modules that come along.
    pub members: BTreeMap<ModuleName, Member>,
    /// Modules that are needed and built in, with the reasons.
    pub builtin: BTreeMap<ModuleName, BTreeSet<Why>>,
    /// Optional modules that the kernel does not have.
    pub skipped: Vec<Want>,
    /// Soft and weak dependencies that nothing answers to; modprobe passes over them as well.
    pub unanswered: BTreeSet<Why>,
}

impl Closure {
    /// The firmware names that the closure's modules give, built-in ones included, in the order of
    /// modules and of each module's metadata. Names may be globs.
    pub fn firmware<'a>(
        &'a self,
        modules: &'a Modules,
        builtin: &'a Builtin,
    ) -> impl Iterator<Item = (&'a ModuleName, &'a str)> {
        let loaded = self
            .members
            .keys()
            .filter_map(|name| modules.loaded(name).map(|loaded| (name, &loaded.module.info)));
        let built_in = self.builtin.keys().filter_map(|name| Some((name, builtin.info(name)?)));
        loaded
            .chain(built_in)
            .flat_map(|(name, info)| info.firmware.iter().map(move |file| (name, file.as_str())))
    }
}

/// Computes what `wants` needs of `modules`, unpacking with up to `jobs` threads.
///
/// # Errors
/// [`ClosureError`]: all missing modules at once, or a module that cannot be read.
pub fn close(
    modules: &Modules,
    builtin: &Builtin,
    wants: &[Want],
    jobs: NonZero<usize>,
) -> Result<Closure, ClosureError> {
    let mut work = Work { modules, builtin, jobs, missing: Vec::new(), next: BTreeSet::new() };
    let mut closure = Closure::default();
    for want in wants {
        let known = modules.contains(&want.name) || builtin.contains(&want.name);
        if want.optional && !known {
            closure.skipped.push(want.clone());
        } else {
            work.need(&mut closure, want.name.clone(), Why::Wanted(want.by.clone()));
        }
    }
    loop {
        let wave = std::mem::take(&mut work.next);
        if wave.is_empty() {
            break;
        }
        modules.load(&wave, jobs)?;
        for name in wave {
            if let Some(loaded) = modules.loaded(&name) {
                let info = &loaded.module.info;
                check_version(&name, info, modules.version())?;
                work.follow(&mut closure, &name, info)?;
            }
        }
    }
    if !work.missing.is_empty() {
        let kernel = modules.version().to_owned();
        return Err(ClosureError::Missing { kernel, missing: work.missing });
    }
    Ok(closure)
}

fn check_version(name: &ModuleName, info: &Modinfo, kernel: &str) -> Result<(), ClosureError> {
    let built_for = info.vermagic.as_deref().and_then(|magic| magic.split(' ').next());
    match built_for {
        Some(found) if found != kernel => Err(ClosureError::OtherKernel {
            name: name.clone(),
            found: found.to_owned(),
            kernel: kernel.to_owned(),
        }),
        _ => Ok(()),
    }
}

struct Work<'a> {
    modules: &'a Modules,
    builtin: &'a Builtin,
    jobs: NonZero<usize>,
    missing: Vec<Missing>,
    next: BTreeSet<ModuleName>,
}

impl Work<'_> {
    /// Notes that `name` is needed; a file goes before a built-in module, as for modprobe.
    fn need(&mut self, closure: &mut Closure, name: ModuleName, why: Why) {
        if self.modules.contains(&name) {
            if !closure.members.contains_key(&name) {
                self.next.insert(name.clone());
            }
            closure.members.entry(name).or_default().why.insert(why);
        } else if self.builtin.contains(&name) {
            closure.builtin.entry(name).or_default().insert(why);
        } else {
            let near = self.near(&name);
            self.missing.push(Missing { name, why, near });
        }
    }

    fn follow(
        &mut self,
        closure: &mut Closure,
        name: &ModuleName,
        info: &Modinfo,
    ) -> Result<(), ModuleError> {
        let mut member = Member::default();
        for needed in &info.depends {
            if self.modules.contains(needed) {
                member.depends.push(needed.clone());
            }
            self.need(closure, needed.clone(), Why::DependencyOf(name.clone()));
        }
        let soft = info.soft();
        for (asked, before) in
            soft.pre.iter().map(|a| (a, true)).chain(soft.post.iter().map(|a| (a, false)))
        {
            let why = Why::SoftDependencyOf(name.clone(), asked.clone());
            let found = self.ask(closure, asked, &why)?;
            if before { &mut member.before } else { &mut member.after }.extend(found);
        }
        for asked in info.weak() {
            let why = Why::WeakDependencyOf(name.clone(), asked.to_owned());
            self.ask(closure, asked, &why)?;
        }
        let entry = closure.members.entry(name.clone()).or_default();
        member.why = std::mem::take(&mut entry.why);
        *entry = member;
        Ok(())
    }

    /// Takes in what answers to a name or alias, and says which modules that is.
    fn ask(
        &mut self,
        closure: &mut Closure,
        asked: &str,
        why: &Why,
    ) -> Result<Vec<ModuleName>, ModuleError> {
        let mut found = BTreeSet::new();
        let name = ModuleName::new(asked).ok();
        match name {
            Some(name) if self.modules.contains(&name) => {
                found.insert(name);
            }
            Some(name) if self.builtin.contains(&name) => {
                self.need(closure, name, why.clone());
                return Ok(Vec::new());
            }
            _ => {
                found = self.modules.find_alias(asked, self.jobs)?;
                if found.is_empty() {
                    let built_in = self.builtin.find_alias(asked);
                    if built_in.is_empty() {
                        closure.unanswered.insert(why.clone());
                    }
                    for name in built_in {
                        closure.builtin.entry(name.clone()).or_default().insert(why.clone());
                    }
                }
            }
        }
        for name in &found {
            self.need(closure, name.clone(), why.clone());
        }
        Ok(found.into_iter().collect())
    }

    fn near(&self, name: &ModuleName) -> Vec<ModuleName> {
        let mut scored: Vec<(f64, &ModuleName)> = self
            .modules
            .names()
            .chain(self.builtin.names())
            .map(|other| (strsim::jaro_winkler(name.as_str(), other.as_str()), other))
            .filter(|(score, _)| *score > 0.85)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
