//! The stage that is under way, and who says how far it is: a line on a terminal, and elsewhere a thread.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::stage::Current;
use wifibox_ground::progress::Stage;

/// The stage that is under way.
#[derive(Debug, Clone)]
pub struct Stages {
    clock: Instant,
    current: Arc<Mutex<Option<Current>>>,
    /// Its line on a terminal.
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

impl Stages {
    /// None is under way.
    pub fn new() -> Self {
        Stages { clock: Instant::now(), current: Arc::default(), bar: Arc::default() }
    }

    /// The stage begins.
    pub fn begin(&self, stage: &Stage<'_>) -> Current {
        let current = Current::new(stage, self.clock.elapsed());
        *lock(&self.current) = Some(current.clone());
        current
    }

    /// The stage is over: its line goes.
    pub fn end(&self) {
        lock(&self.current).take();
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// Whether there is one.
    pub(crate) fn is_under_way(&self) -> bool {
        lock(&self.current).is_some()
    }

    /// Changes it, if there is one.
    pub fn change(&self, change: impl FnOnce(&mut Current)) {
        lock(&self.current).as_mut().map(change);
    }

    /// Its line, above those of tasks.
    pub(crate) fn draw(&self, bars: &MultiProgress, verb: String) {
        let mut bar = lock(&self.bar);
        let bar = bar.get_or_insert_with(|| bars.insert(0, ProgressBar::new_spinner()));
        let (current, clock) = (Arc::downgrade(&self.current), self.clock);
        let state = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let Some(current) = current.upgrade() else { return };
            let text = lock(&current).as_ref().map(|current| current.state(clock.elapsed()));
            let _ = out.write_str(&text.unwrap_or_default());
        };
        if let Ok(style) = ProgressStyle::with_template("{prefix} {state} {spinner}") {
            bar.set_style(style.with_key("state", state));
        }
        bar.set_prefix(verb);
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// Says how far long stages are, as long as there is this.
    pub fn watch(&self) {
        let (current, clock) = (Arc::downgrade(&self.current), self.clock);
        // Where the system has no more threads, nothing is told.
        drop(thread::Builder::new().name("progress".to_owned()).spawn(move || {
            while tell(&current, clock, &mut io::stderr()) {
                thread::sleep(Duration::from_secs(1));
            }
        }));
    }
}

/// Writes a line if one is due; whether there may be more to tell.
fn tell(current: &Weak<Mutex<Option<Current>>>, clock: Instant, out: &mut dyn io::Write) -> bool {
    let Some(current) = current.upgrade() else { return false };
    let due = lock(&current).as_mut().and_then(|current| {
        let state = current.due(clock.elapsed())?;
        Some(format!("{:>12} {state}\n", current.verb()))
    });
    due.is_none_or(|line| out.write_all(line.as_bytes()).is_ok())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stage_is_told_of_and_nothing_after_its_end() {
        let stages = Stages::new();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).expect("a clock");
        stages.begin(&Stage::new("Locking", "debian"));
        let weak = Arc::downgrade(&stages.current);
        let mut said = Vec::new();
        assert!(tell(&weak, stages.clock, &mut said) && said.is_empty(), "it is not long yet");
        assert!(tell(&weak, long_ago, &mut said));
        let line = String::from_utf8_lossy(&said).into_owned();
        assert!(
            line.starts_with("     Locking debian, 6") && line.ends_with(" s so far\n"),
            "{line}"
        );
        stages.end();
        assert!(tell(&weak, long_ago, &mut said));
        drop(stages);
        assert!(!tell(&weak, long_ago, &mut said));
        assert_eq!(said.len(), line.len());
    }
}
