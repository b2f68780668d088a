//! The guest before the last upgrade: it and the one that is installed change places.

use std::fs;
use std::path::Path;

use super::apply::Ready;
use super::error::{InstallError, failed};
use super::layout::{Layout, below};
use super::plan::{Action, State, Step, state};
use super::record::{Part, Record};
use super::to_do;
use super::{Outcome, not_installed};

/// Puts the images before the last upgrade back; those that are installed are then the earlier ones.
///
/// # Errors
/// There are none, or they are not those that were kept; [`InstallError::Io`].
pub fn rollback(root: &Path, layout: &Layout, dry_run: bool) -> Result<Outcome, InstallError> {
    let Some(old) = Record::load(root, layout)? else { return Err(not_installed(root, layout)) };
    let folder = layout.previous();
    let Some(previous) = old.previous.clone() else {
        return Err(InstallError::NoPrevious { folder });
    };
    let mut record = Record { guest: previous, previous: Some(old.guest.clone()), ..old.clone() };
    let images = format!("{}/", layout.images);
    let (mut steps, mut back, mut away) = (Vec::new(), Vec::new(), Vec::new());
    for (path, entry) in &old.files {
        let Some(name) = path.strip_prefix(&images).filter(|_| entry.part == Part::Image) else {
            continue;
        };
        let found = state(root, path)?;
        let kept = name.strip_prefix(super::layout::PREVIOUS).and_then(|n| n.strip_prefix('/'));
        record.files.remove(path);
        match (kept, found) {
            (Some(name), State::File(hash)) if hash == entry.sha256 => {
                let to = format!("{images}{name}");
                steps.push(Step::new(Action::Replace, &to, format!("from {path}")));
                back.push((path.clone(), to, entry.clone()));
            }
            (Some(_), _) => {
                let path = below(root, path);
                let why = "the image that was kept for a rollback is gone or changed".to_owned();
                return Err(InstallError::Changed { path, why });
            }
            // One that somebody replaced since is kept as it is.
            (None, State::File(sha256)) => {
                let to = format!("{folder}/{name}");
                steps.push(Step::new(Action::Move, path, format!("to {to}")));
                away.push((path.clone(), to, super::record::Entry { sha256, ..entry.clone() }));
            }
            (None, _) => {}
        }
    }
    if back.is_empty() {
        return Err(InstallError::NoPrevious { folder });
    }
    let moves = away.iter().chain(&back);
    record.files.extend(moves.map(|(_, to, entry)| (to.clone(), entry.clone())));
    if !dry_run {
        let record = Ready::bytes(below(root, &layout.record()), &record.bytes()?, 0o644)?;
        // Both sets have the same names: the newer one waits beside them.
        let waiting = |path: &str| below(root, &format!("{path}.new"));
        for (from, to, _) in &away {
            let from = below(root, from);
            fs::rename(&from, waiting(to)).map_err(failed("move", &from))?;
        }
        for (from, to, _) in &back {
            let from = below(root, from);
            fs::rename(&from, below(root, to)).map_err(failed("move", &from))?;
        }
        for (_, to, _) in &away {
            let from = waiting(to);
            fs::rename(&from, below(root, to)).map_err(failed("move", &from))?;
        }
        record.keep()?;
    }
    let to_do = to_do::after_images(layout);
    Ok(Outcome { guest: record.guest, previous: record.previous, steps, to_do })
}
