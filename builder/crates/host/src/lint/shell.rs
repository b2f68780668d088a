//! Files that a shell sources, such as rc.conf(5): assignments, and whatever else sh(1) takes.
//!
//! Values are read as far as they are plain. What runs a command is let through where it is a word of the
//! shell's grammar; a word that is neither that nor an assignment is a mistake.

use super::Problem;
use super::assignment::Assignment;

/// Words of the grammar, and commands that such files use.
const WORDS: [&str; 31] = [
    "if", "then", "else", "elif", "fi", "case", "esac", "for", "in", "do", "done", "while",
    "until", "{", "}", "(", ")", "!", ".", ":", "[", "test", "unset", "eval", "set", "shift",
    "return", "local", "echo", "true", "false",
];
/// Words that an assignment may follow.
const BEFORE: [&str; 4] = ["export", "readonly", "local", "then"];

/// The assignments of a file; values that the shell computes are `None` in the second place.
pub(super) fn read(text: &str, problems: &mut Vec<Problem>) -> Vec<(Assignment, bool)> {
    let mut list = Vec::new();
    for (line, statement) in statements(text, problems) {
        let mut rest = statement.trim();
        while let Some((_, after)) =
            rest.split_once(char::is_whitespace).filter(|(word, _)| BEFORE.contains(word))
        {
            rest = after.trim_start();
        }
        let exported = rest.len() < statement.trim().len() && is_name(rest);
        // Several may stand in a line: `a="YES" b="NO"`.
        let mut before = None;
        while !rest.is_empty() && !rest.starts_with('#') && !exported {
            let Some((name, value)) = rest.split_once('=').filter(|(name, _)| is_name(name)) else {
                problems.extend(match before {
                    None => not_assigned(line, rest),
                    Some(name) => Some(behind(line, name, rest)),
                });
                break;
            };
            let (value, plain, after) = unquote(value);
            list.push((Assignment { line, name: name.to_owned(), value }, plain));
            (before, rest) = (Some(name), after);
        }
    }
    list
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The problem with a statement that is not an assignment; `None` for other commands.
fn not_assigned(line: usize, statement: &str) -> Option<Problem> {
    let word = statement.split_whitespace().next()?;
    let shell = WORDS.contains(&word)
        || BEFORE.contains(&word)
        || word.starts_with('/')
        || statement.contains("()")
        || word.ends_with(')');
    if shell {
        return None;
    }
    let what = match statement.split_once('=') {
        Some((name, value)) if name.trim() != name && is_name(name.trim()) => {
            format!("a blank round the '=': write {}={}", name.trim(), value.trim())
        }
        Some((name, _)) => format!("{name:?} is no name of a variable"),
        None => format!("expected NAME=\"VALUE\", found {word:?}, which the shell would run"),
    };
    Some(Problem::new(line, what))
}

/// The statements, each with its line: parted by ends of lines and `;`, `&&`, `||`, without comments.
fn statements(text: &str, problems: &mut Vec<Problem>) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    let (mut statement, mut begun, mut line) = (String::new(), 1, 1);
    let mut quote: Option<(char, usize)> = None;
    let mut depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        line += usize::from(c == '\n');
        if statement.trim().is_empty() && quote.is_none() {
            begun = if c == '\n' { line } else { line.max(begun) };
        }
        match (quote, c) {
            (Some((open, _)), c) if c == open => quote = None,
            (Some(('"', _)) | None, '\\') => {
                if let Some(next) = characters.next() {
                    line += usize::from(next == '\n');
                    if next != '\n' {
                        statement.push(c);
                        statement.push(next);
                    }
                }
                continue;
            }
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some((c, line)),
            (None, '(' | '{') if statement.ends_with('$') => depth += 1,
            (None, ')' | '}') if depth > 0 => depth -= 1,
            (None, '#') if statement.is_empty() || statement.ends_with([' ', '\t']) => {
                while characters.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            (None, '\n' | ';' | '&' | '|') if depth == 0 => {
                list.push((begun, std::mem::take(&mut statement)));
                begun = line;
                continue;
            }
            (None, _) => {}
        }
        statement.push(c);
    }
    if let Some((open, at)) = quote {
        let name = statement.split('=').next().unwrap_or_default().trim();
        problems.push(Problem::new(at, format!("the value of {name} has no closing {open}")));
        return list;
    }
    list.push((begun, statement));
    list.retain(|(_, statement)| !statement.trim().is_empty());
    list
}

