//! Commands that make, change and remove files: mkdir, rmdir, rm, ln, touch, chmod, chown, mktemp.

use super::options::{Parsed, parse};
use crate::eval::{Machine, Run, join, parent};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "mkdir" => mkdir(machine, words)?,
        "rmdir" => rmdir(machine, words)?,
        "rm" | "unlink" => rm(machine, words)?,
        "ln" => ln(machine, words)?,
        "touch" => touch(machine, words)?,
        "chmod" => chmod(machine, words)?,
        "chown" | "chgrp" => chown(machine, name, words)?,
        "mktemp" | "tempfile" => mktemp(machine, name, words)?,
        "mknod" | "mkfifo" | "setcap" | "setfacl" | "chattr" | "setfattr" => {
            return machine.unsupported(format!("{name}, which no tree here keeps"));
        }
        _ => return Ok(None),
    }))
}

fn mkdir(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "pm:vZ", &["parents", "mode=", "verbose"])?;
    let parents = parsed.has(&["p", "parents"]);
    let wanted = parsed.value(&["m", "mode"]).map(str::to_owned);
    let mut status = 0;
    for path in &parsed.operands {
        if parents {
            let above = path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
            make_above(machine, above)?;
        }
        let there = machine.entry(path, true)?;
        match (there, machine.resolve(path.trim_end_matches('/'), true)?) {
            (Some(Entry { kind: Kind::Directory, .. }), _) if parents => {}
            (None, Some(real)) => {
                let default = 0o777 & !machine.shell.umask;
                let mode = match &wanted {
                    Some(text) => mode_of(machine, text, default, true)?,
                    None => default,
                };
                machine.make(&real, Meta::with_mode(mode))?;
            }
            _ => status = machine.fail(1, &format!("mkdir: cannot create directory '{path}'"))?,
        }
    }
    Ok(status)
}

/// Makes the directories above one that is to be made.
fn make_above(machine: &mut Machine<'_>, path: &str) -> Run<()> {
    let mut at = if path.starts_with('/') { "/".to_owned() } else { String::new() };
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = if at.is_empty() { part.to_owned() } else { join(&at, part) };
        if machine.entry(&at, true)?.is_none()
            && let Some(real) = machine.resolve(&at, true)?
        {
            let mode = 0o777 & !machine.shell.umask;
            machine.make(&real, Meta::with_mode(mode))?;
        }
    }
    Ok(())
}

fn rmdir(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = ["ignore-fail-on-non-empty", "parents", "verbose"];
    let parsed = parse(machine, words, "pv", &long)?;
    let quiet = parsed.has(&["ignore-fail-on-non-empty"]);
    let mut status = 0;
    for path in &parsed.operands {
        let mut path = path.trim_end_matches('/').to_owned();
        loop {
            let real = machine.resolve(&path, false)?;
            let kind = real.as_ref().and_then(|real| machine.files.lookup(real));
            match (real, kind.map(|entry| entry.kind)) {
                (Some(real), Some(Kind::Directory)) if machine.files.list(&real).is_empty() => {
                    machine.remove_one(&real)?;
                }
                (Some(_), Some(Kind::Directory)) if quiet => break,
                _ => {
                    status = machine.fail(1, &format!("rmdir: failed to remove '{path}'"))?;
                    break;
                }
            }
            match path.rsplit_once('/') {
                Some((above, _)) if parsed.has(&["p", "parents"]) && !above.is_empty() => {
                    path = above.to_owned();
                }
                _ => break,
            }
        }
    }
    Ok(status)
}

fn rm(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = ["force", "recursive", "verbose", "dir", "one-file-system", "interactive="];
    let parsed = parse(machine, words, "frRvdiI", &long)?;
    let force = parsed.has(&["f", "force"]);
    let all = parsed.has(&["r", "R", "recursive"]);
    let mut status = 0;
    for path in &parsed.operands {
        let real = machine.resolve(path.trim_end_matches('/'), false)?;
        let entry = real.as_ref().and_then(|real| machine.files.lookup(real));
        match (real, entry.map(|entry| entry.kind)) {
            (Some(_), None) | (None, _) if force => {}
            (Some(real), Some(Kind::Directory)) => {
                let empty = machine.files.list(&real).is_empty();
                if all {
                    machine.remove_all(&real)?;
                } else if parsed.has(&["d", "dir"]) && empty {
                    machine.remove_one(&real)?;
                } else {
                    status = machine.fail(1, &format!("rm: '{path}' is a directory"))?;
                }
            }
            (Some(real), Some(_)) => machine.remove_one(&real)?,
            _ => status = machine.fail(1, &format!("rm: cannot remove '{path}'"))?,
        }
    }
    Ok(status)
}

