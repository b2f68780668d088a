//! How far a stage of the work is, in words. It has no clock: times are passed in.

use std::time::Duration;

use wifibox_ground::progress::Stage;

/// How often a long stage is told of where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);
/// Before that a guess of what is left is worth nothing.
const GUESS_AFTER: Duration = Duration::from_secs(2);

/// The stage that is under way.
#[derive(Debug, Clone)]
pub struct Current {
    verb: String,
    what: String,
    rest: String,
    count: u64,
    bytes: u64,
    /// Whether `bytes` was given, and not added up from tasks.
    sized: bool,
    ended: u64,
    done: u64,
    begun: Duration,
    told: Duration,
}

impl Current {
    /// The stage, begun at this time.
    pub fn new(stage: &Stage<'_>, now: Duration) -> Self {
        Current {
            verb: stage.verb.to_owned(),
            what: stage.what.to_owned(),
            rest: stage.done.to_owned(),
            count: stage.count,
            bytes: stage.bytes,
            sized: stage.bytes > 0,
            ended: 0,
            done: 0,
            begun: now,
            told: now,
        }
    }

    /// A task of this size begins.
    pub(crate) fn task_begins(&mut self, total: Option<u64>) {
        if !self.sized {
            self.bytes += total.unwrap_or_default();
        }
    }

    /// So many bytes more are done.
    pub fn advance(&mut self, amount: u64) {
        self.done += amount;
    }

    /// A task ends.
    pub(crate) fn task_ends(&mut self) {
        self.ended += 1;
    }

    /// Its name: `Fetching`.
    pub fn verb(&self) -> &str {
        &self.verb
    }

    /// What it is about to do.
    pub fn title(&self) -> String {
        let mut text = match self.count {
            0 => self.what.clone(),
            count => format!("{count} {}", self.what),
        };
        if self.sized {
            text += &format!(", {}", size(self.bytes));
        }
        if !self.rest.is_empty() {
            text += &format!("; {}", self.rest);
        }
        text
    }

    /// How far it is: `12/38 packages, 61/143 MB, 20 s left`.
    pub fn state(&self, now: Duration) -> String {
        let mut text = match self.count {
            0 => self.what.clone(),
            count => format!("{}/{count} {}", self.ended.min(count), self.what),
        };
        if self.bytes > 0 {
            // A download that was begun anew counts twice.
            let done = self.done.min(self.bytes);
            text += &format!(", {}/{}", number(done, self.bytes), size(self.bytes));
            let elapsed = now.saturating_sub(self.begun);
            if done > 0 && done < self.bytes && elapsed >= GUESS_AFTER {
                let left = elapsed.as_secs_f64() * (self.bytes - done) as f64 / done as f64;
                text += &format!(", {} left", time(left));
            }
        }
        text
    }

    /// How far it is, if nothing was said of it for long.
    pub fn due(&mut self, now: Duration) -> Option<String> {
        if now.saturating_sub(self.told) < EVERY {
            return None;
        }
        self.told = now;
        let so_far = match self.bytes {
            0 => format!(", {} so far", time(now.saturating_sub(self.begun).as_secs_f64())),
            _ => String::new(),
        };
        Some(self.state(now) + &so_far)
    }
}

/// Megabytes; what is small has a decimal.
fn size(bytes: u64) -> String {
    format!("{} MB", number(bytes, bytes))
}

fn number(bytes: u64, whole: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if whole < 10_000_000 { format!("{megabytes:.1}") } else { format!("{megabytes:.0}") }
}

fn time(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn totals_and_what_is_left_are_told_every_ten_seconds() {
        let stage = Stage {
            verb: "Fetching",
            what: "packages",
            count: 38,
            bytes: 143_200_000,
            done: "12 are here",
        };
        let mut current = Current::new(&stage, at(100));
        assert_eq!(current.title(), "38 packages, 143 MB; 12 are here");
        assert_eq!(current.state(at(100)), "0/38 packages, 0/143 MB");
        for _ in 0..12 {
            current.task_begins(Some(5_100_000));
            current.advance(5_100_000);
            current.task_ends();
        }
        assert_eq!(current.due(at(109)), None);
        assert_eq!(current.due(at(110)).unwrap(), "12/38 packages, 61/143 MB, 14 s left");
        assert_eq!(current.due(at(119)), None);
        assert_eq!(current.due(at(220)).unwrap(), "12/38 packages, 61/143 MB, 3 min left");
        current.advance(1 << 40);
        assert_eq!(current.state(at(300)), "12/38 packages, 143/143 MB");
    }

    #[test]
    fn sizes_that_only_tasks_know_add_up() {
        let mut current = Current::new(&Stage::new("Writing", "images"), at(0));
        assert_eq!((current.title(), current.state(at(50))), ("images".into(), "images".into()));
        assert_eq!(current.due(at(20)).unwrap(), "images, 20 s so far");
        current.task_begins(Some(2_000_000));
        current.task_begins(None);
        current.advance(500_000);
        assert_eq!(current.state(at(1)), "images, 0.5/2.0 MB");
        assert_eq!(current.state(at(5)), "images, 0.5/2.0 MB, 15 s left");
    }
}
