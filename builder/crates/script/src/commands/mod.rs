//! The vocabulary: every command that a script may call, by family, with what it does to the tree.

mod accounts;
mod alternatives;
mod apk;
mod ask;
mod awk;
mod busybox_accounts;
mod columns;
mod debconf;
mod debian_accounts;
mod divert;
mod dpkg;
mod files;
mod find;
mod grep;
mod init;
mod inputs;
mod install;
mod maintscript;
mod nothing;
mod openwrt;
mod options;
mod permissions;
mod regex;
mod sed;
mod sed_script;
mod shadow;
mod systemd;
mod sysusers;
mod text;
mod units;
mod version;

use crate::error::Reason;
use crate::eval::{Machine, Run, Vocabulary, is_builtin};
use crate::files::Kind;

/// A family: `None` where the command is none of its own.
type Family = fn(&mut Machine<'_>, &str, &[String]) -> Run<Option<i32>>;

/// The families, in the order in which they are asked.
const FAMILIES: [Family; 17] = [
    files::run,
    install::run,
    permissions::run,
    ask::run,
    text::run,
    columns::run,
    find::run,
    accounts::run,
    dpkg::run,
    divert::run,
    alternatives::run,
    debconf::run,
    systemd::run,
    init::run,
    apk::run,
    openwrt::run,
    nothing::run,
];

/// Where programs are: a command that is named by a path there is the command itself.
const PROGRAMS: [&str; 9] = [
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/local/bin/",
    "/usr/local/sbin/",
    "/usr/share/debconf/",
    "/usr/lib/dpkg/",
    "/usr/libexec/libselinux/",
];

/// The vocabulary, for the shell.
pub(crate) static VOCABULARY: Vocabulary = Vocabulary { run, which, source };

/// Runs a command of the vocabulary.
pub(crate) fn run(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> Run {
    let root = machine.shell.get("IPKG_INSTROOT").filter(|root| !root.is_empty());
    let inside = root.and_then(|root| name.strip_prefix(root)).unwrap_or(name).to_owned();
    let directory = PROGRAMS.iter().find(|directory| inside.starts_with(**directory));
    let word = match directory {
        Some(directory) => &inside[directory.len()..],
        None => &inside,
    };
    if !word.contains('/') {
        for family in FAMILIES {
            if let Some(status) = family(machine, word, arguments)? {
                return Ok(status);
            }
        }
    }
    if let Some(status) = script_in_tree(machine, &inside, arguments)? {
        return Ok(status);
    }
    machine.refuse(Reason::UnknownCommand(name.to_owned()))
}

/// Runs a shell script that is in the tree.
fn script_in_tree(machine: &mut Machine<'_>, name: &str, arguments: &[String]) -> Run<Option<i32>> {
    let path = if name.contains('/') {
        name.to_owned()
    } else {
        match program(machine, name)? {
            Some(path) => path,
            None => return Ok(None),
        }
    };
    let Some(real) = machine.resolve(&path, true)? else { return Ok(None) };
    let Some(entry) = machine.files.lookup(&real) else { return Ok(None) };
    if !matches!(entry.kind, Kind::File(size) if size < 1 << 20) || entry.meta.mode & 0o111 == 0 {
        return Ok(None);
    }
    let read = machine.files.read(&real);
    let content = machine.done(read)?;
    machine.spend(content.len())?;
    let first = content.split(|b| *b == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first).into_owned();
    let shells = ["#!/bin/sh", "#! /bin/sh", "#!/bin/bash", "#!/bin/dash"];
    if !shells.iter().any(|shell| first.starts_with(shell)) {
        return Ok(None);
    }
    let Ok(text) = String::from_utf8(content) else { return Ok(None) };
    let arguments = arguments.to_vec();
    let status = machine.subshell(|machine| {
        machine.shell.name = path.clone();
        machine.shell.arguments = arguments;
        machine.shell.functions.clear();
        machine.shell.variables.retain(|_, variable| variable.exported);
        machine.shell.options = Default::default();
        machine.shell.options.errexit = first.contains(" -e");
        machine.text_of_script(&path, &text)
    })?;
    Ok(Some(status))
}

/// Where in the tree a program is, by `PATH`.
pub(crate) fn program(machine: &mut Machine<'_>, name: &str) -> Run<Option<String>> {
    let directories = machine.shell.get("PATH").unwrap_or_default().to_owned();
    machine.spend(directories.len())?;
    for directory in directories.split(':') {
        let path = format!("{directory}/{name}");
        if let Some(entry) = machine.entry(&path, true)?
            && matches!(entry.kind, Kind::File(_))
            && entry.meta.mode & 0o111 != 0
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Programs of packages that Debian calls essential, or that all that run scripts have: they are there
/// even where a guest is built without those packages.
const ESSENTIAL: &[&str] = &[
    "adduser",
    "addgroup",
    "awk",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cmp",
    "cp",
    "cut",
    "deb-systemd-helper",
    "deb-systemd-invoke",
    "df",
    "diff",
    "dirname",
    "dpkg",
    "dpkg-divert",
    "dpkg-maintscript-helper",
    "dpkg-query",
    "dpkg-statoverride",
    "dpkg-trigger",
    "egrep",
    "env",
    "fgrep",
    "find",
    "getent",
    "getopt",
    "grep",
    "groupadd",
    "gzip",
    "head",
    "id",
    "install",
    "invoke-rc.d",
    "ldconfig",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "passwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "run-parts",
    "sed",
    "sh",
    "sha256sum",
    "sort",
    "stat",
    "tail",
    "tar",
    "tempfile",
    "touch",
    "tr",
    "uniq",
    "update-alternatives",
    "update-rc.d",
    "useradd",
    "usermod",
    "wc",
    "which",
    "xargs",
];

/// `command -v`, `which`, `type`: whether, and where, a command is.
pub(crate) fn which(machine: &mut Machine<'_>, names: &[String], asked_by: &str) -> Run {
    let mut status = i32::from(names.is_empty());
    for name in names.iter().filter(|name| !name.starts_with('-')) {
        let shell_knows =
            asked_by != "which" && (machine.function(name).is_some() || is_builtin(name));
        let found = if shell_knows {
            Some(name.clone())
        } else if name.contains('/') {
            let entry = machine.entry(name, true)?;
            entry.filter(|entry| entry.meta.mode & 0o111 != 0).map(|_| name.clone())
        } else {
            match program(machine, name)? {
                Some(path) => Some(path),
                None if ESSENTIAL.contains(&name.as_str()) => Some(format!("/usr/bin/{name}")),
                None => None,
            }
        };
        match found {
            Some(path) => machine.out(&format!("{path}\n"))?,
            None => status = if asked_by == "command" { 127 } else { 1 },
        }
    }
    Ok(status)
}

/// Files of the tree that scripts read in, and that have a stand-in here.
pub fn source(machine: &mut Machine<'_>, path: &str) -> Run<Option<i32>> {
    if let Some(status) = debconf::source(machine, path)? {
        return Ok(Some(status));
    }
    openwrt::source(machine, path)
}
