//! update-rc.d(8): links of init scripts by the runlevels that their headers name.

use super::units;
use crate::eval::{Machine, Run, parent};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    if name == "update-rc.d" { update(machine, words).map(Some) } else { Ok(None) }
}

fn update(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| *w != "-f").collect();
    match words.as_slice() {
        [service, action @ ("defaults" | "defaults-disabled"), ..] => {
            defaults(machine, service, *action == "defaults-disabled")
        }
        // The old form with numbers is read as `defaults`.
        [service, "start" | "stop", ..] => defaults(machine, service, false),
        [service, action @ ("disable" | "enable")] => toggle(machine, service, action),
        [service, "remove"] => {
            for (_, path) in links(machine, service)? {
                if let Some(real) = machine.resolve(&path, false)? {
                    machine.remove_one(&real)?;
                }
            }
            Ok(0)
        }
        _ => machine.unsupported("update-rc.d of this form"),
    }
}

/// The links of a service: runlevel and path.
fn links(machine: &mut Machine<'_>, service: &str) -> Run<Vec<(char, String)>> {
    let pattern = format!("[SK][0-9][0-9]{service}");
    let mut links = Vec::new();
    for level in "S0123456".chars() {
        let directory = format!("/etc/rc{level}.d");
        for name in machine.names_in(&directory)? {
            if machine.name_fits(&pattern, &name)? {
                links.push((level, format!("{directory}/{name}")));
            }
        }
    }
    Ok(links)
}

fn defaults(machine: &mut Machine<'_>, service: &str, disabled: bool) -> Run {
    let path = format!("/etc/init.d/{service}");
    let Some(text) = machine.read_text(&path)? else {
        return machine.fail(1, &format!("update-rc.d: error: unable to read {path}"));
    };
    if !links(machine, service)?.is_empty() {
        return Ok(0);
    }
    let header = text
        .lines()
        .skip_while(|line| line.trim_end() != "### BEGIN INIT INFO")
        .take_while(|line| line.trim_end() != "### END INIT INFO");
    let header: Vec<&str> = header.collect();
    let levels = |key: &str| -> Vec<String> {
        let line = header.iter().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let start = if disabled { 'K' } else { 'S' };
    let all = [(start, levels("# Default-Start:")), ('K', levels("# Default-Stop:"))];
    for (letter, levels) in all {
        for level in levels {
            let link = format!("/etc/rc{level}.d/{letter}01{service}");
            machine.make_all(parent(&link))?;
            if let Some(real) = machine.resolve(&link, false)?
                && machine.files.lookup(&real).is_none()
            {
                machine.link(&real, &format!("../init.d/{service}"))?;
            }
        }
    }
    Ok(0)
}

fn toggle(machine: &mut Machine<'_>, service: &str, action: &str) -> Run {
    let (from, to) = if action == "disable" { ('S', 'K') } else { ('K', 'S') };
    for (level, path) in links(machine, service)? {
        let name = path.rsplit('/').next().unwrap_or_default();
        if !"S2345".contains(level) || !name.starts_with(from) {
            continue;
        }
        // The number turns round: what starts early stops late.
        let number = name.get(1..3).and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
        let number = 100_u32.saturating_sub(number).min(99);
        let new = format!("{}/{to}{number:02}{service}", parent(&path));
        if let (Some(old), Some(real)) =
            (machine.resolve(&path, false)?, machine.resolve(&new, false)?)
        {
            machine.remove_one(&old)?;
            machine.link(&real, &format!("../init.d/{service}"))?;
        }
    }
    let unit = format!("{service}.service");
    if units::find(machine, &unit, "system")?.is_some() {
        return machine.unsupported(format!("update-rc.d {action} of a service that has a unit"));
    }
    Ok(0)
}
