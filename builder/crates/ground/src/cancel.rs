//! A flag that asks long work to stop: Ctrl-C sets it, transfers look at it many times a second.
//!
//! Work that does not look at it in time is ended from outside: everything on the disk is made so that this may happen
//! anywhere. Only where several files must change together it waits ([`uninterrupted`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long work may go on before it looks at the flag again.
pub const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The work was ended by its [`Cancel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; what was fetched is kept, no output was changed")]
pub struct Interrupted;

/// Held while an output takes its place, which is a moment.
static CHANGING: Mutex<()> = Mutex::new(());
/// Whether this process has changed an output.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// While this lives, the process is not ended from outside.
#[must_use]
pub struct Uninterrupted(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Uninterrupted {
    /// Notes that an output has changed.
    pub fn changed(&self) {
        CHANGED.store(true, Ordering::SeqCst);
    }
}

/// Waits for the right to change what must change together.
pub fn uninterrupted() -> Uninterrupted {
    Uninterrupted(CHANGING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether this process has changed an output.
pub fn output_changed() -> bool {
    CHANGED.load(Ordering::SeqCst)
}

/// A flag shared by everything that should stop together; clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Asks everything that holds this flag to stop. Safe to call from any thread, more than once.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether work should stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Sleeps for `time`, or less when cancelled meanwhile; says whether the whole time passed.
    pub fn sleep(&self, time: Duration) -> bool {
        let begun = Instant::now();
        loop {
            if self.is_cancelled() {
                return false;
            }
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_sleep_ends_early() {
        let cancel = Cancel::new();
        assert!(cancel.sleep(Duration::from_millis(1)));
        let other = cancel.clone();
        let begun = Instant::now();
        let sleeper = std::thread::spawn(move || other.sleep(Duration::from_secs(60)));
        cancel.cancel();
        assert!(!sleeper.join().expect("no panic"));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
