//! update-alternatives(1): one name leads to one of several programs by way of /etc/alternatives.

use super::dpkg::note;
use crate::eval::{Machine, Run, parent};
use crate::files::{Entry, Kind};

/// Where the choices are kept, one file a name.
const NOTES: &str = "/var/lib/dpkg/alternatives";
/// Where the links lead through.
const LINKS: &str = "/etc/alternatives";

/// A name with its choices.
#[derive(Debug, Default)]
struct Group {
    automatic: bool,
    link: String,
    /// Names and links that follow the choice: manual pages.
    slaves: Vec<(String, String)>,
    choices: Vec<Choice>,
}

#[derive(Debug, Clone)]
struct Choice {
    path: String,
    priority: i64,
    /// The slaves' paths, by name.
    slaves: Vec<(String, String)>,
}

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    if name == "update-alternatives" { alternatives(machine, words).map(Some) } else { Ok(None) }
}

fn alternatives(machine: &mut Machine<'_>, words: &[String]) -> Run {
    let skipped = |word: &&String| {
        matches!(word.as_str(), "--quiet" | "--force" | "--verbose" | "--skip-auto")
    };
    let words: Vec<&str> = words.iter().filter(|w| !skipped(w)).map(String::as_str).collect();
    if let Some(why) = refused(&words) {
        return machine.fail(2, &format!("update-alternatives: {why}"));
    }
    match words.as_slice() {
        ["--install", link, name, path, priority, rest @ ..] => {
            let Ok(priority) = priority.parse() else {
                return machine.fail(2, "update-alternatives: priority must be an integer");
            };
            let Some(slaves) = slaves(rest) else {
                return machine.unsupported("update-alternatives --install of this form");
            };
            install(
                machine,
                link,
                name,
                Choice { path: (*path).to_owned(), priority, slaves: Vec::new() },
                slaves,
            )
        }
        ["--remove", name, path] => {
            let Some(mut group) = read(machine, name)? else { return Ok(0) };
            group.choices.retain(|choice| choice.path != *path);
            if group.choices.is_empty() {
                return machine.unsupported("the last alternative is removed");
            }
            write(machine, name, &group)?;
            choose(machine, name, &group)
        }
        ["--set", name, path] => {
            let Some(mut group) = read(machine, name)? else {
                return machine
                    .fail(2, &format!("update-alternatives: no alternatives for {name}"));
            };
            let Some(choice) = group.choices.iter().find(|c| c.path == *path).cloned() else {
                return machine.fail(2, &format!("update-alternatives: {path} is no alternative"));
            };
            group.automatic = false;
            write(machine, name, &group)?;
            link_choice(machine, name, &group, &choice)
        }
        ["--auto", name] => {
            let Some(mut group) = read(machine, name)? else { return Ok(0) };
            group.automatic = true;
            write(machine, name, &group)?;
            choose(machine, name, &group)
        }
        ["--remove-all", name] => match read(machine, name)? {
            None => Ok(0),
            Some(_) => machine.unsupported("all alternatives are removed"),
        },
        ["--query" | "--list" | "--display", name] => match read(machine, name)? {
            None => machine.fail(2, &format!("update-alternatives: no alternatives for {name}")),
            Some(group) if words.first() == Some(&"--list") => {
                let text: String = group.choices.iter().map(|c| format!("{}\n", c.path)).collect();
                machine.out(&text)?;
                Ok(0)
            }
            Some(_) => machine.unsupported("a question for alternatives"),
        },
        _ => machine.unsupported("update-alternatives of this form"),
    }
}

/// Why the program refuses these words before it looks at anything: a name stands for files in two folders.
fn refused(words: &[&str]) -> Option<String> {
    let name = |name: &str| {
        name.contains(['/', ' ', '\t'])
            .then(|| format!("alternative name ({name}) must not contain '/' and spaces"))
    };
    let absolute = |what: &str, path: &str| {
        (!path.starts_with('/'))
            .then(|| format!("alternative {what} is not absolute as it should be: {path}"))
    };
    let all = |link: &str, called: &str, path: &str| {
        name(called).or_else(|| absolute("link", link)).or_else(|| absolute("path", path))
    };
    match words {
        ["--install", link, called, path, _, slaves @ ..] => {
            all(link, called, path).or_else(|| {
                slaves.chunks(4).find_map(|slave| match slave {
                    ["--slave", link, called, path] => all(link, called, path),
                    _ => None,
                })
            })
        }
        ["--remove" | "--set", called, path] => name(called).or_else(|| absolute("path", path)),
        [_, called] => name(called),
        _ => None,
    }
}

/// A slave: link, name, path.
type Slave = (String, String, String);

fn slaves(words: &[&str]) -> Option<Vec<Slave>> {
    let mut slaves = Vec::new();
    for chunk in words.chunks(4) {
        match chunk {
            ["--slave", link, name, path] => {
                slaves.push(((*link).to_owned(), (*name).to_owned(), (*path).to_owned()));
            }
            _ => return None,
        }
    }
    Some(slaves)
}

