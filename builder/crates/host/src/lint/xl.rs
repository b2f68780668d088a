//! Checks a configuration for xl, which passes over what it does not know in silence.
//!
//! Understood is the form of xl.cfg(5) that people write: `NAME = VALUE` with a number, a string or a list
//! of strings as the value, and comments after `#`. Checked are names (those of Xen 4.17 to 4.20, as xl
//! looks them up), values that must be of one kind, and combinations that Xen refuses only when the domain
//! starts: a card in a domain of type PVH, a read-only disk of an emulated controller.

mod keys;
mod read;

use std::collections::BTreeMap;

use super::Problem;
use keys::{LISTS, MIXED, NUMBERS, TEXTS};
use read::{number as number_of, read};

/// The value of a key.
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

/// The problems of `text`, in the order of its lines.
#[must_use]
pub fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let keys = read(text, &mut problems);
    for (key, (line, value)) in &keys {
        let wanted = match value {
            _ if MIXED.contains(&key.as_str()) => continue,
            Value::Number(_) if NUMBERS.contains(&key.as_str()) => continue,
            // xl keeps all values as text: a number in quotation marks is one, and a string may be digits.
            Value::Text(text) if NUMBERS.contains(&key.as_str()) && number_of(text).is_some() => {
                continue;
            }
            Value::Number(_) if TEXTS.contains(&key.as_str()) => continue,
            Value::Text(_) if TEXTS.contains(&key.as_str()) => continue,
            Value::List(_) if LISTS.contains(&key.as_str()) => continue,
            _ if NUMBERS.contains(&key.as_str()) => "a number",
            _ if TEXTS.contains(&key.as_str()) => "a string in quotation marks",
            _ if LISTS.contains(&key.as_str()) => "a list: [ \"...\" ]",
            _ => {
                problems.push(
                    Problem::new(
                        *line,
                        format!("xl knows no {key:?} and would pass over it in silence"),
                    )
                    .warning(),
                );
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

/// Checks combinations that Xen refuses when the domain starts, or that cannot have been meant.
fn combinations(keys: &Keys, problems: &mut Vec<Problem>) {
    let list = |key: &str| match keys.get(key) {
        Some((line, Value::List(items))) => (*line, items.as_slice()),
        _ => (0, [].as_slice()),
    };
    let number = |key: &str| match keys.get(key) {
        Some((line, Value::Number(number))) => Some((*line, *number)),
        Some((line, Value::Text(text))) => Some((*line, number_of(text)?)),
        _ => None,
    };
    let (type_line, kind) = match keys.get("type") {
        Some((line, Value::Text(kind))) => (*line, kind.as_str()),
        // The old way to say it (deprecated since Xen 4.10, still read).
        _ => match keys.get("builder") {
            Some((line, Value::Text(builder))) if builder == "hvm" => (*line, "hvm"),
            _ => (0, "pv"),
        },
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
        // `*` hands over all functions of a card.
        let one = match address.strip_suffix(".*") {
            Some(device) => format!("{device}.0"),
            None => address.to_owned(),
        };
        if wifibox_ground::address::Address::parse_linux(&one).is_none() {
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
            problems.push(Problem::new(line, what).warning());
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
