//! Lists, pipelines, simple commands and redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use super::cursor::{Cursor, Parsed};
use super::word::Place;
use super::{
    AndOr, Assignment, Command, Joint, Kind, List, Piece, Pipeline, Redirection, RedirectionKind,
    SyntaxError, Word, is_name, plain_text,
};

/// Words that are no commands where a command may begin.
pub(super) const RESERVED: [&str; 15] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{",
    "}", "!",
];

/// The commands of a script's text.
pub fn parse(text: &str) -> Result<List, SyntaxError> {
    parse_at(text, 1, 0)
}

/// The same for a text that begins on `line` of a script.
pub(super) fn parse_at(text: &str, line: usize, depth: usize) -> Parsed<List> {
    let mut cursor = Cursor::new(text, line, depth);
    let list = cursor.list_until(&[])?;
    if let Some(c) = cursor.peek() {
        return cursor.error(format!("{c:?} where a command or the end is expected"));
    }
    Ok(list)
}

impl Cursor {
    /// Commands up to one of the reserved words `ends`, a closing parenthesis, `;;` or the end.
    pub(super) fn list_until(&mut self, ends: &[&str]) -> Parsed<List> {
        let mut list = List::new();
        loop {
            self.lines()?;
            if self.peek().is_none() || self.peek() == Some(')') || self.starts_with(";;") {
                break;
            }
            if let Some(word) = self.reserved()
                && ends.contains(&word.as_str())
            {
                break;
            }
            let mut item = self.and_or()?;
            self.blanks();
            let separated = match self.peek() {
                Some(';') if !self.starts_with(";;") && !self.starts_with(";&") => {
                    self.next();
                    true
                }
                Some('&') => {
                    self.next();
                    item.background = true;
                    true
                }
                None | Some('\n' | ')' | ';') => true,
                Some(_) => false,
            };
            list.push(item);
            // Without a separator, only the end of this list can follow.
            if !separated && !self.reserved().is_some_and(|word| ends.contains(&word.as_str())) {
                return self.error("a separator between two commands is missing");
            }
        }
        Ok(list)
    }

    /// The reserved word that comes next.
    pub(super) fn reserved(&self) -> Option<String> {
        let found = RESERVED.iter().find(|word| {
            self.starts_with(word)
                && self.peek_at(word.len()).is_none_or(|c| Cursor::ends_word(c) || c == '#')
        })?;
        Some((*found).to_owned())
    }

