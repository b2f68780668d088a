//! Expansion of words: pieces, fields, path names (POSIX.1-2024, 2.6).

use super::machine::{Machine, Run};
use super::pattern::{Part, Pattern};
use crate::error::Reason;
use crate::syntax::{Piece, Word};

/// Fields in the making.
#[derive(Default)]
struct Fields {
    done: Vec<Vec<Part>>,
    current: Option<Vec<Part>>,
    separators: String,
}

impl Fields {
    fn push(&mut self, text: &str, quoted: bool) {
        self.current.get_or_insert_default().push(Part { text: text.to_owned(), quoted });
    }

    fn end(&mut self) {
        self.done.extend(self.current.take());
    }

    /// Adds the result of an expansion outside of quotes: it is split into fields.
    fn split(&mut self, text: &str) {
        let mut piece = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if !self.separators.contains(c) {
                piece.push(c);
                continue;
            }
            if !piece.is_empty() {
                self.push(&std::mem::take(&mut piece), false);
            }
            let mut hard = usize::from(!is_blank(c));
            while let Some(next) = chars.peek().copied().filter(|c| self.separators.contains(*c)) {
                hard += usize::from(!is_blank(next));
                if hard > 1 {
                    break;
                }
                chars.next();
            }
            if self.current.is_none() && hard > 0 {
                self.push("", false);
            }
            self.end();
        }
        if !piece.is_empty() {
            self.push(&piece, false);
        }
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n')
}

