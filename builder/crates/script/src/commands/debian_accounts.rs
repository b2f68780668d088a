//! Debian's adduser(8) and addgroup(8), version 3: system accounts get the first free id from 100 on.

use std::collections::BTreeSet;

use super::options::{Parsed, parse};
use super::version;
use crate::accounts::{NewUser, number, taken};
use crate::eval::{Machine, Run};
use crate::files::Meta;

/// The ids of system accounts, and those of people.
const SYSTEM: (u32, u32) = (100, 999);
const PEOPLE: (u32, u32) = (1000, 59_999);

const LONG: [&str; 27] = [
    "system",
    "group",
    "ingroup=",
    "gid=",
    "uid=",
    "home=",
    "shell=",
    "gecos=",
    "comment=",
    "no-create-home",
    "disabled-login",
    "disabled-password",
    "quiet",
    "force-badname",
    "allow-bad-names",
    "allow-badname",
    "firstuid=",
    "lastuid=",
    "firstgid=",
    "lastgid=",
    "add_extra_groups",
    "verbose",
    "allow-all-names",
    "conf=",
    "debug",
    "home-create",
    "add-extra-groups",
];

pub(super) fn adduser(machine: &mut Machine<'_>, words: &[String], is_addgroup: bool) -> Run {
    let parsed = parse(machine, words, "q", &LONG)?;
    let operands: Vec<String> = parsed.operands.clone();
    match (operands.as_slice(), is_addgroup) {
        ([user, group], _) => member(machine, user, group),
        ([name], true) => group(machine, &parsed, name),
        ([name], false) if parsed.has(&["group"]) && !parsed.has(&["system"]) => {
            group(machine, &parsed, name)
        }
        ([name], false) => user(machine, &parsed, name),
        _ => machine.fail(1, "adduser: only one or two names allowed"),
    }
}

fn member(machine: &mut Machine<'_>, user: &str, group: &str) -> Run {
    if machine.user(user)?.is_none() {
        return machine.fail(1, &format!("adduser: The user `{user}' does not exist."));
    }
    if machine.group(group)?.is_none() {
        return machine.fail(1, &format!("adduser: The group `{group}' does not exist."));
    }
    machine.add_member(user, group)?;
    Ok(0)
}

/// The first number in a range that nothing has.
fn free(range: (u32, u32), taken: &BTreeSet<u32>) -> Option<u32> {
    (range.0..=range.1).find(|id| !taken.contains(id))
}

fn range(parsed: &Parsed, default: (u32, u32), first: &str, last: &str) -> (u32, u32) {
    let number = |name: &str| parsed.value(&[name]).and_then(|text| text.parse().ok());
    (number(first).unwrap_or(default.0), number(last).unwrap_or(default.1))
}

fn is_system(id: Option<u32>) -> bool {
    id.is_some_and(|id| (SYSTEM.0..=SYSTEM.1).contains(&id))
}

fn group(machine: &mut Machine<'_>, parsed: &Parsed, name: &str) -> Run {
    let system = parsed.has(&["system"]);
    let wanted = parsed.value(&["gid"]).map(str::parse::<u32>);
    if let Some(line) = machine.group(name)? {
        let gid = number(&line, 2);
        let same = wanted.as_ref().is_none_or(|wanted| wanted.as_ref().ok() == gid.as_ref());
        if system && is_system(gid) && same {
            return Ok(0);
        }
        return machine.fail(1, &format!("addgroup: The group `{name}' already exists."));
    }
    let used = taken(&machine.groups()?);
    let gid = match wanted {
        Some(Ok(gid)) if !used.contains(&gid) => gid,
        Some(_) => return machine.fail(1, "addgroup: The GID is already in use."),
        None => {
            let default = if system { SYSTEM } else { PEOPLE };
            match free(range(parsed, default, "firstgid", "lastgid"), &used) {
                Some(gid) => gid,
                None => return machine.fail(1, "addgroup: No GID is available"),
            }
        }
    };
    machine.add_group(name, gid)?;
    Ok(0)
}

/// Whether the system's adduser gives a user and its group the same number, as before Debian 13.
fn gives_pairs(machine: &Machine<'_>) -> bool {
    let installed = machine.world.packages.get("adduser");
    installed.is_some_and(|package| version::compare(&package.version, "3.135").is_lt())
}

