//! The shell's grammar: a script's text becomes a [`List`] of commands (POSIX.1-2024, 2.10), with what
//! maintainer scripts use of bash besides. Nothing runs here.
//!
//! Every command keeps the line it begins on. Nesting is bounded, so that no text can exhaust the stack.

mod command;
mod compound;
mod condition;
mod cursor;
mod expansion;
mod word;

use std::cell::OnceCell;
use std::rc::Rc;

pub(crate) use command::parse;

/// The deepest nesting of constructs that a script may have.
const DEPTH_LIMIT: usize = 60;

/// Commands one after another.
pub(crate) type List = Vec<AndOr>;

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub(crate) struct AndOr {
    pub first: Pipeline,
    pub rest: Vec<(Joint, Pipeline)>,
    /// Ends in `&`.
    pub background: bool,
}

/// The operator between two pipelines: `&&` or `||`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub negated: bool,
    pub commands: Vec<Command>,
}

/// A command with its redirections.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// From 1.
    pub line: usize,
    pub kind: Kind,
    pub redirections: Vec<Redirection>,
}

/// The kinds of commands.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Simple { assignments: Vec<Assignment>, words: Vec<Word> },
    Group(List),
    Subshell(List),
    If { branches: Vec<(List, List)>, otherwise: Option<List> },
    For { variable: String, words: Option<Vec<Word>>, body: List },
    While { until: bool, condition: List, body: List },
    Case { word: Word, arms: Vec<Arm> },
    Function { name: String, body: Rc<Command> },
    Condition(Box<Condition>),
    Arithmetic(Word),
}

/// One arm of a `case`.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    pub patterns: Vec<Word>,
    pub body: List,
    /// Ends in `;&`: the next arm's body follows.
    pub falls_through: bool,
}

/// `name=word` before or instead of a command.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub name: String,
    pub value: Word,
    /// `+=`.
    pub append: bool,
}

/// `[[ ... ]]`.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    Unary(String, Word),
    Binary(Word, String, Word),
    Word(Word),
}

/// A redirection: `fd` is the number written before it.
#[derive(Debug, Clone)]
pub(crate) struct Redirection {
    pub fd: Option<u32>,
    pub kind: RedirectionKind,
}

/// The kinds of redirections.
#[derive(Debug, Clone)]
pub(crate) enum RedirectionKind {
    Input(Word),
    Output {
        to: Word,
        append: bool,
    },
    /// `&>`: standard output and error.
    Both {
        to: Word,
        append: bool,
    },
    ReadWrite,
    DuplicateInput(Word),
    DuplicateOutput(Word),
    /// A here-document or here-string: its text, expanded before use.
    Here(Rc<OnceCell<Word>>),
}

/// A word: pieces that are expanded one after another.
pub(crate) type Word = Vec<Piece>;

/// A piece of a word.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// Literal text outside of quotes: patterns in it are patterns.
    Text(String),
    /// Literal text in quotes.
    Quoted(String),
    /// `"..."`.
    Double(Word),
    /// `$name`, `${...}`.
    Parameter(Box<Parameter>),
    /// `$(...)` or backquotes.
    Command(Rc<List>),
    /// `$((...))`.
    Arithmetic(Word),
    /// `~` or `~name` at the beginning of a word.
    Tilde(String),
}

/// `${name...}`.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub name: String,
    pub operation: Operation,
}

/// The operation that an expansion applies to a parameter's value.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Value,
    Length,
    /// `:-`; `null` is whether the colon was there.
    Default {
        null: bool,
        word: Word,
    },
    /// `:=`
    Assign {
        null: bool,
        word: Word,
    },
    /// `:?`
    Error {
        null: bool,
        word: Word,
    },
    /// `:+`
    Alternative {
        null: bool,
        word: Word,
    },
    RemovePrefix {
        longest: bool,
        pattern: Word,
    },
    RemoveSuffix {
        longest: bool,
        pattern: Word,
    },
    /// bash: `${name:offset:length}`.
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    /// bash: `${name/pattern/replacement}`.
    Replace {
        all: bool,
        anchor: Option<char>,
        pattern: Word,
        replacement: Word,
    },
    /// bash: `${name,,}` and `${name^^}`.
    Case {
        upper: bool,
        all: bool,
    },
}

/// Why a text is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct SyntaxError {
    pub line: usize,
    pub what: String,
}

pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The text of a word that is nothing but literal text outside of quotes.
pub(crate) fn plain_text(word: &Word) -> Option<&str> {
    match word.as_slice() {
        [Piece::Text(text)] => Some(text),
        _ => None,
    }
}
