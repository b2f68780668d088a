//! devd.conf(5), by the grammar of devd itself (token.l and parse.y of FreeBSD): statements with a
//! priority and a block of `match`, `device-name`, `media-type`, `subdevice` and `action`, and `options`;
//! blanks, ends of lines and comments (`#`, `//`, `/* */`) count for nothing between words.

use super::{Problem, did_you_mean};

const BLOCKS: [&str; 5] = ["attach", "detach", "nomatch", "notify", "options"];
const STATEMENTS: [&str; 5] = ["match", "device-name", "media-type", "subdevice", "action"];
const OPTIONS: [&str; 3] = ["directory", "pid-file", "set"];

/// A word, a text between quotation marks (without a value), or one of `{ } ;`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text,
    Sign(char),
}

/// The problems of a file.
pub(super) fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let tokens = tokens(text, &mut problems);
    let mut rest = tokens.as_slice();
    while let Some(((line, token), after)) = rest.split_first() {
        rest = after;
        let kind = match token {
            Token::Word(word) if BLOCKS.contains(&word.as_str()) => word.as_str(),
            _ => {
                let what = "expected attach, detach, nomatch, notify or options";
                problems.push(Problem::new(*line, what));
                rest = after_block(rest);
                continue;
            }
        };
        if kind != "options" {
            match rest.split_first() {
                Some(((_, Token::Word(word)), after)) if word.parse::<u32>().is_ok() => {
                    rest = after
                }
                _ => {
                    let what = "expected a priority behind the kind of event";
                    problems.push(Problem::new(*line, what));
                }
            }
        }
        match rest.split_first() {
            Some(((_, Token::Sign('{')), after)) => rest = after,
            _ => problems.push(Problem::new(*line, "expected '{'")),
        }
        rest = block(kind, *line, rest, &mut problems);
    }
    problems
}

/// The tokens after the next `};`.
fn after_block(tokens: &[(usize, Token)]) -> &[(usize, Token)] {
    let end = tokens.iter().position(|(_, token)| *token == Token::Sign('}'));
    let rest = end.and_then(|end| tokens.get(end + 1..)).unwrap_or_default();
    match rest.split_first() {
        Some(((_, Token::Sign(';')), after)) => after,
        _ => rest,
    }
}

/// Checks the statements of a block, and gives back what follows it.
fn block<'a>(
    kind: &str,
    begun: usize,
    tokens: &'a [(usize, Token)],
    problems: &mut Vec<Problem>,
) -> &'a [(usize, Token)] {
    let (mut rest, mut acts) = (tokens, false);
    let known: &[&str] = if kind == "options" { &OPTIONS } else { &STATEMENTS };
    while let Some(((line, token), after)) = rest.split_first() {
        if *token == Token::Sign('}') {
            if kind != "options" && !acts {
                let what = "the block ends, and no action says what to do";
                problems.push(Problem::new(*line, what).warning());
            }
            return match after.split_first() {
                Some(((_, Token::Sign(';')), after)) => after,
                _ => {
                    problems
                        .push(Problem::new(*line, "expected ';' behind the block: it has no end"));
                    after
                }
            };
        }
        let Token::Word(word) = token else {
            problems.push(Problem::new(*line, format!("expected {}", known.join(", "))));
            rest = after;
            continue;
        };
        if !known.contains(&word.as_str()) {
            let near = did_you_mean(word, known.iter().copied());
            let what = format!("expected {}{near}", known.join(", "));
            problems.push(Problem::new(*line, what));
        }
        acts |= word == "action";
        // Up to the semicolon, with as many texts as the statement takes.
        let ends = |(_, token): &(usize, Token)| match token {
            Token::Sign(_) => true,
            Token::Word(next) => known.contains(&next.as_str()),
            Token::Text => false,
        };
        let words = after.iter().position(ends).unwrap_or(after.len());
        let arguments = after.get(..words).unwrap_or_default();
        let texts = arguments.iter().filter(|(_, token)| *token == Token::Text).count();
        let wanted = if word == "match" { 2 } else { 1 };
        rest = after.get(words..).unwrap_or_default();
        match rest.split_first() {
            Some(((_, Token::Sign(';')), after)) => {
                rest = after;
                if known.contains(&word.as_str()) && texts != wanted {
                    let what =
                        format!("{word} takes {wanted} texts in quotation marks, and has {texts}");
                    problems.push(Problem::new(*line, what));
                }
            }
            _ => problems.push(Problem::new(*line, "the statement does not end with ';'")),
        }
        if let Some(((_, Token::Sign('{')), after)) = rest.split_first() {
            rest = after;
        }
    }
    problems.push(Problem::new(begun, "the block that begins here has no end ('};')"));
    rest
}

/// The words of a file, each with its line.
fn tokens(text: &str, problems: &mut Vec<Problem>) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => while characters.next_if(|c| *c != '\n').is_some() {},
            '/' if characters.peek() == Some(&'/') => {
                while characters.next_if(|c| *c != '\n').is_some() {}
            }
            '/' if characters.peek() == Some(&'*') => {
                let mut last = ' ';
                for c in characters.by_ref() {
                    line += usize::from(c == '\n');
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            '{' | '}' | ';' => tokens.push((line, Token::Sign(c))),
            '"' => {
                let begun = line;
                let mut closed = false;
                while let Some(c) = characters.next() {
                    line += usize::from(c == '\n');
                    if c == '\\' {
                        line += usize::from(characters.next() == Some('\n'));
                    } else if c == '"' {
                        closed = true;
                        break;
                    }
                }
                if !closed {
                    problems.push(Problem::new(begun, "a quotation mark is not closed"));
                }
                tokens.push((begun, Token::Text));
            }
            c => {
                let mut word = c.to_string();
                let part = |c: &char| !c.is_whitespace() && !['{', '}', ';', '"'].contains(c);
                while let Some(c) = characters.next_if(part) {
                    word.push(c);
                }
                tokens.push((line, Token::Word(word)));
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# x\nnotify 11 {\n\tmatch \"system\" \"ACPI\";\n\taction \"true\";\n};\n";

    #[test]
    fn what_devd_takes_is_taken() {
        for text in [
            SOUND,
            "options {\n  directory \"/etc/devd\";\n  pid-file \"/var/run/devd.pid\";\n  set scsi \"(aic|mpt)[0-9]+\";\n};\n",
            "/* a\n comment */ nomatch 10\n{\n  match \"bus\" \"pci[0-9]+\"; match \"class\" \"0x02.*\";\n action\n \"logger x\"; };",
            "attach 0 { device-name \"umass[0-9]+\"; action \"echo \\\"$device-name\\\"\n more\"; };",
            "detach 10 { media-type \"ethernet\"; action \"x\"; }; // end\n",
        ] {
            assert_eq!(lint(text), [], "{text}");
        }
    }

    #[test]
    fn each_mistake_is_found() {
        assert_eq!(lint(SOUND), []);
        for (old, new, words) in [
            ("notify 11", "notify", "expected a priority"),
            ("notify 11", "notice 11", "expected attach"),
            ("\"ACPI\";", "\"ACPI\"", "does not end"),
            ("\"ACPI\";", "\"ACPI;", "not closed"),
            ("\"system\" ", "", "takes 2 texts"),
            ("};", "", "has no end"),
            ("\taction \"true\";\n", "", "no action"),
            ("\tmatch", "\tmach", "expected match"),
            ("{", "", "expected '{'"),
        ] {
            let problems = lint(&SOUND.replacen(old, new, 1));
            assert!(problems.iter().any(|p| p.what.contains(words)), "{new}: {problems:?}");
        }
    }
}
