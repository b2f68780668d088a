//! The contents of each index file, line for line as depmod writes them.

use super::graph::Graph;
use super::trie::{IndexError, Trie};
use crate::kernel::name::ModuleName;
use crate::kernel::pattern;
use wifibox_ground::path::GuestPath;

/// `path: path path`, one module a line.
pub(super) fn dep(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for index in 0..graph.modules.len() {
        out.extend(dep_line(graph, index).into_bytes());
        out.push(b'\n');
    }
    out
}

fn dep_line(graph: &Graph<'_>, index: usize) -> String {
    let path = |index: usize| {
        let bytes = graph.modules.get(index).map(|source| source.path.as_bytes());
        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
    };
    let mut line = path(index) + ":";
    for needed in graph.needs.get(index).into_iter().flatten() {
        line.push(' ');
        line.push_str(&path(*needed));
    }
    line
}

pub(super) fn dep_bin(graph: &Graph<'_>) -> Result<Vec<u8>, IndexError> {
    let mut trie = Trie::new();
    for (index, source) in graph.modules.iter().enumerate() {
        trie.insert(source.name.as_str(), &dep_line(graph, index), priority(index))?;
    }
    trie.write()
}

/// A module's place: depmod has 16 bits for it, the format 32.
fn priority(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

pub(super) fn alias(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = String::from("# Aliases extracted from modules themselves.\n");
    for source in &graph.modules {
        for alias in &source.module.info.aliases {
            out.push_str(&format!("alias {alias} {}\n", source.name));
        }
    }
    out.into_bytes()
}

pub(super) fn alias_bin(graph: &Graph<'_>) -> Result<Vec<u8>, IndexError> {
    let mut trie = Trie::new();
    for (index, source) in graph.modules.iter().enumerate() {
        let aliases = source.module.info.aliases.iter();
        for alias in aliases.filter_map(|alias| pattern::normalize(alias)) {
            trie.insert(&alias, source.name.as_str(), priority(index))?;
        }
    }
    trie.write()
}

pub(super) fn softdep(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = String::from("# Soft dependencies extracted from modules themselves.\n");
    for source in &graph.modules {
        for line in &source.module.info.softdeps {
            out.push_str(&format!("softdep {} {line}\n", source.name));
        }
    }
    out.into_bytes()
}

pub(super) fn weakdep(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = String::from("# Weak dependencies extracted from modules themselves.\n");
    for source in &graph.modules {
        for line in &source.module.info.weakdeps {
            out.push_str(&format!("weakdep {} {line}\n", source.name));
        }
    }
    out.into_bytes()
}

pub(super) fn symbols(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = String::from("# Aliases for symbols, used by symbol_request().\n");
    for ((_, symbol), owner) in &graph.symbols {
        if let Some(owner) = graph.modules.get(*owner) {
            out.push_str(&format!("alias symbol:{symbol} {}\n", owner.name));
        }
    }
    out.into_bytes()
}

pub(super) fn symbols_bin(graph: &Graph<'_>) -> Result<Vec<u8>, IndexError> {
    let mut trie = Trie::new();
    for ((_, symbol), owner) in &graph.symbols {
        if let Some(source) = graph.modules.get(*owner) {
            let key = format!("symbol:{symbol}");
            trie.insert(&key, source.name.as_str(), priority(*owner))?;
        }
    }
    trie.write()
}

pub(super) fn builtin_bin(list: &[u8]) -> Result<Vec<u8>, IndexError> {
    let mut trie = Trie::new();
    for line in list.split(|byte| *byte == b'\n') {
        let name = GuestPath::new(line).ok().and_then(|path| ModuleName::of_file(&path));
        if let Some(name) = name {
            trie.insert(name.as_str(), "", 0)?;
        }
    }
    trie.write()
}

pub(super) fn builtin_alias_bin(modinfo: &[u8]) -> Result<Vec<u8>, IndexError> {
    let mut trie = Trie::new();
    for entry in modinfo.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((module, rest)) = entry.split_once('.') else { continue };
        let Some(("alias", value)) = rest.split_once('=') else { continue };
        match pattern::normalize(value) {
            Some(alias) if !value.is_empty() => trie.insert(&alias, module, 0)?,
            _ => {}
        }
    }
    trie.write()
}

/// `module device type major:minor` for modules with a `devname:` and a device number among their
/// aliases; nothing at all, not even a heading, when there is none.
pub(super) fn devname(graph: &Graph<'_>) -> Vec<u8> {
    let mut out = String::new();
    for source in &graph.modules {
        let (mut name, mut number) = (None, None);
        for alias in &source.module.info.aliases {
            if let Some(text) = alias.strip_prefix("devname:") {
                name = Some(text);
            } else if let Some(found) = device_number(alias) {
                number = Some(found);
            }
            if name.is_some() && number.is_some() {
                break;
            }
        }
        if let (Some(name), Some((kind, major, minor))) = (name, number) {
            if out.is_empty() {
                out.push_str("# Device nodes to trigger on-demand module loading.\n");
            }
            out.push_str(&format!("{} {name} {kind}{major}:{minor}\n", source.name));
        }
    }
    out.into_bytes()
}

/// The type and numbers in `char-major-10-200`, `block-major-8-0`.
fn device_number(alias: &str) -> Option<(char, u32, u32)> {
    let (kind, rest) = match alias.strip_prefix("char-major-") {
        Some(rest) => ('c', rest),
        None => ('b', alias.strip_prefix("block-major-")?),
    };
    let (major, rest) = leading_number(rest)?;
    let (minor, _) = leading_number(rest.strip_prefix('-')?)?;
    Some((kind, major, minor))
}

fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}
