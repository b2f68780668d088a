//! One variable of a file of variables, and the lines that hold them.

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

/// The lines of a text with their numbers, from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n').enumerate().map(|(index, line)| (index + 1, line))
}

/// Those that say something: neither blank nor a comment.
pub(super) fn written(text: &str) -> impl Iterator<Item = (usize, &str)> {
    numbered(text).filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#'))
}
