//! Commands that make, change and remove files: mkdir, rmdir, rm, ln, touch, mktemp.

use super::options::{parse, targets};
use super::permissions::mode_of;
use crate::eval::{Machine, Run, join, parent};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "mkdir" => mkdir(machine, words)?,
        "rmdir" => rmdir(machine, words)?,
        "rm" | "unlink" => rm(machine, words)?,
        "ln" => ln(machine, words)?,
        "touch" => touch(machine, words)?,
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
            // Only a directory may be called so, and none is there.
            None if path.ends_with('/') => {
                status = machine.fail(1, &format!("ln: failed to create link '{path}'"))?;
                continue;
            }
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
