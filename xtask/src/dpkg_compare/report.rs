//! The counts, and what is wrong.

use std::collections::BTreeMap;

use wifibox_script::{Reason, Refused};

use super::Failure;
use super::allowed::Allowed;

/// How one package came out.
pub enum Outcome {
    /// Understood, and the same as with dpkg.
    Same {
        /// How many paths the installation changes.
        changes: usize,
    },
    /// Not understood: a command that is not known, for example.
    Refused(Refused),
    /// A script fails with dpkg, and here.
    FailsAlike,
    /// Understood, and something is not the same.
    Differs(Vec<String>),
    /// It fails with dpkg only, and it is known why.
    Explained,
    /// It fails here only.
    OnlyOursFails(Refused),
    /// It could not be tried.
    Broken(String),
}

/// All packages.
#[derive(Default)]
pub struct Report {
    same: usize,
    changes: usize,
    fails: usize,
    explained: usize,
    refused: BTreeMap<String, Vec<String>>,
    wrong: usize,
}

impl Report {
    /// Adds a package, and prints what is wrong with it.
    #[expect(clippy::print_stdout, reason = "the result of a chore")]
    pub fn add(&mut self, name: &str, outcome: Outcome) {
        let wrong = match outcome {
            Outcome::Same { changes } => {
                self.same += 1;
                self.changes += changes;
                return;
            }
            Outcome::Explained => {
                self.explained += 1;
                return;
            }
            Outcome::FailsAlike => {
                self.fails += 1;
                return;
            }
            Outcome::Refused(refused) => {
                self.refused.entry(kind(&refused.reason)).or_default().push(name.to_owned());
                return;
            }
            Outcome::Differs(lines) => lines,
            Outcome::OnlyOursFails(refused) => vec![format!("fails here only: {refused}")],
            Outcome::Broken(why) => vec![why],
        };
        self.wrong += 1;
        println!("{name}:");
        wrong.iter().for_each(|line| println!("  {line}"));
    }

    /// Prints the counts.
    ///
    /// # Errors
    /// Something is wrong with a package, or a line of the allowed differences explains nothing.
    #[expect(clippy::print_stdout, reason = "the result of a chore")]
    pub fn finish(&self, allowed: &Allowed) -> Result<(), Failure> {
        let refused: usize = self.refused.values().map(Vec::len).sum();
        let all = self.same + self.fails + self.explained + self.wrong + refused;
        let mut reasons: Vec<_> = self.refused.iter().collect();
        reasons.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        for (reason, names) in reasons {
            println!("{:4} {reason}: {}", names.len(), names.join(" "));
        }
        println!(
            "{all} packages: {} understood and as with dpkg ({} paths), {} fail without their \
             dependencies as with dpkg, {} only with dpkg for a known reason, {refused} not \
             understood, {} different",
            self.same, self.changes, self.fails, self.explained, self.wrong
        );
        let unused: Vec<&str> = allowed.unused().collect();
        match (self.wrong, unused.as_slice()) {
            (0, []) => Ok(()),
            (0, unused) => Err(format!("explains nothing: {}", unused.join("; ")).into()),
            (count, _) => Err(format!("{count} packages are not as with dpkg").into()),
        }
    }
}

/// The reason without what only one package has.
fn kind(reason: &Reason) -> String {
    match reason {
        Reason::UnknownCommand(command) => format!("the command {command}"),
        other => other.to_string().chars().take(70).collect(),
    }
}
