//! Who wants a module, and why one is in the guest.

use std::fmt;

use crate::kernel::name::{ModuleName, NotAModuleName};

/// A module that some part of the guest wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The module.
    pub name: ModuleName,
    /// Whether it may be missing.
    pub optional: bool,
    /// Who wants it, in words for the user (`flavor iwlwifi`).
    pub by: String,
}

impl Want {
    /// Reads a name as recipes write it: a `?` at its end means "only if the kernel has it".
    ///
    /// # Errors
    /// [`NotAModuleName`].
    pub fn parse(text: &str, by: impl Into<String>) -> Result<Self, NotAModuleName> {
        let (name, optional) = match text.strip_suffix('?') {
            Some(name) => (name, true),
            None => (text, false),
        };
        Ok(Want { name: ModuleName::new(name)?, optional, by: by.into() })
    }
}

/// Why a module is in the guest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Somebody wants it.
    Wanted(String),
    /// This module cannot be loaded without it.
    DependencyOf(ModuleName),
    /// This module has a soft dependency on it, under this name.
    SoftDependencyOf(ModuleName, String),
    /// This module may ask for it at run time.
    WeakDependencyOf(ModuleName, String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Wanted(by) => write!(f, "wanted by {by}"),
            Why::DependencyOf(of) => write!(f, "needed by {of}"),
            Why::SoftDependencyOf(of, asked) => write!(f, "soft dependency of {of} ({asked})"),
            Why::WeakDependencyOf(of, asked) => write!(f, "weak dependency of {of} ({asked})"),
        }
    }
}

/// A module that is needed and not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The module.
    pub name: ModuleName,
    /// Who needs it.
    pub why: Why,
    /// Names like it that exist.
    pub near: Vec<ModuleName>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {} ({})", self.name, self.why)?;
        if !self.near.is_empty() {
            let near: Vec<&str> = self.near.iter().map(ModuleName::as_str).collect();
            write!(f, "; similar names: {}", near.join(", "))?;
        }
        Ok(())
    }
}
