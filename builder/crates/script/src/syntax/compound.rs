//! Compound commands: groups, `if`, `for`, `while`, `case`, functions.

use super::cursor::{Cursor, Parsed};
use super::word::Place;
use super::{Arm, Kind, Piece, Word, is_name, plain_text};

impl Cursor {
    /// The compound command that begins here; `None` where a simple one does.
    pub(super) fn compound(&mut self) -> Parsed<Option<Kind>> {
        if self.starts_with("((") {
            let (position, line) = (self.position(), self.line());
            match self.arithmetic()? {
                Some(Piece::Arithmetic(word)) => return Ok(Some(Kind::Arithmetic(word))),
                _ => self.back_to(position, line),
            }
        }
        if self.peek() == Some('(') {
            self.next();
            let list = self.list_until(&[])?;
            if self.next() != Some(')') {
                return self.error("a subshell is not closed");
            }
            return Ok(Some(Kind::Subshell(list)));
        }
        if self.starts_with("[[") && self.peek_at(2).is_some_and(Cursor::ends_word) {
            return self.double_brackets().map(Some);
        }
        if self.starts_with("function") && self.peek_at(8).is_some_and(|c| matches!(c, ' ' | '\t'))
        {
            return self.function_word().map(Some);
        }
        let Some(word) = self.reserved() else { return Ok(None) };
        let kind = match word.as_str() {
            "{" => {
                self.take("{");
                let list = self.list_until(&["}"])?;
                self.expect("}")?;
                Kind::Group(list)
            }
            "if" => self.if_clause()?,
            "for" => self.for_clause()?,
            "while" | "until" => {
                self.take(&word);
                let condition = self.list_until(&["do"])?;
                Kind::While { until: word == "until", condition, body: self.do_group()? }
            }
            "case" => self.case_clause()?,
            _ => return self.error(format!("{word:?} where a command is expected")),
        };
        Ok(Some(kind))
    }

    fn function_word(&mut self) -> Parsed<Kind> {
        self.take("function");
        self.blanks();
        let line = self.line();
        let name = self.word(Place::Command)?;
        let Some(name) = plain_text(&name).map(str::to_owned) else {
            return self.error("a function's name is expected");
        };
        self.blanks();
        if self.take("(") {
            self.blanks();
            if !self.take(")") {
                return self.error("a parenthesis closes behind a function's name");
            }
        }
        self.function(name, line).map(|command| command.kind)
    }

    fn do_group(&mut self) -> Parsed<super::List> {
        self.expect("do")?;
        let body = self.list_until(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    fn if_clause(&mut self) -> Parsed<Kind> {
        self.take("if");
        let mut branches = Vec::new();
        loop {
            let condition = self.list_until(&["then"])?;
            self.expect("then")?;
            let body = self.list_until(&["elif", "else", "fi"])?;
            branches.push((condition, body));
            if self.reserved().as_deref() == Some("elif") {
                self.take("elif");
                continue;
            }
            let mut otherwise = None;
            if self.reserved().as_deref() == Some("else") {
                self.take("else");
                otherwise = Some(self.list_until(&["fi"])?);
            }
            self.expect("fi")?;
            return Ok(Kind::If { branches, otherwise });
        }
    }

    fn for_clause(&mut self) -> Parsed<Kind> {
        self.take("for");
        self.blanks();
        let name = self.word(Place::Command)?;
        let Some(variable) = plain_text(&name).filter(|name| is_name(name)).map(str::to_owned)
        else {
            return self.error("a variable's name is expected after \"for\"");
        };
        self.lines()?;
        let mut words = None;
        if self.starts_with("in") && self.peek_at(2).is_none_or(Cursor::ends_word) {
            self.take("in");
            words = Some(self.words()?);
        }
        self.blanks();
        if self.peek() == Some(';') {
            self.next();
        }
        Ok(Kind::For { variable, words, body: self.do_group()? })
    }

    fn words(&mut self) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.blanks();
            if self.peek().is_none_or(Cursor::ends_word) {
                return Ok(words);
            }
            words.push(self.word(Place::Command)?);
        }
    }

    fn case_clause(&mut self) -> Parsed<Kind> {
        self.take("case");
        self.blanks();
        let word = self.word(Place::Command)?;
        self.lines()?;
        if !self.take("in") {
            return self.error("\"in\" is expected here");
        }
        let mut arms = Vec::new();
        loop {
            self.lines()?;
            if self.reserved().as_deref() == Some("esac") {
                self.take("esac");
                return Ok(Kind::Case { word, arms });
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                let pattern = self.word(Place::Command)?;
                if pattern.is_empty() {
                    return self.error("a pattern is expected here");
                }
                patterns.push(pattern);
                self.blanks();
                match self.next() {
                    Some('|') => {}
                    Some(')') => break,
                    _ => return self.error("a pattern of \"case\" ends with a parenthesis"),
                }
            }
            let body = self.list_until(&["esac"])?;
            let falls_through = self.take(";&");
            if !falls_through && self.starts_with(";;") {
                self.take(";;");
                if self.peek() == Some('&') {
                    return self.error(";;& is not known here");
                }
            }
            arms.push(Arm { patterns, body, falls_through });
        }
    }
}
