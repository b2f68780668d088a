//! systemd-sysusers(8) and systemd-tmpfiles(8): accounts and directories by files of packages.

use std::collections::BTreeSet;

use super::options::parse;
use crate::accounts::{NewUser, number, taken};
use crate::eval::{Machine, Run, join, parent};
use crate::files::Meta;

/// Words of a line of sysusers.d(5) or tmpfiles.d(5), quotes removed; `-` is empty.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(current.take()),
            (_, c) => current.get_or_insert_default().push(c),
        }
    }
    words.extend(current);
    let plain = |word: String| if word == "-" { String::new() } else { word };
    words.into_iter().map(plain).collect()
}

/// The lines of the files that are named, or of all of a kind.
fn lines(machine: &mut Machine<'_>, files: &[String], kind: &str) -> Run<Vec<Vec<String>>> {
    let directories = ["/etc", "/run", "/usr/lib"];
    let mut paths: Vec<String> = Vec::new();
    for file in files {
        if file.contains('/') {
            paths.push(file.clone());
            continue;
        }
        for directory in directories {
            let path = format!("{directory}/{kind}/{file}");
            if machine.exists(&path, true)? {
                paths.push(path);
                break;
            }
        }
    }
    if files.is_empty() {
        let mut found: Vec<(String, String)> = Vec::new();
        for directory in directories {
            let directory = format!("{directory}/{kind}");
            for name in machine.names_in(&directory)? {
                machine.spend(found.len())?;
                if name.ends_with(".conf") && !found.iter().any(|(known, _)| *known == name) {
                    let path = join(&directory, &name);
                    found.push((name, path));
                }
            }
        }
        found.sort();
        paths.extend(found.into_iter().map(|(_, path)| path));
    }
    let mut all = Vec::new();
    for path in paths {
        let text = machine.read_text(&path)?.unwrap_or_default();
        // Each word is text of its own.
        machine.spend(text.len().saturating_mul(16))?;
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        all.extend(lines.map(words));
    }
    Ok(all)
}

/// systemd-sysusers: ids from 999 down, a user's and its group's the same.
pub(super) fn users(machine: &mut Machine<'_>, arguments: &[String]) -> Run {
    let parsed = parse(machine, arguments, "", &["root=", "replace=", "inline", "no-pager"])?;
    if parsed.has(&["inline", "replace"]) {
        return machine.unsupported("systemd-sysusers --inline");
    }
    let lines = lines(machine, &parsed.operands, "sysusers.d")?;
    let field = |line: &[String], at: usize| line.get(at).cloned().unwrap_or_default();
    for line in lines.iter().filter(|line| field(line, 0) == "g") {
        group(machine, &field(line, 1), &field(line, 2))?;
    }
    for line in lines.iter().filter(|line| matches!(field(line, 0).trim_end_matches('!'), "u")) {
        user(machine, line)?;
    }
    for line in lines.iter().filter(|line| field(line, 0) == "m") {
        let (name, group_name) = (field(line, 1), field(line, 2));
        group(machine, &group_name, "")?;
        if machine.user(&name)?.is_none() {
            user(machine, &["u".to_owned(), name.clone()])?;
        }
        machine.add_member(&name, &group_name)?;
    }
    Ok(0)
}

fn free(taken: &BTreeSet<u32>) -> Option<u32> {
    (100..=999).rev().find(|id| !taken.contains(id))
}

fn group(machine: &mut Machine<'_>, name: &str, id: &str) -> Run<()> {
    if name.contains('%') || id.starts_with('/') {
        return machine.unsupported("an account of sysusers.d with such an id");
    }
    if machine.group(name)?.is_some() {
        return Ok(());
    }
    let groups = taken(&machine.groups()?);
    let users = taken(&machine.users()?);
    let gid = match id.parse::<u32>() {
        Ok(gid) if !groups.contains(&gid) => Some(gid),
        _ => free(&(&groups | &users)),
    };
    match gid {
        Some(gid) => machine.add_group(name, gid),
        None => machine.unsupported("no id is free for a group"),
    }
}

fn user(machine: &mut Machine<'_>, line: &[String]) -> Run<()> {
    let field = |at: usize| line.get(at).cloned().unwrap_or_default();
    let (name, id) = (field(1), field(2));
    if name.contains('%') || id.starts_with('/') {
        return machine.unsupported("an account of sysusers.d with such an id");
    }
    if machine.user(&name)?.is_some() {
        return Ok(());
    }
    let users = taken(&machine.users()?);
    let groups = taken(&machine.groups()?);
    let (id, of_group) = match id.split_once(':') {
        Some((id, group)) => (id.to_owned(), Some(group.to_owned())),
        None => (id, None),
    };
    let own = machine.group(&name)?.and_then(|line| number(&line, 2));
    let uid = match (id.parse::<u32>(), own) {
        (Ok(uid), _) if !users.contains(&uid) => Some(uid),
        (_, Some(gid)) if !users.contains(&gid) => Some(gid),
        _ => free(&(&users | &groups)),
    };
    let Some(uid) = uid else { return machine.unsupported("no id is free for a user") };
    let gid = match (of_group, own) {
        (Some(group), _) => match machine.gid(&group)? {
            Some(gid) => gid,
            None => return machine.unsupported(format!("the group {group} is not there")),
        },
        (None, Some(gid)) => gid,
        (None, None) => {
            let gid = if groups.contains(&uid) { free(&groups).unwrap_or(uid) } else { uid };
            machine.add_group(&name, gid)?;
            gid
        }
    };
    let home = Some(field(4)).filter(|home| !home.is_empty()).unwrap_or_else(|| "/".into());
    let shell = Some(field(5)).filter(|shell| !shell.is_empty());
    let day = machine.world.day;
    machine.add_user(&NewUser {
        name,
        uid,
        gid,
        comment: field(3),
        home,
        shell: shell.unwrap_or_else(|| "/usr/sbin/nologin".into()),
        password: "!*".to_owned(),
        ageing: format!("{day}::::::"),
    })
}