fn ln(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "symbolic",
        "force",
        "no-dereference",
        "verbose",
        "relative",
        "no-target-directory",
        "target-directory=",
    ];
    let parsed = parse(machine, words, "sfnvrTt:", &long)?;
    let (symbolic, force) = (parsed.has(&["s", "symbolic"]), parsed.has(&["f", "force"]));
    let Some((targets, place)) = targets(&parsed) else {
        return machine.fail(1, "ln: missing file operand");
    };
    let same = parsed.has(&["n", "no-dereference", "T", "no-target-directory"]);
    let into = match machine.entry(&place, !same)? {
        Some(entry) => entry.kind == Kind::Directory && !parsed.has(&["T"]),
        None => false,
    };
    let mut status = 0;
    for target in targets {
        let name = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let path = if into { join(&place, name) } else { place.clone() };
        let Some(real) = machine.resolve(path.trim_end_matches('/'), false)? else {
            status = machine.fail(1, &format!("ln: failed to create link '{path}'"))?;
            continue;
        };
        match machine.files.lookup(&real).map(|entry| entry.kind) {
            Some(Kind::Directory) => {
                status = machine.fail(1, &format!("ln: '{path}': cannot overwrite directory"))?;
                continue;
            }
            Some(_) if !force => {
                status = machine.fail(1, &format!("ln: failed to create link '{path}': exists"))?;
                continue;
            }
            _ => {}
        }
        if symbolic {
            let target = match parsed.has(&["r", "relative"]) {
                true => relative(machine, &target, &real)?,
                false => target.clone(),
            };
            machine.link(&real, &target)?;
            continue;
        }
        match machine.resolve(&target, false)? {
            Some(from) if matches!(file(machine, &from), Some(Kind::File(_))) => {
                // A second name: the tree keeps one file for each.
                let meta = machine.files.lookup(&from).map_or(Meta::default(), |e| e.meta);
                super::install::copy(machine, &from, &real, meta)?;
            }
            _ => status = machine.fail(1, &format!("ln: failed to access '{target}'"))?,
        }
    }
    Ok(status)
}

fn file(machine: &Machine<'_>, real: &str) -> Option<Kind> {
    machine.files.lookup(real).map(|entry| entry.kind)
}

/// The target of `ln -r`: from the link's directory.
fn relative(machine: &mut Machine<'_>, target: &str, link: &str) -> Run<String> {
    let target = machine.resolve(target, false)?.unwrap_or_else(|| target.to_owned());
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (to, from) = (parts(&target), parts(parent(link)));
    let same = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - same);
    Ok(up.chain(to[same..].iter().cloned()).collect::<Vec<_>>().join("/"))
}

/// The sources and the target of ln, cp, mv and install.
pub(super) fn targets(parsed: &Parsed) -> Option<(Vec<String>, String)> {
    if let Some(directory) = parsed.value(&["t", "target-directory"]) {
        return Some((parsed.operands.clone(), directory.to_owned()));
    }
    match parsed.operands.as_slice() {
        [] => None,
        [one] => Some((vec![one.clone()], ".".to_owned())),
        [sources @ .., last] => Some((sources.to_vec(), last.clone())),
    }
}

fn touch(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "acmhr:d:t:", &["no-create", "reference=", "date="])?;
    let mut status = 0;
    for path in &parsed.operands {
        if machine.entry(path, true)?.is_some() || parsed.has(&["c", "no-create"]) {
            // Times are the image's, not the script's.
            continue;
        }
        match machine.resolve(path, true)? {
            Some(real) => machine.put(&real, Vec::new())?,
            None => status = machine.fail(1, &format!("touch: cannot touch '{path}'"))?,
        }
    }
    Ok(status)
}