    /// Takes the reserved word `word`, which has to come next.
    pub(super) fn expect(&mut self, word: &str) -> Parsed<()> {
        self.lines()?;
        if self.reserved().as_deref() == Some(word) && self.take(word) {
            return Ok(());
        }
        self.error(format!("{word:?} is expected here"))
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let joint = if self.take("&&") {
                Joint::And
            } else if self.take("||") {
                Joint::Or
            } else {
                return Ok(AndOr { first, rest, background: false });
            };
            self.lines()?;
            rest.push((joint, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        self.blanks();
        let mut negated = false;
        while self.reserved().as_deref() == Some("!") {
            self.take("!");
            negated = !negated;
            self.blanks();
        }
        let mut commands = vec![self.command()?];
        loop {
            self.blanks();
            if self.peek() != Some('|') || self.starts_with("||") {
                return Ok(Pipeline { negated, commands });
            }
            self.next();
            if self.peek() == Some('&') {
                return self.error("|& is not known here");
            }
            self.lines()?;
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.nested(|cursor| {
            cursor.blanks();
            let line = cursor.line();
            if let Some(kind) = cursor.compound()? {
                let mut redirections = Vec::new();
                cursor.blanks();
                while let Some(redirection) = cursor.redirection()? {
                    redirections.push(redirection);
                    cursor.blanks();
                }
                return Ok(Command { line, kind, redirections });
            }
            cursor.simple(line)
        })
    }

    fn simple(&mut self, line: usize) -> Parsed<Command> {
        let (mut assignments, mut words, mut redirections) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.blanks();
            if let Some(redirection) = self.redirection()? {
                redirections.push(redirection);
                continue;
            }
            if self.peek().is_none_or(Cursor::ends_word) {
                break;
            }
            let word = self.word(Place::Command)?;
            if words.is_empty()
                && let Some(assignment) = assignment(&word)
            {
                if assignment.value.is_empty() && self.peek() == Some('(') {
                    return self.error("an array, which is not known here");
                }
                assignments.push(assignment);
                continue;
            }
            words.push(word);
        }
        if let [name] = words.as_slice()
            && assignments.is_empty()
            && self.peek() == Some('(')
        {
            let Some(name) = plain_text(name).map(str::to_owned) else {
                return self.error("a function's name is expected before the parenthesis");
            };
            self.next();
            self.blanks();
            if self.next() != Some(')') {
                return self.error("a parenthesis closes behind a function's name");
            }
            return self.function(name, line);
        }
        if assignments.is_empty() && words.is_empty() && redirections.is_empty() {
            let found = self.peek().map_or("the end".into(), |c| format!("{c:?}"));
            return self.error(format!("{found} where a command is expected"));
        }
        Ok(Command { line, kind: Kind::Simple { assignments, words }, redirections })
    }

    pub(super) fn function(&mut self, name: String, line: usize) -> Parsed<Command> {
        self.lines()?;
        let body = Rc::new(self.command()?);
        Ok(Command { line, kind: Kind::Function { name, body }, redirections: Vec::new() })
    }

    /// The redirection that comes next, with the number before it.
    fn redirection(&mut self) -> Parsed<Option<Redirection>> {
        let digits = (0..).take_while(|n| self.peek_at(*n).is_some_and(|c| c.is_ascii_digit()));
        let digits = digits.count();
        let both = digits == 0 && self.starts_with("&>");
        if !both && !matches!(self.peek_at(digits), Some('<' | '>')) {
            return Ok(None);
        }
        let number: String = (0..digits).filter_map(|_| self.next()).collect();
        let fd = match number.parse() {
            Ok(fd) => Some(fd),
            Err(_) if digits == 0 => None,
            Err(_) => return self.error("the number before a redirection is too large"),
        };
        let operators = ["&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"];
        let Some(operator) = operators.iter().find(|operator| self.take(operator)) else {
            return Ok(None);
        };
        if matches!(self.peek(), Some('(')) {
            return self.error("a process substitution, which is not known here");
        }
        self.blanks();
        let line = self.line();
        let target = self.word(Place::Command)?;
        if target.is_empty() {
            return Err(SyntaxError { line, what: format!("a word is expected after {operator}") });
        }
        let kind = match *operator {
            "<" => RedirectionKind::Input(target),
            ">" | ">|" => RedirectionKind::Output { to: target, append: false },
            ">>" => RedirectionKind::Output { to: target, append: true },
            "&>" => RedirectionKind::Both { to: target, append: false },
            "&>>" => RedirectionKind::Both { to: target, append: true },
            "<>" => RedirectionKind::ReadWrite,
            "<&" => RedirectionKind::DuplicateInput(target),
            ">&" => RedirectionKind::DuplicateOutput(target),
            "<<<" => {
                let text = vec![Piece::Double(target), Piece::Quoted("\n".into())];
                RedirectionKind::Here(Rc::new(OnceCell::from(text)))
            }
            here => {
                let (end, quoted) = here_end(&target);
                RedirectionKind::Here(self.expect_here(end, quoted, here == "<<-"))
            }
        };
        Ok(Some(Redirection { fd, kind }))
    }
}

/// The delimiter of a here-document, and whether it is quoted, which prevents expansion of the text.
fn here_end(word: &Word) -> (String, bool) {
    fn text(word: &Word, out: &mut String) -> bool {
        let mut quoted = false;
        for piece in word {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Quoted(text) => {
                    out.push_str(text);
                    quoted = true;
                }
                Piece::Double(word) => {
                    text(word, out);
                    quoted = true;
                }
                _ => quoted = true,
            }
        }
        quoted
    }
    let mut end = String::new();
    let quoted = text(word, &mut end);
    (end, quoted)
}

fn assignment(word: &Word) -> Option<Assignment> {
    let (Piece::Text(first), rest) = word.split_first()? else { return None };
    let (name, value) = first.split_once('=')?;
    let (name, append) = match name.strip_suffix('+') {
        Some(name) => (name, true),
        None => (name, false),
    };
    if !is_name(name) {
        return None;
    }
    let mut word = Word::new();
    if let Some(rest) = value.strip_prefix('~')
        && (rest.is_empty() || rest.starts_with('/'))
    {
        word.push(Piece::Tilde(String::new()));
        word.push(Piece::Text(rest.to_owned()));
    } else if !value.is_empty() {
        word.push(Piece::Text(value.to_owned()));
    }
    word.extend(rest.iter().cloned());
    Some(Assignment { name: name.to_owned(), value: word, append })
}
