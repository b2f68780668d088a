//! Parses expansions that begin with `$` or a backquote: parameters, command substitutions, arithmetic.

use std::rc::Rc;

use super::cursor::{Cursor, Parsed};
use super::word::Place;
use super::{Operation, Parameter, Piece, Word, command};

/// The most characters of an arithmetic expression.
const ARITHMETIC_LIMIT: usize = 1024;

impl Cursor {
    /// The expansion behind a `$`; `None`, and the `$` is taken, where there is none. `quoted` is
    /// whether it stands in double quotes.
    pub(super) fn dollar(&mut self, quoted: bool) -> Parsed<Option<Piece>> {
        self.next();
        let piece = match self.peek() {
            Some('(') if self.starts_with("((") => {
                let (position, line) = (self.position(), self.line());
                match self.arithmetic()? {
                    Some(piece) => piece,
                    // `$((` may be a command substitution that begins with a subshell.
                    None => {
                        self.back_to(position, line);
                        self.substitution()?
                    }
                }
            }
            Some('(') => self.substitution()?,
            Some('{') => self.nested(|cursor| cursor.braces(quoted))?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.name();
                value(name)
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.next();
                value(c.into())
            }
            _ => return Ok(None),
        };
        Ok(Some(piece))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            self.next();
            name.push(c);
        }
        name
    }

    fn substitution(&mut self) -> Parsed<Piece> {
        let line = self.line();
        self.next();
        let list = self.nested(|cursor| cursor.list_until(&[]))?;
        if self.next() != Some(')') {
            return self.error(format!("the command substitution of line {line} is not closed"));
        }
        Ok(Piece::Command(Rc::new(list)))
    }

    /// `((...))`, with the cursor at the first parenthesis; `None` where it is not closed as one.
    pub(super) fn arithmetic(&mut self) -> Parsed<Option<Piece>> {
        self.take("((");
        let line = self.line();
        let mut text = String::new();
        let mut open = 0_usize;
        // What is longer is a subshell, or none: it is not looked for up to the end of the script each time.
        for _ in 0..ARITHMETIC_LIMIT {
            match self.next() {
                Some(')') if open == 0 => {
                    return self.closed_arithmetic(&text, line);
                }
                Some(c) => {
                    match c {
                        '(' => open += 1,
                        ')' => open -= 1,
                        _ => {}
                    }
                    text.push(c);
                }
                None => break,
            }
        }
        Ok(None)
    }

    /// The expression before the last parenthesis but one, if that is what comes next.
    fn closed_arithmetic(&mut self, text: &str, line: usize) -> Parsed<Option<Piece>> {
        if self.next() != Some(')') {
            return Ok(None);
        }
        let depth = self.depth();
        let word = self.nested(|_| Cursor::new(text, line, depth + 1).quoted_pieces(None))?;
        Ok(Some(Piece::Arithmetic(word)))
    }

    /// Backquotes: their text is a script of its own once its backslashes are gone.
    pub(super) fn backquotes(&mut self, quoted: bool) -> Parsed<Piece> {
        self.next();
        let line = self.line();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('`') => break,
                Some('\\') => match self.next() {
                    Some(c @ ('$' | '`' | '\\')) => text.push(c),
                    Some('"') if quoted => text.push('"'),
                    Some(c) => text.extend(['\\', c]),
                    None => return self.error("a backquote is not closed"),
                },
                Some(c) => text.push(c),
                None => return self.error("a backquote is not closed"),
            }
        }
        let depth = self.depth();
        let list = self.nested(|_| command::parse_at(&text, line, depth + 1))?;
        Ok(Piece::Command(Rc::new(list)))
    }

    /// `{...}` behind a `$`.
    fn braces(&mut self, quoted: bool) -> Parsed<Piece> {
        self.next();
        if self.peek() == Some('#') && self.peek_at(1) != Some('}') {
            let position = self.position();
            let line = self.line();
            self.next();
            let name = self.parameter_name();
            if !name.is_empty() && self.peek() == Some('}') {
                self.next();
                let parameter = Parameter { name, operation: Operation::Length };
                return Ok(Piece::Parameter(Box::new(parameter)));
            }
            self.back_to(position, line);
        }
        let name = self.parameter_name();
        if name.is_empty() {
            return self.error("an expansion ${...} that is not known here");
        }
        let operation = self.operation(quoted)?;
        if self.next() != Some('}') {
            return self.error(format!("an expansion ${{{name}...}} that is not known here"));
        }
        Ok(Piece::Parameter(Box::new(Parameter { name, operation })))
    }

    fn parameter_name(&mut self) -> String {
        match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let mut digits = String::new();
                while let Some(c) = self.peek().filter(char::is_ascii_digit) {
                    self.next();
                    digits.push(c);
                }
                digits
            }
            Some(c) if "@*#?-$!".contains(c) => {
                self.next();
                c.into()
            }
            _ => self.name(),
        }
    }

    fn operation(&mut self, quoted: bool) -> Parsed<Operation> {
        let place = if quoted { Place::QuotedBraces } else { Place::Braces };
        let null = self.peek() == Some(':')
            && self.peek_at(1).is_some_and(|c| matches!(c, '-' | '=' | '?' | '+'));
        if null {
            self.next();
        }
        Ok(match self.peek() {
            Some('-') => Operation::Default { null, word: self.operand(place)? },
            Some('=') => Operation::Assign { null, word: self.operand(place)? },
            Some('?') => Operation::Error { null, word: self.operand(place)? },
            Some('+') => Operation::Alternative { null, word: self.operand(place)? },
            Some('#') => {
                let longest = self.starts_with("##") && self.next().is_some();
                Operation::RemovePrefix { longest, pattern: self.operand(Place::Braces)? }
            }
            Some('%') => {
                let longest = self.starts_with("%%") && self.next().is_some();
                Operation::RemoveSuffix { longest, pattern: self.operand(Place::Braces)? }
            }
            Some('/') => self.replacement(place)?,
            Some(':') => {
                let offset = self.operand(Place::Colon)?;
                let length = match self.peek() {
                    Some(':') => Some(self.operand(Place::Braces)?),
                    _ => None,
                };
                Operation::Substring { offset, length }
            }
            Some(c @ (',' | '^')) => {
                self.next();
                let all = self.peek() == Some(c) && self.next().is_some();
                Operation::Case { upper: c == '^', all }
            }
            _ => Operation::Value,
        })
    }

    /// The word behind an operator's last character.
    fn operand(&mut self, place: Place) -> Parsed<Word> {
        self.next();
        self.word(place)
    }

    fn replacement(&mut self, place: Place) -> Parsed<Operation> {
        let all = self.starts_with("//") && self.next().is_some();
        self.next();
        let anchor = self.peek().filter(|c| !all && matches!(c, '#' | '%'));
        if anchor.is_some() {
            self.next();
        }
        let pattern = self.word(Place::Slash)?;
        let replacement = match self.peek() {
            Some('/') => self.operand(place)?,
            _ => Word::new(),
        };
        Ok(Operation::Replace { all, anchor, pattern, replacement })
    }
}

fn value(name: String) -> Piece {
    Piece::Parameter(Box::new(Parameter { name, operation: Operation::Value }))
}
