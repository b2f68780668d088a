//! The tree of variables that bhyve makes of a file.

use std::collections::BTreeMap;

use super::expand::expand;
use crate::lint::Problem;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The line, from 1.
    pub line: usize,
    /// The text behind the `=`.
    pub raw: String,
    /// The same with references to other variables replaced.
    pub value: String,
}

/// Variables that bhyve sets itself, before it reads a file (bhyverun.c, bhyverun_machdep.c); the name is
/// that of its command line.
const ALWAYS_SET: [(&str, &str); 6] = [
    ("name", "NAME"),
    ("acpi_tables", "false"),
    ("acpi_tables_in_memory", "true"),
    ("memory.size", "256M"),
    ("x86.strictmsr", "true"),
    ("lpc.fwcfg", "bhyve"),
];

/// The variables of a file, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    pub(super) leaves: BTreeMap<String, Leaf>,
    /// Variables that others refer to.
    pub(super) referred: Vec<String>,
}

/// A PCI device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Bus: 0 to 255.
    pub bus: u8,
    /// Slot: 0 to 31.
    pub slot: u8,
    /// Function: 0 to 7.
    pub function: u8,
    /// The device model: `virtio-blk`, `e1000`, ...; empty if none is said.
    pub model: String,
    /// Its variables, without the node's name; `device` is not among them.
    pub variables: BTreeMap<String, String>,
}

impl Config {
    /// Reads a file as bhyve does, and says what is wrong with its form. Lines that bhyve refuses are
    /// left out.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        let (mut config, mut problems) = (Config::default(), Vec::new());
        for (index, line) in text.split('\n').enumerate() {
            let number = index + 1;
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match config.add(number, line) {
                Ok(None) => {}
                Ok(Some(what)) => {
                    problems.push(Problem::new(number, what).warning().from("config.c"))
                }
                Err(what) => problems.push(Problem::new(number, what)),
            }
        }
        let set = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut raw: BTreeMap<String, String> = ALWAYS_SET.iter().map(set).collect();
        raw.extend(config.leaves.iter().map(|(key, leaf)| (key.clone(), leaf.raw.clone())));
        for leaf in config.leaves.values_mut() {
            let expanded = expand(&leaf.raw, &raw);
            leaf.value = expanded.value;
            config.referred.extend(expanded.referred);
            problems.extend(
                expanded
                    .problems
                    .into_iter()
                    .map(|what| Problem::new(leaf.line, what).warning().from("config.c")),
            );
        }
        (config, problems)
    }

    /// The value of a variable, references replaced.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.leaves.get(key).map(|leaf| leaf.value.as_str())
    }

    /// The names of all variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.leaves.keys().map(String::as_str)
    }

    /// The PCI devices, by place. Nodes whose names are no places are left out.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        let mut devices: BTreeMap<(u8, u8, u8), Device> = BTreeMap::new();
        for (key, leaf) in &self.leaves {
            let Some((place, name)) = place(key) else { continue };
            let (bus, slot, function) = place;
            let device = devices.entry(place).or_insert_with(|| Device {
                bus,
                slot,
                function,
                model: String::new(),
                variables: BTreeMap::new(),
            });
            if name == "device" {
                device.model.clone_from(&leaf.value);
            } else {
                device.variables.insert(name.to_owned(), leaf.value.clone());
            }
        }
        devices.into_values().collect()
    }

    /// Adds a line; `Ok` may hold what is odd about it.
    fn add(&mut self, line: usize, text: &str) -> Result<Option<String>, String> {
        if text.trim_start().starts_with('#') {
            return Err("a comment begins in the first column: bhyve refuses this line".to_owned());
        }
        if text.trim().is_empty() {
            return Err("bhyve refuses a line of blanks: leave it empty".to_owned());
        }
        let (key, raw) =
            text.split_once('=').ok_or("expected KEY=VALUE: bhyve refuses this line")?;
        if raw.is_empty() {
            return Err(format!("{key} has no value: bhyve refuses this line"));
        }
        if key.trim() != key || raw.trim() != raw {
            return Err(format!(
                "blanks round the '=' or at the ends of the line become part of the name or the \
                 value: write {}={}",
                key.trim(),
                raw.trim()
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        for part in key.split('.') {
            if part.is_empty() {
                return Err(format!(
                    "{key:?} is no name: one of its parts is empty, which bhyve refuses"
                ));
            }
            if !part.chars().all(plain) {
                return Err(format!(
                    "{key:?} is no name of bhyve: expected letters, digits, _ and -"
                ));
            }
        }
        if let Some(other) = self.leaves.get(key) {
            let first = other.line;
            let what = match key.strip_suffix(".device").filter(|_| place(key).is_some()) {
                Some(node) => format!(
                    "two devices in one place: {node} is {} since line {first}, and {raw} here",
                    other.raw
                ),
                None => {
                    format!("{key} is set in line {first} already; the last one counts")
                }
            };
            let leaf = Leaf { line, raw: raw.to_owned(), value: raw.to_owned() };
            self.leaves.insert(key.to_owned(), leaf);
            return Ok(Some(what));
        }
        let inside = format!("{key}.");
        if let Some((below, leaf)) = self.leaves.iter().find(|(k, _)| k.starts_with(&inside)) {
            return Err(format!(
                "{key} cannot have a value: it is a node, with {below} in line {}",
                leaf.line
            ));
        }
        for (end, _) in key.match_indices('.') {
            let node = key.get(..end).unwrap_or_default();
            if let Some(leaf) = self.leaves.get(node) {
                return Err(format!(
                    "{key} cannot be: {node} is a value (line {}), and not a node",
                    leaf.line
                ));
            }
        }
        let leaf = Leaf { line, raw: raw.to_owned(), value: raw.to_owned() };
        self.leaves.insert(key.to_owned(), leaf);
        Ok(None)
    }
}

/// `pci.BUS.SLOT.FUNCTION.NAME` in parts, if it is written as bhyve looks for it: decimal, no padding,
/// in range.
pub(super) fn place(key: &str) -> Option<((u8, u8, u8), &str)> {
    let mut parts = key.strip_prefix("pci.")?.splitn(4, '.');
    let mut number = |limit: u8| {
        let text = parts.next()?;
        let value: u8 = text.parse().ok().filter(|value| *value <= limit)?;
        (value.to_string() == text).then_some(value)
    };
    let place = (number(255)?, number(31)?, number(7)?);
    Some((place, parts.next()?))
}