fn user(machine: &mut Machine<'_>, parsed: &Parsed, name: &str) -> Run {
    let system = parsed.has(&["system"]);
    if !system && !parsed.has(&["disabled-login", "disabled-password"]) {
        return machine.unsupported("adduser that asks for a password");
    }
    let wanted = parsed.value(&["uid"]).map(str::parse::<u32>);
    if let Some(line) = machine.user(name)? {
        let uid = number(&line, 2);
        let same = wanted.as_ref().is_none_or(|wanted| wanted.as_ref().ok() == uid.as_ref());
        if system && same && (is_system(uid) || uid.is_some_and(|uid| uid < SYSTEM.0)) {
            return Ok(0);
        }
        return machine.fail(1, &format!("adduser: The user `{name}' already exists."));
    }
    let (uids, gids) = (taken(&machine.users()?), taken(&machine.groups()?));
    let ids = range(parsed, if system { SYSTEM } else { PEOPLE }, "firstuid", "lastuid");
    let own_group = if system { parsed.has(&["group"]) } else { !parsed.has(&["ingroup", "gid"]) };
    let given = parsed.value(&["ingroup", "gid"]).map(str::to_owned);
    let pairs = own_group && (!system || gives_pairs(machine));
    let uid = match wanted {
        Some(Ok(uid)) if !uids.contains(&uid) => uid,
        Some(_) => return machine.fail(1, "adduser: The UID is already in use."),
        None => {
            let used = if pairs { &uids | &gids } else { uids };
            match free(ids, &used) {
                Some(uid) => uid,
                None => return machine.fail(1, "adduser: No UID is available"),
            }
        }
    };
    let gid = match (&given, own_group, machine.group(name)?) {
        (Some(group), _, _) => match machine.gid(group)? {
            Some(gid) => gid,
            None => {
                return machine.fail(1, &format!("adduser: The group `{group}' does not exist."));
            }
        },
        (None, true, Some(_)) if !system || pairs => {
            return machine.fail(1, &format!("adduser: The group `{name}' already exists."));
        }
        (None, true, Some(line)) => number(&line, 2).unwrap_or(uid),
        (None, true, None) => {
            let gid = match pairs || parsed.has(&["uid"]) {
                true => Some(uid),
                false => free(range(parsed, SYSTEM, "firstgid", "lastgid"), &gids),
            };
            let Some(gid) = gid else { return machine.fail(1, "adduser: No GID is available") };
            machine.add_group(name, gid)?;
            gid
        }
        (None, false, _) => machine.gid("nogroup")?.unwrap_or(65_534),
    };
    finish(machine, parsed, name, (uid, gid), system)
}

fn finish(
    machine: &mut Machine<'_>,
    parsed: &Parsed,
    name: &str,
    (uid, gid): (u32, u32),
    system: bool,
) -> Run {
    let person = format!("/home/{name}");
    let home = parsed.value(&["home"]).unwrap_or(if system { "/nonexistent" } else { &person });
    let shell = if system { "/usr/sbin/nologin" } else { "/bin/bash" };
    let home = home.to_owned();
    let no_home = parsed.has(&["no-create-home"]) || home.starts_with("/nonexistent");
    let day = machine.world.day;
    let user = NewUser {
        name: name.to_owned(),
        uid,
        gid,
        comment: parsed.value(&["gecos", "comment"]).unwrap_or_default().to_owned(),
        home: home.clone(),
        shell: parsed.value(&["shell"]).unwrap_or(shell).to_owned(),
        password: if system { "!" } else { "!*" }.to_owned(),
        ageing: if system { format!("{day}::::::") } else { format!("{day}:0:99999:7:::") },
    };
    machine.add_user(&user)?;
    if !system {
        machine.add_member(name, "users")?;
    }
    if !no_home && machine.entry(&home, true)?.is_none() {
        machine.make_all(crate::eval::parent(&home))?;
        if let Some(real) = machine.resolve(&home, true)? {
            let mode = if system { 0o755 } else { 0o700 };
            machine.make(&real, Meta { mode, uid, gid })?;
        }
        if !system {
            return machine.unsupported("adduser that copies /etc/skel to a new home directory");
        }
    }
    Ok(0)
}
