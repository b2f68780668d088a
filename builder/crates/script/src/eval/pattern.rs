//! Patterns: `*`, `?` and brackets (POSIX.1-2024, 2.14).

/// A piece of expanded text; quoted characters stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub text: String,
    pub quoted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(char),
    One,
    Many,
    Set { negated: bool, items: Vec<(char, char)> },
}

/// A pattern, ready to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Token>);

impl Pattern {
    pub fn new(parts: &[Part]) -> Self {
        let chars: Vec<(char, bool)> =
            parts.iter().flat_map(|part| part.text.chars().map(|c| (c, part.quoted))).collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some((c, quoted)) = chars.get(at).copied() {
            at += 1;
            tokens.push(match (c, quoted) {
                ('*', false) => Token::Many,
                ('?', false) => Token::One,
                ('\\', false) => match chars.get(at) {
                    Some((c, _)) => {
                        at += 1;
                        Token::Literal(*c)
                    }
                    None => Token::Literal('\\'),
                },
                ('[', false) => match set(&chars[at..]) {
                    Some((token, length)) => {
                        at += length;
                        token
                    }
                    None => Token::Literal('['),
                },
                (c, _) => Token::Literal(c),
            });
        }
        Pattern(tokens)
    }

    /// A pattern that is written without quotes.
    pub(crate) fn of_text(text: &str) -> Self {
        Pattern::new(&[Part { text: text.to_owned(), quoted: false }])
    }

    /// Whether it contains any wildcard.
    pub(crate) fn is_wild(&self) -> bool {
        self.0.iter().any(|token| !matches!(token, Token::Literal(_)))
    }

    /// An upper estimate of the cost of matching against `length` characters.
    pub(crate) fn cost(&self, length: usize) -> usize {
        length.saturating_mul(1 + self.0.len() / 8)
    }

    /// Whether its first character is this one, written out.
    pub(crate) fn begins_with(&self, c: char) -> bool {
        self.0.first() == Some(&Token::Literal(c))
    }

    /// Whether it matches all of `text`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches_chars(&text)
    }

    /// As [`Pattern::matches`]. Goes back to the last star only, so that it ends in time.
    pub(crate) fn matches_chars(&self, text: &[char]) -> bool {
        let (mut at, mut token) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            let fits = match (self.0.get(token), text.get(at)) {
                (Some(Token::Many), _) => {
                    star = Some((token, at));
                    token += 1;
                    continue;
                }
                (Some(Token::One), Some(_)) => true,
                (Some(Token::Literal(c)), Some(d)) => c == d,
                (Some(Token::Set { negated, items }), Some(d)) => {
                    items.iter().any(|(first, last)| (first..=last).contains(&d)) != *negated
                }
                _ => false,
            };
            if fits {
                at += 1;
                token += 1;
            } else if let Some((back, from)) = star {
                token = back + 1;
                at = from + 1;
                star = Some((back, at));
            } else {
                return false;
            }
        }
        self.0.get(token..).is_some_and(|rest| rest.iter().all(|token| *token == Token::Many))
    }
}

/// The set behind an opening bracket, and how many characters it takes.
fn set(chars: &[(char, bool)]) -> Option<(Token, usize)> {
    let mut at = 0;
    let negated = matches!(chars.first(), Some(('!' | '^', false)));
    if negated {
        at += 1;
    }
    let mut items = Vec::new();
    let first = at;
    loop {
        let (c, quoted) = *chars.get(at)?;
        at += 1;
        if c == ']' && !quoted && at > first + 1 {
            return Some((Token::Set { negated, items }, at));
        }
        if c == '/' {
            return None;
        }
        if c == '[' && !quoted && matches!(chars.get(at), Some((':', _))) {
            let end = (at + 1..chars.len()).find(|end| {
                matches!(chars.get(*end), Some((':', _)))
                    && matches!(chars.get(end + 1), Some((']', _)))
            })?;
            let name: String = chars.get(at + 1..end)?.iter().map(|(c, _)| *c).collect();
            items.extend(class(&name)?);
            at = end + 2;
            continue;
        }
        let range = matches!(chars.get(at), Some(('-', false)))
            && !matches!(chars.get(at + 1), None | Some((']', false)));
        if range {
            let (last, _) = *chars.get(at + 1)?;
            items.push((c, last));
            at += 2;
        } else {
            items.push((c, c));
        }
    }
}

/// The characters of a class in the C locale.
pub(crate) fn class(name: &str) -> Option<Vec<(char, char)>> {
    Some(match name {
        "alpha" => vec![('a', 'z'), ('A', 'Z')],
        "digit" => vec![('0', '9')],
        "alnum" => vec![('a', 'z'), ('A', 'Z'), ('0', '9')],
        "upper" => vec![('A', 'Z')],
        "lower" => vec![('a', 'z')],
        "space" => vec![(' ', ' '), ('\t', '\r')],
        "blank" => vec![(' ', ' '), ('\t', '\t')],
        "punct" => vec![('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "xdigit" => vec![('0', '9'), ('a', 'f'), ('A', 'F')],
        "print" => vec![(' ', '~')],
        "graph" => vec![('!', '~')],
        "cntrl" => vec![('\0', '\x1f'), ('\x7f', '\x7f')],
        _ => return None,
    })
}
