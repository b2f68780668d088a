//! BusyBox's adduser and addgroup: system accounts get the first free id from 100 to 999.

use super::options::parse;
use crate::accounts::{NewUser, number, taken};
use crate::eval::{Machine, Run, parent};
use crate::files::{Kind, Meta};

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
    // System users without a group of their own go into nogroup, which must be there.
    let named = parsed.value(&["G", "ingroup"]).or(system.then_some("nogroup"));
    let named = named.map(str::to_owned);
    let group = match &named {
        Some(group) => match machine.group(group)? {
            Some(line) => Some(line),
            None => return machine.fail(1, &format!("adduser: unknown group {group}")),
        },
        None => None,
    };
    let own_group = group.is_none();
    let is_taken = |id: u32| uids.contains(&id) || own_group && gids.contains(&id);
    let uid = match parsed.value(&["u", "uid"]).map(str::parse::<u32>) {
        Some(Ok(uid)) if !is_taken(uid) => Some(uid),
        Some(_) => None,
        None => free(system, is_taken),
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
    // Of the group that was named it becomes a member, too.
    if let Some(group) = named {
        machine.add_member(&name, &group)?;
    }
    if !parsed.has(&["H", "no-create-home"]) {
        home_directory(machine, &home, uid, gid)?;
    }
    Ok(0)
}

/// Makes the home directory where its parent is there, or gives the one that is there to the user.
fn home_directory(machine: &mut Machine<'_>, home: &str, uid: u32, gid: u32) -> Run<()> {
    let meta = Meta { mode: 0o2755, uid, gid };
    let real = machine.resolve(home, true)?;
    match machine.entry(home, true)?.map(|entry| entry.kind) {
        Some(Kind::Directory) => {
            if let Some(real) = real {
                machine.change(&real, meta)?;
            }
        }
        Some(_) => return machine.unsupported("adduser with a home directory that is none"),
        None if machine.entry(parent(home), true)?.is_some() => {
            if !machine.names_in("/etc/skel")?.is_empty() {
                return machine
                    .unsupported("adduser that copies /etc/skel to a new home directory");
            }
            if let Some(real) = real {
                machine.make(&real, meta)?;
            }
        }
        // adduser says so, and goes on.
        None => {}
    }
    Ok(())
}
