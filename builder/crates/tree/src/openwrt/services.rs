//! The links in `/etc/rc.d` by which procd starts and stops services: `S##name`, `K##name`.
//!
//! OpenWrt makes them by running `/etc/rc.common SCRIPT enable`, which reads the script's variables
//! START and STOP. Here they are read from its text; a value that is not a plain number is an error.

use std::collections::{BTreeMap, BTreeSet};

use super::{OpenWrtError, guest, read_bytes};
use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_ground::path::GuestPath;

/// The first line that makes a script of `/etc/init.d` a service.
const SHEBANG: &[u8] = b"#!/bin/sh /etc/rc.common";

/// The services of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Services {
    /// Those that start or stop something by themselves, with the names of their links.
    pub enabled: BTreeMap<String, Vec<String>>,
    /// Those that were switched off.
    pub off: BTreeSet<String>,
    /// Those that should be off but are not there at all.
    pub absent: BTreeSet<String>,
}

/// Makes the links of all services but those named in `off`, whose links go if there are any.
///
/// # Errors
/// [`OpenWrtError::ServiceOrder`] for a script whose place in the order cannot be read.
pub fn link(tree: &mut Tree, off: &BTreeSet<String>) -> Result<Services, OpenWrtError> {
    let folder = tree.resolve(&guest("etc/init.d")?, true)?;
    let links = guest("etc/rc.d")?;
    let mut services = Services { absent: off.clone(), ..Services::default() };
    let scripts: Vec<GuestPath> = tree
        .below(&folder)
        .map(|(path, _)| path.clone())
        .filter(|path| path.parent().as_ref() == Some(&folder))
        .collect();
    let origin = Origin::Recipe("services".to_owned());
    tree.make_directory(&links, Meta::with_mode(0o755), origin.clone())?;
    for path in scripts {
        let Some(text) = read_bytes(tree, &path)? else { continue };
        if !text.windows(SHEBANG.len()).any(|window| window == SHEBANG) {
            continue;
        }
        let name = String::from_utf8_lossy(path.name()).into_owned();
        remove_links(tree, &links, &name)?;
        if off.contains(&name) {
            services.absent.remove(&name);
            services.off.insert(name);
            continue;
        }
        let Order { start, stop } = order(&path, &text)?;
        let mut made = Vec::new();
        for (letter, number) in [('S', start), ('K', stop)] {
            let Some(number) = number else { continue };
            let link = format!("{letter}{number}{}", without_order(&name, letter));
            let kind = Kind::Symlink(format!("../init.d/{name}").into_bytes());
            let meta = Meta::with_mode(0o777);
            let at = links.join(&link).map_err(crate::TreeError::from)?;
            tree.replace(&at, Node { meta, kind, origin: origin.clone() })?;
            made.push(link);
        }
        if !made.is_empty() {
            services.enabled.insert(name, made);
        }
    }
    Ok(services)
}

/// A package may bring links of its own; `rc.common` takes those away that are named like its own.
fn remove_links(tree: &mut Tree, links: &GuestPath, name: &str) -> Result<(), OpenWrtError> {
    let real = tree.resolve(links, true)?;
    let is_own = |path: &GuestPath| {
        let link = path.name();
        path.parent().as_ref() == Some(&real)
            && link.len() == name.len() + 3
            && link.ends_with(name.as_bytes())
            && matches!(link.first(), Some(b'S' | b'K'))
    };
    let own: Vec<GuestPath> =
        tree.below(&real).map(|(path, _)| path.clone()).filter(is_own).collect();
    own.iter().for_each(|path| tree.remove(path));
    Ok(())
}

/// `name` without a leading `S##` or `K##`, as `${name##S[0-9][0-9]}`.
fn without_order(name: &str, letter: char) -> &str {
    let rest = name.strip_prefix(letter).and_then(|rest| {
        let digits = rest.as_bytes().first_chunk::<2>()?;
        digits.iter().all(u8::is_ascii_digit).then(|| rest.get(2..)).flatten()
    });
    rest.unwrap_or(name)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Order {
    start: Option<String>,
    stop: Option<String>,
}

/// START and STOP as the script sets them at its top level; the last assignment counts.
fn order(path: &GuestPath, text: &[u8]) -> Result<Order, OpenWrtError> {
    let mut order = Order::default();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let trimmed = line.trim_start();
        let bare = trimmed.strip_prefix("export ").unwrap_or(trimmed).trim_start();
        let (slot, value) = if let Some(value) = bare.strip_prefix("START=") {
            (&mut order.start, value)
        } else if let Some(value) = bare.strip_prefix("STOP=") {
            (&mut order.stop, value)
        } else {
            continue;
        };
        // Indented, it may be in a function or a condition: whether it counts cannot be told.
        let literal = literal(value).filter(|_| trimmed.len() == line.len());
        *slot = literal.ok_or_else(|| OpenWrtError::ServiceOrder {
            path: path.clone(),
            line: number + 1,
            text: line.trim().to_owned(),
        })?;
    }
    Ok(order)
}

/// A plain number, quoted or not, with nothing but a comment behind it; `Some(None)` for nothing.
fn literal(value: &str) -> Option<Option<String>> {
    let value = value.trim_end();
    let (value, rest) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.get(1..)?.split_once(quote)?,
        _ => {
            let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
            value.split_at(end)
        }
    };
    let ends = rest.is_empty()
        || rest.trim() == ";"
        || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'));
    let digits = value.len() <= 3 && value.chars().all(|c| c.is_ascii_digit());
    (ends && digits).then(|| (!value.is_empty()).then(|| value.to_owned()))
}
