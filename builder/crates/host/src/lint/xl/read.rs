//! The grammar of xl's files, as libxlu reads it (libxlu_cfg_y.y, libxlu_cfg_l.l): `NAME = VALUE` and
//! `NAME += VALUE`, parted by ends of lines or `;`; a value is a number, a string in quotation marks, or a
//! list of values in brackets, which may go over several lines and end in a comma.

use super::{Keys, Value};
use crate::lint::Problem;

/// Reads the keys; what cannot be read becomes a problem.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Keys {
    let mut keys = Keys::new();
    for (number, statement) in statements(text) {
        let statement = statement.trim();
        let Some((key, value)) = statement.split_once('=') else {
            let what = format!("expected NAME = VALUE, found {statement:?}");
            problems.push(Problem::new(number, what));
            continue;
        };
        let (key, more) = match key.strip_suffix('+') {
            Some(key) => (key.trim().to_owned(), true),
            None => (key.trim().to_owned(), false),
        };
        match (parse(value.trim()), keys.get_mut(&key)) {
            (Some(value), Some((_, known))) if more => match (known, value) {
                (Value::List(known), Value::List(items)) => known.extend(items),
                (Value::Text(known), Value::Text(text)) => known.push_str(&text),
                (known, value) => *known = value,
            },
            (Some(value), known) => {
                if known.is_some() {
                    let what = format!("{key} is set twice; the last one counts");
                    problems.push(Problem::new(number, what).warning());
                }
                keys.insert(key, (number, value));
            }
            (None, _) => problems.push(Problem::new(
                number,
                format!("expected a number, a string in quotation marks or a list of strings after {key} ="),
            )),
        }
    }
    keys
}

/// The statements, each with the number of its first line.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    let mut statement = String::new();
    let (mut line, mut begun, mut depth) = (1, 1, 0_usize);
    let (mut quote, mut escaped, mut comment) = (None, false, false);
    for c in text.chars() {
        if statement.trim().is_empty() {
            begun = line;
        }
        line += usize::from(c == '\n');
        if comment && c != '\n' {
            continue;
        }
        comment = false;
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            // A string ends with its line, whatever it is.
            (Some(_), '\n') => quote = None,
            (Some(_), _) => {}
            (None, '#') => {
                comment = true;
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        let ends = quote.is_none() && depth == 0 && (c == '\n' || c == ';');
        if ends {
            list.push((begun, std::mem::take(&mut statement)));
        } else {
            statement.push(if c == '\n' { ' ' } else { c });
        }
    }
    list.push((begun, statement));
    list.retain(|(_, statement)| !statement.trim().is_empty());
    list
}

/// The value that all of `text` is.
fn parse(text: &str) -> Option<Value> {
    if let Some(list) = text.strip_prefix('[') {
        let (items, rest) = items(list)?;
        return rest.trim().is_empty().then_some(Value::List(items));
    }
    if let Some((text, "")) = string(text) {
        return Some(Value::Text(text));
    }
    number(text).map(Value::Number)
}

/// The items of a list up to its `]`, those of lists within it among them, and what follows.
fn items(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut list, mut rest) = (Vec::new(), text.trim_start());
    loop {
        if let Some(after) = rest.strip_prefix(']') {
            return Some((list, after));
        }
        let after = if let Some(inner) = rest.strip_prefix('[') {
            let (more, after) = items(inner)?;
            list.extend(more);
            after
        } else if let Some((item, after)) = string(rest) {
            list.push(item);
            after
        } else {
            let end = rest.find([',', ']'])?;
            let (word, after) = rest.split_at(end);
            number(word.trim())?;
            list.push(word.trim().to_owned());
            after
        };
        rest = match after.trim_start().strip_prefix(',') {
            Some(more) => more.trim_start(),
            None => after.trim_start(),
        };
        if !rest.starts_with(']') && !after.trim_start().starts_with(',') {
            return None;
        }
    }
}

/// A number as strtol(3) with base 0 takes it.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xl_takes_is_taken() {
        let text = "a = 512; b = '2'\nl = [ \"x\", # one\n 'y', ]\nl += [ 'z' ]\nn = [ [ 'p', 'q' ], 3 ]\n";
        let mut problems = Vec::new();
        let keys = read(text, &mut problems);
        assert_eq!(problems, []);
        assert_eq!(keys["a"], (1, Value::Number(512)));
        assert_eq!(keys["b"], (1, Value::Text("2".to_owned())));
        let list = |items: &[&str]| Value::List(items.iter().map(|i| (*i).to_owned()).collect());
        assert_eq!(keys["l"], (2, list(&["x", "y", "z"])));
        assert_eq!(keys["n"], (5, list(&["p", "q", "3"])));
    }
}
