//! OpenWrt's image builder: /lib/functions.sh, default_postinst, uci.

use crate::eval::{Machine, Run};
use crate::world::Ecosystem;

/// Libraries of OpenWrt's base files that scripts read in: what scripts use of them is known here.
const LIBRARIES: [&str; 4] = [
    "/lib/functions.sh",
    "/lib/functions/system.sh",
    "/usr/share/libubox/jshn.sh",
    "/lib/config/uci.sh",
];

pub(super) fn source(machine: &mut Machine<'_>, path: &str) -> Run<Option<i32>> {
    if machine.world.ecosystem != Ecosystem::OpenWrt {
        return Ok(None);
    }
    let root = machine.shell.get("IPKG_INSTROOT").unwrap_or_default();
    let inside = path.strip_prefix(root).unwrap_or(path);
    Ok(LIBRARIES.contains(&inside).then_some(0))
}

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    if machine.world.ecosystem != Ecosystem::OpenWrt {
        return Ok(None);
    }
    Ok(Some(match name {
        // Accounts, services and alternatives of the image are the tree's work, for all packages at
        // once; a package's own part is a script of its own.
        "default_postinst" | "add_group_and_user" => machine
            .nothing("accounts, services and alternatives are made for all packages at once")?,
        "default_prerm" => 0,
        "uci" | "reload_config" | "ubus" | "fw4" | "fw3" | "sysctl" => {
            machine.nothing("it acts on a running system, and none runs")?
        }
        "group_exists" => i32::from(machine.group(&first(words))?.is_none()),
        "user_exists" => i32::from(machine.user(&first(words))?.is_none()),
        "group_add" => {
            let gid = words.get(1).and_then(|gid| gid.parse().ok());
            match gid {
                Some(gid) => {
                    machine.add_group(&first(words), gid)?;
                    0
                }
                None => return machine.unsupported("group_add without a number"),
            }
        }
        "group_add_next" | "user_add" => {
            return machine.unsupported(format!("{name}, whose number depends on all packages"));
        }
        _ => return Ok(None),
    }))
}

fn first(words: &[String]) -> String {
    words.first().cloned().unwrap_or_default()
}
