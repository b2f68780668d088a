//! useradd, groupadd, usermod and their kin of the package shadow.

use std::collections::BTreeSet;

use super::options::{Parsed, parse};
use crate::accounts::{NewUser, taken};
use crate::eval::{Machine, Run, parent};
use crate::files::Meta;

/// Ids of system accounts: given from the last down. Those of people: from the first up.
const SYSTEM: (u32, u32) = (100, 999);
const PEOPLE: (u32, u32) = (1000, 60_000);

/// A free id: for a system account, the one below the lowest that is taken; from the top where there
/// is none below.
fn free(system: bool, taken: &BTreeSet<u32>) -> Option<u32> {
    let (first, last) = if system { SYSTEM } else { PEOPLE };
    let inside = taken.iter().copied().filter(|id| (first..=last).contains(id));
    if system {
        let next = inside.min().map_or(last, |lowest| lowest - 1);
        return if next >= first {
            Some(next)
        } else {
            (first..=last).rev().find(|id| !taken.contains(id))
        };
    }
    let next = inside.max().map_or(first, |highest| highest + 1);
    if next <= last { Some(next) } else { (first..=last).find(|id| !taken.contains(id)) }
}

pub(super) fn groupadd(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = ["system", "gid=", "force", "non-unique", "key="];
    let parsed = parse(machine, words, "rfg:oK:", &long)?;
    let [name] = parsed.operands.as_slice() else {
        return machine.fail(2, "groupadd: one name is expected");
    };
    let force = parsed.has(&["f", "force"]);
    if machine.group(name)?.is_some() {
        if force {
            return Ok(0);
        }
        return machine.fail(9, &format!("groupadd: group '{name}' already exists"));
    }
    let used = taken(&machine.groups()?);
    let wanted = parsed.value(&["g", "gid"]).map(str::parse::<u32>);
    let gid = match wanted {
        Some(Ok(gid)) if !used.contains(&gid) || parsed.has(&["o", "non-unique"]) => Some(gid),
        Some(Ok(_)) if force => free(parsed.has(&["r", "system"]), &used),
        Some(_) => return machine.fail(4, "groupadd: GID already exists"),
        None => free(parsed.has(&["r", "system"]), &used),
    };
    match gid {
        Some(gid) => machine.add_group(name, gid)?,
        None => return machine.fail(4, "groupadd: no GID is free"),
    }
    Ok(0)
}

pub(super) fn useradd(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "system",
        "uid=",
        "gid=",
        "groups=",
        "home-dir=",
        "home=",
        "shell=",
        "comment=",
        "no-create-home",
        "create-home",
        "user-group",
        "no-user-group",
        "password=",
        "no-log-init",
        "key=",
        "badname",
        "non-unique",
    ];
    let parsed = parse(machine, words, "ru:g:G:d:s:c:MmUNp:lK:o", &long)?;
    let [name] = parsed.operands.as_slice() else {
        return machine.fail(2, "useradd: one name is expected");
    };
    let name = name.clone();
    if machine.user(&name)?.is_some() {
        return machine.fail(9, &format!("useradd: user '{name}' already exists"));
    }
    let system = parsed.has(&["r", "system"]);
    let own_group = !parsed.has(&["g", "gid", "N", "no-user-group"]);
    let (uids, gids) = (taken(&machine.users()?), taken(&machine.groups()?));
    let uid = match parsed.value(&["u", "uid"]).map(str::parse::<u32>) {
        Some(Ok(uid)) if !uids.contains(&uid) || parsed.has(&["o"]) => Some(uid),
        Some(_) => return machine.fail(4, "useradd: UID is not unique"),
        None => free(system, &uids),
    };
    let Some(uid) = uid else { return machine.fail(4, "useradd: no UID is free") };
    let gid = match parsed.value(&["g", "gid"]).map(str::to_owned) {
        Some(group) => match machine.gid(&group)? {
            Some(gid) => gid,
            None => return machine.fail(6, &format!("useradd: group '{group}' does not exist")),
        },
        None if own_group => {
            if machine.group(&name)?.is_some() {
                return machine.fail(9, &format!("useradd: group {name} exists"));
            }
            let gid = match gids.contains(&uid) {
                false => Some(uid),
                true => free(system, &gids),
            };
            let Some(gid) = gid else { return machine.fail(4, "useradd: no GID is free") };
            machine.add_group(&name, gid)?;
            gid
        }
        None => 100,
    };
    let base = format!("/home/{name}");
    let home = parsed.value(&["d", "home-dir", "home"]).unwrap_or(&base).to_owned();
    let day = machine.world.day;
    let user = NewUser {
        name: name.clone(),
        uid,
        gid,
        comment: parsed.value(&["c", "comment"]).unwrap_or_default().to_owned(),
        home: home.clone(),
        shell: parsed.value(&["s", "shell"]).unwrap_or("/bin/sh").to_owned(),
        password: parsed.value(&["p", "password"]).unwrap_or("!").to_owned(),
        ageing: if system { format!("{day}::::::") } else { format!("{day}:0:99999:7:::") },
    };
    machine.add_user(&user)?;
    join_groups(machine, &parsed, &name)?;
    if parsed.has(&["m", "create-home"]) && machine.entry(&home, true)?.is_none() {
        machine.make_all(parent(&home))?;
        if let Some(real) = machine.resolve(&home, true)? {
            machine.make(&real, Meta { mode: 0o700, uid, gid })?;
        }
        if !machine.names_in("/etc/skel")?.is_empty() {
            return machine.unsupported("useradd that copies /etc/skel to a new home directory");
        }
    }
    Ok(0)
}

