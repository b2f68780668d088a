//! The clock and the system's accounts of this process, by getrusage(2).

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use wifibox_ground::meter::{Meter, Reading, Stage};

/// `ru_maxrss` counts these many bytes: Linux and the BSDs tell kibibytes, macOS bytes.
const MAXRSS_UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

/// Measures this process from the moment it was made.
pub struct ProcessMeter(Instant);

impl ProcessMeter {
    /// The clock starts.
    pub fn start() -> Self {
        ProcessMeter(Instant::now())
    }
}

impl Meter for ProcessMeter {
    fn read(&self) -> Reading {
        let wall = self.0.elapsed();
        // It only fails for a wrong `who`; a stage without numbers is then better than no build.
        let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
            return Reading { wall, ..Reading::default() };
        };
        let cpu = duration(usage.user_time()) + duration(usage.system_time());
        let peak = u64::try_from(usage.max_rss()).unwrap_or_default().saturating_mul(MAXRSS_UNIT);
        Reading { wall, cpu, peak }
    }
}

fn duration(time: TimeVal) -> Duration {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    Duration::from_secs(seconds)
        + Duration::from_micros(u64::try_from(time.tv_usec()).unwrap_or_default())
}

/// The stages as a table, with their sum.
pub fn table(stages: &[Stage]) -> String {
    let mut text = format!(
        "{:<24} {:>9} {:>9} {:>10} {:>10}\n",
        "stage", "wall s", "cpu s", "peak MiB", "growth MiB"
    );
    #[allow(clippy::cast_precision_loss)] // megabytes with one digit
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut line = |name: &str, wall: f64, cpu: f64, peak: u64, growth: u64| {
        let (peak, growth) = (mebibytes(peak), mebibytes(growth));
        text += &format!("{name:<24} {wall:>9.3} {cpu:>9.3} {peak:>10.1} {growth:>10.1}\n");
    };
    for stage in stages {
        let Stage { stage, wall_seconds, cpu_seconds, peak_bytes, peak_growth_bytes } = stage;
        line(stage, *wall_seconds, *cpu_seconds, *peak_bytes, *peak_growth_bytes);
    }
    let sum = |of: fn(&Stage) -> f64| stages.iter().map(of).sum::<f64>();
    let peak = stages.iter().map(|stage| stage.peak_bytes).max().unwrap_or_default();
    let growth = stages.iter().map(|stage| stage.peak_growth_bytes).sum();
    line("all", sum(|stage| stage.wall_seconds), sum(|stage| stage.cpu_seconds), peak, growth);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_time_and_memory() {
        let meter = ProcessMeter::start();
        let before = meter.read();
        let mut bytes = vec![1u8; 64 << 20];
        for round in 0..4u8 {
            bytes.iter_mut().for_each(|byte| *byte = byte.wrapping_mul(3).wrapping_add(round));
        }
        assert!(std::hint::black_box(&bytes).len() > 1);
        let after = meter.read();
        assert!(after.wall > before.wall);
        assert!(after.cpu > before.cpu);
        assert!(after.peak >= 64 << 20, "{after:?}");
    }

    #[test]
    fn the_table_adds_up() {
        let stage = |name: &str, wall_seconds| Stage {
            stage: name.to_owned(),
            wall_seconds,
            cpu_seconds: 0.5,
            peak_bytes: 3 << 20,
            peak_growth_bytes: 1 << 20,
        };
        let text = table(&[stage("lock", 1.25), stage("packages", 2.0)]);
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(
            last.split_ascii_whitespace().collect::<Vec<_>>(),
            ["all", "3.250", "1.000", "3.0", "2.0"]
        );
    }
}
