//! The evaluator: runs a parsed script over a file tree, within bounds, without touching the host.

mod arithmetic;
mod builtins;
mod condition;
mod expand;
mod handles;
mod machine;
mod parameter;
mod paths;
mod pattern;
mod read;
mod redirect;
mod run;
mod shell;

pub(crate) use builtins::is_builtin;
pub(crate) use machine::{Machine, Run, Stop, Vocabulary};
pub(crate) use paths::{is_within, join, parent};
pub(crate) use pattern::class;
