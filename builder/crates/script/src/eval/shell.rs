//! The state of a shell: what a subshell gets a copy of.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::handles::Handle;
use crate::syntax::Command;

/// A variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Variable {
    pub value: Option<String>,
    pub exported: bool,
}

/// `set` and its options.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    pub errexit: bool,
    pub nounset: bool,
    pub noglob: bool,
    pub pipefail: bool,
}

/// Variables, functions, options, files that are open.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    pub variables: BTreeMap<String, Variable>,
    pub functions: BTreeMap<String, Rc<Command>>,
    pub name: String,
    pub arguments: Vec<String>,
    /// The variables that each function call under way has hidden, and what they were.
    pub locals: Vec<Vec<(String, Option<Variable>)>>,
    pub options: Options,
    pub directory: String,
    pub umask: u16,
    pub status: i32,
    pub handles: BTreeMap<u32, Handle>,
    /// Whether a failing command is looked at, so that `set -e` does not end the script.
    pub tested: bool,
    /// Where `getopts` is in a word.
    pub option_offset: usize,
}

impl Shell {
    pub fn new(name: &str, arguments: &[String]) -> Self {
        Shell {
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            name: name.to_owned(),
            arguments: arguments.to_vec(),
            locals: Vec::new(),
            options: Options::default(),
            directory: "/".to_owned(),
            umask: 0o022,
            status: 0,
            handles: BTreeMap::from([(0, Handle::Null), (1, Handle::Said), (2, Handle::Said)]),
            tested: false,
            option_offset: 0,
        }
    }

    /// Bytes that a copy takes, nearly.
    pub fn size(&self) -> usize {
        let variables = self.variables.iter();
        let text = |(name, variable): (&String, &Variable)| {
            32 + name.len() + variable.value.as_ref().map_or(0, String::len)
        };
        let hidden = self.locals.iter().flatten().map(|(name, variable)| {
            let value = variable.as_ref().and_then(|variable| variable.value.as_ref());
            32 + name.len() + value.map_or(0, String::len)
        });
        let functions = self.functions.keys().map(|name| 32 + name.len());
        let arguments: usize = self.arguments.iter().map(|argument| 24 + argument.len()).sum();
        variables.map(text).chain(hidden).chain(functions).sum::<usize>() + arguments
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.value.as_deref()
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.entry(name.to_owned()).or_default().value = Some(value.into());
    }

    pub(crate) fn export(&mut self, name: &str) {
        self.variables.entry(name.to_owned()).or_default().exported = true;
    }

    /// Hides `name` until the function under way returns; `false` outside of functions.
    pub(crate) fn hide(&mut self, name: &str) -> bool {
        let old = self.variables.get(name).cloned();
        let Some(frame) = self.locals.last_mut() else { return false };
        if !frame.iter().any(|(hidden, _)| hidden == name) {
            frame.push((name.to_owned(), old));
        }
        true
    }

    /// Ends a function call: its local variables are what they were.
    pub(crate) fn leave(&mut self) {
        for (name, old) in self.locals.pop().unwrap_or_default().into_iter().rev() {
            match old {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }
}
