//! The selection: from the names that modules give and the rules of manifests to files and links.

use std::collections::{BTreeMap, BTreeSet};

use super::offers::{NoFile, Offers};
use super::report::{By, FirmwareError, KeptFile, KeptLink, Line, Outcome, Selection};
use super::rules::{Pattern, REGULATORY, Rules, first_match, is_glob};
use super::versioned::{Caps, Versioned};
use crate::kernel::ModuleName;
use wifibox_ground::path::GuestPath;

mod finish;
mod glob;

/// A name in a module's metadata (`firmware=` of its `.modinfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The module.
    pub module: ModuleName,
    /// The name; it may be a glob.
    pub name: String,
}

/// Selects what the kept modules and the rules need of what packages offer.
///
/// # Errors
/// [`FirmwareError`]: a bad pattern or link, or a promise that nothing keeps.
pub fn select(
    offers: &Offers,
    wanted: &[Wanted],
    rules: &Rules,
) -> Result<Selection, FirmwareError> {
    let mut offers = offers.clone();
    for (name, target) in &rules.links {
        check_link(name, target)?;
        offers.add_link(name, target, "a rule");
    }
    let mut work = Work::new(&offers, wanted, rules)?;
    for want in wanted {
        work.metadata(want)?;
    }
    for pattern in Pattern::all(&rules.include)? {
        let by = By::Include(pattern.text.clone());
        work.glob(&pattern, by);
    }
    for name in &rules.own {
        let outcome = work.own(name);
        work.note(name, By::User, outcome);
    }
    for pattern in Pattern::all(&rules.optional)? {
        work.optional(&pattern);
    }
    work.boards(rules)?;
    work.keep_promises(rules)?;
    Ok(work.selection)
}

fn check_link(name: &str, target: &str) -> Result<(), FirmwareError> {
    let fail = |problem| {
        Err(FirmwareError::Link { name: name.to_owned(), target: target.to_owned(), problem })
    };
    match GuestPath::new(name) {
        Ok(path) if path.as_bytes() == name.as_bytes() && !path.is_root() => {}
        _ => return fail("the name is no path below lib/firmware"),
    }
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return fail("the target is to be relative to the link's directory");
    }
    Ok(())
}

struct LimitRule {
    label: String,
    patterns: Vec<Pattern>,
}

struct CompanionRule {
    of: Pattern,
    extensions: Vec<String>,
}

struct Work<'a> {
    offers: &'a Offers,
    /// All names that can be asked for.
    names: BTreeSet<String>,
    /// Offered versions by prefix and extension; version 0 may have none in its name.
    versions: BTreeMap<(String, String), BTreeMap<u32, String>>,
    walk_down: Vec<Pattern>,
    exclude: Vec<Pattern>,
    limits: Vec<LimitRule>,
    companions: Vec<CompanionRule>,
    caps: Caps,
    /// Names that were asked for and are kept.
    kept: BTreeSet<String>,
    /// Names that came with kept ones and are still to be reported.
    companions_due: Vec<(String, String)>,
    selection: Selection,
}

impl<'a> Work<'a> {
    fn new(offers: &'a Offers, wanted: &[Wanted], rules: &Rules) -> Result<Self, FirmwareError> {
        let walk_down = Pattern::all(&rules.walk_down)?;
        let names = offers.names_through_links();
        let mut versions: BTreeMap<(String, String), BTreeMap<u32, String>> = BTreeMap::new();
        for name in &names {
            if let Some(found) = Versioned::parse(name).filter(|_| offers.resolve(name).is_ok()) {
                let key = (found.prefix.to_owned(), found.extension.to_owned());
                versions.entry(key).or_default().insert(found.version, name.clone());
            }
        }
        let mut caps = Caps::default();
        for want in wanted.iter().filter(|want| first_match(&walk_down, &want.name).is_some()) {
            if let Some(name) = Versioned::parse(&want.name) {
                caps.note(name);
            }
        }
        let mut companions = Vec::new();
        for rule in &rules.companions {
            let (of, extensions) = (Pattern::new(&rule.of)?, rule.extensions.clone());
            companions.push(CompanionRule { of, extensions });
        }
        let exclude = Pattern::all(&rules.exclude)?;
        let mut limits = Vec::new();
        for limit in &rules.limits {
            let patterns = Pattern::all(&limit.patterns)?;
            limits.push(LimitRule { label: limit.label.clone(), patterns });
        }
        let (kept, selection) = (BTreeSet::new(), Selection::default());
        Ok(Work {
            offers,
            names,
            versions,
            walk_down,
            exclude,
            limits,
            companions,
            caps,
            kept,
            companions_due: Vec::new(),
            selection,
        })
    }

