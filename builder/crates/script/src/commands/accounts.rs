//! Commands that make and ask for accounts; adduser and addgroup differ by ecosystem.

use super::options::parse;
use super::{busybox_accounts, debian_accounts, shadow};
use crate::eval::{Machine, Run};
use crate::world::Ecosystem;

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    let debian = machine.world.ecosystem == Ecosystem::Debian;
    Ok(Some(match name {
        "adduser" if debian => debian_accounts::adduser(machine, words, false)?,
        "addgroup" if debian => debian_accounts::adduser(machine, words, true)?,
        "adduser" => busybox_accounts::adduser(machine, words)?,
        "addgroup" => busybox_accounts::addgroup(machine, words)?,
        "deluser" | "delgroup" | "userdel" | "groupdel" => delete(machine, name, words)?,
        "useradd" => shadow::useradd(machine, words)?,
        "groupadd" => shadow::groupadd(machine, words)?,
        "usermod" => shadow::usermod(machine, words)?,
        "groupmod" | "gpasswd" | "passwd" | "chfn" | "chsh" | "chage" => {
            shadow::change(machine, name, words)?
        }
        "getent" => getent(machine, words)?,
        "id" | "groups" => id(machine, name, words)?,
        _ => return Ok(None),
    }))
}

fn delete(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let long = ["quiet", "system", "remove-home", "only-if-empty", "group", "force", "remove"];
    let parsed = parse(machine, words, "qrfS", &long)?;
    match (parsed.operands.as_slice(), name) {
        ([user], "deluser" | "userdel") if !parsed.has(&["group"]) => {
            if machine.user(user)?.is_none() {
                return machine.fail(6, &format!("{name}: user '{user}' does not exist"));
            }
            machine.remove_user(user)?;
        }
        ([group], _) => {
            if machine.group(group)?.is_none() {
                return machine.fail(6, &format!("{name}: group '{group}' does not exist"));
            }
            machine.remove_group(group)?;
        }
        _ => return machine.unsupported(format!("{name} of this form")),
    }
    Ok(0)
}

fn getent(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| *w != "--").collect();
    let (file, keys) = match words.split_first() {
        Some((file @ (&"passwd" | &"group" | &"shadow" | &"gshadow"), keys)) => (*file, keys),
        _ => return machine.unsupported("getent of this database"),
    };
    if keys.is_empty() {
        let text = machine.read_text(&format!("/etc/{file}"))?.unwrap_or_default();
        machine.out(&text)?;
        return Ok(0);
    }
    let mut status = 0;
    for key in keys {
        let line = match file {
            "passwd" => machine.user(key)?,
            "group" => machine.group(key)?,
            file => {
                let text = machine.read_text(&format!("/etc/{file}"))?.unwrap_or_default();
                let mut lines = text.lines().map(|l| l.split(':').map(str::to_owned).collect());
                lines.find(|line: &Vec<String>| line.first().is_some_and(|name| name == key))
            }
        };
        match line {
            Some(line) => machine.out(&format!("{}\n", line.join(":")))?,
            None => status = 2,
        }
    }
    Ok(status)
}

/// `id [-u|-g|-un|-gn|-Gn] [user]`: the script runs as root.
fn id(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    let parsed = parse(machine, words, "ugGn", &["user", "group", "groups", "name"])?;
    let user = parsed.operands.first().map_or("root", String::as_str);
    let Some(line) = machine.user(user)? else {
        return machine.fail(1, &format!("id: '{user}': no such user"));
    };
    let field = |at: usize| line.get(at).cloned().unwrap_or_default();
    let (login, uid, gid) = (field(0), field(2), field(3));
    let group = machine.group(&gid)?.and_then(|line| line.first().cloned()).unwrap_or(gid.clone());
    let names = parsed.has(&["n", "name"]);
    let text = match () {
        () if name == "groups" || parsed.has(&["G", "groups"]) => {
            let mut all = vec![if names || name == "groups" { group } else { gid }];
            for line in machine.groups()? {
                let members = line.get(3).map_or("", String::as_str);
                if members.split(',').any(|member| member == login) {
                    let at = if names || name == "groups" { 0 } else { 2 };
                    all.extend(line.get(at).filter(|name| !all.contains(name)).cloned());
                }
            }
            all.join(" ")
        }
        () if parsed.has(&["u", "user"]) => {
            if names {
                login
            } else {
                uid
            }
        }
        () if parsed.has(&["g", "group"]) => {
            if names {
                group
            } else {
                gid
            }
        }
        () => format!("uid={uid}({login}) gid={gid}({group}) groups={gid}({group})"),
    };
    machine.out(&format!("{text}\n"))?;
    Ok(0)
}
