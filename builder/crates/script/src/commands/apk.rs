//! Commands of Alpine's scripts: BusyBox's own, OpenRC's rc-update, questions for versions.

use crate::eval::{Machine, Run, join};
use crate::files::{Entry, Kind};

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    Ok(Some(match name {
        "busybox" | "bbsuid" | "busybox-extras" => busybox(machine, name, words)?,
        "rc-update" => rc_update(machine, words)?,
        "rc-status" => 0,
        "update-ca-certificates" => machine
            .nothing("it makes one file of all certificates, which the guest needs none of")?,
        "apk" => return machine.unsupported("a question for apk's versions"),
        _ => return Ok(None),
    }))
}

fn busybox(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run {
    match words.split_first() {
        Some((option, _)) if option == "--install" => {
            if name == "busybox" {
                install(machine)
            } else {
                machine.nothing("the recipe links the applets that the guest uses")
            }
        }
        Some((option, _)) if option == "--list-all" || option == "--list" => {
            machine.unsupported("a question for BusyBox's applets")
        }
        Some((applet, arguments)) if !applet.starts_with('-') => machine.run(applet, arguments),
        _ => machine.unsupported("busybox of this form"),
    }
}

/// Links every applet that the package lists and nothing else provides.
fn install(machine: &mut Machine<'_>) -> Run {
    let Some(text) = machine.read_text("/etc/busybox-paths.d/busybox")? else {
        return machine.nothing("the builder links the applets by the recipe");
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let path = join("/", line);
        machine.step()?;
        if let Some(real) = machine.resolve(&path, false)?
            && machine.files.lookup(&real).is_none()
        {
            machine.link(&real, "/bin/busybox")?;
        }
    }
    Ok(0)
}

/// `rc-update add service [runlevel]`: a link in /etc/runlevels.
fn rc_update(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|w| !w.starts_with('-')).collect();
    let (action, service, levels) = match words.as_slice() {
        [action @ ("add" | "del" | "delete"), service, levels @ ..] => (*action, *service, levels),
        [] | ["show", ..] | ["update"] => return Ok(0),
        _ => return machine.unsupported("rc-update of this form"),
    };
    let default = ["default"];
    let levels = if levels.is_empty() { &default[..] } else { levels };
    if action == "add" && !machine.exists(&format!("/etc/init.d/{service}"), true)? {
        return machine.fail(1, &format!("rc-update: service '{service}' does not exist"));
    }
    for level in levels {
        let directory = format!("/etc/runlevels/{level}");
        if !machine.is_directory(&directory)? {
            return machine.fail(1, &format!("rc-update: '{level}' is not a valid runlevel"));
        }
        let Some(real) = machine.resolve(&format!("{directory}/{service}"), false)? else {
            continue;
        };
        match (machine.files.lookup(&real), action) {
            (None, "add") => machine.link(&real, &format!("/etc/init.d/{service}"))?,
            (Some(Entry { kind: Kind::Link(_), .. }), "del" | "delete") => {
                machine.remove_one(&real)?
            }
            _ => {}
        }
    }
    Ok(0)
}