impl Machine<'_> {
    /// Expands words into fields.
    pub(crate) fn fields(&mut self, words: &[Word]) -> Run<Vec<String>> {
        let mut fields = Vec::new();
        for word in words {
            let separators = self.separators()?;
            let mut found = Fields { separators, ..Fields::default() };
            self.expand(word, false, &mut found)?;
            found.end();
            self.spend_items(found.done.len(), 0)?;
            for field in found.done {
                self.path_names(field, &mut fields)?;
            }
        }
        Ok(fields)
    }

    /// Expands a word without splitting it, as in assignments, redirections and `case`.
    pub(crate) fn text(&mut self, word: &Word) -> Run<String> {
        Ok(self.parts(word)?.into_iter().map(|part| part.text).collect())
    }

    /// The same, with quoted parts marked.
    pub(crate) fn parts(&mut self, word: &Word) -> Run<Vec<Part>> {
        // No separators: nothing is split, and "$@" is joined below.
        let mut found = Fields::default();
        self.expand(word, false, &mut found)?;
        found.end();
        let mut parts = Vec::new();
        for (number, field) in found.done.into_iter().enumerate() {
            if number > 0 {
                parts.push(Part { text: " ".into(), quoted: false });
            }
            parts.extend(field);
        }
        Ok(parts)
    }

    fn expand(&mut self, word: &Word, quoted: bool, out: &mut Fields) -> Run<()> {
        self.nested(|machine| {
            for piece in word {
                machine.piece(piece, quoted, out)?;
            }
            Ok(())
        })
    }

    fn piece(&mut self, piece: &Piece, quoted: bool, out: &mut Fields) -> Run<()> {
        // Also what expands to nothing is work.
        self.spend(16)?;
        match piece {
            Piece::Text(text) => {
                if text.contains('\u{fffd}') {
                    return self.refuse(Reason::Syntax("text that is not UTF-8".into()));
                }
                self.spend(text.len())?;
                out.push(text, quoted);
            }
            Piece::Quoted(text) => {
                self.spend(text.len())?;
                out.push(text, true);
            }
            Piece::Double(word) => {
                // "$@" without arguments is no field at all; any other "" is an empty one.
                let all = |piece: &Piece| matches!(piece, Piece::Parameter(p) if p.name == "@");
                if !word.iter().any(all) {
                    out.push("", true);
                }
                self.expand(word, true, out)?;
            }
            Piece::Tilde(user) => {
                let home = match user.as_str() {
                    "" => self.shell.get("HOME").unwrap_or("/root").to_owned(),
                    user => self.home_of(user)?.unwrap_or_else(|| format!("~{user}")),
                };
                out.push(&home, true);
            }
            Piece::Command(list) => {
                let line = self.line;
                let text = self.captured(list)?;
                self.line = line;
                self.add(&text, quoted, out)?;
            }
            Piece::Arithmetic(word) => {
                let value = self.arithmetic(word)?.to_string();
                self.add(&value, quoted, out)?;
            }
            Piece::Parameter(parameter) => self.parameter(parameter, quoted, out)?,
        }
        Ok(())
    }

    fn add(&mut self, text: &str, quoted: bool, out: &mut Fields) -> Run<()> {
        self.spend(text.len())?;
        if quoted {
            out.push(text, true);
        } else {
            let between = text.chars().filter(|c| out.separators.contains(*c)).count();
            self.spend_items(between, 0)?;
            out.split(text);
        }
        Ok(())
    }

    fn parameter(
        &mut self,
        parameter: &crate::syntax::Parameter,
        quoted: bool,
        out: &mut Fields,
    ) -> Run<()> {
        let plain = matches!(parameter.operation, crate::syntax::Operation::Value);
        if matches!(parameter.name.as_str(), "@" | "*") && plain {
            let arguments = self.shell.arguments.clone();
            self.spend_items(arguments.len(), arguments.iter().map(String::len).sum())?;
            if quoted && parameter.name == "*" {
                let separator = match self.shell.get("IFS") {
                    None => " ".to_owned(),
                    Some(text) => text.chars().take(1).collect(),
                };
                return self.add(&arguments.join(&separator), true, out);
            }
            for (number, argument) in arguments.iter().enumerate() {
                if number > 0 {
                    out.end();
                }
                self.add(argument, quoted, out)?;
            }
            return Ok(());
        }
        match self.operate(parameter)? {
            super::parameter::Result::Text(text) => self.add(&text, quoted, out),
            // Its pieces are quoted or not as they are written.
            super::parameter::Result::Word(word) => {
                if quoted {
                    return self.expand(word, true, out);
                }
                for piece in word {
                    match piece {
                        // Text in ${name:-text} is split, too.
                        Piece::Text(text) => self.add(text, false, out)?,
                        piece => self.piece(piece, false, out)?,
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds a field, or the paths that it matches as a pattern.
    fn path_names(&mut self, field: Vec<Part>, fields: &mut Vec<String>) -> Run<()> {
        let wild = |part: &Part| !part.quoted && part.text.contains(['*', '?', '[']);
        let text: String = field.iter().map(|part| part.text.as_str()).collect();
        if self.shell.options.noglob || !field.iter().any(wild) {
            fields.push(text);
            return Ok(());
        }
        let mut components = vec![Vec::new()];
        for part in &field {
            for (number, piece) in part.text.split('/').enumerate() {
                if number > 0 {
                    components.push(Vec::new());
                }
                if let Some(last) = components.last_mut() {
                    last.push(Part { text: piece.to_owned(), quoted: part.quoted });
                }
            }
        }
        let mut found = vec![if text.starts_with('/') { "/".to_owned() } else { String::new() }];
        for (number, component) in components.iter().enumerate() {
            let literal: String = component.iter().map(|part| part.text.as_str()).collect();
            if literal.is_empty() {
                continue;
            }
            let pattern = self.pattern_of(component)?;
            let is_last = number + 1 == components.len();
            let mut next = Vec::new();
            for base in found {
                self.step()?;
                self.below(&base, &literal, &pattern, is_last, &mut next)?;
            }
            found = next;
        }
        if found.is_empty() {
            fields.push(text);
        } else {
            fields.extend(found);
        }
        Ok(())
    }

    /// The paths one component below `base` that a pattern matches.
    fn below(
        &mut self,
        base: &str,
        literal: &str,
        pattern: &Pattern,
        is_last: bool,
        next: &mut Vec<String>,
    ) -> Run<()> {
        let joined = |name: &str| match base {
            "" => name.to_owned(),
            base if base.ends_with('/') => format!("{base}{name}"),
            base => format!("{base}/{name}"),
        };
        if !pattern.is_wild() {
            let path = joined(literal);
            if self.exists(&path, !is_last)? {
                next.push(path);
            }
            return Ok(());
        }
        let directory = if base.is_empty() { "." } else { base };
        for name in self.names_in(directory)? {
            let hidden = name.starts_with('.') && !pattern.begins_with('.');
            if !hidden && self.fits(pattern, &name)? {
                let path = joined(&name);
                self.spend_items(1, path.len())?;
                if is_last || self.is_directory(&path)? {
                    next.push(path);
                }
            }
        }
        Ok(())
    }
}
