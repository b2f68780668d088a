//! Checks a configuration for xl, which passes over what it does not know in silence.
//!
//! Understood is the form of xl.cfg(5) that people write: `NAME = VALUE` with a number, a string or a list
//! of strings as the value, and comments after `#`. Checked are names (those of Xen 4.17 to 4.20, as xl
//! looks them up), values that must be of one kind, and combinations that Xen refuses only when the domain
//! starts: a card in a domain of type PVH, a read-only disk of an emulated controller.

mod keys;

use std::collections::BTreeMap;

use super::Problem;
use keys::{LISTS, MIXED, NUMBERS, TEXTS};

/// What a key's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    /// A number.
    Number(u64),
    /// A string.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
}

/// The largest number of problems that are reported.
const LIMIT: usize = 20;

/// The keys that are let through.
pub fn keys() -> impl Iterator<Item = &'static str> {
    [NUMBERS, TEXTS, LISTS, MIXED].into_iter().flatten().copied()
}

/// What is wrong with `text`, in the order of its lines.
#[must_use]
pub fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let keys = read(text, &mut problems);
    for (key, (line, value)) in &keys {
        let wanted = match value {
            _ if MIXED.contains(&key.as_str()) => continue,
            Value::Number(_) if NUMBERS.contains(&key.as_str()) => continue,
            Value::Text(_) if TEXTS.contains(&key.as_str()) => continue,
            Value::List(_) if LISTS.contains(&key.as_str()) => continue,
            _ if NUMBERS.contains(&key.as_str()) => "a number",
            _ if TEXTS.contains(&key.as_str()) => "a string in quotation marks",
            _ if LISTS.contains(&key.as_str()) => "a list: [ \"...\" ]",
            _ => {
                problems.push(Problem::new(
                    *line,
                    format!("xl knows no {key:?} and would pass over it in silence"),
                ));
                continue;
            }
        };
        problems.push(Problem::new(*line, format!("{key} must be {wanted}")));
    }
    combinations(&keys, &mut problems);
    problems.sort();
    problems.truncate(LIMIT);
    problems
}

/// Keys, with the line and the value of each.
type Keys = BTreeMap<String, (usize, Value)>;

/// What Xen refuses when the domain starts, or what cannot have been meant.
fn combinations(keys: &Keys, problems: &mut Vec<Problem>) {
    let list = |key: &str| match keys.get(key) {
        Some((line, Value::List(items))) => (*line, items.as_slice()),
        _ => (0, [].as_slice()),
    };
    let number = |key: &str| match keys.get(key) {
        Some((line, Value::Number(number))) => Some((*line, *number)),
        _ => None,
    };
    let (type_line, kind) = match keys.get("type") {
        Some((line, Value::Text(kind))) => (*line, kind.as_str()),
        _ => (0, "pv"),
    };
    if !["pv", "hvm", "pvh"].contains(&kind) {
        problems
            .push(Problem::new(type_line, format!("type is {kind:?}: expected pv, hvm or pvh")));
    }
    if !keys.contains_key("name") {
        problems.push(Problem::new(0, "there is no name: every domain needs one"));
    }
    if kind != "hvm" && !["kernel", "bootloader"].iter().any(|key| keys.contains_key(*key)) {
        problems.push(Problem::new(0, "there is no kernel, and no bootloader that would find one"));
    }
    let (line, cards) = list("pci");
    if kind == "pvh" && !cards.is_empty() {
        let what = "Xen hands no PCI device to a domain of type pvh: take pv or hvm";
        problems.push(Problem::new(line, what));
    }
    self::cards(cards, line, problems);
    let (line, disks) = list("disk");
    if kind == "hvm" {
        emulated_disks(disks, line, problems);
    }
    let (line, interfaces) = list("vif");
    self::interfaces(interfaces, kind, line, problems);
    let (line, shares) = list("p9");
    self::shares(shares, line, problems);
    if let (Some((line, memory)), Some((_, most))) = (number("memory"), number("maxmem"))
        && memory > most
    {
        problems.push(Problem::new(line, format!("memory ({memory}) is above maxmem ({most})")));
    }
}

fn cards(cards: &[String], line: usize, problems: &mut Vec<Problem>) {
    for card in cards {
        let address = card.split(',').next().unwrap_or_default();
        let address = address.strip_prefix("bdf=").unwrap_or(address);
        let (address, _) = address.split_once('@').unwrap_or((address, ""));
        if wifibox_ground::address::Address::parse_linux(address).is_none() {
            let what = format!("{address:?} is no address of a card: expected DDDD:BB:SS.F");
            problems.push(Problem::new(line, what));
        }
        options(
            card,
            &[
                "bdf",
                "msitranslate",
                "permissive",
                "power_mgmt",
                "rdm_policy",
                "seize",
                "vslot",
                "name",
                "key",
            ],
            line,
            problems,
        );
    }
}

