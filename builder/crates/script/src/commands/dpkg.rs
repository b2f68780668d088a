//! dpkg's own commands: questions about packages and versions, ucf, and lists that packages add to.

use super::options::parse;
use super::{maintscript, version};
use crate::eval::{Machine, Run, join, parent};
use crate::files::{Entry, Kind, Meta};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "dpkg" => dpkg(machine, words)?,
        "dpkg-query" => query(machine, words)?,
        "dpkg-maintscript-helper" => maintscript::run(machine, words)?,
        "dpkg-statoverride" => statoverride(machine, words)?,
        "ucf" => ucf(machine, words)?,
        "ucfr" => machine.nothing("it notes whose a configuration file is")?,
        "add-shell" => shells(machine, words, true)?,
        "remove-shell" => shells(machine, words, false)?,
        "update-shells" => update_shells(machine)?,
        "dpkg-architecture" => return machine.unsupported("dpkg-architecture"),
        _ => return Ok(None),
    }))
}

fn dpkg(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--compare-versions", left, operator, right] => {
            match version::holds(left, operator, right) {
                Some(holds) => Ok(i32::from(!holds)),
                None => machine.unsupported(format!("dpkg --compare-versions {operator}")),
            }
        }
        // An argument that is empty and unquoted is not there at all.
        ["--compare-versions", operator, right] => match version::holds("", operator, right) {
            Some(_) => machine.fail(2, "dpkg: error: --compare-versions takes three arguments"),
            None => machine.unsupported("dpkg --compare-versions of this form"),
        },
        ["--print-architecture"] => {
            let text = format!("{}\n", machine.world.architecture);
            machine.out(&text)?;
            Ok(0)
        }
        ["--print-foreign-architectures"] => Ok(0),
        [
            "--validate-version"
            | "--validate-pkgname"
            | "--assert-multi-arch"
            | "--assert-support-predepends"
            | "--assert-working-epoch"
            | "--assert-long-filenames"
            | "--assert-versioned-provides",
            ..,
        ] => Ok(0),
        ["-s" | "--status", package] => {
            if machine.world.packages.contains_key(*package) {
                return machine.unsupported("dpkg -s of a package that is there");
            }
            machine.fail(1, &format!("dpkg-query: package '{package}' is not installed"))
        }
        ["-L" | "--listfiles", package] => list_files(machine, package),
        ["-S" | "--search", ..] => machine.unsupported("a question for the package of a file"),
        ["-l" | "--list" | "-W" | "--show", ..] => {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            query(machine, &words)
        }
        _ => machine.unsupported(format!("dpkg {}", words.first().unwrap_or(&""))),
    }
}

/// `dpkg -L`: the files of a package that is there.
fn list_files(machine: &mut Machine<'_>, name: &str) -> Run {
    let name = name.split(':').next().unwrap_or_default();
    let Some(package) = machine.world.packages.get(name) else {
        return machine.fail(1, &format!("dpkg-query: package '{name}' is not installed"));
    };
    if package.files.is_empty() {
        return machine.unsupported(format!("a question for the files of {name}"));
    }
    let text: String = package.files.iter().map(|path| format!("{path}\n")).collect();
    machine.out(&text)?;
    Ok(0)
}

fn query(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = ["show", "showformat=", "list", "control-path", "admindir=", "status", "listfiles"];
    let parsed = parse(machine, words, "Wf:lsLc", &long)?;
    if let ([package], true) = (parsed.operands.as_slice(), parsed.has(&["L", "listfiles"])) {
        return list_files(machine, package);
    }
    if !parsed.has(&["W", "show"]) {
        if parsed.has(&["s", "status", "l", "list"]) {
            let known =
                parsed.operands.iter().any(|name| machine.world.packages.contains_key(name));
            if !known
                && !parsed.operands.is_empty()
                && !parsed.operands.iter().any(|p| p.contains('*'))
            {
                return machine.fail(1, "dpkg-query: no packages found");
            }
        }
        return machine.unsupported("dpkg-query of this form");
    }
    let format = parsed.value(&["f", "showformat"]).unwrap_or("${binary:Package}\\t${Version}\\n");
    let format = format.replace("\\n", "\n").replace("\\t", "\t");
    let mut status = 0;
    for name in &parsed.operands {
        machine.spend(format.len().saturating_mul(8))?;
        if name.contains(['*', '?']) {
            return machine.unsupported("dpkg-query with a pattern");
        }
        let plain = name.split(':').next().unwrap_or_default();
        let Some(package) = machine.world.packages.get(plain) else {
            status = machine.fail(1, &format!("dpkg-query: no packages found matching {name}"))?;
            continue;
        };
        let state = if package.configured { "installed" } else { "half-configured" };
        let text = format
            .replace("${Package}", plain)
            .replace("${binary:Package}", plain)
            .replace("${Version}", &package.version)
            .replace("${Status}", &format!("install ok {state}"))
            .replace("${db:Status-Status}", state)
            .replace("${db:Status-Abbrev}", if package.configured { "ii " } else { "iF " });
        if text.contains("${") {
            return machine.unsupported("dpkg-query for this field");
        }
        machine.out(&text)?;
    }
    Ok(status)
}

/// Where dpkg keeps overrides of owners and modes.
const OVERRIDES: &str = "/var/lib/dpkg/statoverride";

