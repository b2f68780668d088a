//! Units of systemd: where they are, and the links that enabling them makes.

use crate::eval::{Machine, Run, join};
use crate::files::Kind;

/// Units that `Also=` may lead through.
const CLOSURE_LIMIT: usize = 64;

/// A link that enables a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnitLink {
    pub path: String,
    pub target: String,
}

/// Where a unit is. Debian's helper asks for `/lib` before `/usr/lib`, systemctl for the real place.
pub(super) fn find(machine: &mut Machine<'_>, name: &str, instance: &str) -> Run<Option<String>> {
    let real = has_systemctl(machine)?;
    let directories =
        if real { ["/etc", "/usr/lib", "/lib"] } else { ["/etc", "/lib", "/usr/lib"] };
    // An instance of a template: the template's file.
    let template = match (name.split_once('@'), name.rsplit_once('.')) {
        (Some((stem, _)), Some((_, suffix))) => format!("{stem}@.{suffix}"),
        _ => name.to_owned(),
    };
    for name in [name, template.as_str()] {
        for directory in directories {
            let path = format!("{directory}/systemd/{instance}/{name}");
            let entry = machine.entry(&path, true)?;
            if entry.is_some_and(|entry| matches!(entry.kind, Kind::File(_))) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Whether systemctl itself would do the work.
pub(super) fn has_systemctl(machine: &mut Machine<'_>) -> Run<bool> {
    machine.exists("/usr/bin/systemctl", true)
}

/// All links that enabling a unit makes, those of the units named by `Also=` included.
pub(super) fn links(machine: &mut Machine<'_>, name: &str, instance: &str) -> Run<Vec<UnitLink>> {
    let mut links = Vec::new();
    let mut names = vec![name.to_owned()];
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        at += 1;
        let Some(path) = find(machine, &name, instance)? else {
            return machine.unsupported(format!("the unit {name} is not there"));
        };
        let text = machine.read_text(&path)?.unwrap_or_default();
        // A link each word, with both its paths.
        machine.spend(text.len().saturating_mul(32))?;
        let mut wanted = name.clone();
        let mut directories = Vec::new();
        let base = format!("/etc/systemd/{instance}");
        for line in text.lines() {
            let Some((key, values)) = line.split_once('=') else { continue };
            let values = values.split_whitespace().map(|value| value.trim_matches(['"', '\'']));
            match key.trim() {
                "WantedBy" => directories.extend(values.map(|v| format!("{base}/{v}.wants"))),
                "RequiredBy" => directories.extend(values.map(|v| format!("{base}/{v}.requires"))),
                "Alias" => {
                    for alias in values.filter(|alias| *alias != name) {
                        links.push(UnitLink { path: join(&base, alias), target: path.clone() });
                    }
                }
                "Also" => {
                    for also in values {
                        if !names.iter().any(|known| known == also) {
                            names.push(also.to_owned());
                        }
                        if names.len() > CLOSURE_LIMIT {
                            return machine.unsupported("units that lead to more than 64 others");
                        }
                    }
                }
                "DefaultInstance" => {
                    if let (Some(value), Some((stem, suffix))) =
                        (values.into_iter().next(), name.split_once("@."))
                    {
                        wanted = format!("{stem}@{value}.{suffix}");
                    }
                }
                _ => {}
            }
        }
        links.extend(
            directories.into_iter().map(|directory| UnitLink {
                path: join(&directory, &wanted),
                target: path.clone(),
            }),
        );
    }
    Ok(links)
}

/// Whether the presets of the system, which systemctl asks, want a unit.
pub(super) fn preset(machine: &mut Machine<'_>, name: &str, instance: &str) -> Run<bool> {
    let mut files: Vec<(String, String)> = Vec::new();
    for directory in ["/etc/systemd", "/usr/lib/systemd"] {
        let directory = format!("{directory}/{instance}-preset");
        for file in machine.names_in(&directory)? {
            if file.ends_with(".preset") && !files.iter().any(|(known, _)| *known == file) {
                let path = join(&directory, &file);
                files.push((file, path));
            }
        }
    }
    files.sort();
    for (_, path) in files {
        let text = machine.read_text(&path)?.unwrap_or_default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(verb), Some(pattern)) = (words.next(), words.next()) else { continue };
            if matches!(verb, "enable" | "disable" | "ignore")
                && machine.name_fits(pattern, name)?
            {
                return Ok(verb == "enable");
            }
        }
    }
    Ok(true)
}
