//! The files of `bhyve -k`: a tree of configuration variables, one `key=value` to a line.
//!
//! The format is that of bhyve_config(5) and of bhyve's own reader (usr.sbin/bhyve/config.c and
//! bhyverun.c of FreeBSD): a line is split at its first `=`, nothing is trimmed, `#` begins a comment
//! in the first column only, the last of two equal keys counts, unknown keys pass in silence. What
//! passes in silence there is a problem here.

mod check;
mod expand;
mod keys;
mod options;
#[cfg(test)]
mod tests;
mod tree;
mod values;

pub(crate) use options::option_place;
pub use tree::{Config, Device};

use super::Problem;

/// The problems of such a file, sorted by line.
#[must_use]
pub fn lint(text: &str) -> Vec<Problem> {
    let (config, mut problems) = Config::parse(text);
    check::check(&config, &mut problems);
    problems.sort();
    problems
}
