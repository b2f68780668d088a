//! Words: quotes, escapes and the expansions between them.

use super::cursor::{Cursor, Parsed};
use super::{Piece, Word};

/// Where a word stands, which says what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among commands.
    Command,
    /// In `${name:-word}` outside of double quotes.
    Braces,
    /// The same inside of double quotes: single quotes are themselves.
    QuotedBraces,
    /// The pattern of `${name/pattern/replacement}`, which ends at the slash, too.
    Slash,
    /// The offset of `${name:offset:length}`, which ends at the colon, too.
    Colon,
}

impl Place {
    fn ends(self, c: char) -> bool {
        match self {
            Place::Command => Cursor::ends_word(c),
            Place::Braces | Place::QuotedBraces => c == '}',
            Place::Slash => matches!(c, '}' | '/'),
            Place::Colon => matches!(c, '}' | ':'),
        }
    }
}

/// Adds literal text to a word.
fn push(word: &mut Word, c: char, quoted: bool) {
    match (word.last_mut(), quoted) {
        (Some(Piece::Text(text)), false) | (Some(Piece::Quoted(text)), true) => text.push(c),
        (_, false) => word.push(Piece::Text(c.into())),
        (_, true) => word.push(Piece::Quoted(c.into())),
    }
}

impl Cursor {
    /// The word that begins here; empty where none does.
    pub(super) fn word(&mut self, place: Place) -> Parsed<Word> {
        self.nested(|cursor| cursor.word_pieces(place))
    }

    fn word_pieces(&mut self, place: Place) -> Parsed<Word> {
        let mut word = Word::new();
        if self.peek() == Some('~') && place != Place::QuotedBraces {
            self.tilde(&mut word, place);
        }
        while let Some(c) = self.peek() {
            if place.ends(c) {
                break;
            }
            match c {
                '\\' if self.joined_line() => {}
                '\\' if place == Place::QuotedBraces => {
                    self.next();
                    match self.peek() {
                        Some(c @ ('$' | '`' | '"' | '\\' | '}')) => {
                            self.next();
                            push(&mut word, c, true);
                        }
                        _ => push(&mut word, '\\', true),
                    }
                }
                '\\' => {
                    self.next();
                    // A backslash at the end of the text is itself.
                    let c = self.next().unwrap_or('\\');
                    push(&mut word, c, true);
                }
                '\'' if place != Place::QuotedBraces => word.push(self.single()?),
                '"' => word.push(self.double()?),
                '$' if self.starts_with("$'") && place != Place::QuotedBraces => {
                    word.push(self.ansi()?);
                }
                '$' => match self.dollar(place == Place::QuotedBraces)? {
                    Some(piece) => word.push(piece),
                    None => push(&mut word, '$', false),
                },
                '`' => word.push(self.backquotes(false)?),
                c => {
                    self.next();
                    push(&mut word, c, false);
                }
            }
        }
        Ok(word)
    }

    fn tilde(&mut self, word: &mut Word, place: Place) {
        let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let mut length = 1;
        while self.peek_at(length).is_some_and(name) {
            length += 1;
        }
        let ends = match self.peek_at(length) {
            None | Some('/' | ':') => true,
            Some(c) => place.ends(c),
        };
        if ends {
            self.next();
            let user = (1..length).filter_map(|_| self.next()).collect();
            word.push(Piece::Tilde(user));
        }
    }

    fn single(&mut self) -> Parsed<Piece> {
        let line = self.line();
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\'') => return Ok(Piece::Quoted(text)),
                Some(c) => text.push(c),
                None => {
                    return self.error(format!("the single quote of line {line} is not closed"));
                }
            }
        }
    }

    /// `$'...'` of bash.
    fn ansi(&mut self) -> Parsed<Piece> {
        self.take("$'");
        let mut text = String::new();
        loop {
            match self.next() {
                Some('\'') => return Ok(Piece::Quoted(text)),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('e') => text.push('\x1b'),
                    Some(c @ ('\\' | '\'' | '"')) => text.push(c),
                    _ => return self.error("an escape in $'...' that is not known here"),
                },
                Some(c) => text.push(c),
                None => return self.error("a quote $' is not closed"),
            }
        }
    }

    fn double(&mut self) -> Parsed<Piece> {
        let line = self.line();
        self.next();
        let word = self.nested(|cursor| cursor.quoted_pieces(Some('"')))?;
        if self.next() != Some('"') {
            return self.error(format!("the double quote of line {line} is not closed"));
        }
        Ok(Piece::Double(word))
    }

    /// All of the text as a here-document's.
    pub(super) fn here_document(&mut self) -> Parsed<Word> {
        self.quoted_pieces(None)
    }

    /// All of the text as an arithmetic expression's.
    pub(super) fn quoted_pieces(&mut self, end: Option<char>) -> Parsed<Word> {
        let mut word = Word::new();
        while let Some(c) = self.peek() {
            if Some(c) == end {
                break;
            }
            match c {
                '\\' if self.joined_line() => {}
                '\\' => {
                    self.next();
                    match self.peek() {
                        Some(c @ ('$' | '`' | '\\')) => {
                            self.next();
                            push(&mut word, c, true);
                        }
                        Some('"') if end == Some('"') => {
                            self.next();
                            push(&mut word, '"', true);
                        }
                        _ => push(&mut word, '\\', true),
                    }
                }
                '$' => match self.dollar(true)? {
                    Some(piece) => word.push(piece),
                    None => push(&mut word, '$', true),
                },
                '`' => word.push(self.backquotes(end == Some('"'))?),
                c => {
                    self.next();
                    push(&mut word, c, true);
                }
            }
        }
        Ok(word)
    }
}
