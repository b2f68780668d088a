//! A place in a script's text: characters, lines, blanks, operators and the here-documents to come.

use std::cell::OnceCell;
use std::rc::Rc;

use super::{DEPTH_LIMIT, Piece, SyntaxError, Word};

/// Reads a script's characters.
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
    line: usize,
    depth: usize,
    pending: Vec<Pending>,
}

/// A here-document whose text begins on the next line.
struct Pending {
    text: Rc<OnceCell<Word>>,
    end: String,
    strip_tabs: bool,
    quoted: bool,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

impl Cursor {
    pub(super) fn new(text: &str, line: usize, depth: usize) -> Self {
        Cursor { chars: text.chars().collect(), at: 0, line, depth, pending: Vec::new() }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, position: usize, line: usize) {
        self.at = position;
        self.line = line;
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn error<T>(&self, what: impl Into<String>) -> Parsed<T> {
        Err(SyntaxError { line: self.line, what: what.into() })
    }

    /// Goes one construct deeper.
    pub(super) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_LIMIT {
            return self.error(format!("more than {DEPTH_LIMIT} constructs inside each other"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    /// Takes `text` if it comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        if !self.starts_with(text) {
            return false;
        }
        for _ in text.chars() {
            self.next();
        }
        true
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(n, c)| self.peek_at(n) == Some(c))
    }

    /// A backslash before a line break joins lines.
    pub(super) fn joined_line(&mut self) -> bool {
        self.starts_with("\\\n") && self.take("\\\n")
    }

    /// Blanks, joined lines and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => {
                    self.at += 1;
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ if self.joined_line() => {}
                _ => return,
            }
        }
    }

    /// Blanks, comments and line breaks.
    pub(super) fn lines(&mut self) -> Parsed<()> {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.line_break()?;
        }
    }

    /// A line break, and the here-documents that begin behind it.
    pub(super) fn line_break(&mut self) -> Parsed<()> {
        self.next();
        for pending in std::mem::take(&mut self.pending) {
            let text = self.here_text(&pending)?;
            // The cell is this redirection's own, and empty until now.
            let _ = pending.text.set(text);
        }
        Ok(())
    }

    /// A here-document begins behind the next line break: its text, once that is read.
    pub(super) fn expect_here(
        &mut self,
        end: String,
        quoted: bool,
        strip_tabs: bool,
    ) -> Rc<OnceCell<Word>> {
        let text = Rc::new(OnceCell::new());
        self.pending.push(Pending { text: Rc::clone(&text), end, strip_tabs, quoted });
        text
    }

    fn here_text(&mut self, pending: &Pending) -> Parsed<Word> {
        let first = self.line;
        let mut text = String::new();
        loop {
            if self.peek().is_none() {
                // dash and bash take the end of the file for the end of the text.
                break;
            }
            let mut line = String::new();
            while let Some(c) = self.peek() {
                if c == '\n' {
                    break;
                }
                if !pending.quoted && self.joined_line() {
                    continue;
                }
                self.next();
                line.push(c);
                // What is escaped stays escaped: only a line break may not be taken for a joint.
                if c == '\\' && !pending.quoted && self.peek() == Some('\\') {
                    self.next();
                    line.push('\\');
                }
            }
            self.next();
            let line = if pending.strip_tabs { line.trim_start_matches('\t') } else { &line };
            if line == pending.end {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        if pending.quoted {
            return Ok(vec![Piece::Quoted(text)]);
        }
        let mut inner = Cursor::new(&text, first, self.depth);
        inner.here_document().map(|word| vec![Piece::Double(word)])
    }

    /// Characters that end a word outside of quotes.
    pub(super) fn ends_word(c: char) -> bool {
        matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')')
    }
}