/// A word behind a value: the shell would take it for a command.
fn behind(line: usize, name: &str, rest: &str) -> Problem {
    let word = rest.split_whitespace().next().unwrap_or_default();
    let what = format!("the value of {name} ends before {word:?}: put it between quotation marks");
    Problem::new(line, what)
}

/// A value without its marks, whether nothing in it is computed, and what stands behind it.
fn unquote(text: &str) -> (String, bool, &str) {
    let (mut value, mut quote, mut plain) = (String::new(), None, true);
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            value.push(c);
            continue;
        }
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ' | '\t' | '\n') if depth == 0 => {
                return (value, plain, text.get(at..).unwrap_or_default().trim());
            }
            (None, '\\') => {
                plain = false;
                escaped = true;
            }
            (quote, c) => {
                let computed = quote != Some('\'') && ['$', '`', '\\'].contains(&c);
                plain &= !computed;
                match c {
                    '(' | '{' if value.ends_with('$') => depth += 1,
                    ')' | '}' => depth = depth.saturating_sub(1),
                    '`' => depth = usize::from(depth == 0),
                    _ => {}
                }
                value.push(c);
            }
        }
    }
    (value, plain, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let list = read(text, &mut problems);
        assert_eq!(problems, [], "{text}");
        list.iter()
            .map(|(a, plain)| {
                format!("{}:{}={}{}", a.line, a.name, a.value, if *plain { "" } else { "?" })
            })
            .collect()
    }

    #[test]
    fn what_sh_takes_is_taken() {
        for (text, expected) in [
            ("a=\"b c\" # d\n  e=f\n", vec!["1:a=b c", "2:e=f"]),
            ("a='b'\"c\"d; export e=f", vec!["1:a=bcd", "1:e=f"]),
            ("k=\"${k} x\"\n", vec!["1:k=${k} x?"]),
            ("k=$(sysctl -n hw.model)\n", vec!["1:k=$(sysctl -n hw.model)?"]),
            ("a=\"b \\\n c\"\nd=e\n", vec!["1:a=b  c", "3:d=e"]),
            ("a=\"b\nc\"\nd=e\n", vec!["1:a=b\nc", "3:d=e"]),
            ("if [ -f /x ]; then\n\ta=b\nfi\n. /etc/rc.conf.site\n", vec!["2:a=b"]),
            ("[ -r /x ] && . /x\na=\n", vec!["2:a="]),
            ("a=\"YES\" b=NO\nexport PATH\nc=d\\ e\n", vec!["1:a=YES", "1:b=NO", "3:c=d e?"]),
            ("case $(hostname) in\nbox)\n a=b\n;;\nesac\n", vec!["3:a=b"]),
        ] {
            assert_eq!(values(text), expected, "{text}");
        }
    }

    #[test]
    fn each_mistake_is_found() {
        for (text, words) in [
            ("a = b", "a blank round"),
            ("a= b", "ends before"),
            ("a=b c", "ends before"),
            ("a=\"b", "no closing"),
            ("a.b=c", "no name"),
            ("a+=\"b\"", "no name"),
            ("enable", "would run"),
        ] {
            let mut problems = Vec::new();
            read(text, &mut problems);
            assert!(problems.iter().any(|p| p.what.contains(words)), "{text}: {problems:?}");
        }
    }
}