fn chmod(machine: &mut Machine<'_>, words: &[String]) -> Run {
    // A mode may begin with a minus sign.
    let (words, minus) = match words.iter().position(|word| is_minus_mode(word)) {
        Some(at) => {
            let mut rest = words.to_vec();
            let mode = rest.remove(at);
            (rest, Some(mode))
        }
        None => (words.to_vec(), None),
    };
    let long =
        ["recursive", "quiet", "silent", "changes", "verbose", "reference=", "preserve-root"];
    let mut parsed = parse(machine, &words, "Rfcv", &long)?;
    let like = match parsed.value(&["reference"]).map(str::to_owned) {
        Some(path) => machine.entry(&path, true)?.map(|entry| entry.meta.mode),
        None => None,
    };
    if like.is_none() && minus.is_none() && parsed.operands.is_empty() {
        return machine.fail(1, "chmod: missing operand");
    }
    let mode = match minus {
        Some(mode) => mode,
        None if like.is_some() => String::new(),
        None => parsed.operands.remove(0),
    };
    let recursive = parsed.has(&["R", "recursive"]);
    each(machine, &parsed.operands, recursive, true, "chmod", &|machine, real, entry| {
        let is_directory = entry.kind == Kind::Directory;
        let new = match like {
            Some(mode) => mode,
            None => mode_of(machine, &mode, entry.meta.mode, is_directory)?,
        };
        machine.change(real, Meta { mode: new, ..entry.meta })
    })
}

fn is_minus_mode(word: &str) -> bool {
    let rest = word.strip_prefix('-');
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| "rwxXst,+-=".contains(c)))
}

