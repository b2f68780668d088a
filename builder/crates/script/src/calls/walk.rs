//! Goes through everything of a script in which a command may stand.

use super::Calls;
use super::simple::{tests_file, text_of};
use crate::syntax::{
    Command, Condition, Kind, List, Operation, Piece, Redirection, RedirectionKind, Word,
};

impl Calls {
    pub(super) fn list(&mut self, list: &List) {
        for item in list {
            let rest = item.rest.iter().map(|(_, pipeline)| pipeline);
            for pipeline in std::iter::once(&item.first).chain(rest) {
                for command in &pipeline.commands {
                    self.command(command);
                }
            }
        }
    }

    fn command(&mut self, command: &Command) {
        match &command.kind {
            Kind::Simple { assignments, words } => {
                for assignment in assignments {
                    if assignment.name == "PATH" {
                        self.path(&assignment.value);
                    }
                    self.word(&assignment.value);
                }
                self.words(words);
                self.simple(command.line, words);
            }
            Kind::Group(list) | Kind::Subshell(list) => self.list(list),
            Kind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    self.list(condition);
                    self.list(body);
                }
                if let Some(list) = otherwise {
                    self.list(list);
                }
            }
            Kind::For { words, body, .. } => {
                if let Some(words) = words {
                    self.words(words);
                }
                self.list(body);
            }
            Kind::While { condition, body, .. } => {
                self.list(condition);
                self.list(body);
            }
            Kind::Case { word, arms } => {
                self.word(word);
                for arm in arms {
                    self.words(&arm.patterns);
                    self.list(&arm.body);
                }
            }
            Kind::Function { name, body } => {
                self.functions.insert(name.clone());
                self.command(body);
            }
            Kind::Condition(condition) => self.condition(condition),
            Kind::Arithmetic(word) => self.word(word),
        }
        command.redirections.iter().for_each(|redirection| self.redirection(redirection));
    }

    fn redirection(&mut self, redirection: &Redirection) {
        match &redirection.kind {
            RedirectionKind::Input(word)
            | RedirectionKind::Output { to: word, .. }
            | RedirectionKind::Both { to: word, .. }
            | RedirectionKind::DuplicateInput(word)
            | RedirectionKind::DuplicateOutput(word) => self.word(word),
            RedirectionKind::ReadWrite => {}
            RedirectionKind::Here(text) => {
                if let Some(word) = text.get() {
                    self.word(word);
                }
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Or(all) | Condition::And(all) => {
                all.iter().for_each(|condition| self.condition(condition));
            }
            Condition::Not(inner) => self.condition(inner),
            Condition::Unary(operator, word) => {
                self.word(word);
                if tests_file(operator) {
                    self.asked.extend(text_of(word));
                }
            }
            Condition::Word(word) => self.word(word),
            Condition::Binary(left, _, right) => {
                self.word(left);
                self.word(right);
            }
        }
    }

    fn words(&mut self, words: &[Word]) {
        words.iter().for_each(|word| self.word(word));
    }

    /// The commands in a word: those of its substitutions.
    fn word(&mut self, word: &Word) {
        for piece in word {
            match piece {
                Piece::Text(_) | Piece::Quoted(_) | Piece::Tilde(_) => {}
                Piece::Double(word) | Piece::Arithmetic(word) => self.word(word),
                Piece::Command(list) => self.list(list),
                Piece::Parameter(parameter) => self.operation(&parameter.operation),
            }
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Value | Operation::Length | Operation::Case { .. } => {}
            Operation::Default { word, .. }
            | Operation::Assign { word, .. }
            | Operation::Error { word, .. }
            | Operation::Alternative { word, .. }
            | Operation::RemovePrefix { pattern: word, .. }
            | Operation::RemoveSuffix { pattern: word, .. } => self.word(word),
            Operation::Substring { offset, length } => {
                self.word(offset);
                if let Some(word) = length {
                    self.word(word);
                }
            }
            Operation::Replace { pattern, replacement, .. } => {
                self.word(pattern);
                self.word(replacement);
            }
        }
    }
}
