//! One Rust file as the rules see it: functions with their lengths, and modules with the names that they define,
//! import and use. `reader.rs` makes it.

use std::collections::BTreeSet;

/// A file.
#[derive(Debug, Default)]
pub struct Facts {
    /// Every function that has a body, in macros too.
    pub functions: Vec<Function>,
    /// The module that the file is.
    pub module: Module,
}

/// A function's name and extent, from its signature to its closing brace.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// A module, be it a file or written inside of one.
#[derive(Debug, Default)]
pub struct Module {
    /// Names of the items that it defines.
    pub names: BTreeSet<String>,
    pub imports: Vec<Import>,
    pub uses: Vec<Use>,
    pub children: Vec<Child>,
}

/// One name of a `use`.
#[derive(Debug)]
pub struct Import {
    /// The name that it gives; none where it ends in `*`.
    pub name: Option<String>,
    pub path: Vec<String>,
    pub line: usize,
    /// It stands in a function, so that other modules cannot see it.
    pub local: bool,
    /// Only tests have it.
    pub test: bool,
}

/// A path in an expression, a type, a pattern, a macro or an attribute.
#[derive(Debug)]
pub struct Use {
    pub path: Vec<String>,
    pub line: usize,
    /// Only tests have it.
    pub test: bool,
}

/// A module that this one declares.
#[derive(Debug)]
pub struct Child {
    pub name: String,
    pub line: usize,
    /// The value of `#[path]`.
    pub path: Option<String>,
    /// Its contents, unless they are in their own file.
    pub inline: Option<Module>,
    /// Only tests have it.
    pub test: bool,
}
