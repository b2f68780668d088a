//! deb-systemd-helper(1p): enables units by links, and notes what it did.

use super::dpkg::note;
use super::options::parse;
use super::{sysusers, units};
use crate::eval::{Machine, Run, parent};
use crate::files::{Entry, Kind};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "deb-systemd-helper" => helper(machine, words)?,
        "systemd-sysusers" => sysusers::users(machine, words)?,
        "systemd-tmpfiles" => sysusers::temporary(machine, words)?,
        "systemctl" => match systemctl(machine, words)? {
            Some(status) => status,
            None => return Ok(None),
        },
        "systemd-machine-id-setup" | "systemd-hwdb" | "journalctl" => {
            machine.nothing("a running system makes it for itself")?
        }
        _ => return Ok(None),
    }))
}

/// `systemctl enable`, which makes the links; `None` for what only concerns a running system.
fn systemctl(machine: &mut Machine<'_>, words: &[String]) -> Run<Option<i32>> {
    let plain: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let Some((action, names)) = plain.split_first() else { return Ok(None) };
    match action.as_str() {
        "enable" => {}
        "disable" | "mask" | "unmask" | "preset" | "preset-all" | "set-default" | "link"
        | "edit" => {
            return machine.unsupported(format!("systemctl {action}"));
        }
        _ => return Ok(None),
    }
    let instance = if words.iter().any(|word| word == "--global") { "user" } else { "system" };
    for unit in names {
        for link in units::links(machine, unit, instance)? {
            machine.make_all(parent(&link.path))?;
            if let Some(real) = machine.resolve(&link.path, false)? {
                machine.link(&real, &link.target)?;
            }
        }
    }
    Ok(Some(0))
}

/// Where the helper keeps notes.
fn state(instance: &str, name: &str) -> String {
    let directory = match instance {
        "user" => "/var/lib/systemd/deb-systemd-user-helper",
        _ => "/var/lib/systemd/deb-systemd-helper",
    };
    format!("{directory}-{name}")
}

fn helper(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let parsed = parse(machine, words, "q", &["quiet", "user", "system"])?;
    let instance = if parsed.has(&["user"]) { "user" } else { "system" };
    let Some((action, units)) = parsed.operands.split_first() else { return Ok(0) };
    let asks = matches!(action.as_str(), "is-enabled" | "was-enabled" | "debian-installed");
    let mut status = i32::from(asks);
    for unit in units {
        match action.as_str() {
            "enable" => enable(machine, unit, instance)?,
            "update-state" => update_state(machine, unit, instance)?,
            "unmask" => unmask(machine, unit, instance)?,
            "mask" => mask(machine, unit, instance)?,
            "was-enabled" => {
                let mut enabled = true;
                for link in noted(machine, unit, instance)? {
                    enabled &= is_link(machine, &link)?;
                }
                if enabled {
                    status = 0;
                }
            }
            "is-enabled" => {
                let mut enabled = true;
                for link in units::links(machine, unit, instance)? {
                    enabled &= is_link(machine, &link.path)?;
                }
                if enabled {
                    status = 0;
                }
            }
            "debian-installed" => {
                if machine.exists(&state_file(unit, instance), true)? {
                    status = 0;
                }
            }
            "disable" | "purge" | "reenable" if noted(machine, unit, instance)?.is_empty() => {
                if action == "reenable" {
                    enable(machine, unit, instance)?;
                }
            }
            other => return machine.unsupported(format!("deb-systemd-helper {other}")),
        }
    }
    Ok(status)
}

fn is_link(machine: &mut Machine<'_>, path: &str) -> Run<bool> {
    let entry = machine.entry(path, false)?;
    Ok(matches!(entry, Some(Entry { kind: Kind::Link(_), .. })))
}

fn state_file(unit: &str, instance: &str) -> String {
    format!("{}/{unit}.dsh-also", state(instance, "enabled"))
}

/// The links that the helper noted for a unit.
fn noted(machine: &mut Machine<'_>, unit: &str, instance: &str) -> Run<Vec<String>> {
    let text = machine.read_text(&state_file(unit, instance))?.unwrap_or_default();
    Ok(text.lines().map(str::to_owned).collect())
}

fn enable(machine: &mut Machine<'_>, unit: &str, instance: &str) -> Run<()> {
    let links = units::links(machine, unit, instance)?;
    // With systemctl there, presets say whether a unit is enabled when it is first installed.
    let first = !machine.exists(&state_file(unit, instance), true)?;
    let by_preset = units::has_systemctl(machine)?;
    let wanted = !by_preset || first && units::preset(machine, unit, instance)?;
    let base = format!("/etc/systemd/{instance}/");
    let mut lines = noted(machine, unit, instance)?;
    for link in links {
        if !lines.contains(&link.path) {
            lines.push(link.path.clone());
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        note(machine, &state_file(unit, instance), &text)?;
        let relative = link.path.strip_prefix(&base).unwrap_or(&link.path);
        let mark = format!("{}/{relative}", state(instance, "enabled"));
        if machine.exists(&mark, true)? {
            continue;
        }
        if wanted && !is_link(machine, &link.path)? {
            machine.make_all(parent(&link.path))?;
            match machine.resolve(&link.path, false)? {
                Some(real) => machine.link(&real, &link.target)?,
                None => return machine.unsupported(format!("{} cannot be made", link.path)),
            }
        }
        note(machine, &mark, "")?;
    }
    Ok(())
}

fn update_state(machine: &mut Machine<'_>, unit: &str, instance: &str) -> Run<()> {
    let links = units::links(machine, unit, instance)?;
    let text: String = links.iter().map(|link| format!("{}\n", link.path)).collect();
    note(machine, &state_file(unit, instance), &text)
}

fn mask(machine: &mut Machine<'_>, unit: &str, instance: &str) -> Run<()> {
    let path = format!("/etc/systemd/{instance}/{unit}");
    if machine.exists(&path, true)? {
        return Ok(());
    }
    machine.make_all(parent(&path))?;
    if let Some(real) = machine.resolve(&path, false)? {
        machine.link(&real, "/dev/null")?;
    }
    note(machine, &format!("{}/{unit}", state(instance, "masked")), "")
}

/// Takes back only what the helper itself has masked.
fn unmask(machine: &mut Machine<'_>, unit: &str, instance: &str) -> Run<()> {
    let path = format!("/etc/systemd/{instance}/{unit}");
    let mark = format!("{}/{unit}", state(instance, "masked"));
    let masked = matches!(machine.entry(&path, false)?, Some(Entry { kind: Kind::Link(target), .. }) if target == "/dev/null");
    if masked && machine.exists(&mark, true)? {
        for path in [path, mark] {
            if let Some(real) = machine.resolve(&path, false)? {
                machine.remove_one(&real)?;
            }
        }
    }
    Ok(())
}
