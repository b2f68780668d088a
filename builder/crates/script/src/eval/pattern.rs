//! Patterns: `*`, `?` and brackets (POSIX.1-2024, 2.14).

use super::machine::{Machine, Run};

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
pub(crate) struct Pattern {
    tokens: Vec<Token>,
    /// How many characters and ranges it has.
    weight: usize,
}

impl Pattern {
    fn new(parts: &[Part]) -> Self {
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
        let items = |token: &Token| match token {
            Token::Set { items, .. } => 1 + items.len(),
            _ => 1,
        };
        let weight = tokens.iter().map(items).sum();
        Pattern { tokens, weight }
    }

    /// Whether it contains any wildcard.
    pub(crate) fn is_wild(&self) -> bool {
        self.tokens.iter().any(|token| !matches!(token, Token::Literal(_)))
    }

    /// An upper estimate of the cost of matching against `length` characters.
    pub(crate) fn cost(&self, length: usize) -> usize {
        length.saturating_mul(1 + self.weight / 8)
    }

    /// Whether its first character is this one, written out.
    pub(crate) fn begins_with(&self, c: char) -> bool {
        self.tokens.first() == Some(&Token::Literal(c))
    }

    /// Whether it matches all of `text`.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        self.matches_chars(&text)
    }

    /// As [`Pattern::matches`]. Goes back to the last star only, so that it ends in time.
    pub(crate) fn matches_chars(&self, text: &[char]) -> bool {
        let (mut at, mut token) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            let fits = match (self.tokens.get(token), text.get(at)) {
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
        self.tokens.get(token..).is_some_and(|rest| rest.iter().all(|token| *token == Token::Many))
    }
}

impl Machine<'_> {
    /// A pattern of expanded text. A bracket that is not closed is looked for up to the end.
    pub(crate) fn pattern_of(&mut self, parts: &[Part]) -> Run<Pattern> {
        let length: usize = parts.iter().map(|part| part.text.len()).sum();
        let brackets: usize = parts.iter().map(|part| part.text.matches('[').count()).sum();
        self.spend(length.saturating_mul(1 + brackets))?;
        Ok(Pattern::new(parts))
    }

    /// Whether a pattern matches all of a text.
    pub(crate) fn fits(&mut self, pattern: &Pattern, text: &str) -> Run<bool> {
        self.spend(pattern.cost(text.len() + 8))?;
        Ok(pattern.matches(text))
    }

    /// Whether a pattern that is written without quotes matches all of a text.
    pub(crate) fn name_fits(&mut self, pattern: &str, name: &str) -> Run<bool> {
        let part = Part { text: pattern.to_owned(), quoted: false };
        let pattern = self.pattern_of(&[part])?;
        self.fits(&pattern, name)
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
