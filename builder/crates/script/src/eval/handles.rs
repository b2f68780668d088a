//! The targets of file descriptors.

use std::cell::RefCell;
use std::rc::Rc;

/// Text that is read piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Input {
    text: String,
    at: usize,
}

impl Input {
    /// The next line with its line break; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<&str> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default().to_owned();
        self.at = self.text.len();
        rest
    }
}

/// An open file.
#[derive(Debug, Clone)]
pub(crate) enum Handle {
    /// `/dev/null`.
    Null,
    /// The script's own output: what dpkg would show.
    Said,
    /// Text captured for a reader: a pipe, a command substitution.
    Captured(Rc<RefCell<String>>),
    /// Text to read.
    Input(Rc<RefCell<Input>>),
    /// A file of the tree, by its real path: writes append to it.
    File(String),
}

impl Handle {
    pub(crate) fn input(text: String) -> Self {
        Handle::Input(Rc::new(RefCell::new(Input { text, at: 0 })))
    }

    pub(crate) fn capture() -> (Self, Rc<RefCell<String>>) {
        let text = Rc::new(RefCell::new(String::new()));
        (Handle::Captured(Rc::clone(&text)), text)
    }
}
