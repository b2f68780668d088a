//! The time that this thread has had of a processor: what other programs do meanwhile does not count.

use std::time::{Duration, Instant};

/// A moment, to measure from.
pub struct Clock {
    wall: Instant,
    worked: Option<Duration>,
}

impl Clock {
    /// Now.
    pub fn start() -> Self {
        Clock { wall: Instant::now(), worked: worked() }
    }

    /// The time since then: of the processor where the system tells it, otherwise of the clock on the wall.
    pub fn elapsed(&self) -> Duration {
        match (self.worked, worked()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.wall.elapsed(),
        }
    }
}

/// Linux: the first number is the time that the thread has run, in nanoseconds.
fn worked() -> Option<Duration> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    times.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