    /// A name in a module's metadata.
    fn metadata(&mut self, want: &Wanted) -> Result<(), FirmwareError> {
        let by = By::Module(want.module.clone());
        if is_glob(&want.name) {
            let pattern = Pattern::new(&want.name)?;
            self.glob(&pattern, by);
            return Ok(());
        }
        self.compose(want);
        match self.walked(&want.name) {
            Some(name) => {
                let (prefix, extension) = (name.prefix.to_owned(), name.extension.to_owned());
                let cap = self.caps.named(&prefix, &extension).unwrap_or(name.version);
                let outcome = if name.version < cap {
                    match self.newest(&prefix, &extension, cap) {
                        Some((version, newer)) if version > name.version => {
                            Outcome::Superseded(newer)
                        }
                        _ => self.walk(&want.name, &prefix, &extension, name.version),
                    }
                } else {
                    self.walk(&want.name, &prefix, &extension, cap)
                };
                self.note(&want.name, by, outcome);
            }
            None => {
                let outcome = self.exact(&want.name);
                self.note(&want.name, by, outcome);
            }
        }
        Ok(())
    }

    /// A driver that names `P.pnvm` but no version of `P.ucode` puts that name together at run time.
    fn compose(&mut self, want: &Wanted) {
        let Some((prefix, extension)) = want.name.rsplit_once('.') else { return };
        let own =
            self.companions.iter().filter(|rule| rule.extensions.iter().any(|e| e == extension));
        let own: Option<String> = own
            .filter_map(|rule| Some(rule.of.text.rsplit_once('.')?.1.to_owned()))
            .find(|of| first_match(&self.walk_down, &format!("{prefix}-0.{of}")).is_some());
        let Some(of) = own else { return };
        if self.caps.named(prefix, &of).is_some() {
            return;
        }
        if let Some(cap) = self.caps.assumed(prefix, &of) {
            let name = format!("{prefix}-{cap}.{of}");
            let outcome = self.walk(&name, prefix, &of, cap);
            self.note(&name, By::Composed(want.module.clone()), outcome);
        }
    }

