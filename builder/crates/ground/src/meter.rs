//! The cost of the stages of a build: time on the clock, processor time, memory.
//!
//! The library has no clock: a [`Meter`] that is passed in has. The results go to whoever asked for the build, and
//! never into an output.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

/// A clock, and the accounts that the system keeps of this process.
pub trait Meter: Send + Sync {
    /// The present state.
    fn read(&self) -> Reading;
}

/// One reading of a [`Meter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// Time on a clock that is never set back, from any beginning.
    pub wall: Duration,
    /// Processor time of all threads of this process, in user and system mode.
    pub cpu: Duration,
    /// The most memory that the process had at any time (peak resident set), in bytes.
    pub peak: u64,
}

/// The cost of one stage of a build.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Stage {
    /// The stage's name.
    pub stage: String,
    /// Time on the clock.
    pub wall_seconds: f64,
    /// Processor time of all threads.
    pub cpu_seconds: f64,
    /// Peak resident set of the process when the stage ended, in bytes.
    pub peak_bytes: u64,
    /// By how much the stage raised it, in bytes.
    pub peak_growth_bytes: u64,
}

/// Measures stages that follow each other.
pub struct Laps<'m> {
    meter: Option<&'m dyn Meter>,
    state: Mutex<(Reading, Vec<Stage>)>,
}

impl<'m> Laps<'m> {
    /// The first stage begins now. Without a meter nothing is measured.
    pub fn begin(meter: Option<&'m dyn Meter>) -> Self {
        let now = meter.map(Meter::read).unwrap_or_default();
        Laps { meter, state: Mutex::new((now, Vec::new())) }
    }

    /// A stage ends, and the next one begins.
    pub fn end(&self, stage: &str) {
        let Some(meter) = self.meter else { return };
        let now = meter.read();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, stages) = &mut *state;
        stages.push(Stage {
            stage: stage.to_owned(),
            wall_seconds: now.wall.saturating_sub(last.wall).as_secs_f64(),
            cpu_seconds: now.cpu.saturating_sub(last.cpu).as_secs_f64(),
            peak_bytes: now.peak,
            peak_growth_bytes: now.peak.saturating_sub(last.peak),
        });
        *last = now;
    }

    /// All stages so far.
    pub fn stages(&self) -> Vec<Stage> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Steps(AtomicU64);

    impl Meter for Steps {
        fn read(&self) -> Reading {
            let step = self.0.fetch_add(1, Ordering::Relaxed);
            let wall = Duration::from_secs(step * step);
            Reading { wall, cpu: Duration::from_millis(step), peak: 100 + 7 * step }
        }
    }

    #[test]
    fn each_stage_has_its_share() {
        let meter = Steps(AtomicU64::new(3));
        let laps = Laps::begin(Some(&meter));
        laps.end("one");
        laps.end("two");
        let stages = laps.stages();
        let walls: Vec<f64> = stages.iter().map(|stage| stage.wall_seconds).collect();
        assert_eq!(walls, [7.0, 9.0]);
        assert_eq!(stages[1].cpu_seconds, 0.001);
        assert_eq!((stages[1].peak_bytes, stages[1].peak_growth_bytes), (135, 7));
    }

    #[test]
    fn without_a_meter_nothing_is_measured() {
        let laps = Laps::begin(None);
        laps.end("one");
        assert!(laps.stages().is_empty());
    }
}
