//! The clock and the system's accounts of this process, by getrusage(2).

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use wifibox_ground::meter::{Meter, Reading};

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
}
