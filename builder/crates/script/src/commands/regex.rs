//! Regular expressions of POSIX, basic and extended, translated for a matcher that never goes back.

use regex_lite::Regex;

/// Which syntax an expression is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Basic,
    Extended,
    Fixed,
}

/// An expression larger than this is none.
const SIZE_LIMIT: usize = 4 << 10;

/// Translates an expression; `None` where it needs what is not known here (a reference back), or is
/// none.
pub(super) fn compile(
    text: &str,
    syntax: Syntax,
    ignore_case: bool,
    ends: (&str, &str),
) -> Option<Regex> {
    if text.len() > SIZE_LIMIT {
        return None;
    }
    let body = match syntax {
        Syntax::Fixed => regex_lite::escape(text),
        _ => translate(text, syntax == Syntax::Extended)?,
    };
    let flags = if ignore_case { "(?i)" } else { "" };
    let text = format!("{flags}{}(?:{body}){}", ends.0, ends.1);
    regex_lite::RegexBuilder::new(&text).size_limit(1 << 20).build().ok()
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
        regex.find(text).map(|found| found.as_str().to_owned())
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
    fn extended_expressions_and_sets() {
        assert_eq!(find("(a|b)+$", Syntax::Extended, "cab").as_deref(), Some("ab"));
        assert_eq!(find("[[:space:]]*#[^]]", Syntax::Extended, "x  #y").as_deref(), Some("  #y"));
        assert_eq!(find("[]a-]+", Syntax::Basic, "x-]a+").as_deref(), Some("a+"));
        assert_eq!(find("[]a-]\\+", Syntax::Basic, "x-]a+").as_deref(), Some("-]a"));
        assert_eq!(find("a.b", Syntax::Fixed, "axb a.b").as_deref(), Some("a.b"));
    }
}
