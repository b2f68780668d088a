//! Compresses the blocks of a plan on several threads, ahead of the thread that writes them.
//!
//! Workers take blocks in the order of the [`Plan`], at most a window ahead of the writer, and the
//! writer gets the results in that order. So the image does not depend on how many workers there
//! are, and memory is bounded by the window.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::Error;
use crate::plan::{Block, Holds, Plan};
use crate::press::{Press, Pressed};

/// Blocks that may be on their way, for each worker: one that it is at, and enough that none idles
/// while one is slow.
const WINDOW_PER_WORKER: usize = 4;

/// A block of the plan, compressed.
pub(crate) struct Done {
    /// The file it belongs to, or the fragments.
    pub(crate) holds: Holds,
    /// Its length before compression, in bytes.
    pub(crate) length: usize,
    /// How it is stored.
    pub(crate) pressed: Pressed,
}

/// Compresses all blocks of `plan` and hands them to `write` one by one, in their order. `press`
/// makes what one thread compresses with.
///
/// # Errors
/// The first that reading, compressing or writing met, in the order of the blocks.
pub(crate) fn run<'p>(
    plan: &mut Plan<'_>,
    jobs: NonZeroUsize,
    press: impl Fn() -> Result<Press<'p>, Error> + Sync,
    mut write: impl FnMut(Done) -> Result<(), Error>,
) -> Result<(), Error> {
    if jobs.get() == 1 {
        return alone(plan, &mut press()?, write);
    }
    let window = jobs.get().saturating_mul(WINDOW_PER_WORKER) as u64;
    let meeting = Meeting {
        plan: Mutex::new(Planned { plan, next: 0 }),
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
        window,
    };
    let started = thread::scope(|scope| -> Result<bool, Error> {
        let _stop = StopOnDrop(&meeting);
        let start = |_: &usize| {
            let work = || meeting.work(&press);
            thread::Builder::new().name("compress".to_owned()).spawn_scoped(scope, work).is_ok()
        };
        if (0..jobs.get()).filter(start).count() == 0 {
            return Ok(false);
        }
        while let Some(done) = meeting.take()? {
            write(done)?;
        }
        Ok(true)
    })?;
    let Meeting { plan, .. } = meeting;
    let plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner).plan;
    if started { Ok(()) } else { alone(plan, &mut press()?, write) }
}

fn alone(
    plan: &mut Plan<'_>,
    press: &mut Press<'_>,
    mut write: impl FnMut(Done) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut spare = Vec::new();
    while let Some(block) = plan.next(std::mem::take(&mut spare))? {
        let pressed = pressed(press, &block)?;
        let Block { holds, bytes, .. } = block;
        write(Done { holds, length: bytes.len(), pressed })?;
        spare = bytes;
    }
    Ok(())
}

/// A file may have holes, a fragment block is always there. What is compressed does not shrink again.
fn pressed(press: &mut Press<'_>, block: &Block) -> Result<Pressed, Error> {
    match block.holds {
        _ if block.packed => Ok(Pressed::Stored(block.bytes.clone())),
        Holds::File(_) => press.block(&block.bytes),
        Holds::Fragments => press.bytes(&block.bytes),
    }
}

/// Where workers and writer meet.
struct Meeting<'a, 't> {
    plan: Mutex<Planned<'a, 't>>,
    state: Mutex<State>,
    changed: Condvar,
    window: u64,
}

struct Planned<'a, 't> {
    plan: &'a mut Plan<'t>,
    /// The number of the next block.
    next: u64,
}

#[derive(Default)]
struct State {
    done: BTreeMap<u64, Result<Done, Error>>,
    /// The number of the block that the writer waits for.
    wanted: u64,
    /// How many blocks there are, once that is known.
    end: Option<u64>,
    /// The writer is gone, or a worker is.
    stopped: bool,
}

