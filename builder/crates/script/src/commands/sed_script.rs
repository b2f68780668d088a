//! The scripts of `sed`, as far as they are known here.

use super::regex::{Expression, Syntax, compile};

/// A command of a script.
pub(super) struct Command {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub negated: bool,
    /// Whether the lines between `from` and `to` are under way.
    pub inside: bool,
    pub action: Action,
}

pub(super) enum Address {
    Line(usize),
    Last,
    Match(Expression),
}

pub(super) enum Action {
    Substitute(Substitution),
    Delete,
    Print,
    Quit,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<(char, char)>),
}

/// `s/pattern/replacement/`.
pub(super) struct Substitution {
    pub pattern: Expression,
    pub replacement: Vec<Part>,
    /// The first match that is replaced, from 1.
    pub number: usize,
    pub all: bool,
    pub print: bool,
}

/// A piece of a replacement.
pub(super) enum Part {
    Text(String),
    Group(usize),
}

/// Reads a script; `None` where it uses what is not known here.
pub(super) struct Reader {
    chars: Vec<char>,
    at: usize,
    syntax: Syntax,
    /// What the expressions so far cost.
    pub price: usize,
}

/// The most characters of a script: a bracket that is not closed is looked for up to the end.
const SIZE_LIMIT: usize = 16 << 10;
/// The most that all expressions of a script may cost.
const PRICE_LIMIT: usize = 1 << 20;

impl Reader {
    pub(super) fn new(script: &str, syntax: Syntax) -> Self {
        Reader { chars: script.chars().collect(), at: 0, syntax, price: 0 }
    }

    pub(super) fn commands(&mut self) -> Option<Vec<Command>> {
        let mut commands = Vec::new();
        if self.chars.len() > SIZE_LIMIT {
            return None;
        }
        loop {
            while self.peek().is_some_and(|c| c.is_whitespace() || c == ';') {
                self.at += 1;
            }
            match self.peek() {
                None => return Some(commands),
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                Some(_) => commands.push(self.command()?),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
    }

    fn address(&mut self) -> Option<Option<Address>> {
        Some(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some(c) if c.is_ascii_digit() => {
                let mut digits = String::new();
                while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                    digits.push(c);
                    self.at += 1;
                }
                Some(Address::Line(digits.parse().ok()?))
            }
            Some('/') => {
                self.at += 1;
                let text = self.until('/')?;
                let ignore = self.peek() == Some('I') && self.next().is_some();
                Some(Address::Match(self.compile(&text, ignore)?))
            }
            Some('\\') => {
                self.at += 1;
                let end = self.next()?;
                let text = self.until(end)?;
                Some(Address::Match(self.compile(&text, false)?))
            }
            _ => None,
        })
    }

    /// Text up to a delimiter, which stands for itself behind a backslash.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        let mut in_set = false;
        loop {
            match self.next()? {
                c if c == end && !in_set => return Some(text),
                '\\' => match self.next()? {
                    c if c == end && c != '|' => text.push(c),
                    c if c == end => text.extend(['\\', c]),
                    c => text.extend(['\\', c]),
                },
                c => {
                    match c {
                        '[' if !in_set && end != '[' => {
                            // A set that never closes is none, and the delimiter may be in one.
                            in_set = self.set_closes();
                        }
                        ']' => in_set = false,
                        _ => {}
                    }
                    text.push(c);
                }
            }
        }
    }

    fn set_closes(&self) -> bool {
        let rest = &self.chars[self.at..];
        let close = rest.iter().skip(1).position(|c| *c == ']');
        let line = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        close.is_some_and(|close| close + 1 < line)
    }

    fn command(&mut self) -> Option<Command> {
        let from = self.address()?;
        let mut to = None;
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.blanks();
            to = self.address()?;
            to.as_ref()?;
        }
        self.blanks();
        let mut negated = false;
        while self.peek() == Some('!') {
            negated = true;
            self.at += 1;
            self.blanks();
        }
        let action = match self.next()? {
            's' => self.substitute()?,
            'd' => Action::Delete,
            'p' => Action::Print,
            'q' => Action::Quit,
            'a' => Action::Append(self.text()),
            'i' => Action::Insert(self.text()),
            'c' => Action::Change(self.text()),
            'y' => {
                let end = self.next()?;
                let (from, to) = (self.until(end)?, self.until(end)?);
                if from.chars().count() != to.chars().count() || from.contains('\\') {
                    return None;
                }
                Action::Translate(from.chars().zip(to.chars()).collect())
            }
            _ => return None,
        };
        self.blanks();
        matches!(self.peek(), None | Some(';' | '\n' | '#')).then_some(Command {
            from,
            to,
            negated,
            inside: false,
            action,
        })
    }

    /// The text of a, i and c: the rest of the line, lines joined by backslashes.
    fn text(&mut self) -> String {
        self.blanks();
        if self.peek() == Some('\\') {
            self.at += 1;
            self.blanks();
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\n' => break,
                '\\' => {
                    self.at += 1;
                    text.extend(self.next());
                }
                c => {
                    self.at += 1;
                    text.push(c);
                }
            }
        }
        text.push('\n');
        text
    }

    fn substitute(&mut self) -> Option<Action> {
        let end = self.next()?;
        let text = self.until(end)?;
        let mut replacement = Vec::new();
        let mut literal = String::new();
        loop {
            match self.next()? {
                c if c == end => break,
                '&' => {
                    replacement.push(Part::Text(std::mem::take(&mut literal)));
                    replacement.push(Part::Group(0));
                }
                '\\' => match self.next()? {
                    c @ '0'..='9' => {
                        replacement.push(Part::Text(std::mem::take(&mut literal)));
                        replacement.push(Part::Group(usize::try_from(c.to_digit(10)?).ok()?));
                    }
                    'n' => literal.push('\n'),
                    't' => literal.push('\t'),
                    'L' | 'U' | 'l' | 'u' | 'E' => return None,
                    c => literal.push(c),
                },
                c => literal.push(c),
            }
        }
        replacement.push(Part::Text(literal));
        let (mut all, mut print, mut ignore, mut number) = (false, false, false, 1);
        while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && !matches!(c, ';' | '#')) {
            match c {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => ignore = true,
                '1'..='9' => number = usize::try_from(c.to_digit(10)?).ok()?,
                _ => return None,
            }
            self.at += 1;
        }
        // An empty expression is the last one that was used.
        if text.is_empty() {
            return None;
        }
        let pattern = self.compile(&text, ignore)?;
        Some(Action::Substitute(Substitution { pattern, replacement, number, all, print }))
    }

    fn compile(&mut self, text: &str, ignore_case: bool) -> Option<Expression> {
        let expression = compile(text, self.syntax, ignore_case, ("", ""))?;
        self.price = self.price.saturating_add(expression.price());
        (self.price <= PRICE_LIMIT).then_some(expression)
    }
}