    /// A name taken apart, when drivers walk down from its version.
    fn walked<'n>(&self, name: &'n str) -> Option<Versioned<'n>> {
        first_match(&self.walk_down, name)?;
        Versioned::parse(name)
    }

    /// The newest offered version up to `cap` that no rule leaves out.
    fn newest(&self, prefix: &str, extension: &str, cap: u32) -> Option<(u32, String)> {
        let key = (prefix.to_owned(), extension.to_owned());
        let numbered = self.versions.get(&key).into_iter().flat_map(|all| all.range(..=cap).rev());
        let mut numbered = numbered.map(|(version, name)| (*version, name.clone()));
        let first = numbered.find(|(_, name)| self.excluded(name).is_none());
        first.or_else(|| {
            // Version 0 goes without a number.
            let bare = format!("{prefix}.{extension}");
            (self.offers.resolve(&bare).is_ok() && self.excluded(&bare).is_none())
                .then_some((0, bare))
        })
    }

    fn walk(&mut self, asked: &str, prefix: &str, extension: &str, cap: u32) -> Outcome {
        if let Some((_, name)) = self.newest(prefix, extension, cap) {
            self.keep(&name);
            return if name == asked { Outcome::Kept(vec![name]) } else { Outcome::Older(name) };
        }
        let key = (prefix.to_owned(), extension.to_owned());
        let offered = self.versions.get(&key);
        let up_to = offered.into_iter().flat_map(|all| all.range(..=cap));
        if let Some(rule) = up_to.filter_map(|(_, name)| self.excluded(name)).next() {
            return Outcome::Dropped(rule.to_owned());
        }
        if let Some(limit) = self.beyond_limits(asked) {
            return Outcome::Dropped(limit.to_owned());
        }
        let too_new = offered.map(|all| all.values().cloned().collect()).unwrap_or_default();
        Outcome::Missing { why: NoFile::Missing, too_new }
    }

    fn exact(&mut self, name: &str) -> Outcome {
        if let Some(rule) = self.excluded(name) {
            return Outcome::Dropped(rule.to_owned());
        }
        match self.offers.resolve(name) {
            // A limit is about the names that are asked for, an exclusion also about files.
            Ok(found) => match first_match(&self.exclude, &found.file).map(|p| p.text.clone()) {
                Some(rule) => Outcome::Dropped(rule),
                None => {
                    self.keep(name);
                    Outcome::Kept(vec![name.to_owned()])
                }
            },
            Err(why) => Outcome::Missing { why, too_new: Vec::new() },
        }
    }

    fn excluded(&self, name: &str) -> Option<&str> {
        let excluded = first_match(&self.exclude, name).map(|pattern| pattern.text.as_str());
        excluded.or_else(|| self.beyond_limits(name))
    }

    /// The limit that does not let a name through.
    fn beyond_limits(&self, name: &str) -> Option<&str> {
        let mut limits = self.limits.iter().filter(|_| !REGULATORY.contains(&name));
        let limit = limits.find(|limit| first_match(&limit.patterns, name).is_none());
        limit.map(|limit| limit.label.as_str())
    }

    /// A file that the user brought: neither exclusions nor limits keep it out.
    fn own(&mut self, name: &str) -> Outcome {
        match self.offers.resolve(name) {
            Ok(_) => {
                self.keep(name);
                Outcome::Kept(vec![name.to_owned()])
            }
            Err(why) => Outcome::Missing { why, too_new: Vec::new() },
        }
    }

    fn optional(&mut self, pattern: &Pattern) {
        if self.names.iter().any(|name| pattern.matches(name) && self.excluded(name).is_none()) {
            self.glob(pattern, By::Include(pattern.text.clone()));
        }
    }

    /// Keeps a name with the links on its way, its file and its companions.
    fn keep(&mut self, name: &str) {
        let Ok(found) = self.offers.resolve(name) else { return };
        if !self.kept.insert(name.to_owned()) {
            return;
        }
        if let Some(offer) = self.offers.get(&found.file) {
            let (path, from) = (offer.path.clone(), offer.from.clone());
            let file = KeptFile { path, compression: offer.compression, from };
            self.selection.files.insert(found.file.clone(), file);
        }
        for link in &found.links {
            if let Some((offer, target)) =
                self.offers.get(link).and_then(|offer| Some((offer, offer.link.clone()?)))
            {
                let kept = KeptLink { target, from: offer.from.clone() };
                self.selection.links.insert(link.clone(), kept);
            }
        }
        for companion in self.companions_of(name) {
            if self.offers.resolve(&companion).is_ok() {
                self.companions_due.push((companion, name.to_owned()));
            }
        }
    }

    fn companions_of(&self, name: &str) -> Vec<String> {
        let stem = match self.walked(name) {
            Some(found) => found.prefix,
            None => name.rsplit_once('.').map_or(name, |(stem, _)| stem),
        };
        let rules = self.companions.iter().filter(|rule| rule.of.matches(name));
        rules.flat_map(|rule| &rule.extensions).map(|e| format!("{stem}.{e}")).collect()
    }

    /// Reports on a name, then on what came with it.
    fn note(&mut self, name: &str, by: By, outcome: Outcome) {
        self.selection.report.push(Line { name: name.to_owned(), by, outcome });
        for (companion, of) in std::mem::take(&mut self.companions_due) {
            if !self.kept.contains(&companion) {
                let outcome = self.exact(&companion);
                self.note(&companion, By::CompanionOf(of), outcome);
            }
        }
    }
}

#[cfg(test)]
mod tests;