/// Disks of a whole PC.
fn emulated_disks(disks: &[String], line: usize, problems: &mut Vec<Problem>) {
    for disk in disks {
        let option = |name: &str| {
            disk.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let device = option("vdev").unwrap_or_default();
        let emulated =
            ["xvda", "xvdb", "xvdc", "xvdd", "hda", "hdb", "hdc", "hdd"].contains(&device);
        let cdrom = option("devtype") == Some("cdrom");
        if emulated && option("access") == Some("ro") && !cdrom {
            let what = format!(
                "{device} is on an emulated controller too, which knows no read-only disks: take xvde"
            );
            problems.push(Problem::new(line, what));
        }
    }
}

fn interfaces(interfaces: &[String], kind: &str, line: usize, problems: &mut Vec<Problem>) {
    for interface in interfaces {
        options(
            interface,
            &[
                "accel",
                "backend",
                "bridge",
                "colo_checkpoint_host",
                "devid",
                "gatewaydev",
                "ip",
                "mac",
                "model",
                "mtu",
                "rate",
                "script",
                "trusted",
                "type",
                "vifname",
            ],
            line,
            problems,
        );
        let served = interface.split(',').any(|part| part.trim().starts_with("backend="));
        let vif = interface.split(',').any(|part| part.trim() == "type=vif");
        if kind == "hvm" && served && !vif {
            let what =
                "a driver domain cannot serve the emulated card that xl adds: write type=vif";
            problems.push(Problem::new(line, what));
        }
    }
}

fn shares(shares: &[String], line: usize, problems: &mut Vec<Problem>) {
    for share in shares {
        options(
            share,
            &[
                "auto-delete",
                "backend",
                "max-files",
                "max-open-files",
                "max-space",
                "path",
                "security_model",
                "tag",
                "type",
            ],
            line,
            problems,
        );
    }
}

/// Options of one device that xl does not know.
fn options(device: &str, known: &[&str], line: usize, problems: &mut Vec<Problem>) {
    for part in device.split(',') {
        let Some((name, _)) = part.split_once('=') else { continue };
        if !known.contains(&name.trim()) {
            problems.push(Problem::new(line, format!("unknown option {name:?} in {device:?}")));
        }
    }
}

/// Reads the keys; what cannot be read becomes a problem.
fn read(text: &str, problems: &mut Vec<Problem>) -> Keys {
    let mut keys = Keys::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let mut statement = without_comment(line).trim().to_owned();
        if statement.is_empty() {
            continue;
        }
        // A list may go over several lines.
        while statement.contains('[') && !closed(&statement) {
            let Some((_, more)) = lines.next() else { break };
            statement.push(' ');
            statement.push_str(without_comment(more).trim());
        }
        let Some((key, value)) = statement.split_once('=') else {
            problems
                .push(Problem::new(number, format!("expected NAME = VALUE, found {statement:?}")));
            continue;
        };
        let key = key.trim().to_owned();
        match parse(value.trim()) {
            Some(_) if keys.contains_key(&key) => {
                problems.push(Problem::new(number, format!("{key} is there twice")));
            }
            Some(value) => {
                keys.insert(key, (number, value));
            }
            None => problems.push(Problem::new(
                number,
                format!("expected a number, a string in quotation marks or a list of strings after {key} ="),
            )),
        }
    }
    keys
}

/// Whether the list in a statement has its end.
fn closed(statement: &str) -> bool {
    let mut quote = None;
    for c in statement.chars() {
        match (quote, c) {
            (None, ']') => return true,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    false
}

/// A line up to its comment.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (None, '#') => return line.get(..at).unwrap_or(line),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    line
}

/// The value that all of `text` is.
fn parse(text: &str) -> Option<Value> {
    if let Some(list) = text.strip_prefix('[') {
        let mut rest = list.strip_suffix(']')?.trim();
        let mut items = Vec::new();
        while !rest.is_empty() {
            let (item, after) = string(rest)?;
            items.push(item);
            rest = match after.trim_start().strip_prefix(',') {
                Some(more) => more.trim_start(),
                None if after.trim().is_empty() => "",
                None => return None,
            };
        }
        return Some(Value::List(items));
    }
    if let Some((text, "")) = string(text) {
        return Some(Value::Text(text));
    }
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.ok().map(Value::Number)
}

/// A string at the start of `text`, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.push(characters.next()?.1),
            c if c == quote => return Some((value, text.get(at + 1..)?)),
            c => value.push(c),
        }
    }
    None
}