/// Does something to each path and, where `recursive`, to all below.
fn each(
    machine: &mut Machine<'_>,
    paths: &[String],
    recursive: bool,
    follow: bool,
    name: &str,
    action: &dyn Fn(&mut Machine<'_>, &str, &Entry) -> Run<()>,
) -> Run {
    let mut status = 0;
    for path in paths {
        let real = machine.resolve(path, follow)?;
        let entry = real.as_ref().and_then(|real| machine.files.lookup(real));
        let (Some(real), Some(_)) = (real, entry) else {
            status = machine.fail(1, &format!("{name}: cannot access '{path}'"))?;
            continue;
        };
        let mut todo = vec![real];
        while let Some(real) = todo.pop() {
            machine.spend(real.len() + 16)?;
            let Some(entry) = machine.files.lookup(&real) else { continue };
            // Links have no permissions, and their owner says nothing.
            if !matches!(entry.kind, Kind::Link(_)) {
                action(machine, &real, &entry)?;
            }
            if recursive && entry.kind == Kind::Directory {
                todo.extend(machine.files.list(&real).iter().map(|name| join(&real, name)));
            }
        }
    }
    Ok(status)
}

fn chown(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let long = [
        "recursive",
        "quiet",
        "silent",
        "changes",
        "verbose",
        "no-dereference",
        "dereference",
        "reference=",
        "preserve-root",
        "from=",
    ];
    let mut parsed = parse(machine, words, "RfcvhHLP", &long)?;
    if parsed.has(&["from"]) || parsed.operands.is_empty() && !parsed.has(&["reference"]) {
        return machine.unsupported("chown of this form");
    }
    let (uid, gid) = match parsed.value(&["reference"]).map(str::to_owned) {
        Some(path) => match machine.entry(&path, true)? {
            Some(entry) => (Some(entry.meta.uid), Some(entry.meta.gid)),
            None => return machine.fail(1, &format!("{name}: no {path}")),
        },
        None => {
            let owner = parsed.operands.remove(0);
            match owner_of(machine, &owner, name == "chgrp")? {
                Some(owner) => owner,
                None => {
                    return machine.fail(1, &format!("{name}: invalid user or group: '{owner}'"));
                }
            }
        }
    };
    let recursive = parsed.has(&["R", "recursive"]);
    let follow = !parsed.has(&["h", "no-dereference"]);
    each(machine, &parsed.operands, recursive, follow, name, &|machine, real, entry| {
        let Meta { mode, uid: old_uid, gid: old_gid } = entry.meta;
        let (uid, gid) = (uid.unwrap_or(old_uid), gid.unwrap_or(old_gid));
        // As chown(2): a program that was set-user-id for one owner is not so for the next.
        let file = matches!(entry.kind, Kind::File(_));
        let mode = if file && mode & 0o111 != 0 { mode & !0o6000 } else { mode };
        machine.change(real, Meta { mode, uid, gid })
    })
}

/// `user:group`, `user.group`, `user:`, `:group`, `user`; `None` for one that does not exist.
pub(super) fn owner_of(
    machine: &mut Machine<'_>,
    text: &str,
    group_only: bool,
) -> Run<Option<(Option<u32>, Option<u32>)>> {
    if group_only {
        return Ok(machine.gid(text)?.map(|gid| (None, Some(gid))));
    }
    let (user, group) = match text.split_once(':').or_else(|| text.split_once('.')) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let uid = match user {
        "" => None,
        user => match machine.uid(user)? {
            Some(uid) => Some(uid),
            None => return Ok(None),
        },
    };
    let gid = match group {
        None => None,
        // The user's own group.
        Some("") => machine.user(user)?.and_then(|line| crate::accounts::number(&line, 3)),
        Some(group) => match machine.gid(group)? {
            Some(gid) => Some(gid),
            None => return Ok(None),
        },
    };
    Ok(Some((uid, gid)))
}

/// A mode in octal or symbols, applied to an old one.
pub(super) fn mode_of(
    machine: &mut Machine<'_>,
    text: &str,
    old: u16,
    is_directory: bool,
) -> Run<u16> {
    if let Ok(mode) = u16::from_str_radix(text, 8)
        && mode <= 0o7777
    {
        // An octal mode of up to four digits leaves a directory's set-id bits alone.
        let keep =
            if is_directory && text.len() <= 4 && !text.starts_with("00") { 0o6000 } else { 0 };
        return Ok(mode | old & keep);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let split = clause.find(['+', '-', '=']);
        let Some(split) = split else {
            return machine.unsupported(format!("the mode {text:?}"));
        };
        let (who, mut rest) = clause.split_at(split);
        let (mask, set_bits) = match who {
            "" | "a" => (0o777 & if who.is_empty() { !machine.shell.umask } else { 0o777 }, 0o6000),
            who => {
                let mut mask = (0, 0);
                for c in who.chars() {
                    mask = match c {
                        'u' => (mask.0 | 0o700, mask.1 | 0o4000),
                        'g' => (mask.0 | 0o070, mask.1 | 0o2000),
                        'o' => (mask.0 | 0o007, mask.1),
                        'a' => (0o777, 0o6000),
                        _ => return machine.unsupported(format!("the mode {text:?}")),
                    };
                }
                mask
            }
        };
        while let Some(operator) = rest.chars().next() {
            rest = &rest[1..];
            let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
            let (what, after) = rest.split_at(end);
            rest = after;
            let mut bits = 0;
            for c in what.chars() {
                bits |= match c {
                    'r' => 0o444 & mask,
                    'w' => 0o222 & mask,
                    'x' => 0o111 & mask,
                    'X' if is_directory || mode & 0o111 != 0 => 0o111 & mask,
                    'X' => 0,
                    's' => set_bits,
                    't' => 0o1000,
                    'u' => spread(mode >> 6) & mask,
                    'g' => spread(mode >> 3) & mask,
                    'o' => spread(mode) & mask,
                    _ => return machine.unsupported(format!("the mode {text:?}")),
                };
            }
            mode = match operator {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => mode & !mask | bits,
            };
        }
    }
    Ok(mode)
}

fn spread(bits: u16) -> u16 {
    (bits & 7) * 0o111
}

fn mktemp(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let long = ["directory", "tmpdir", "quiet", "suffix=", "prefix=", "mode=", "directory="];
    let parsed = match name {
        "mktemp" => parse(machine, words, "dqutp:", &long[..4])?,
        _ => parse(machine, words, "d:p:m:s:", &long[3..])?,
    };
    let template = parsed.operands.first().map_or("tmp.XXXXXXXXXX", String::as_str);
    let number = machine.temporary();
    let count = template.chars().rev().take_while(|c| *c == 'X').count();
    let file = match template.rfind('X') {
        Some(last) if count == 0 => {
            let first = template[..=last].trim_end_matches('X').len();
            format!("{}{number:0>6}{}", &template[..first], &template[last + 1..])
        }
        _ => format!("{}{number:0>count$}", &template[..template.len() - count]),
    };
    let in_directory = parsed.has(&["t", "p", "tmpdir"]) || parsed.operands.is_empty();
    let directory = parsed.value(&["p"]).unwrap_or("/tmp").to_owned();
    let path = if in_directory { join(&directory, &file) } else { file };
    let Some(real) = machine.resolve(&path, true)? else {
        return machine.fail(1, &format!("mktemp: failed to create '{path}'"));
    };
    if parsed.has(&["d", "directory"]) && name == "mktemp" {
        machine.make(&real, Meta::with_mode(0o700))?;
    } else {
        machine.put(&real, Vec::new())?;
        machine.change(&real, Meta::with_mode(0o600))?;
    }
    machine.out(&format!("{path}\n"))?;
    Ok(0)
}
