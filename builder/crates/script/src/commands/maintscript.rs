//! dpkg-maintscript-helper(1): what it does matters on upgrades only. On a fresh system there is no old
//! configuration file, link or directory; where the tree has one all the same, the script is refused.

use crate::eval::{Machine, Run};
use crate::files::{Entry, Kind};

pub(super) fn run(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["supports", "rm_conffile" | "mv_conffile" | "symlink_to_dir" | "dir_to_symlink"] => Ok(0),
        ["supports", _] => Ok(1),
        ["rm_conffile" | "mv_conffile", ..] => {
            machine.nothing("it concerns files of versions before this one")
        }
        [command @ ("symlink_to_dir" | "dir_to_symlink"), path, ..] => {
            let before_unpacking = machine.script.name == "preinst";
            let entry = machine.entry(path.trim_end_matches('/'), false)?;
            let link = matches!(entry, Some(Entry { kind: Kind::Link(_), .. }));
            let directory = matches!(entry, Some(Entry { kind: Kind::Directory, .. }));
            let stands = if *command == "symlink_to_dir" { link } else { directory };
            if stands && before_unpacking {
                return machine.unsupported(format!("{path} is there before its package"));
            }
            machine.nothing("it concerns files of versions before this one")
        }
        _ => machine.unsupported("dpkg-maintscript-helper of this form"),
    }
}
