//! Compresses the blocks of a plan on several threads, ahead of the thread that writes them.
//!
//! Workers take blocks in the order of the [`Plan`], at most a window ahead of the writer, and the
//! writer gets the results in that order. So the image does not depend on how many workers there
//! are, and memory is bounded by the window.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Error;
use super::plan::{Block, Holds, Plan};
use super::press::{Press, Pressed};

/// Blocks that may be on their way, for each worker: one that it is at, and enough that none idles
/// while one is slow.
const WINDOW_PER_WORKER: usize = 4;

/// A block of the plan, compressed.
pub(super) struct Done {
    /// What is in it.
    pub(super) holds: Holds,
    /// How many bytes it had before.
    pub(super) length: usize,
    /// How it is stored.
    pub(super) pressed: Pressed,
}

/// Compresses all blocks of `plan` and hands them to `write` one by one, in their order. `press`
/// makes what one thread compresses with.
///
/// # Errors
/// The first that reading, compressing or writing met, in the order of the blocks.
pub(super) fn run<'p>(
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
    let started = thread::scope(|scope| {
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
    while let Some(Block { holds, bytes }) = plan.next(std::mem::take(&mut spare))? {
        let pressed = pressed(press, holds, &bytes)?;
        write(Done { holds, length: bytes.len(), pressed })?;
        spare = bytes;
    }
    Ok(())
}

/// A file may have holes, a fragment block is always there.
fn pressed(press: &mut Press<'_>, holds: Holds, bytes: &[u8]) -> Result<Pressed, Error> {
    match holds {
        Holds::File(_) => press.block(bytes),
        Holds::Fragments => press.bytes(bytes),
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
                (Ok(press), Ok(Block { holds, bytes })) => {
                    let pressed = pressed(press, holds, &bytes);
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
