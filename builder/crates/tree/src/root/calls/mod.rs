//! Programs that the guest's own scripts call: each must be in the guest.
//!
//! Own are the scripts of recipes, overlays and the user. They are read, with the files that they read in, and
//! every name that they call must be a function there, a builtin of the shell, or a program of the guest.
//! A script that asks first (`command -v NAME`) may do without, and names that are made while it runs are not
//! known here.

mod interpreter;
mod missing;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use wifibox_ground::content::ReadBack;
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Recipe;
use wifibox_script::calls::{Call, Calls, Source, is_builtin};

use self::interpreter::Interpreter;
use self::reading::Reader;
use crate::applets::applet_names;
use crate::{Context, Kind, Node, Origin, Tree};

pub use missing::{MissingCall, MissingCalls, Want};

/// Where the guest's shells look for programs, whatever a script says.
const FOLDERS: [&str; 4] = ["usr/sbin", "usr/bin", "sbin", "bin"];
/// Folders whose files are made while the guest runs.
const MADE_LATER: [&str; 8] = ["dev", "media", "mnt", "proc", "run", "sys", "tmp", "var"];
/// A shell reads it in without being told to.
const PROFILE: &str = "etc/profile";

/// Why the calls cannot be checked, or what one of them lacks.
#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    /// A program is not in the guest.
    #[error(transparent)]
    Missing(#[from] MissingCalls),
    /// A file cannot be read back.
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
}

/// Checks that everything is in `tree` that its own scripts call by name.
///
/// # Errors
/// [`CallsError`] names each call of something that is not there.
pub fn check_calls(recipe: &Recipe, tree: &Tree, context: &Context<'_>) -> Result<(), CallsError> {
    let found = find(tree, &later(recipe))?;
    for (path, why) in &found.unreadable {
        let text = format!("{path} is not checked for programs that are missing: {why}");
        context.work.progress.note(&text);
    }
    if found.missing.is_empty() {
        return Ok(());
    }
    Err(MissingCalls::new(found.missing, recipe, tree).into())
}

/// The result of reading all own scripts.
#[derive(Debug, Default)]
struct Found {
    missing: BTreeSet<MissingCall>,
    /// Own files that are no scripts of a kind that is known here, and why.
    unreadable: Vec<(GuestPath, String)>,
}

/// Reads all own scripts of `tree`; the files in the folders `later` are not known yet.
fn find(tree: &Tree, later: &[GuestPath]) -> Result<Found, ReadBack> {
    let mut reader = Reader::new(tree);
    let mut found = Found::default();
    let mut surroundings: BTreeMap<GuestPath, Surroundings> = BTreeMap::new();
    for (path, node) in tree.iter() {
        let (Origin::Recipe(_), Kind::File(_)) = (&node.origin, &node.kind) else { continue };
        let interpreter = match reader.interpreter(path)? {
            Some(interpreter) => interpreter,
            None if path.as_str() == Some(PROFILE) => Interpreter::shell(),
            None => continue,
        };
        if let Some(program) = interpreter.missing(tree) {
            found.missing.insert(MissingCall::new(path, 1, Want::Program, program));
        }
        if interpreter.is_shell {
            let closure = reader.closure(path, &interpreter)?;
            let known = Surroundings::of(&closure, &interpreter);
            for (file, _) in closure.into_iter().filter(|(file, _)| is_own(tree, file)) {
                surroundings.entry(file).or_default().add(&known);
            }
        }
    }
    // The table is inside of the program, which is read for it only where a script names an applet.
    let mut known = surroundings.keys().filter_map(|path| reader.calls(path));
    let names_one = known.any(|calls| calls.calls.iter().any(|call| call.applet));
    let applets = if names_one { applets(tree)? } else { BTreeSet::new() };
    for (path, known) in &surroundings {
        let Some(calls) = reader.calls(path) else { continue };
        let look = Look { tree, calls, known, applets: &applets, later };
        let bad =
            calls.calls.iter().filter_map(|call| Some((call.line, look.call(call)?, &call.name)));
        let sources = calls.sources.iter().filter(|source| !look.has_source(source));
        let sources = sources.map(|source| (source.line, Want::File, &source.path));
        found.missing.extend(
            bad.chain(sources).map(|(line, want, name)| MissingCall::new(path, line, want, name)),
        );
    }
    found.unreadable = reader.unreadable();
    Ok(found)
}

