//! One variable of a file of variables.

/// An assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The line, from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// The value, without its quotation marks.
    pub value: String,
}
