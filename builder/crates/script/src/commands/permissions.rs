//! Permissions and owners: chmod, chown, chgrp.

use super::options::parse;
use crate::eval::{Machine, Run, join};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "chmod" => chmod(machine, words)?,
        "chown" | "chgrp" => chown(machine, name, words)?,
        _ => return Ok(None),
    }))
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
            machine.spend_items(1, real.len())?;
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
    machine.spend(text.len())?;
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
