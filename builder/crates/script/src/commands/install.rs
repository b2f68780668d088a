//! Commands that copy and move files: cp, mv, install.

use super::options::{parse, targets};
use super::permissions::{mode_of, owner_of};
use crate::effect::Effect;
use crate::eval::{Machine, Run, is_within, join};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "cp" => cp(machine, words)?,
        "mv" => mv(machine, words)?,
        "install" => install(machine, words)?,
        _ => return Ok(None),
    }))
}

/// Copies a file's content.
pub(super) fn copy(machine: &mut Machine<'_>, from: &str, to: &str, meta: Meta) -> Run<()> {
    machine.step()?;
    if let Some(Entry { kind: Kind::File(size), .. }) = machine.files.lookup(from) {
        machine.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
    }
    if let Some(Entry { kind: Kind::Link(_), .. }) = machine.files.lookup(to) {
        machine.remove_one(to)?;
    }
    machine.effect(Effect::Writes(to.to_owned()));
    let copied = machine.files.copy(from, to, meta);
    machine.done(copied)
}

/// Where a source lands: in the target, where that is a directory.
fn landing(
    machine: &mut Machine<'_>,
    source: &str,
    place: &str,
    into: bool,
) -> Run<Option<String>> {
    let name = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let path = if into { join(place, name) } else { place.to_owned() };
    machine.resolve(path.trim_end_matches('/'), false)
}

/// Whether sources go into the target.
fn goes_into(machine: &mut Machine<'_>, place: &str, as_file: bool) -> Run<bool> {
    Ok(!as_file && machine.is_directory(place)?)
}

fn cp(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "archive",
        "recursive",
        "preserve",
        "preserve=",
        "no-preserve=",
        "force",
        "verbose",
        "no-clobber",
        "no-dereference",
        "dereference",
        "target-directory=",
        "no-target-directory",
        "remove-destination",
        "update",
        "parents",
        "reflink=",
        "backup",
        "interactive",
    ];
    let parsed = parse(machine, words, "aRrpfvndPLHuTt:lis", &long)?;
    if parsed.has(&["u", "update", "parents", "backup", "l", "s"]) {
        return machine.unsupported("cp with such options");
    }
    let archive = parsed.has(&["a", "archive"]);
    let keep = archive || parsed.has(&["p", "preserve"]);
    let recursive = archive || parsed.has(&["r", "R", "recursive"]);
    let links = archive
        || parsed.has(&["d", "P", "no-dereference"])
        || recursive && !parsed.has(&["L", "H"]);
    let Some((sources, place)) = targets(&parsed) else {
        return machine.fail(1, "cp: missing file operand");
    };
    let into = goes_into(machine, &place, parsed.has(&["T", "no-target-directory"]))?;
    let mut status = 0;
    for source in sources {
        let from = machine.resolve(&source, !links)?;
        let entry = from.as_ref().and_then(|from| machine.files.lookup(from));
        let to = landing(machine, &source, &place, into)?;
        let (Some(from), Some(entry), Some(to)) = (from, entry, to) else {
            status = machine.fail(1, &format!("cp: cannot copy '{source}'"))?;
            continue;
        };
        // A link at the target is followed, unless it is copied over by all of a directory.
        let to = match machine.files.lookup(&to).map(|entry| entry.kind) {
            Some(Kind::Link(_)) if !parsed.has(&["remove-destination"]) && !links => {
                machine.resolve(&to, true)?.unwrap_or(to)
            }
            _ => to,
        };
        if parsed.has(&["n", "no-clobber"]) && machine.files.lookup(&to).is_some() {
            continue;
        }
        if entry.kind == Kind::Directory && !recursive {
            status =
                machine.fail(1, &format!("cp: -r not specified; omitting directory '{source}'"))?;
            continue;
        }
        if is_within(&to, &from) {
            status = machine.fail(1, &format!("cp: '{source}' and '{to}' are the same"))?;
            continue;
        }
        copy_tree(machine, &from, &to, keep)?;
    }
    Ok(status)
}

fn copy_tree(machine: &mut Machine<'_>, from: &str, to: &str, keep: bool) -> Run<()> {
    let mut todo = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = todo.pop() {
        machine.step()?;
        machine.spend_items(1, from.len() + to.len())?;
        let Some(Entry { kind, meta }) = machine.files.lookup(&from) else { continue };
        let old = machine.files.lookup(&to);
        let is_directory = kind == Kind::Directory;
        if old.as_ref().is_some_and(|old| (old.kind == Kind::Directory) != is_directory) {
            return machine.unsupported(format!("a copy of {from} over {to}, of another kind"));
        }
        let new = match &old {
            _ if keep => meta,
            Some(old) => old.meta,
            None => Meta::with_mode(meta.mode & 0o777 & !machine.shell.umask),
        };
        match kind {
            Kind::Directory => {
                if old.is_none() {
                    machine.make(&to, new)?;
                }
                for name in machine.files.list(&from) {
                    todo.push((join(&from, &name), join(&to, &name)));
                }
            }
            Kind::File(_) => copy(machine, &from, &to, new)?,
            Kind::Link(target) => machine.link(&to, &target)?,
            Kind::Special => return machine.unsupported(format!("a copy of the device {from}")),
        }
    }
    Ok(())
}

