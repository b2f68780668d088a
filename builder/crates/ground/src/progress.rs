//! How long work tells about itself: a trait, so that the library never draws.

/// Receives the progress of long work. All methods may be called from several threads.
pub trait Progress: Send + Sync {
    /// Work on `what` begins; `total` is its size in bytes or items, where it is known.
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task>;

    /// Something worth a line to a user who asked for detail.
    fn note(&self, message: &str);

    /// Something that the user should know although the work goes on.
    fn warn(&self, message: &str);
}

/// One piece of work under way; dropping it ends it.
pub trait Task: Send {
    /// `amount` more bytes or items are done.
    fn advance(&self, amount: u64);
}

/// Keeps quiet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

struct SilentTask;

impl Task for SilentTask {
    fn advance(&self, _: u64) {}
}

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>) -> Box<dyn Task> {
        Box::new(SilentTask)
    }
    fn note(&self, _: &str) {}
    fn warn(&self, _: &str) {}
}
