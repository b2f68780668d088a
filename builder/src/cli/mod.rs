//! The command line: arguments, one file per verb, and the only code that prints.

pub mod args;
pub mod printer;