/// Whether the guest's makers, and no package, put a file where it is.
fn is_own(tree: &Tree, path: &GuestPath) -> bool {
    tree.get(path).is_some_and(|node| matches!(node.origin, Origin::Recipe(_)))
}

/// Names that a script can call because of the files that it is read with. Where several scripts read a file in, it
/// may call what any of them has.
#[derive(Default)]
struct Surroundings {
    functions: BTreeSet<String>,
    folders: BTreeSet<String>,
    bash: bool,
    /// Functions and programs may come from places that are not known.
    open: bool,
}

impl Surroundings {
    fn of(closure: &[(GuestPath, &Calls)], interpreter: &Interpreter) -> Self {
        let mut known = Surroundings { bash: interpreter.bash, ..Surroundings::default() };
        known.folders.extend(interpreter.folders.iter().map(|folder| (*folder).to_owned()));
        for (_, calls) in closure {
            known.functions.extend(calls.functions.iter().cloned());
            known.folders.extend(calls.folders.iter().cloned());
            known.open |= calls.open;
        }
        known
    }

    fn add(&mut self, other: &Surroundings) {
        self.functions.extend(other.functions.iter().cloned());
        self.folders.extend(other.folders.iter().cloned());
        self.bash |= other.bash;
        self.open |= other.open;
    }
}

/// One script, and what it can call.
struct Look<'a> {
    tree: &'a Tree,
    calls: &'a Calls,
    known: &'a Surroundings,
    applets: &'a BTreeSet<String>,
    later: &'a [GuestPath],
}

impl Look<'_> {
    /// The thing that a call lacks, where nothing of its name is in the guest.
    fn call(&self, call: &Call) -> Option<Want> {
        let name = call.name.as_str();
        if self.calls.asked.contains(name) {
            None
        } else if call.applet {
            (!self.applets.contains(name)).then_some(Want::Applet)
        } else {
            (!self.has_program(name)).then_some(Want::Program)
        }
    }

    fn has_program(&self, name: &str) -> bool {
        if name.contains('/') {
            return self.settled(name).is_none_or(|path| is_program(self.tree, &path));
        }
        is_builtin(name, self.known.bash)
            || self.known.functions.contains(name)
            || self.known.open
            || self.in_folders(name)
    }

    fn has_source(&self, source: &Source) -> bool {
        !source.certain
            || self.calls.asked.contains(&source.path)
            || self.settled(&source.path).is_none_or(|path| self.tree.lookup(&path).is_some())
    }

    /// The path, if it is known what is there: `None` for what is made while the guest runs, and for relative paths.
    fn settled(&self, name: &str) -> Option<GuestPath> {
        let path = name.strip_prefix('/').and_then(|path| GuestPath::new(path).ok())?;
        (!self.later.iter().any(|folder| path.starts_with(folder))).then_some(path)
    }

    fn in_folders(&self, name: &str) -> bool {
        let own = self.known.folders.iter().map(String::as_str);
        FOLDERS.into_iter().chain(own).any(|folder| in_folder(self.tree, folder, name))
    }
}

fn in_folder(tree: &Tree, folder: &str, name: &str) -> bool {
    let path = GuestPath::new(folder).and_then(|folder| folder.join(name));
    path.is_ok_and(|path| is_program(tree, &path))
}

fn is_program(tree: &Tree, path: &GuestPath) -> bool {
    matches!(tree.lookup(path), Some((_, Node { kind: Kind::File(_), meta, .. })) if meta.mode & 0o111 != 0)
}

/// The applets that `busybox NAME` knows in this guest.
fn applets(tree: &Tree) -> Result<BTreeSet<String>, ReadBack> {
    let mut names = BTreeSet::new();
    for folder in FOLDERS {
        let path = GuestPath::new(folder).and_then(|folder| folder.join("busybox"));
        let Some((real, node)) = path.ok().and_then(|path| tree.lookup(&path)) else { continue };
        let Kind::File(content) = &node.kind else { continue };
        let bytes = content.read().map_err(ReadBack::of(real.to_string()))?;
        names.extend(applet_names(&bytes).unwrap_or_default());
        break;
    }
    Ok(names)
}

/// Folders whose files are not known before the guest runs: its shares are among them.
fn later(recipe: &Recipe) -> Vec<GuestPath> {
    let fixed = MADE_LATER.iter().filter_map(|folder| GuestPath::new(folder).ok());
    fixed.chain(recipe.shares.iter().map(|share| share.value.path.clone())).collect()
}

#[cfg(test)]
mod tests;