impl Meeting<'_, '_> {
    fn work<'p>(&self, press: &impl Fn() -> Result<Press<'p>, Error>) {
        let _stop = StopOnPanic(self);
        let mut press = press();
        let mut spare = Vec::new();
        while let Some((number, block)) = self.next_block(std::mem::take(&mut spare)) {
            let result = match (&mut press, block) {
                (Ok(press), Ok(block)) => {
                    let pressed = pressed(press, &block);
                    let Block { holds, bytes, .. } = block;
                    let length = bytes.len();
                    spare = bytes;
                    pressed.map(|pressed| Done { holds, length, pressed })
                }
                (_, Err(error)) => Err(error),
                (Err(_), _) => {
                    let ready = std::mem::replace(&mut press, Err(Error::Stopped));
                    Err(ready.err().unwrap_or(Error::Stopped))
                }
            };
            let failed = result.is_err();
            let mut state = lock(&self.state);
            state.done.insert(number, result);
            if failed {
                // Nothing behind a failure is written.
                state.end = Some(state.end.map_or(number + 1, |end| end.min(number + 1)));
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    fn next_block(&self, spare: Vec<u8>) -> Option<(u64, Result<Block, Error>)> {
        let mut planned = lock(&self.plan);
        let mut state = lock(&self.state);
        loop {
            if state.stopped || state.end.is_some_and(|end| planned.next >= end) {
                return None;
            }
            if planned.next < state.wanted.saturating_add(self.window) {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        let number = planned.next;
        let block = planned.plan.next(spare).transpose();
        if block.is_none() {
            let mut state = lock(&self.state);
            state.end = Some(state.end.map_or(number, |end| end.min(number)));
            self.changed.notify_all();
        }
        planned.next += 1;
        block.map(|block| (number, block))
    }

    /// The result that comes next; `None` after the last one.
    fn take(&self) -> Result<Option<Done>, Error> {
        let mut state = lock(&self.state);
        loop {
            let wanted = state.wanted;
            if let Some(done) = state.done.remove(&wanted) {
                state.wanted += 1;
                drop(state);
                self.changed.notify_all();
                return done.map(Some);
            }
            if state.end.is_some_and(|end| wanted >= end) {
                return Ok(None);
            }
            if state.stopped {
                return Err(Error::Stopped);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self) {
        lock(&self.state).stopped = true;
        self.changed.notify_all();
    }
}

/// Every change is made whole before the lock is given back, so a poisoned one is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A worker that panics must not leave the writer waiting for its block.
struct StopOnPanic<'m, 'a, 't>(&'m Meeting<'a, 't>);

impl Drop for StopOnPanic<'_, '_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Workers return when the writer leaves, in whatever way.
struct StopOnDrop<'m, 'a, 't>(&'m Meeting<'a, 't>);

impl Drop for StopOnDrop<'_, '_, '_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::plan::Source;
    use crate::{Codec, ImagePath};

    const BLOCK: u32 = 4096;

    fn press<'c>() -> Result<Press<'c>, Error> {
        Press::new(Codec::Lz4, BLOCK, None)
    }

    /// Runs a plan of `count` files of one block each.
    fn through(
        count: u8,
        jobs: usize,
        press: impl Fn() -> Result<Press<'static>, Error> + Sync,
        write: impl FnMut(Done) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let files: Vec<(ImagePath, Vec<u8>)> = (0..count)
            .map(|n| {
                let path = ImagePath::new(format!("{n:03}")).expect("a path");
                let mut bytes = vec![1; 4096];
                bytes[0] = n;
                (path, bytes)
            })
            .collect();
        let sources =
            files.iter().map(|(path, content)| Source { path, content, layer: 0 }).collect();
        let mut plan = Plan::new(sources, BLOCK)?;
        run(&mut plan, NonZeroUsize::new(jobs).expect("jobs"), press, write)
    }

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for jobs in [1, 2, 7] {
            let mut seen = Vec::new();
            through(100, jobs, press, |done| {
                assert_eq!(done.length, 4096);
                seen.push(done.holds);
                Ok(())
            })
            .expect("done");
            assert_eq!(seen, (0..100).map(Holds::File).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_writer_that_gives_up_ends_the_work() {
        for jobs in [1, 2, 7] {
            let mut written = 0;
            let error = through(200, jobs, press, |_| {
                written += 1;
                if written == 3 { Err(Error::TooLarge("this")) } else { Ok(()) }
            });
            assert!(matches!(error, Err(Error::TooLarge("this"))), "{jobs} jobs");
            assert_eq!(written, 3);
        }
    }

    #[test]
    fn a_worker_that_cannot_begin_or_panics_is_an_error_and_no_hang() {
        let error = through(50, 3, || Err(Error::TooLarge("that")), |_| Ok(()));
        assert!(matches!(error, Err(Error::TooLarge("that"))), "{error:?}");
        let begun = AtomicUsize::new(0);
        let broken = || {
            assert!(begun.fetch_add(1, Ordering::SeqCst) == 0, "the second worker panics");
            press()
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            through(200, 2, broken, |_| Ok(()))
        }));
        // The scope passes the panic on, or the writer met the stop first.
        assert!(outcome.is_err() || matches!(outcome, Ok(Err(_))));
    }
}
