//! Why a script is not understood.

use std::fmt;

/// A script that the evaluator does not understand, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// The package.
    pub package: String,
    /// The script's name: `postinst`, `pre-install`.
    pub script: String,
    /// The file of the tree that it was in, where it was not in the script itself.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The command that ran, expanded; empty where none did yet.
    pub command: String,
    /// Why it is not understood.
    pub reason: Reason,
    /// The lines around, numbered, with a mark at the line itself.
    pub around: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "package {}, {}, {}", self.package, self.script, Place(self))
    }
}

impl Refused {
    /// Where in the script, and why, without the names of package and script.
    pub fn place(&self) -> String {
        Place(self).to_string()
    }
}

struct Place<'a>(&'a Refused);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { file, line, command, reason, around, .. } = self.0;
        write!(f, "line {line}")?;
        if let Some(file) = file {
            write!(f, " of {file}")?;
        }
        write!(f, ": {reason}")?;
        if !command.is_empty() {
            write!(f, "\n  in the command: {}", Shortened(command))?;
        }
        if !around.is_empty() {
            write!(f, "\n{}", around.trim_end())?;
        }
        Ok(())
    }
}

/// A command's first characters, on one line.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.0.replace('\n', " ");
        match line.char_indices().nth(200) {
            Some((end, _)) => write!(f, "{}...", &line[..end]),
            None => f.write_str(&line),
        }
    }
}

/// The reason why a script is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The text is not valid shell grammar, or uses syntax that is not supported here.
    #[error("the text cannot be read as a shell script: {0}")]
    Syntax(String),
    /// The script is for another interpreter.
    #[error("it is for {0}, and only scripts of sh, dash, bash and BusyBox's sh are understood")]
    Interpreter(String),
    /// A command that is in no vocabulary.
    #[error("the command {0:?} is not known")]
    UnknownCommand(String),
    /// A command is known, but not this use of it.
    #[error("{0}")]
    Unsupported(String),
    /// The result depends on the machine that runs the script.
    #[error("{0} depends on the machine that runs it")]
    Host(String),
    /// A limit was reached.
    #[error("{0}: a bound of what a script may do")]
    Limit(String),
    /// The script fails, so that the package would not be installed.
    #[error("the script fails with status {status}{}", said_last(said))]
    Fails {
        /// Its exit status.
        status: i32,
        /// The last line of its output.
        said: String,
    },
    /// The tree refuses a change.
    #[error("the tree refuses it: {0}")]
    Tree(String),
}

fn said_last(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" after it says {said:?}") }
}
