//! What an installation changes, decided before anything is: by what the output brings, what is there, and
//! what was put there before.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::error::{InstallError, failed};
use super::layout::{Layout, below};
use super::record::{Build, Entry, Part, Record};
use super::wanted::{Brought, Purposes, Wanted};
use wifibox_ground::digest::Sha256;

/// What becomes of a file, folder or link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It was not there.
    Add,
    /// It is the one that was put there before.
    Replace,
    /// It is there already, as it would be written.
    Same,
    /// Somebody changed it, or it is somebody else's: it stays.
    Keep,
    /// It makes room, and stays for `--rollback`.
    Move,
    /// It goes.
    Remove,
}

impl Action {
    /// Its name, in six letters at most.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Action::Add => "add",
            Action::Replace => "update",
            Action::Same => "same",
            Action::Keep => "keep",
            Action::Move => "move",
            Action::Remove => "remove",
        }
    }
}

/// One change, or one that is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// What becomes of it.
    pub action: Action,
    /// The file, as the host sees it.
    pub path: String,
    /// Where it goes, or why it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Step {
    pub(super) fn new(action: Action, path: &str, note: impl Into<Option<String>>) -> Self {
        Step { action, path: path.to_owned(), note: note.into() }
    }
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    File(Sha256),
    Other,
}

/// What is at `path` below `root`.
pub(super) fn state(root: &Path, path: &str) -> Result<State, InstallError> {
    let path = below(root, path);
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::Absent),
        Err(error) => Err(failed("examine", &path)(error)),
        Ok(data) if data.is_file() => {
            let hash = File::open(&path).and_then(Sha256::of_reader);
            Ok(State::File(hash.map_err(failed("read", &path))?.0))
        }
        Ok(_) => Ok(State::Other),
    }
}

/// All that an installation does.
#[derive(Debug)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    /// Folders to make, each before those in it.
    pub folders: Vec<String>,
    /// Files that make room, and where they go.
    pub moves: Vec<(String, String)>,
    /// Files to write.
    pub writes: Vec<Wanted>,
    /// Links to make, and where they lead.
    pub links: Vec<(String, String)>,
    /// Files that are no longer the guest's.
    pub removals: Vec<String>,
    /// What is installed when all of it is done.
    pub record: Record,
}

/// Decides it.
pub(super) fn plan(
    root: &Path,
    layout: &Layout,
    brought: Brought,
    old: Option<Record>,
    purposes: Purposes,
    force: bool,
) -> Result<Plan, InstallError> {
    let record = Record::new(brought.build);
    let (steps, folders, moves, writes) = Default::default();
    let (links, removals) = Default::default();
    let plan = Plan { steps, folders, moves, writes, links, removals, record };
    let old = old.unwrap_or_else(|| Record::new(foreign()));
    let mut planner = Planner { root, layout, old, force, in_the_way: Vec::new(), plan };
    let (images, others): (Vec<_>, Vec<_>) =
        brought.files.into_iter().partition(|file| file.part == Part::Image);
    planner.images(images)?;
    for file in others {
        planner.file(file)?;
    }
    for (path, target) in brought.links {
        planner.link(&path, target, purposes)?;
    }
    planner.left_overs()?;
    planner.folders(&brought.folders)?;
    if planner.in_the_way.is_empty() {
        Ok(planner.plan)
    } else {
        Err(InstallError::InTheWay { files: planner.in_the_way })
    }
}

/// The images that something else put there.
fn foreign() -> Build {
    Build { build_id: String::new(), title: "a guest that something else installed".to_owned() }
}

struct Planner<'a> {
    root: &'a Path,
    layout: &'a Layout,
    old: Record,
    force: bool,
    in_the_way: Vec<String>,
    plan: Plan,
}

