//! Whether the modules of `slim` drive what the same modules of another kernel drive: their aliases and the firmware
//! that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use wifibox_ground::codec::read_unpacked;
use wifibox_linux::kernel::modinfo::Modinfo;

use super::Failure;

/// Largest module that is read, in bytes once unpacked.
const MODULE_LIMIT: u64 = 64 << 20;

/// What a module drives, and what it asks for.
struct Driver {
    aliases: BTreeSet<String>,
    firmware: BTreeSet<String>,
}

/// Compares the modules below `own` with those of the same name below `other`: a line for each difference, and a last one
/// that counts.
pub fn compare(own: &Path, other: &Path) -> Result<String, Failure> {
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    read(own, &mut ours)?;
    read(other, &mut theirs)?;
    let mut text = String::new();
    let (mut same, mut different) = (0, 0);
    for (name, driver) in &ours {
        let Some(like) = theirs.get(name) else {
            text += &format!("{name}: built in there, or not there\n");
            continue;
        };
        let aliases = differences("alias", &driver.aliases, &like.aliases);
        let firmware = differences("firmware", &driver.firmware, &like.firmware);
        if aliases.is_empty() && firmware.is_empty() {
            same += 1;
            continue;
        }
        different += 1;
        for line in aliases.iter().chain(&firmware) {
            text += &format!("{name}: {line}\n");
        }
    }
    text += &format!("{same} modules with the same aliases and firmware, {different} others\n");
    Ok(text)
}

fn differences(what: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> Vec<String> {
    let lacks = theirs.difference(ours).map(|text| format!("lacks the {what} {text}"));
    let has = ours.difference(theirs).map(|text| format!("has the {what} {text} besides"));
    lacks.chain(has).collect()
}

fn read(folder: &Path, into: &mut BTreeMap<String, Driver>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            read(&path, into)?;
        } else if let Some((name, ending)) = name.split_once(".ko")
            && (ending.is_empty() || ending.starts_with('.'))
        {
            let what = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let file = fs::File::open(&path).map_err(|error| what(&error))?;
            let bytes = read_unpacked(file, MODULE_LIMIT).map_err(|error| what(&error))?;
            let info = Modinfo::parse(&bytes).map_err(|error| what(&error))?;
            let driver = Driver {
                aliases: info.aliases.into_iter().collect(),
                firmware: info.firmware.into_iter().collect(),
            };
            into.insert(name.replace('-', "_"), driver);
        }
    }
    Ok(())
}
