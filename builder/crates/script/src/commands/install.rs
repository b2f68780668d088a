//! Commands that copy and move files, and those that ask about them.

use super::files::{mode_of, owner_of, targets};
use super::options::parse;
use crate::effect::Effect;
use crate::eval::{Machine, Run, join};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "cp" => cp(machine, words)?,
        "mv" => mv(machine, words)?,
        "install" => install(machine, words)?,
        "readlink" | "realpath" => readlink(machine, name, words)?,
        "basename" | "dirname" => parts(machine, name, words)?,
        "stat" => stat(machine, words)?,
        "ls" => ls(machine, words)?,
        "cmp" => cmp(machine, words)?,
        "diff" => {
            let quiet: Vec<String> =
                words.iter().filter(|w| *w != "-q" && *w != "-u").cloned().collect();
            cmp(machine, &quiet)?
        }
        _ => return Ok(None),
    }))
}

/// Copies a file's content.
pub(super) fn copy(machine: &mut Machine<'_>, from: &str, to: &str, meta: Meta) -> Run<()> {
    machine.step()?;
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
        if from == to || to.starts_with(&format!("{from}/")) {
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
        let Some(Entry { kind, meta }) = machine.files.lookup(&from) else { continue };
        let old = machine.files.lookup(&to);
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
        if to.starts_with(&format!("{from}/")) {
            status = machine.fail(1, &format!("mv: cannot move '{source}' into itself"))?;
            continue;
        }
        machine.effect(Effect::Moves { from: from.clone(), to: to.clone() });
        let moved = machine.files.rename(&from, &to);
        machine.done(moved)?;
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

fn readlink(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let long = [
        "canonicalize",
        "canonicalize-existing",
        "canonicalize-missing",
        "quiet",
        "strip",
        "no-symlinks",
    ];
    let parsed = parse(machine, words, "femnqszv", &long)?;
    let whole = name == "realpath"
        || parsed.has(&[
            "f",
            "e",
            "m",
            "canonicalize",
            "canonicalize-existing",
            "canonicalize-missing",
        ]);
    let mut status = 0;
    for path in &parsed.operands {
        let real = machine.resolve(path, whole)?;
        let entry = real.as_ref().and_then(|real| machine.files.lookup(real));
        let text = match (real, entry.map(|entry| entry.kind)) {
            (Some(real), Some(_)) if whole => Some(real),
            (Some(real), None) if whole && !parsed.has(&["e", "canonicalize-existing"]) => {
                Some(real)
            }
            (_, Some(Kind::Link(target))) => Some(target),
            _ => None,
        };
        match text {
            Some(text) if parsed.has(&["n"]) => machine.out(&text)?,
            Some(text) => machine.out(&format!("{text}\n"))?,
            None => status = 1,
        }
    }
    Ok(status)
}

fn parts(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let parsed = parse(machine, words, "as:z", &["suffix=", "multiple"])?;
    let mut operands = parsed.operands.clone();
    let mut suffix = parsed.value(&["s", "suffix"]).unwrap_or_default().to_owned();
    if name == "basename" && operands.len() == 2 && !parsed.has(&["a", "multiple"]) {
        suffix = operands.remove(1);
    }
    for path in operands {
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
        let text = match (name, path.rsplit_once('/')) {
            ("basename", Some((_, base))) if !base.is_empty() => base,
            ("basename", _) => path,
            (_, Some(("", _))) => "/",
            (_, Some((directory, _))) => directory,
            (_, None) => ".",
        };
        let text = match text.strip_suffix(suffix.as_str()) {
            Some(rest) if !rest.is_empty() && name == "basename" => rest,
            _ => text,
        };
        let text = if text.is_empty() { "/" } else { text };
        machine.out(&format!("{text}\n"))?;
    }
    Ok(0)
}

fn stat(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "c:Lft", &["format=", "printf=", "dereference"])?;
    let Some(format) = parsed.value(&["c", "format", "printf"]).map(str::to_owned) else {
        return machine.unsupported("stat without a format");
    };
    let newline = if parsed.has(&["printf"]) { "" } else { "\n" };
    let mut status = 0;
    for path in &parsed.operands {
        let Some(entry) = machine.entry(path, parsed.has(&["L", "dereference"]))? else {
            status = machine.fail(1, &format!("stat: cannot stat '{path}'"))?;
            continue;
        };
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let Meta { mode, uid, gid } = entry.meta;
            match chars.next() {
                Some('a') => text.push_str(&format!("{mode:o}")),
                Some('u') => text.push_str(&uid.to_string()),
                Some('g') => text.push_str(&gid.to_string()),
                Some('n') => text.push_str(path),
                Some('N') => match &entry.kind {
                    Kind::Link(target) => text.push_str(&format!("'{path}' -> '{target}'")),
                    _ => text.push_str(&format!("'{path}'")),
                },
                Some('U') => {
                    let name = machine.user(&uid.to_string())?;
                    text.push_str(
                        name.and_then(|l| l.first().cloned()).as_deref().unwrap_or("UNKNOWN"),
                    );
                }
                Some('G') => {
                    let name = machine.group(&gid.to_string())?;
                    text.push_str(
                        name.and_then(|l| l.first().cloned()).as_deref().unwrap_or("UNKNOWN"),
                    );
                }
                Some('F') => text.push_str(match entry.kind {
                    Kind::File(0) => "regular empty file",
                    Kind::File(_) => "regular file",
                    Kind::Directory => "directory",
                    Kind::Link(_) => "symbolic link",
                    Kind::Special => return machine.unsupported("stat of a device"),
                }),
                Some('s') if matches!(entry.kind, Kind::File(_)) => {
                    if let Kind::File(size) = entry.kind {
                        text.push_str(&size.to_string());
                    }
                }
                other => return machine.unsupported(format!("stat's %{}", other.unwrap_or(' '))),
            }
        }
        machine.out(&format!("{text}{newline}"))?;
    }
    Ok(status)
}

fn ls(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "1aAdU", &["all", "almost-all", "directory"])?;
    let mut operands = parsed.operands.clone();
    if operands.is_empty() {
        operands.push(".".into());
    }
    let many = operands.len() > 1;
    let mut status = 0;
    for path in &operands {
        if machine.is_directory(path)? && !parsed.has(&["d", "directory"]) {
            if many {
                return machine.unsupported("ls of several directories");
            }
            for name in machine.names_in(path)? {
                if !name.starts_with('.') || parsed.has(&["a", "A", "all", "almost-all"]) {
                    machine.out(&format!("{name}\n"))?;
                }
            }
        } else if machine.exists(path, false)? {
            machine.out(&format!("{path}\n"))?;
        } else {
            status = machine.fail(2, &format!("ls: cannot access '{path}'"))?;
        }
    }
    Ok(status)
}

fn cmp(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "sq", &["quiet", "silent", "brief"])?;
    let mut contents = Vec::new();
    for path in &parsed.operands {
        let content = if path == "-" {
            Some(machine.input()?.into_bytes())
        } else {
            match machine.resolve(path, true)? {
                Some(real)
                    if matches!(
                        machine.files.lookup(&real),
                        Some(Entry { kind: Kind::File(_), .. })
                    ) =>
                {
                    let read = machine.files.read(&real);
                    Some(machine.done(read)?)
                }
                _ => None,
            }
        };
        match content {
            Some(content) => {
                machine.spend(content.len())?;
                contents.push(content);
            }
            None => return machine.fail(2, &format!("cmp: {path}: No such file")),
        }
    }
    match contents.as_slice() {
        [left, right] => Ok(i32::from(left != right)),
        _ => machine.fail(2, "cmp: two files are expected"),
    }
}
