//! How long work tells about itself: a trait, so that the library never draws.

/// Receives the progress of long work. All methods may be called from several threads.
pub trait Progress: Send + Sync {
    /// The next stage of the work begins. What is begun from now on is a part of it.
    fn stage(&self, _stage: &Stage<'_>) {}

    /// Work on `what` begins; `total` is its size in bytes or items, where it is known.
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task>;

    /// Something worth a line to a user who asked for detail.
    fn note(&self, message: &str);

    /// Something that the user should know although the work goes on.
    fn warn(&self, message: &str);
}

/// A stage of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage<'a> {
    /// A verb in the progressive form: `Fetching`.
    pub verb: &'a str,
    /// What it is done to, with how many there are if `count` says it: `packages`.
    pub what: &'a str,
    /// How many things there are, each of which is a task; 0 where that is not known.
    pub count: u64,
    /// How many bytes they have together; 0 where that is not known.
    pub bytes: u64,
    /// What of it need not be done, in words; empty if it is all.
    pub done: &'a str,
}

impl<'a> Stage<'a> {
    /// A stage whose size is not known.
    pub fn new(verb: &'a str, what: &'a str) -> Self {
        Stage { verb, what, count: 0, bytes: 0, done: "" }
    }
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