fn join_groups(machine: &mut Machine<'_>, parsed: &Parsed, user: &str) -> Run<()> {
    let groups = parsed.value(&["G", "groups"]).unwrap_or_default().to_owned();
    for group in groups.split(',').filter(|group| !group.is_empty()) {
        let name = machine.group(group)?.and_then(|line| line.first().cloned());
        match name {
            Some(name) => machine.add_member(user, &name)?,
            None => return machine.unsupported(format!("the group {group} does not exist")),
        }
    }
    Ok(())
}

pub(super) fn usermod(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let long = [
        "append",
        "groups=",
        "home=",
        "shell=",
        "comment=",
        "lock",
        "unlock",
        "gid=",
        "uid=",
        "expiredate=",
        "move-home",
        "password=",
    ];
    let parsed = parse(machine, words, "aG:d:s:c:LUg:u:e:mp:", &long)?;
    let [name] = parsed.operands.as_slice() else {
        return machine.fail(2, "usermod: one name is expected");
    };
    let name = name.clone();
    if parsed.has(&["u", "uid", "e", "expiredate", "m", "move-home", "U", "unlock"]) {
        return machine.unsupported("usermod with such options");
    }
    if machine.user(&name)?.is_none() {
        return machine.fail(6, &format!("usermod: user '{name}' does not exist"));
    }
    if parsed.has(&["G", "groups"]) {
        if !parsed.has(&["a", "append"]) {
            let stay = parsed.value(&["G", "groups"]).unwrap_or_default().to_owned();
            for line in machine.groups()? {
                let group = line.first().cloned().unwrap_or_default();
                let members = line.get(3).map_or("", String::as_str);
                let left_out = !stay.split(',').any(|name| name == group);
                if left_out && members.split(',').any(|member| member == name) {
                    return machine.unsupported("usermod -G that leaves a group");
                }
            }
        }
        join_groups(machine, &parsed, &name)?;
    }
    let fields = [(["d", "home"], 5), (["s", "shell"], 6), (["c", "comment"], 4)];
    for (options, field) in fields {
        if let Some(value) = parsed.value(&options).map(str::to_owned) {
            machine.change_user(&name, field, &value)?;
        }
    }
    if let Some(group) = parsed.value(&["g", "gid"]).map(str::to_owned) {
        match machine.gid(&group)? {
            Some(gid) => machine.change_user(&name, 3, &gid.to_string())?,
            None => return machine.fail(6, &format!("usermod: group '{group}' does not exist")),
        }
    }
    if let Some(password) = parsed.value(&["p", "password"]).map(str::to_owned) {
        machine.change_password(&name, |_| password.clone())?;
    }
    if parsed.has(&["L", "lock"]) {
        machine.change_password(&name, lock)?;
    }
    Ok(0)
}

fn lock(old: &str) -> String {
    if old.starts_with('!') { old.to_owned() } else { format!("!{old}") }
}

pub(super) fn change(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let short = match name {
        "passwd" => "ldquS",
        "gpasswd" => "a:d:M:",
        "chfn" => "f:r:w:h:o:",
        "chsh" => "s:",
        "groupmod" => "n:g:",
        _ => "E:M:m:d:",
    };
    let parsed = parse(machine, words, short, &["shell=", "add=", "lock", "quiet", "full-name="])?;
    let [target] = parsed.operands.as_slice() else {
        return machine.unsupported(format!("{name} without one name"));
    };
    let target = target.clone();
    match name {
        "gpasswd" => match parsed.value(&["a", "add"]).map(str::to_owned) {
            Some(user) if machine.group(&target)?.is_some() => {
                machine.add_member(&user, &target)?;
                return Ok(0);
            }
            _ => return machine.unsupported("gpasswd of this form"),
        },
        "groupmod" | "chage" => return machine.unsupported(format!("{name} of this form")),
        _ => {}
    }
    if machine.user(&target)?.is_none() {
        return machine.fail(1, &format!("{name}: user '{target}' does not exist"));
    }
    match name {
        "passwd" if parsed.has(&["l", "lock"]) => machine.change_password(&target, lock)?,
        "chsh" => match parsed.value(&["s", "shell"]).map(str::to_owned) {
            Some(shell) => machine.change_user(&target, 6, &shell)?,
            None => return machine.unsupported("chsh that asks"),
        },
        "chfn" => match parsed.value(&["f", "full-name"]).map(str::to_owned) {
            Some(text) => {
                let line = machine.user(&target)?.unwrap_or_default();
                let old = line.get(4).cloned().unwrap_or_default();
                let rest =
                    old.split_once(',').map_or(String::new(), |(_, rest)| format!(",{rest}"));
                machine.change_user(&target, 4, &format!("{text}{rest}"))?;
            }
            None => return machine.unsupported("chfn of this form"),
        },
        _ => return machine.unsupported(format!("{name} of this form")),
    }
    Ok(0)
}