fn install(
    machine: &mut Machine<'_>,
    link: &str,
    name: &str,
    mut choice: Choice,
    slaves: Vec<Slave>,
) -> Run {
    if machine.entry(&choice.path, true)?.is_none() {
        return machine.fail(2, &format!("update-alternatives: {} doesn't exist", choice.path));
    }
    let mut group = match read(machine, name)? {
        Some(group) => group,
        None => Group { automatic: true, link: link.to_owned(), ..Group::default() },
    };
    if group.link != link {
        return machine.unsupported(format!("the alternative {name} gets another link"));
    }
    for (link, name, path) in slaves {
        machine.spend_items(1, group.slaves.len())?;
        if !group.slaves.iter().any(|(known, _)| *known == name) {
            group.slaves.push((name.clone(), link));
        }
        choice.slaves.push((name, path));
    }
    group.slaves.sort();
    group.choices.retain(|known| known.path != choice.path);
    group.choices.push(choice);
    group.choices.sort_by(|a, b| a.path.cmp(&b.path));
    write(machine, name, &group)?;
    choose(machine, name, &group)
}

/// Leads an automatic name to its best choice; the first of equals stays.
fn choose(machine: &mut Machine<'_>, name: &str, group: &Group) -> Run {
    if !group.automatic {
        return Ok(0);
    }
    let Some(highest) = group.choices.iter().map(|choice| choice.priority).max() else {
        return Ok(0);
    };
    let current = match machine.entry(&format!("{LINKS}/{name}"), false)?.map(|entry| entry.kind) {
        Some(Kind::Link(target)) => target,
        _ => String::new(),
    };
    let best: Vec<&Choice> = group.choices.iter().filter(|c| c.priority == highest).collect();
    let chosen = best.iter().find(|choice| choice.path == current).or(best.first()).copied();
    match chosen.cloned() {
        Some(choice) => link_choice(machine, name, group, &choice),
        None => Ok(0),
    }
}

fn link_choice(machine: &mut Machine<'_>, name: &str, group: &Group, choice: &Choice) -> Run {
    machine.make_all(LINKS)?;
    set(machine, name, &group.link, Some(&choice.path))?;
    for (slave, link) in &group.slaves {
        let path = choice.slaves.iter().find(|(known, _)| known == slave).map(|(_, path)| path);
        let path = match path {
            // A slave whose file is not there (a manual page) is left out.
            Some(path) if machine.entry(path, true)?.is_some() => Some(path.as_str()),
            _ => None,
        };
        set(machine, slave, link, path)?;
    }
    Ok(0)
}

/// Makes, or takes away, both links of a name.
fn set(machine: &mut Machine<'_>, name: &str, link: &str, path: Option<&str>) -> Run<()> {
    let middle = format!("{LINKS}/{name}");
    let places =
        [(middle.clone(), path.map(str::to_owned)), (link.to_owned(), path.map(|_| middle))];
    for (place, target) in places {
        let Some(real) = machine.resolve(&place, false)? else {
            if target.is_some() {
                return machine.unsupported(format!("there is no directory for {place}"));
            }
            continue;
        };
        match (machine.files.lookup(&real), target) {
            (Some(Entry { kind: Kind::Link(_), .. }) | None, Some(target)) => {
                machine.link(&real, &target)?;
            }
            (Some(Entry { kind: Kind::Link(_), .. }), None) => machine.remove_one(&real)?,
            // A file of a package stays in its place.
            _ => {}
        }
    }
    Ok(())
}

fn read(machine: &mut Machine<'_>, name: &str) -> Run<Option<Group>> {
    let Some(text) = machine.read_text(&format!("{NOTES}/{name}"))? else { return Ok(None) };
    machine.spend_items(text.matches('\n').count(), 0)?;
    match parse(&text) {
        Some(group) => Ok(Some(group)),
        None => machine.unsupported(format!("{NOTES}/{name} cannot be read")),
    }
}

/// Reads dpkg's file: state, link, slaves up to an empty line, then each choice with its slaves.
fn parse(text: &str) -> Option<Group> {
    let mut lines = text.lines();
    let automatic = lines.next()? == "auto";
    let mut group = Group { automatic, link: lines.next()?.to_owned(), ..Group::default() };
    while let Some(name) = lines.next().filter(|line| !line.is_empty()) {
        group.slaves.push((name.to_owned(), lines.next()?.to_owned()));
    }
    while let Some(path) = lines.next().filter(|line| !line.is_empty()) {
        let priority = lines.next()?.parse().ok()?;
        let mut choice = Choice { path: path.to_owned(), priority, slaves: Vec::new() };
        for (name, _) in &group.slaves {
            let path = lines.next()?;
            if !path.is_empty() {
                choice.slaves.push((name.clone(), path.to_owned()));
            }
        }
        group.choices.push(choice);
    }
    Some(group)
}

fn write(machine: &mut Machine<'_>, name: &str, group: &Group) -> Run<()> {
    // Of each choice, each slave is looked for.
    let slaves = group.slaves.len();
    machine.spend(slaves.saturating_mul(slaves).saturating_mul(group.choices.len() + 1) / 2)?;
    let state = if group.automatic { "auto" } else { "manual" };
    let mut text = format!("{state}\n{}\n", group.link);
    for (name, link) in &group.slaves {
        text.push_str(&format!("{name}\n{link}\n"));
    }
    text.push('\n');
    for choice in &group.choices {
        text.push_str(&format!("{}\n{}\n", choice.path, choice.priority));
        for (name, _) in &group.slaves {
            let path = choice.slaves.iter().find(|(known, _)| known == name);
            text.push_str(&format!("{}\n", path.map_or("", |(_, path)| path)));
        }
    }
    text.push('\n');
    let path = format!("{NOTES}/{name}");
    machine.make_all(parent(&path))?;
    note(machine, &path, &text)
}
