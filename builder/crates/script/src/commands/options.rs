//! Options of commands, as getopt_long(3) reads them.

use crate::eval::{Machine, Run};

/// The options and operands of a command line.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    options: Vec<(String, Option<String>)>,
    pub operands: Vec<String>,
}

impl Parsed {
    /// Whether one of the options was given.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.options.iter().any(|(name, _)| names.contains(&name.as_str()))
    }

    /// The last value of one of the options.
    pub(super) fn value(&self, names: &[&str]) -> Option<&str> {
        let found = self.options.iter().rev().find(|(name, _)| names.contains(&name.as_str()));
        found.and_then(|(_, value)| value.as_deref())
    }

    /// All values of one of the options, in order.
    pub(super) fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let found = self.options.iter().filter(|(name, _)| names.contains(&name.as_str()));
        found.filter_map(|(_, value)| value.as_deref())
    }
}

/// Reads options: `short` as for getopt(3), `long` names with a `=` at the end of those with a value.
/// An option that is neither is refused. Operands may stand before options.
pub(super) fn parse(
    machine: &mut Machine<'_>,
    arguments: &[String],
    short: &str,
    long: &[&str],
) -> Run<Parsed> {
    let mut parsed = Parsed::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.operands.extend(words.cloned());
            break;
        }
        if let Some(rest) = word.strip_prefix("--") {
            let (name, mut value) = match rest.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (rest, None),
            };
            let fits = |known: &&&str| known.trim_end_matches('=') == name;
            let begins = |known: &&&str| known.starts_with(name);
            let Some(known) = long.iter().find(fits).or_else(|| long.iter().find(begins)) else {
                return machine.unsupported(format!("its option {word}"));
            };
            if known.ends_with('=') && value.is_none() {
                value = words.next().cloned();
            }
            parsed.options.push((known.trim_end_matches('=').to_owned(), value));
            continue;
        }
        let letters = match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => letters,
            _ => {
                parsed.operands.push(word.clone());
                continue;
            }
        };
        for (at, letter) in letters.char_indices() {
            let Some(place) = short.find(letter).filter(|_| letter != ':') else {
                return machine.unsupported(format!("its option -{letter}"));
            };
            let takes_value = short[place + letter.len_utf8()..].starts_with(':');
            if takes_value {
                let rest = &letters[at + letter.len_utf8()..];
                let value = if rest.is_empty() { words.next().cloned() } else { Some(rest.into()) };
                parsed.options.push((letter.to_string(), value));
                break;
            }
            parsed.options.push((letter.to_string(), None));
        }
    }
    Ok(parsed)
}

/// The sources and the target of ln, cp, mv and install.
pub(super) fn targets(parsed: &Parsed) -> Option<(Vec<String>, String)> {
    if let Some(directory) = parsed.value(&["t", "target-directory"]) {
        return Some((parsed.operands.clone(), directory.to_owned()));
    }
    match parsed.operands.as_slice() {
        [] => None,
        [one] => Some((vec![one.clone()], ".".to_owned())),
        [sources @ .., last] => Some((sources.to_vec(), last.clone())),
    }
}
