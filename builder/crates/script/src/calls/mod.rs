//! The programs that a shell script calls by name, found by reading it: nothing is evaluated.
//!
//! A name that is made while the script runs (`$program`, `eval`) is not known here and left out. What the
//! script itself asks for first (`command -v X`, `[ -x /usr/sbin/X ]`) is noted, as it does without.

mod simple;
mod walk;

use std::collections::BTreeSet;

use crate::SIZE_LIMIT;
use crate::syntax::parse;

/// The names that a script calls, defines and asks for, and the files that it reads in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calls {
    /// Programs and functions that it calls, without the shell's builtins, in order.
    pub calls: Vec<Call>,
    /// Functions that it defines, and aliases.
    pub functions: BTreeSet<String>,
    /// Programs and paths that it looks for before it uses them.
    pub asked: BTreeSet<String>,
    /// Files that it reads in, as far as their paths are known.
    pub sources: Vec<Source>,
    /// Whether it reads in a file, or looks for programs in a folder, whose name is made while it runs:
    /// functions and programs may come from there.
    pub open: bool,
    /// Folders that it looks for programs in, beside the usual ones.
    pub folders: BTreeSet<String>,
}

/// A name that a script calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The line, from 1.
    pub line: usize,
    /// The name, or an absolute path.
    pub name: String,
    /// Whether it is an applet of BusyBox, called by `busybox NAME`.
    pub applet: bool,
}

/// A file that a script reads in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The line, from 1.
    pub line: usize,
    /// Its absolute path.
    pub path: String,
    /// Whether that is all of it: not behind a variable, as in `$IPKG_INSTROOT/lib/functions.sh`.
    pub certain: bool,
}

/// A text that is no shell script, or has syntax that is not known here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// Why it cannot be read.
    pub what: String,
}

impl Calls {
    /// Reads a script.
    ///
    /// # Errors
    /// [`Unreadable`]: it cannot be parsed.
    pub fn of(text: &str) -> Result<Self, Unreadable> {
        if text.len() > SIZE_LIMIT {
            let what = format!("the script is larger than {SIZE_LIMIT} bytes");
            return Err(Unreadable { line: 1, what });
        }
        let list =
            parse(text).map_err(|error| Unreadable { line: error.line, what: error.what })?;
        let mut calls = Calls::default();
        calls.list(&list);
        Ok(calls)
    }
}

/// Whether a shell has this command itself: BusyBox's ash, or bash.
pub fn is_builtin(name: &str, bash: bool) -> bool {
    const ASH: &str = "\
        . : [ [[ ] alias bg break cd chdir command continue echo eval exec exit export false fg getopts hash help \
        history jobs kill let local printf pwd read readonly return set shift source test time times trap true type \
        ulimit umask unalias unset wait";
    const BASH: &str = "\
        bind builtin caller compgen complete compopt declare dirs disown enable logout mapfile popd pushd readarray \
        shopt suspend typeset";
    let knows = |list: &str| list.split(' ').any(|builtin| builtin == name);
    knows(ASH) || bash && knows(BASH)
}

#[cfg(test)]
mod tests;
