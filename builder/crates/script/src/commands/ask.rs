//! Commands that ask about files: readlink, basename, stat, ls, cmp.

use super::options::parse;
use crate::eval::{Machine, Run};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "readlink" | "realpath" => readlink(machine, name, words)?,
        "basename" | "dirname" => parts(machine, name, words)?,
        "stat" => stat(machine, words)?,
        "ls" => ls(machine, words)?,
        "cmp" => cmp(machine, words)?,
        "diff" => {
            let quiet = |word: &&String| *word != "-q" && *word != "-u";
            let words: Vec<String> = words.iter().filter(quiet).cloned().collect();
            cmp(machine, &words)?
        }
        _ => return Ok(None),
    }))
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
        machine.spend(format.len())?;
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
                Some('n') => {
                    machine.spend(path.len())?;
                    text.push_str(path);
                }
                Some('N') => {
                    let name = match &entry.kind {
                        Kind::Link(target) => format!("'{path}' -> '{target}'"),
                        _ => format!("'{path}'"),
                    };
                    machine.spend(name.len())?;
                    text.push_str(&name);
                }
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