fn statoverride(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "update",
        "add",
        "remove",
        "list",
        "force",
        "quiet",
        "force-statoverride-add",
        "force-all",
        "force-statoverride-remove",
    ];
    let parsed = parse(machine, words, "", &long)?;
    let text = machine.read_text(OVERRIDES)?.unwrap_or_default();
    let listed = |path: &str| {
        text.lines().any(|line| line.rsplit(' ').next().is_some_and(|known| known == path))
    };
    if parsed.has(&["list"]) {
        let mut found = false;
        for line in text.lines() {
            let path = line.rsplit(' ').next().unwrap_or_default().to_owned();
            let mut wanted = parsed.operands.is_empty();
            for pattern in &parsed.operands {
                wanted = wanted || machine.name_fits(pattern, &path)?;
            }
            if wanted {
                found = true;
                machine.out(&format!("{line}\n"))?;
            }
        }
        return Ok(i32::from(!found));
    }
    match parsed.operands.as_slice() {
        [user, group, mode, path] if parsed.has(&["add"]) => {
            if listed(path) && !parsed.has(&["force", "force-all", "force-statoverride-add"]) {
                return machine
                    .fail(2, &format!("dpkg-statoverride: an override for '{path}' exists"));
            }
            let (uid, gid) = (machine.uid(user)?, machine.gid(group)?);
            let mode = u16::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
            let (Some(uid), Some(gid), Some(mode)) = (uid, gid, mode) else {
                return machine.fail(2, "dpkg-statoverride: the user, group or mode is unknown");
            };
            let line = format!("{user} {group} {mode:o} {path}\n");
            note(machine, OVERRIDES, &(text + &line))?;
            if parsed.has(&["update"])
                && let Some(real) = machine.resolve(path, true)?
                && machine.files.lookup(&real).is_some()
            {
                machine.change(&real, Meta { mode, uid, gid })?;
            }
            Ok(0)
        }
        [path] if parsed.has(&["remove"]) => {
            if !listed(path) {
                return machine.fail(2, "dpkg-statoverride: no override present");
            }
            let keep = |line: &&str| line.rsplit(' ').next().is_some_and(|known| known != path);
            let rest: String = text.lines().filter(keep).map(|line| format!("{line}\n")).collect();
            note(machine, OVERRIDES, &rest)?;
            Ok(0)
        }
        _ => machine.unsupported("dpkg-statoverride of this form"),
    }
}

/// Writes a file of notes, with the directories above it.
pub(super) fn note(machine: &mut Machine<'_>, path: &str, text: &str) -> Run<()> {
    machine.make_all(parent(path))?;
    match machine.resolve(path, true)? {
        Some(real) => machine.put(&real, text),
        None => machine.unsupported(format!("{path} cannot be written")),
    }
}

/// `ucf new old`: on a fresh system, the new configuration file is copied.
fn ucf(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "three-way",
        "debconf-ok",
        "purge",
        "src-dir=",
        "state-dir=",
        "sum-file=",
        "no-action",
        "debug=",
        "verbose",
        "debconf-template=",
    ];
    let parsed = parse(machine, words, "pvns:d:", &long)?;
    if parsed.has(&["p", "purge", "n", "no-action"]) {
        return Ok(0);
    }
    let [from, to] = parsed.operands.as_slice() else {
        return machine.fail(2, "ucf: two files are expected");
    };
    let (source, place) = (machine.resolve(from, true)?, machine.resolve(to, true)?);
    let (Some(source), Some(place)) = (source, place) else {
        return machine.fail(1, &format!("ucf: cannot copy {from} to {to}"));
    };
    let Some(Entry { kind: Kind::File(_), meta }) = machine.files.lookup(&source) else {
        return machine.fail(2, &format!("ucf: the new file {from} does not exist"));
    };
    match machine.files.lookup(&place) {
        None => super::install::copy(machine, &source, &place, meta)?,
        Some(_) => {
            let (old, new) = (machine.files.read(&place), machine.files.read(&source));
            let (old, new) = (machine.done(old)?, machine.done(new)?);
            machine.spend(old.len() + new.len())?;
            if old != new {
                return machine.unsupported(format!("ucf asks which of two files {to} shall be"));
            }
        }
    }
    Ok(0)
}

const SHELLS: &str = "/etc/shells";

fn shells(machine: &mut Machine<'_>, words: &[String], add: bool) -> Run {
    let Some(text) = machine.read_text(SHELLS)? else { return Ok(0) };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    machine.spend_items(lines.len(), lines.len().saturating_mul(words.len()))?;
    if add {
        for shell in words {
            // Under the name of its real directory too: /bin/ksh93 is /usr/bin/ksh93 on a merged system.
            let real = machine.resolve(shell, true)?.unwrap_or_else(|| shell.clone());
            let real = join(parent(&real), shell.rsplit('/').next().unwrap_or(shell));
            machine.spend(lines.len().saturating_mul(2))?;
            for name in [shell.clone(), real] {
                if !lines.contains(&name) {
                    lines.push(name);
                }
            }
        }
    } else {
        lines.retain(|line| !words.contains(line));
    }
    let new: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if new != text
        && let Some(real) = machine.resolve(SHELLS, true)?
    {
        machine.put(&real, new)?;
    }
    Ok(0)
}

/// Debian's update-shells: adds what packages list in /usr/share/debianutils/shells.d.
fn update_shells(machine: &mut Machine<'_>) -> Run {
    let directory = "/usr/share/debianutils/shells.d";
    let mut found = Vec::new();
    for name in machine.names_in(directory)? {
        let text = machine.read_text(&format!("{directory}/{name}"))?.unwrap_or_default();
        for line in text.lines().filter(|line| line.starts_with('/')) {
            found.push(line.to_owned());
            // On a merged system the other name counts, too.
            match line.strip_prefix("/usr") {
                Some(short) => found.push(short.to_owned()),
                None => found.push(format!("/usr{line}")),
            }
        }
    }
    shells(machine, &found, true)
}
