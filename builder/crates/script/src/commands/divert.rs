//! dpkg-divert(1): a file of other packages gives way to one of this package.

use super::dpkg::note;
use super::options::parse;
use crate::eval::{Machine, Run};
use crate::files::Kind;

/// Where dpkg keeps diversions: three lines for each, file, diverted name, package.
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    if name == "dpkg-divert" { divert(machine, words).map(Some) } else { Ok(None) }
}

fn divert(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "add",
        "remove",
        "rename",
        "no-rename",
        "quiet",
        "local",
        "package=",
        "divert=",
        "list",
        "truename",
        "listpackage",
        "test",
        "admindir=",
        "root=",
    ];
    let parsed = parse(machine, words, "", &long)?;
    let text = machine.read_text(DIVERSIONS)?.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    machine.spend_items(lines.len(), 0)?;
    let mut entries: Vec<[String; 3]> = lines
        .chunks_exact(3)
        .map(|chunk| [chunk[0].to_owned(), chunk[1].to_owned(), chunk[2].to_owned()])
        .collect();
    if parsed.has(&["list"]) {
        for [from, to, package] in entries {
            let mut wanted = parsed.operands.is_empty();
            for pattern in &parsed.operands {
                wanted = wanted || machine.name_fits(pattern, &from)?;
            }
            if wanted {
                machine.out(&format!("diversion of {from} to {to} by {package}\n"))?;
            }
        }
        return Ok(0);
    }
    let [file] = parsed.operands.as_slice() else {
        return machine.fail(2, "dpkg-divert: one file is expected");
    };
    if parsed.has(&["truename"]) {
        let to = entries.iter().find(|[from, ..]| from == file).map_or(file, |[_, to, _]| to);
        let text = format!("{to}\n");
        machine.out(&text)?;
        return Ok(0);
    }
    if parsed.has(&["listpackage"]) {
        if let Some([.., package]) = entries.iter().find(|[from, ..]| from == file) {
            let text = format!("{package}\n");
            machine.out(&text)?;
        }
        return Ok(0);
    }
    let package = match parsed.value(&["package"]) {
        Some(package) => package.to_owned(),
        None if parsed.has(&["local"]) => ":".to_owned(),
        None => machine.script.package.to_owned(),
    };
    let known = entries.iter().position(|[from, ..]| from == file);
    let rename = parsed.has(&["rename"]) && !parsed.has(&["no-rename"]);
    if parsed.has(&["remove"]) {
        let Some(known) = known else { return Ok(0) };
        let [from, to, owner] = entries.remove(known);
        if owner != package && package != ":" {
            return machine.fail(2, &format!("dpkg-divert: {from} is diverted by {owner}"));
        }
        save(machine, &entries)?;
        return if rename { moved(machine, &to, &from) } else { Ok(0) };
    }
    let to = parsed.value(&["divert"]).map_or_else(|| format!("{file}.distrib"), str::to_owned);
    if let Some([_, old, owner]) = known.and_then(|known| entries.get(known)) {
        if *old == to && *owner == package {
            return Ok(0);
        }
        let message = format!("dpkg-divert: {file} is diverted by {owner} already");
        return machine.fail(2, &message);
    }
    let real = machine.resolve(file, false)?;
    let entry = real.and_then(|real| machine.files.lookup(&real));
    if entry.is_some_and(|entry| entry.kind == Kind::Directory) {
        return machine.fail(2, "dpkg-divert: cannot divert directories");
    }
    entries.push([file.clone(), to.clone(), package]);
    save(machine, &entries)?;
    if rename { moved(machine, file, &to) } else { Ok(0) }
}

fn save(machine: &mut Machine<'_>, entries: &[[String; 3]]) -> Run<()> {
    let text: String = entries.iter().map(|entry| entry.join("\n") + "\n").collect();
    note(machine, DIVERSIONS, &text)
}

fn moved(machine: &mut Machine<'_>, from: &str, to: &str) -> Run {
    let (from, to) = (machine.resolve(from, false)?, machine.resolve(to, false)?);
    let (Some(from), Some(to)) = (from, to) else { return Ok(0) };
    if machine.files.lookup(&from).is_none() {
        return Ok(0);
    }
    if machine.files.lookup(&to).is_some() {
        return machine.fail(2, &format!("dpkg-divert: {to} is there already"));
    }
    machine.rename(&from, &to)?;
    Ok(0)
}
