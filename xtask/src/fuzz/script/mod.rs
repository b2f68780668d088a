//! Maintainer scripts: the parser, the evaluator and its vocabulary.

mod seeds;
mod target;
mod words;

pub use seeds::all as seeds;
pub use target::Target;
pub use words::WORDS;