impl Planner<'_> {
    /// Images are one guest: they are replaced together, and kept together.
    fn images(&mut self, wanted: Vec<Wanted>) -> Result<(), InstallError> {
        let mut found = Vec::new();
        let mut upgrade = false;
        for file in &wanted {
            let state = state(self.root, &file.path)?;
            let same = state == State::File(file.sha256);
            let ours = self.ours(&file.path, state);
            if state == State::Other || (state != State::Absent && !same && !ours && !self.force) {
                self.in_the_way.push(file.path.clone());
            }
            // The manifest also lists files for hosts, which `wifibox-build host` writes anew.
            let counts = !file.path.ends_with("/manifest.json");
            upgrade |= counts && matches!(state, State::File(hash) if hash != file.sha256);
            found.push(state);
        }
        let (previous, images) = (self.layout.previous(), &self.layout.images);
        let inside = |path: &String| path.starts_with(&format!("{previous}/"));
        if upgrade {
            for (path, entry) in self.old.files.clone() {
                let name = path.strip_prefix(&format!("{images}/")).filter(|n| !n.contains('/'));
                let Some(name) = name.filter(|_| entry.part == Part::Image) else { continue };
                if !wanted.iter().any(|file| file.path == path) {
                    self.make_room(&path, name, state(self.root, &path)?);
                }
            }
            for (file, state) in wanted.iter().zip(&found) {
                let name = file.path.rsplit('/').next().unwrap_or(&file.path);
                self.make_room(&file.path, name, *state);
            }
            let kept: BTreeSet<String> = self.plan.moves.iter().map(|(_, to)| to.clone()).collect();
            let stale = self.old.files.keys().filter(|path| inside(path) && !kept.contains(*path));
            self.plan.removals.extend(stale.cloned());
            self.plan.record.previous = Some(self.old.guest.clone());
        } else {
            let kept = self.old.files.iter().filter(|(path, _)| inside(path));
            self.plan.record.files.extend(kept.map(|(path, e)| (path.clone(), e.clone())));
            self.plan.record.previous.clone_from(&self.old.previous);
        }
        for (file, state) in wanted.into_iter().zip(found) {
            let action = match state {
                State::File(hash) if hash == file.sha256 && !upgrade => Action::Same,
                State::File(_) => Action::Replace,
                _ => Action::Add,
            };
            self.decide(action, file, None);
        }
        Ok(())
    }

    fn make_room(&mut self, path: &str, name: &str, state: State) {
        let State::File(sha256) = state else { return };
        let to = format!("{}/{name}", self.layout.previous());
        self.plan.steps.push(Step::new(Action::Move, path, format!("to {to}")));
        self.plan.record.files.insert(to.clone(), Entry { part: Part::Image, sha256 });
        self.plan.moves.push((path.to_owned(), to));
    }

    fn file(&mut self, file: Wanted) -> Result<(), InstallError> {
        let state = state(self.root, &file.path)?;
        let same = state == State::File(file.sha256);
        if file.part == Part::Own {
            let free = same || state == State::Absent || self.ours(&file.path, state);
            if state == State::Other || !(free || self.force) {
                self.in_the_way.push(file.path);
                return Ok(());
            }
        }
        if same {
            self.decide(Action::Same, file, None);
            return Ok(());
        }
        let known = self.old.files.contains_key(&file.path);
        let note = match (file.part, state) {
            (Part::State, State::Absent) if known => None,
            (Part::State, State::File(_) | State::Other) => Some("the guest's own".to_owned()),
            (Part::Configuration, State::Absent) if known => Some("you removed it".to_owned()),
            (Part::Configuration, _) => self.objection(&file, state)?,
            _ => None,
        };
        let action = match (&note, state) {
            (Some(_), _) => Action::Keep,
            (None, State::Absent) => Action::Add,
            (None, _) => Action::Replace,
        };
        self.decide(action, file, note);
        Ok(())
    }

    /// Why a file of the host's configuration stays as it is.
    fn objection(&self, file: &Wanted, state: State) -> Result<Option<String>, InstallError> {
        if file.path.starts_with("/boot/") {
            let other = below(self.root, "/boot/loader.conf");
            let text = fs::read_to_string(other).unwrap_or_default();
            if text.lines().any(|line| line.trim_start().starts_with("pptdevs")) {
                return Ok(Some("/boot/loader.conf has the cards".to_owned()));
            }
        }
        let State::File(found) = state else {
            return Ok((state == State::Other).then(|| "it is no regular file".to_owned()));
        };
        // What a package made of its sample is nobody's yet.
        let sample = self::state(self.root, &format!("{}.sample", file.path))?;
        let unchanged = self.ours(&file.path, state) || sample == State::File(found);
        Ok((!unchanged).then(|| "you changed it".to_owned()))
    }

    fn link(&mut self, path: &str, target: String, purposes: Purposes) -> Result<(), InstallError> {
        let place = below(self.root, path);
        let found = match place.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("examine", &place)(error)),
            Ok(data) if data.is_symlink() => {
                let leads = fs::read_link(&place).map_err(failed("read", &place))?;
                Some(leads.to_string_lossy().into_owned())
            }
            Ok(_) => Some(String::new()),
        };
        let (action, note) = match found {
            None => (Action::Add, None),
            Some(leads) if leads == target => (Action::Same, None),
            Some(leads) if self.old.links.get(path) == Some(&leads) => (Action::Replace, None),
            Some(leads) if purposes == Purposes::Host || leads.is_empty() => {
                let what = match leads.as_str() {
                    "" => "it is no link".to_owned(),
                    leads => format!("it leads to {leads}"),
                };
                (Action::Keep, Some(what))
            }
            Some(_) => (Action::Replace, None),
        };
        self.plan.steps.push(Step::new(action, path, note));
        if action != Action::Keep {
            self.plan.record.links.insert(path.to_owned(), target.clone());
        }
        if matches!(action, Action::Add | Action::Replace) {
            self.plan.links.push((path.to_owned(), target));
        }
        Ok(())
    }

    /// What was put there before and the new output does not have.
    fn left_overs(&mut self) -> Result<(), InstallError> {
        let images = format!("{}/", self.layout.images);
        for (path, entry) in self.old.files.clone() {
            let image = entry.part == Part::Image && path.starts_with(&images);
            let planned = self.plan.record.files.contains_key(&path)
                || self.plan.removals.contains(&path)
                || self.plan.moves.iter().any(|(from, _)| *from == path);
            if planned || (image && path != format!("{images}manifest.json")) {
                continue;
            }
            match state(self.root, &path)? {
                State::File(hash) if hash == entry.sha256 && entry.part != Part::State => {
                    self.plan.steps.push(Step::new(Action::Remove, &path, None));
                    self.plan.removals.push(path);
                }
                State::Absent => {}
                _ => {
                    let note = "the new guest has no such file; you changed it".to_owned();
                    self.plan.steps.push(Step::new(Action::Keep, &path, note));
                }
            }
        }
        Ok(())
    }

    /// Folders of all that is written, with those above them.
    fn folders(&mut self, wanted: &BTreeSet<String>) -> Result<(), InstallError> {
        let plan = &mut self.plan;
        let files = plan.writes.iter().map(|file| &file.path);
        let files = files.chain(plan.moves.iter().map(|(_, to)| to));
        let parents = files
            .chain(plan.links.iter().map(|(path, _)| path))
            .filter_map(|path| path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
        let mut all: BTreeSet<String> = parents.chain(wanted.iter().cloned()).collect();
        for folder in all.clone() {
            let mut above = folder.as_str();
            while let Some((next, _)) = above.rsplit_once('/').filter(|(next, _)| !next.is_empty())
            {
                all.insert(next.to_owned());
                above = next;
            }
        }
        for folder in all.into_iter().filter(|folder| !folder.is_empty()) {
            match fs::metadata(below(self.root, &folder)) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => self.in_the_way.push(folder),
                Err(error) if error.kind() == io::ErrorKind::NotFound => plan.folders.push(folder),
                Err(error) => {
                    return Err(failed("examine", &below(self.root, &folder))(error));
                }
            }
        }
        plan.record.folders = &self.old.folders | &plan.folders.iter().cloned().collect();
        Ok(())
    }

    /// Whether what is at `path` is what was put there.
    fn ours(&self, path: &str, state: State) -> bool {
        let entry = self.old.files.get(path);
        entry.is_some_and(|entry| state == State::File(entry.sha256))
    }

    fn decide(&mut self, action: Action, file: Wanted, note: Option<String>) {
        self.plan.steps.push(Step::new(action, &file.path, note));
        let entry = Entry { part: file.part, sha256: file.sha256 };
        match action {
            Action::Keep => {
                // What was put there is still known: it tells what somebody changed since.
                let known = self.old.files.get(&file.path).cloned();
                self.plan.record.files.extend(known.map(|entry| (file.path.clone(), entry)));
            }
            _ => {
                self.plan.record.files.insert(file.path.clone(), entry);
            }
        }
        if matches!(action, Action::Add | Action::Replace) {
            self.plan.writes.push(file);
        }
    }
}
