//! Takes away what was installed: files that are as they were put there, links, and folders that are empty
//! then. What somebody changed stays, unless all of it is to go.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::apply::remove;
use super::error::{InstallError, failed};
use super::layout::{Layout, below};
use super::plan::{Action, State, Step, state};
use super::record::{Part, Record};
use super::to_do;
use super::{Outcome, not_installed};

/// Takes the guest away. With `purge` also what somebody changed, what the guest wrote into its share `var`, and
/// what its disk keeps.
///
/// # Errors
/// Nothing is installed; [`InstallError::Io`].
pub fn uninstall(
    root: &Path,
    layout: &Layout,
    purge: bool,
    dry_run: bool,
) -> Result<Outcome, InstallError> {
    let Some(record) = Record::load(root, layout)? else {
        return Err(not_installed(root, layout));
    };
    let mut steps = Vec::new();
    for (path, entry) in &record.files {
        match state(root, path)? {
            State::Absent => {}
            State::File(hash) if hash == entry.sha256 && entry.part != Part::State => {
                steps.push(Step::new(Action::Remove, path, None));
            }
            State::File(_) if purge => steps.push(Step::new(Action::Remove, path, None)),
            State::File(_) if entry.part == Part::State => {
                steps.push(Step::new(Action::Keep, path, "the guest's own data".to_owned()));
            }
            _ => steps.push(Step::new(Action::Keep, path, "you changed it".to_owned())),
        }
    }
    for (path, target) in &record.links {
        match fs::read_link(below(root, path)) {
            Ok(leads) if leads == Path::new(target) || purge => {
                steps.push(Step::new(Action::Remove, path, None));
            }
            Ok(leads) => {
                let note = format!("it leads to {}", leads.display());
                steps.push(Step::new(Action::Keep, path, note));
            }
            Err(_) => {}
        }
    }
    steps.push(Step::new(Action::Remove, &layout.record(), None));
    let mut folders = record.folders.clone();
    if purge && record.folders.contains(&layout.var) {
        written(root, &layout.var, &mut steps, &mut folders)?;
    }
    let gone: BTreeSet<&str> = steps
        .iter()
        .filter(|step| step.action == Action::Remove)
        .map(|step| step.path.as_str())
        .collect();
    let empty = empty_then(root, &folders, &gone)?;
    if !dry_run {
        for path in &gone {
            remove(root, path)?;
        }
        for folder in &empty {
            let place = below(root, folder);
            fs::remove_dir(&place).map_err(failed("remove the folder", &place))?;
        }
    }
    let left = folders.iter().filter(|folder| !empty.contains(folder));
    // The topmost ones say it.
    let mut stay: Vec<&String> = Vec::new();
    for folder in left.filter(|folder| below(root, folder).is_dir()) {
        let below_another = |other: &&String| folder.starts_with(&format!("{other}/"));
        let own = [&layout.var, &layout.configuration, &layout.images];
        if own.iter().any(|own| folder.starts_with(own.as_str())) && !stay.iter().any(below_another)
        {
            stay.push(folder);
        }
    }
    steps.extend(
        stay.into_iter()
            .map(|folder| Step::new(Action::Keep, folder, "it is not empty".to_owned())),
    );
    steps.extend(empty.iter().map(|folder| Step::new(Action::Remove, folder, None)));
    let to_do = to_do::after_removal(root, layout);
    Ok(Outcome { guest: record.guest, previous: None, steps, to_do })
}

/// What is in the share `var`, files and folders, links not followed.
fn written(
    root: &Path,
    folder: &str,
    steps: &mut Vec<Step>,
    folders: &mut BTreeSet<String>,
) -> Result<(), InstallError> {
    let place = below(root, folder);
    let entries = match fs::read_dir(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed("list", &place))?,
    };
    for entry in entries {
        let entry = entry.map_err(failed("list", &place))?;
        let kind = entry.file_type().map_err(failed("examine", &entry.path()))?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if kind.is_dir() {
            written(root, &path, steps, folders)?;
            folders.insert(path);
        } else if !steps.iter().any(|step| step.action == Action::Remove && step.path == path) {
            steps.push(Step::new(Action::Remove, &path, None));
        }
    }
    Ok(())
}

/// Those of `folders`, and of what the guest made below the share, that hold nothing but what goes; the inner
/// ones first.
fn empty_then(
    root: &Path,
    folders: &BTreeSet<String>,
    gone: &BTreeSet<&str>,
) -> Result<Vec<String>, InstallError> {
    let mut empty: BTreeSet<String> = BTreeSet::new();
    let mut list = Vec::new();
    for folder in folders.iter().rev() {
        let place = below(root, folder);
        let entries = match fs::read_dir(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("list", &place)(error)),
            Ok(entries) => entries,
        };
        let mut holds = false;
        for entry in entries {
            let entry = entry.map_err(failed("list", &place))?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            holds |= !gone.contains(path.as_str()) && !empty.contains(&path);
        }
        if !holds {
            empty.insert(folder.clone());
            list.push(folder.clone());
        }
    }
    Ok(list)
}
