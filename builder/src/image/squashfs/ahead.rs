//! Compresses data blocks ahead of the SquashFS writer, on several threads.
//!
//! The writer asks for one block at a time. Workers take the blocks of the [`Plan`] in order, at
//! most a window's worth ahead of the writer, and leave each result together with the block it was
//! made from. The writer takes a result only if the block is the very one it asks for; whatever
//! has no matching result it compresses itself. So the image depends neither on how many workers
//! there are nor on whether the plan was right, and memory is bounded by the window.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::codec::Codec;
use super::plan::Plan;

/// Blocks that may wait, for each worker: enough that none idles while the writer writes.
const WINDOW_PER_WORKER: u64 = 4;

/// The meeting place of the workers and the writer.
pub(super) struct Ahead {
    state: Mutex<State>,
    changed: Condvar,
    codec: Codec,
    block_size: u32,
    window: u64,
}

struct State {
    plan: Plan,
    /// Blocks taken from the plan so far.
    planned: u64,
    /// Blocks handed to the writer so far: the number of the one that it will ask for next.
    handed: u64,
    /// No more blocks will be planned: the plan is through, the writer is done, or work failed.
    over: bool,
    done: BTreeMap<u64, Done>,
}

struct Done {
    block: Vec<u8>,
    /// `None` where compression failed: the writer then tries itself, and reports what happens.
    result: Option<Vec<u8>>,
}

impl Ahead {
    /// Work ahead along `plan`, by `workers` threads that each call [`Ahead::work`].
    pub(super) fn new(plan: Plan, codec: Codec, block_size: u32, workers: usize) -> Self {
        let state = State { plan, planned: 0, handed: 0, over: false, done: BTreeMap::default() };
        let workers = u64::try_from(workers).unwrap_or(u64::MAX);
        Ahead {
            state: Mutex::new(state),
            changed: Condvar::new(),
            codec,
            block_size,
            window: workers.saturating_mul(WINDOW_PER_WORKER),
        }
    }

    /// A worker's life: compresses blocks until there are no more.
    pub(super) fn work(&self) {
        let _stop = StopOnPanic(self);
        while let Some((number, block)) = self.next_planned() {
            let result = self.codec.compress(&block, self.block_size).ok();
            self.lock().done.insert(number, Done { block, result });
            self.changed.notify_all();
        }
    }

    fn next_planned(&self) -> Option<(u64, Vec<u8>)> {
        let mut state = self.lock();
        while !state.over && state.planned >= state.handed.saturating_add(self.window) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over {
            return None;
        }
        // What cannot be read here, the writer cannot read either: it reports the error.
        let Ok(Some(block)) = state.plan.next_block() else {
            state.over = true;
            self.changed.notify_all();
            return None;
        };
        let number = state.planned;
        state.planned += 1;
        Some((number, block))
    }

    /// What `block` compresses to, if it is the one that was planned next. Waits while a worker is
    /// at it.
    pub(super) fn take(&self, block: &[u8]) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let number = state.handed;
        while !state.done.contains_key(&number) {
            if state.over && number >= state.planned {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.done.get(&number).is_none_or(|done| done.block != block) {
            return None;
        }
        let done = state.done.remove(&number);
        state.handed += 1;
        self.changed.notify_all();
        done.and_then(|done| done.result)
    }

    /// Ends the work: workers finish the block they are at, and return.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.over = true;
        state.planned = state.handed;
        self.changed.notify_all();
    }

    /// How many blocks the writer took.
    #[cfg(test)]
    pub(super) fn handed(&self) -> u64 {
        self.lock().handed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of the state is a single step, so a poisoned lock is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker that panics must not leave the writer waiting for its block.
struct StopOnPanic<'a>(&'a Ahead);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Stops the work when the writer leaves, in whatever way.
pub(super) struct StopOnDrop<'a>(pub(super) &'a Ahead);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    fn files(count: u8) -> Vec<Content> {
        (1..=count).map(|n| Content::from_bytes(vec![n; 4096])).collect()
    }

    fn with_workers(count: u8, workers: usize, test: impl FnOnce(&Ahead)) {
        let ahead = Ahead::new(Plan::new(files(count), 4096), Codec::GZIP, 4096, workers);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| ahead.work());
            }
            let _stop = StopOnDrop(&ahead);
            test(&ahead);
        });
    }

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for workers in [1, 3] {
            with_workers(100, workers, |ahead| {
                for n in 1..=100 {
                    let expected = Codec::GZIP.compress(&[n; 4096], 4096).expect("compressed");
                    assert_eq!(ahead.take(&[n; 4096]), Some(expected));
                }
                assert_eq!(ahead.take(&[1; 4096]), None, "nothing more was planned");
            });
        }
    }

    #[test]
    fn an_unplanned_block_is_left_to_the_writer_and_the_plan_goes_on() {
        with_workers(3, 2, |ahead| {
            assert!(ahead.take(&[1; 4096]).is_some());
            assert!(ahead.take(&[77; 4096]).is_none());
            assert!(ahead.take(&[2; 4096]).is_some());
            assert_eq!(ahead.handed(), 2);
        });
    }

    #[test]
    fn a_writer_that_gives_up_ends_the_workers() {
        with_workers(200, 2, |ahead| assert!(ahead.take(&[1; 4096]).is_some()));
    }
}