/// systemd-tmpfiles --create: directories, files and links.
pub(super) fn temporary(machine: &mut Machine<'_>, arguments: &[String]) -> Run {
    let long =
        ["create", "remove", "clean", "prefix=", "boot", "exclude-prefix=", "root=", "graceful"];
    let parsed = parse(machine, arguments, "E", &long)?;
    if !parsed.has(&["create"]) || parsed.has(&["remove", "clean"]) {
        return machine.unsupported("systemd-tmpfiles of this form");
    }
    for line in lines(machine, &parsed.operands, "tmpfiles.d")? {
        let field = |at: usize| line.get(at).cloned().unwrap_or_default();
        let (kind, path) = (field(0), field(1));
        let letter: String = kind.chars().filter(char::is_ascii_alphabetic).collect();
        // What is in /run is made when the system starts.
        let volatile = ["/run/", "/var/run/", "/dev/", "/sys/", "/proc/"];
        if volatile.iter().any(|prefix| path.starts_with(prefix)) || kind.contains('!') {
            continue;
        }
        // Nothing has a name made of the id of the machine, or of its boot, yet.
        let adjusts = letter.chars().all(|letter| "aAehHtTzZxXrR".contains(letter));
        if adjusts && (path.contains("%m") || path.contains("%b")) {
            continue;
        }
        if path.contains('%') {
            return machine.unsupported(format!("{path} of tmpfiles.d"));
        }
        match letter.as_str() {
            "d" | "D" | "v" | "q" | "Q" => make(machine, &path, &line, true)?,
            "f" if !kind.contains('+') => make(machine, &path, &line, false)?,
            "L" => {
                if machine.entry(&path, false)?.is_none() {
                    machine.make_all(parent(&path))?;
                    if let Some(real) = machine.resolve(&path, false)? {
                        machine.link(&real, &field(6))?;
                    }
                }
            }
            "z" | "Z" | "x" | "X" | "r" | "R" | "e" if machine.entry(&path, true)?.is_none() => {}
            "z" if !path.contains(['*', '?', '[']) => adjust(machine, &path, &line)?,
            // Attributes and access lists, which no tree here keeps.
            "h" | "H" | "a" | "A" | "t" | "T" | "x" | "X" | "r" | "R" => {}
            _ => return machine.unsupported(format!("the line {kind} {path} of tmpfiles.d")),
        }
    }
    Ok(0)
}

fn make(machine: &mut Machine<'_>, path: &str, line: &[String], directory: bool) -> Run<()> {
    let field = |at: usize| line.get(at).map_or("", String::as_str);
    let default = if directory { 0o755 } else { 0o644 };
    let mode =
        u16::from_str_radix(field(2).trim_start_matches(['~', ':']), 8).unwrap_or(default) & 0o7777;
    // What begins with a colon holds for what is made anew.
    let owner = |text: &str| match text.trim_start_matches(':') {
        "" => "root".to_owned(),
        name => name.to_owned(),
    };
    let (uid, gid) = (machine.uid(&owner(field(3)))?, machine.gid(&owner(field(4)))?);
    let (Some(uid), Some(gid)) = (uid, gid) else {
        return machine.unsupported(format!("an owner of {path} in tmpfiles.d is not there"));
    };
    let meta = Meta { mode, uid, gid };
    let place = path.trim_end_matches('/');
    machine.make_all(parent(place))?;
    let Some(real) = machine.resolve(place, true)? else { return Ok(()) };
    let before = machine.files.lookup(&real).map(|entry| entry.meta);
    match (before, directory) {
        (Some(before), _) => {
            let kept = |at: usize| field(at).trim_start_matches('~').starts_with(':');
            let mode = if kept(2) { before.mode } else { meta.mode };
            let uid = if kept(3) { before.uid } else { meta.uid };
            let gid = if kept(4) { before.gid } else { meta.gid };
            machine.change(&real, Meta { mode, uid, gid })
        }
        (None, true) => machine.make(&real, meta),
        (None, false) => {
            let text = line.get(6..).unwrap_or_default().join(" ");
            machine.put(&real, text)?;
            machine.change(&real, meta)
        }
    }
}

/// Gives what is at `path` the mode and owners of a line; those that it does not name stay.
fn adjust(machine: &mut Machine<'_>, path: &str, line: &[String]) -> Run<()> {
    let field = |at: usize| line.get(at).map_or("", String::as_str);
    let Some(real) = machine.resolve(path.trim_end_matches('/'), true)? else { return Ok(()) };
    let Some(mut meta) = machine.files.lookup(&real).map(|entry| entry.meta) else { return Ok(()) };
    let named = |at: usize| !matches!(field(at).chars().next(), None | Some('-' | ':'));
    if named(2) {
        let mode = field(2).trim_start_matches('~');
        meta.mode = u16::from_str_radix(mode, 8).unwrap_or(meta.mode) & 0o7777;
    }
    let missing = || format!("an owner of {path} in tmpfiles.d is not there");
    if named(3) {
        let Some(uid) = machine.uid(field(3))? else { return machine.unsupported(missing()) };
        meta.uid = uid;
    }
    if named(4) {
        let Some(gid) = machine.gid(field(4))? else { return machine.unsupported(missing()) };
        meta.gid = gid;
    }
    machine.change(&real, meta)
}
