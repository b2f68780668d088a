//! Line breaks that a mail program added, and those that a web page lost.

use super::super::lspci;

/// Longest line that is taken apart, in bytes.
const LONGEST: usize = 1 << 20;
/// How many lines a mail program makes of one at most.
const PIECES: usize = 3;

/// Joins lines that belong together: of `lspci` up to the numbers, of `pciconf` and `devinfo` the words
/// `key=0x...`.
pub(super) fn joined(lines: Vec<String>) -> Vec<String> {
    let mut whole: Vec<String> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let mut joined = line.clone();
        let rest = lines.get(at..).unwrap_or_default();
        if lspci::is_cut(&joined) {
            let mut longer = joined.clone();
            for (taken, next) in rest.iter().take(PIECES).enumerate() {
                if next.trim().is_empty() || lspci::begins(next) {
                    break;
                }
                longer = format!("{} {}", longer.trim_end(), next.trim());
                if !lspci::is_cut(&longer) {
                    joined = longer;
                    at += taken + 1;
                    break;
                }
            }
        } else if joined.contains("@pci") || joined.contains("pnpinfo") {
            for next in rest.iter().take(PIECES) {
                if !is_pairs(next) {
                    break;
                }
                joined = format!("{} {}", joined.trim_end(), next.trim());
                at += 1;
            }
        }
        whole.push(joined);
    }
    whole
}

/// Whether all words of a line are `key=value`, of which the first is a number.
fn is_pairs(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.clone().next().and_then(|word| word.split_once('='));
    first.is_some_and(|(key, value)| {
        value.starts_with("0x") && key.bytes().all(|byte| byte.is_ascii_lowercase())
    }) && words.all(|word| word.contains('=') || word == "at")
}

/// The lines of a listing of which the way here made one.
pub(super) fn apart(line: String) -> Vec<String> {
    let freebsd = line.contains("@pci");
    if line.len() > LONGEST || !freebsd && !lspci::is_head(&line) {
        return vec![line];
    }
    let words: Vec<(usize, &str)> = words(&line).collect();
    let word = |at: Option<usize>| at.and_then(|at| words.get(at)).map_or("", |(_, word)| *word);
    let mut lines = Vec::new();
    let mut from = 0;
    for (number, (at, this)) in words.iter().enumerate().skip(1) {
        let next = word(number.checked_add(1));
        let group = word(number.checked_sub(2)).eq_ignore_ascii_case("group");
        let begins = if freebsd {
            this.contains("@pci")
                || next == "=" && ["vendor", "device", "class", "subclass"].contains(this)
        } else {
            ["Subsystem:", "DeviceName:"].contains(this)
                || *this == "Kernel" && ["driver", "modules:"].contains(&next)
                || this.eq_ignore_ascii_case("iommu") && next.eq_ignore_ascii_case("group")
                || !group && lspci::is_device(line.get(*at..).unwrap_or_default())
        };
        if begins {
            lines.push(line.get(from..*at).unwrap_or_default().trim_end().to_owned());
            from = *at;
        }
    }
    if lines.is_empty() {
        return vec![line];
    }
    lines.push(line.get(from..).unwrap_or_default().to_owned());
    // What is about a device is indented.
    let inside = |line: &String| freebsd && !line.contains("@pci");
    lines.into_iter().map(|line| if inside(&line) { format!("    {line}") } else { line }).collect()
}

/// The words of a line, each with its place.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split_whitespace().map(|word| (word.as_ptr().addr() - line.as_ptr().addr(), word))
}