fn mv(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "force",
        "verbose",
        "no-clobber",
        "target-directory=",
        "no-target-directory",
        "interactive",
    ];
    let parsed = parse(machine, words, "fvniTt:Z", &long)?;
    let Some((sources, place)) = targets(&parsed) else {
        return machine.fail(1, "mv: missing file operand");
    };
    let into = goes_into(machine, &place, parsed.has(&["T", "no-target-directory"]))?;
    let mut status = 0;
    for source in sources {
        let from = machine.resolve(source.trim_end_matches('/'), false)?;
        let entry = from.as_ref().and_then(|from| machine.files.lookup(from));
        let to = landing(machine, &source, &place, into)?;
        let (Some(from), Some(entry), Some(to)) = (from, entry, to) else {
            status = machine.fail(1, &format!("mv: cannot stat '{source}'"))?;
            continue;
        };
        match machine.files.lookup(&to).map(|entry| entry.kind) {
            Some(_) if parsed.has(&["n", "no-clobber"]) => continue,
            Some(old) => {
                let directories = (old == Kind::Directory, entry.kind == Kind::Directory);
                let empty = machine.files.list(&to).is_empty();
                if directories.0 != directories.1 || directories.0 && !empty || from == to {
                    status = machine.fail(1, &format!("mv: cannot move '{source}' to '{to}'"))?;
                    continue;
                }
                let removed = machine.files.remove(&to);
                machine.done(removed)?;
            }
            None => {}
        }
        if is_within(&to, &from) {
            status = machine.fail(1, &format!("mv: cannot move '{source}' into itself"))?;
            continue;
        }
        machine.rename(&from, &to)?;
    }
    Ok(status)
}

fn install(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "directory",
        "mode=",
        "owner=",
        "group=",
        "target-directory=",
        "verbose",
        "compare",
        "no-target-directory",
        "preserve-timestamps",
    ];
    let parsed = parse(machine, words, "dDm:o:g:t:vcCTp", &long)?;
    let mode = parsed.value(&["m", "mode"]).unwrap_or("755").to_owned();
    let owner = parsed.value(&["o", "owner"]).unwrap_or("root").to_owned();
    let group = parsed.value(&["g", "group"]).unwrap_or("root").to_owned();
    let Some((Some(uid), Some(gid))) = owner_of(machine, &format!("{owner}:{group}"), false)?
    else {
        return machine.fail(1, &format!("install: invalid owner '{owner}:{group}'"));
    };
    if parsed.has(&["d", "directory"]) {
        for path in &parsed.operands {
            let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
            machine.make_all(&join("/", above))?;
            let Some(real) = machine.resolve(path.trim_end_matches('/'), true)? else { continue };
            let old = machine.files.lookup(&real).map_or(0, |entry| entry.meta.mode);
            let meta = Meta { mode: mode_of(machine, &mode, old & 0o6000, true)?, uid, gid };
            match machine.files.lookup(&real) {
                None => machine.make(&real, meta)?,
                Some(_) => machine.change(&real, meta)?,
            }
        }
        return Ok(0);
    }
    let Some((sources, place)) = targets(&parsed) else {
        return machine.fail(1, "install: missing file operand");
    };
    if parsed.has(&["D"]) {
        let above = place.rsplit_once('/').map_or("", |(above, _)| above);
        machine.make_all(&join("/", above))?;
    }
    let into = goes_into(machine, &place, parsed.has(&["T", "no-target-directory"]))?;
    let mut status = 0;
    for source in sources {
        if source == "/dev/null" {
            let name = if into { join(&place, "null") } else { place.clone() };
            if let Some(real) = machine.resolve(&name, false)? {
                machine.put(&real, Vec::new())?;
                let meta = Meta { mode: mode_of(machine, &mode, 0, false)?, uid, gid };
                machine.change(&real, meta)?;
            }
            continue;
        }
        let from = machine.resolve(&source, true)?;
        let entry = from.as_ref().and_then(|from| machine.files.lookup(from));
        let to = landing(machine, &source, &place, into)?;
        match (from, entry.map(|entry| entry.kind), to) {
            (Some(from), Some(Kind::File(_)), Some(to)) => {
                let meta = Meta { mode: mode_of(machine, &mode, 0, false)?, uid, gid };
                copy(machine, &from, &to, meta)?;
            }
            _ => status = machine.fail(1, &format!("install: cannot install '{source}'"))?,
        }
    }
    Ok(status)
}
