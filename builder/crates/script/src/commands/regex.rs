//! Regular expressions of POSIX, basic and extended, translated for a matcher that never goes back.

use regex_lite::{Captures, Regex};

use crate::eval::{Machine, Run};

/// Which syntax an expression is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Basic,
    Extended,
    Fixed,
}

/// An expression larger than this is none.
const SIZE_LIMIT: usize = 4 << 10;
/// The most states that an expression may have: what is repeated counts as often as it is.
const STATES_LIMIT: usize = 1 << 14;
/// The most groups, each of which is kept by every state.
const GROUPS_LIMIT: usize = 32;

/// An expression, with what it costs to look for it.
pub(super) struct Expression {
    regex: Regex,
    states: usize,
}

impl Expression {
    /// What it cost to make it.
    pub(super) fn price(&self) -> usize {
        self.states.saturating_mul(16)
    }

    /// Whether it is found in a text.
    pub(super) fn is_in(&self, machine: &mut Machine<'_>, text: &str) -> Run<bool> {
        self.search(machine, text.len())?;
        Ok(self.regex.is_match(text))
    }

    /// The first place in a text where it is found, with its groups.
    pub(super) fn first<'t>(
        &self,
        machine: &mut Machine<'_>,
        text: &'t str,
    ) -> Run<Option<Captures<'t>>> {
        self.search(machine, text.len())?;
        Ok(self.regex.captures(text))
    }

    /// All places in a line where it is found, one behind the other.
    pub(super) fn all<'t>(
        &self,
        machine: &mut Machine<'_>,
        line: &'t str,
        most: usize,
    ) -> Run<Vec<Captures<'t>>> {
        let mut found = Vec::new();
        let mut matches = self.regex.captures_iter(line);
        while found.len() < most {
            // Each search may go up to the end of the line.
            let from =
                found.last().and_then(|found: &Captures<'_>| found.get(0)).map_or(0, |m| m.end());
            self.search(machine, (line.len() - from).saturating_mul(2))?;
            machine.spend_items(1, 0)?;
            match matches.next() {
                Some(captures) => found.push(captures),
                None => break,
            }
        }
        Ok(found)
    }

    fn search(&self, machine: &mut Machine<'_>, length: usize) -> Run<()> {
        machine.spend((length + 8).saturating_mul(1 + self.states / 4))
    }
}

/// Translates an expression; `None` where it needs what is not known here (a reference back), or is
/// none.
pub(super) fn compile(
    text: &str,
    syntax: Syntax,
    ignore_case: bool,
    ends: (&str, &str),
) -> Option<Expression> {
    if text.len() > SIZE_LIMIT {
        return None;
    }
    let body = match syntax {
        Syntax::Fixed => regex_lite::escape(text),
        _ => translate(text, syntax == Syntax::Extended)?,
    };
    let (states, groups) = size(&body)?;
    if states > STATES_LIMIT || groups > GROUPS_LIMIT {
        return None;
    }
    let flags = if ignore_case { "(?i)" } else { "" };
    let text = format!("{flags}{}(?:{body}){}", ends.0, ends.1);
    let regex = regex_lite::RegexBuilder::new(&text).size_limit(1 << 20).build().ok()?;
    Some(Expression { regex, states })
}

/// The states and groups of a translated expression, at most; `None` where it is none.
fn size(body: &str) -> Option<(usize, usize)> {
    // Of each group that is open: its states so far, and those of its last piece.
    let mut open = vec![(1_usize, 0_usize)];
    let mut groups = 0;
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        let (sum, last) = open.last_mut()?;
        let piece = match c {
            '(' => {
                groups += 1;
                open.push((2, 0));
                continue;
            }
            ')' => {
                let (inner, _) = open.pop()?;
                let (sum, last) = open.last_mut()?;
                *last = inner;
                *sum = sum.saturating_add(inner);
                continue;
            }
            '{' => {
                let range: String = chars.by_ref().take_while(|c| *c != '}').collect();
                let most = range.split(',').filter_map(|n| n.parse::<usize>().ok()).max();
                let times = last.saturating_mul(most.unwrap_or(1).saturating_sub(1));
                *sum = sum.saturating_add(times);
                *last = last.saturating_add(times);
                continue;
            }
            '[' => {
                let mut items = 0;
                let mut before = '[';
                for c in chars.by_ref() {
                    items += 1;
                    if c == ']' && before != '\\' {
                        break;
                    }
                    before = if before == '\\' && c == '\\' { ' ' } else { c };
                }
                1 + items / 8
            }
            '\\' => {
                chars.next();
                1
            }
            _ => 1,
        };
        *last = piece;
        *sum = sum.saturating_add(piece);
    }
    let [(states, _)] = open.as_slice() else { return None };
    Some((*states, groups))
}

