//! Files on their way to the disk.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use super::{OutputError, at};

/// Files that may wait for the disk; then the work waits, too.
const OPEN_FILES: usize = 64;

/// Writes files through to the disk, one after another, while the work goes on.
#[derive(Debug)]
pub(super) struct Durable {
    waiting: SyncSender<(PathBuf, File)>,
    thread: JoinHandle<Result<(), OutputError>>,
}

impl Durable {
    pub(super) fn start() -> io::Result<Self> {
        let (waiting, files) = mpsc::sync_channel::<(PathBuf, File)>(OPEN_FILES);
        let thread = thread::Builder::new().name("to the disk".to_owned()).spawn(move || {
            files.into_iter().try_for_each(|(path, file)| {
                file.sync_all().map_err(at("cannot write through", &path))
            })
        })?;
        Ok(Durable { waiting, thread })
    }

    /// Takes a file that is complete.
    pub(super) fn take(&self, path: &Path, file: File) {
        // Where the thread has met an error and gone, the end tells it.
        let _ = self.waiting.send((path.to_owned(), file));
    }

    /// Waits until all files are on the disk.
    pub(super) fn finish(self) -> Result<(), OutputError> {
        drop(self.waiting);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}
