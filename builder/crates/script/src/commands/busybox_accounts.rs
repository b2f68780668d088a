//! BusyBox's adduser and addgroup: system accounts get the first free id from 100 to 999.

use super::options::parse;
use crate::accounts::{NewUser, number, taken};
use crate::eval::{Machine, Run, parent};
use crate::files::Meta;

/// The first and last id of system accounts, and those of people.
const SYSTEM: (u32, u32) = (100, 999);
const PEOPLE: (u32, u32) = (1000, 60_000);

pub(super) fn addgroup(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "g:S", &["gid=", "system"])?;
    match parsed.operands.as_slice() {
        [user, group] => {
            if machine.user(user)?.is_none() || machine.group(group)?.is_none() {
                return machine.fail(1, &format!("addgroup: unknown user {user} or group {group}"));
            }
            machine.add_member(user, group)?;
            Ok(0)
        }
        [name] => {
            if machine.group(name)?.is_some() {
                return machine.fail(1, &format!("addgroup: group '{name}' in use"));
            }
            let used = taken(&machine.groups()?);
            let gid = match parsed.value(&["g", "gid"]).map(str::parse::<u32>) {
                Some(Ok(gid)) if !used.contains(&gid) => Some(gid),
                Some(_) => None,
                None => free(parsed.has(&["S", "system"]), |gid| used.contains(&gid)),
            };
            match gid {
                Some(gid) => machine.add_group(name, gid)?,
                None => return machine.fail(1, "addgroup: gid in use"),
            }
            Ok(0)
        }
        _ => machine.fail(1, "addgroup: one or two names are expected"),
    }
}

fn free(system: bool, taken: impl Fn(u32) -> bool) -> Option<u32> {
    let (first, last) = if system { SYSTEM } else { PEOPLE };
    (first..=last).find(|id| !taken(*id))
}

pub(super) fn adduser(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "home=",
        "gecos=",
        "shell=",
        "ingroup=",
        "system",
        "disabled-password",
        "no-create-home",
        "uid=",
        "empty-password",
    ];
    let parsed = parse(machine, words, "h:g:s:G:DSHu:k:", &long)?;
    let name = match parsed.operands.as_slice() {
        [name] => name.clone(),
        [user, group] => return addgroup(machine, &[user.clone(), group.clone()]),
        _ => return machine.fail(1, "adduser: one or two names are expected"),
    };
    if machine.user(&name)?.is_some() {
        return machine.fail(1, &format!("adduser: user '{name}' in use"));
    }
    let system = parsed.has(&["S", "system"]);
    let (uids, gids) = (taken(&machine.users()?), taken(&machine.groups()?));
    // BusyBox puts system users without a group of their own into nogroup.
    let nogroup = if system { machine.group("nogroup")? } else { None };
    let group = match parsed.value(&["G", "ingroup"]).map(str::to_owned) {
        Some(group) => match machine.group(&group)? {
            Some(line) => Some(line),
            None => return machine.fail(1, &format!("adduser: unknown group {group}")),
        },
        None => nogroup,
    };
    let own_group = group.is_none();
    let uid = match parsed.value(&["u", "uid"]).map(str::parse::<u32>) {
        Some(Ok(uid)) if !uids.contains(&uid) => Some(uid),
        Some(_) => None,
        None => free(system, |id| uids.contains(&id) || own_group && gids.contains(&id)),
    };
    let Some(uid) = uid else { return machine.fail(1, "adduser: uid in use") };
    let gid = match &group {
        Some(line) => number(line, 2).unwrap_or(uid),
        None if machine.group(&name)?.is_some() => {
            return machine.fail(1, &format!("adduser: group name '{name}' is in use"));
        }
        None => {
            machine.add_group(&name, uid)?;
            uid
        }
    };
    let locked = parsed.has(&["D", "disabled-password"]);
    if !locked && !system {
        return machine.unsupported("adduser that asks for a password");
    }
    let default_home = format!("/home/{name}");
    let home = parsed.value(&["h", "home"]).unwrap_or(&default_home).to_owned();
    let shell = if system { "/bin/false" } else { "/bin/sh" };
    let day = machine.world.day;
    let user = NewUser {
        name: name.clone(),
        uid,
        gid,
        comment: parsed.value(&["g", "gecos"]).unwrap_or("Linux User,,,").to_owned(),
        home: home.clone(),
        shell: parsed.value(&["s", "shell"]).unwrap_or(shell).to_owned(),
        password: "!".to_owned(),
        ageing: format!("{day}:0:99999:7:::"),
    };
    machine.add_user(&user)?;
    if let Some(group) = group.as_ref().and_then(|line| line.first())
        && parsed.has(&["G", "ingroup"])
    {
        let group = group.clone();
        machine.add_member(&name, &group)?;
    }
    if !parsed.has(&["H", "no-create-home"]) && machine.entry(&home, true)?.is_none() {
        machine.make_all(parent(&home))?;
        if let Some(real) = machine.resolve(&home, true)? {
            machine.make(&real, Meta { mode: 0o2755, uid, gid })?;
        }
        if !system {
            return machine.unsupported("adduser that copies /etc/skel to a new home directory");
        }
    }
    Ok(0)
}
