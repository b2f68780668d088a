//! Calls of what is not in the guest, with the package that would bring it.

use std::collections::BTreeSet;
use std::fmt;

use wifibox_ground::path::GuestPath;
use wifibox_recipe::{Format, Recipe};

use crate::{Origin, Tree};

/// The thing that a script wants of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// A program to call.
    Program,
    /// An applet of BusyBox.
    Applet,
    /// A file to read in.
    File,
}

/// A call of something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingCall {
    /// The script.
    pub script: GuestPath,
    /// The line, from 1.
    pub line: usize,
    /// The thing that it wants.
    pub want: Want,
    /// The name, or a path.
    pub name: String,
}

impl MissingCall {
    pub(super) fn new(script: &GuestPath, line: usize, want: Want, name: &str) -> Self {
        MissingCall { script: script.clone(), line, want, name: name.to_owned() }
    }
}

/// All such calls of a guest.
#[derive(Debug, thiserror::Error)]
#[error(
    "the guest's own scripts call what is not in the guest:\n{}\n  \
     a script that can do without asks first: 'command -v NAME' for a program, '[ -f PATH ]' for a file",
    .0.iter().map(|(call, help)| format!("  {call}: {help}")).collect::<Vec<_>>().join("\n")
)]
pub struct MissingCalls(pub Vec<(MissingCall, String)>);

impl fmt::Display for MissingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MissingCall { script, line, want, name } = self;
        write!(f, "{script}, line {line}: ")?;
        match want {
            Want::Program => write!(f, "calls {name}"),
            Want::Applet => write!(f, "calls the BusyBox applet {name}"),
            Want::File => write!(f, "reads in {name}"),
        }
    }
}

impl MissingCalls {
    pub(super) fn new(calls: BTreeSet<MissingCall>, recipe: &Recipe, tree: &Tree) -> Self {
        let helped = calls.into_iter().map(|call| {
            let help = help(&call, recipe, tree);
            (call, help)
        });
        MissingCalls(helped.collect())
    }
}

/// How it can be brought in.
fn help(call: &MissingCall, recipe: &Recipe, tree: &Tree) -> String {
    match call.want {
        Want::Applet => return "this guest's BusyBox was built without it".into(),
        Want::File => return "no package and no overlay of this guest brings it".into(),
        Want::Program => {}
    }
    let program = call.name.rsplit('/').next().unwrap_or_default();
    let Some(package) = recipe.programs.get(program).map(|package| &package.value) else {
        return format!(
            "no package of this guest has it; {}",
            search(recipe.format.value, program)
        );
    };
    let of_package = |origin: &Origin| matches!(origin, Origin::Package(name) if name == package);
    let asked_for = recipe.packages.iter().any(|asked| asked.value == *package);
    if asked_for || tree.iter().any(|(_, node)| of_package(&node.origin)) {
        return format!("the package {package} has it, and 'exclude' of a recipe leaves it out");
    }
    format!("the package {package} has it: add it to 'packages'")
}

/// How to find the package of a program.
fn search(format: Format, program: &str) -> String {
    let command = match format {
        Format::Dpkg => format!("apt-file search -x 'bin/{program}$'"),
        Format::Apk => format!("apk search cmd:{program}"),
        Format::Adb | Format::Opkg => {
            return format!("add the package that brings {program} to 'packages'");
        }
    };
    format!("'{command}' names the one to add to 'packages'")
}
