//! How work is done on this machine: by how many threads, who is told, and who may end it.

use std::num::NonZeroUsize;

use crate::cancel::{Cancel, Interrupted};
use crate::progress::Progress;

/// How work is done. No output depends on it.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Threads and parallel downloads.
    pub jobs: NonZeroUsize,
    /// Who is told how it goes.
    pub progress: &'a dyn Progress,
    /// Ends the work early.
    pub cancel: &'a Cancel,
}

impl Work<'_> {
    /// Whether the work may go on.
    ///
    /// # Errors
    /// [`Interrupted`] once it was cancelled.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.cancel.is_cancelled() { Err(Interrupted) } else { Ok(()) }
    }
}
