//! One measure: the same work several times.

use std::error::Error;
use std::time::Instant;

use serde::Serialize;

/// Wall times of one piece of work, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// The name of the work.
    pub name: String,
    /// The middle one of all times.
    pub median: f64,
    /// The shortest time.
    pub best: f64,
    /// The longest time.
    pub worst: f64,
    /// How many runs there were.
    pub runs: usize,
}

impl Measure {
    /// Does `work` once to warm up and then `runs` times by the clock.
    pub fn take<T>(
        name: impl Into<String>,
        runs: usize,
        mut work: impl FnMut() -> Result<T, Box<dyn Error>>,
    ) -> Result<Measure, Box<dyn Error>> {
        work()?;
        let mut times = Vec::with_capacity(runs);
        for _ in 0..runs {
            let begin = Instant::now();
            let result = work()?;
            times.push(begin.elapsed().as_secs_f64());
            // Freeing the result is not part of the work.
            drop(result);
        }
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        let (median, best) = (at(times.len() / 2), at(0));
        Ok(Measure { name: name.into(), median, best, worst: at(times.len() - 1), runs })
    }
}