fn translate(text: &str, extended: bool) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    // Whether what comes stands at the beginning of an expression, where `*` is itself.
    let mut begins = true;
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        let was_beginning = std::mem::replace(&mut begins, false);
        match c {
            '\\' => {
                let next = chars.get(at).copied()?;
                at += 1;
                match next {
                    '(' | ')' | '{' | '}' | '|' | '+' | '?' => {
                        if extended || next == '{' && was_beginning {
                            out.push('\\');
                        }
                        out.push(next);
                        begins = !extended && matches!(next, '(' | '|');
                    }
                    '1'..='9' => return None,
                    'b' | 'B' | 'w' | 'W' | 's' | 'S' => out.extend(['\\', next]),
                    '<' | '>' => out.push_str("\\b"),
                    'n' | 't' => out.extend(['\\', next]),
                    next => out.push_str(&regex_lite::escape(&next.to_string())),
                }
            }
            '[' => {
                let (set, length) = bracket(&chars[at..])?;
                out.push_str(&set);
                at += length;
            }
            '*' if was_beginning => out.push_str("\\*"),
            '*' | '.' => out.push(c),
            '^' if extended || was_beginning => {
                out.push('^');
                begins = true;
            }
            '$' => {
                let rest = &chars[at..];
                let ends = rest.is_empty()
                    || rest.starts_with(&['\\', ')'])
                    || rest.starts_with(&['\\', '|']);
                out.push_str(if extended || ends { "$" } else { "\\$" });
            }
            '(' | ')' | '|' | '+' | '?' if extended => {
                out.push(c);
                begins = matches!(c, '(' | '|');
            }
            '{' if extended
                && !was_beginning
                && chars.get(at).is_some_and(char::is_ascii_digit) =>
            {
                out.push(c);
            }
            '}' if extended
                && out.rfind('{').is_some_and(|open| {
                    out[open + 1..].chars().all(|c| c.is_ascii_digit() || c == ',')
                }) =>
            {
                out.push(c)
            }
            c => out.push_str(&regex_lite::escape(&c.to_string())),
        }
    }
    Some(out)
}

/// The bracket expression behind `[`, and how many characters it takes.
fn bracket(chars: &[char]) -> Option<(String, usize)> {
    let mut out = String::from("[");
    let mut at = 0;
    if chars.first() == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let c = *chars.get(at)?;
        at += 1;
        match c {
            ']' if at > first + 1 => {
                out.push(']');
                return Some((out, at));
            }
            '[' if chars.get(at) == Some(&':') => {
                let end = (at + 1..chars.len()).find(|end| chars[*end] == ':')?;
                if chars.get(end + 1) != Some(&']') {
                    return None;
                }
                let name: String = chars[at + 1..end].iter().collect();
                for (low, high) in crate::eval::class(&name)? {
                    out.push_str(&format!(
                        "\\x{{{:x}}}-\\x{{{:x}}}",
                        u32::from(low),
                        u32::from(high)
                    ));
                }
                at = end + 2;
            }
            '[' if matches!(chars.get(at), Some('.' | '=')) => return None,
            '-' if at == first + 1 || chars.get(at) == Some(&']') => out.push_str("\\-"),
            '-' => out.push('-'),
            c => {
                if matches!(c, '\\' | '[' | ']' | '^' | '&' | '~' | '{' | '}') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, syntax: Syntax, text: &str) -> Option<String> {
        let regex = compile(pattern, syntax, false, ("", "")).expect("an expression");
        regex.regex.find(text).map(|found| found.as_str().to_owned())
    }

    #[test]
    fn basic_expressions_keep_their_operators_behind_backslashes() {
        assert_eq!(find("a\\(b\\)*c+", Syntax::Basic, "xabbc+").as_deref(), Some("abbc+"));
        assert_eq!(find("^*a", Syntax::Basic, "*a").as_deref(), Some("*a"));
        assert_eq!(find("a\\{2\\}", Syntax::Basic, "baaa").as_deref(), Some("aa"));
        assert_eq!(find("x$y", Syntax::Basic, "x$y").as_deref(), Some("x$y"));
        assert!(compile("\\(a\\)\\1", Syntax::Basic, false, ("", "")).is_none());
    }

    #[test]
    fn what_is_repeated_counts_as_often_as_it_is() {
        let size = |text: &str| translate(text, true).and_then(|body| size(&body));
        assert_eq!(size("abc"), Some((4, 0)));
        assert_eq!(size("a{5}b"), Some((7, 0)));
        assert_eq!(size("(ab){2,3}"), Some((13, 1)));
        assert_eq!(size("((a{10}){10}){10}x"), Some((1222, 2)));
        assert_eq!(size("[]\\a]{4}\\("), Some((6, 0)));
        assert!(compile("(a{100}){200}", Syntax::Extended, false, ("", "")).is_none());
        assert!(compile(&"(a)".repeat(40), Syntax::Extended, false, ("", "")).is_none());
    }

    #[test]
    fn extended_expressions_and_sets() {
        assert_eq!(find("(a|b)+$", Syntax::Extended, "cab").as_deref(), Some("ab"));
        assert_eq!(find("[[:space:]]*#[^]]", Syntax::Extended, "x  #y").as_deref(), Some("  #y"));
        assert_eq!(find("[]a-]+", Syntax::Basic, "x-]a+").as_deref(), Some("a+"));
        assert_eq!(find("[]a-]\\+", Syntax::Basic, "x-]a+").as_deref(), Some("-]a"));
        assert_eq!(find("a.b", Syntax::Fixed, "axb a.b").as_deref(), Some("a.b"));
    }
}
