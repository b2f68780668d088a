//! The cost of running another program: time on the clock, processor time, memory. Needs Linux's
//! /proc.

use std::error::Error;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::processor_time::{Whose, processor_time};

/// How often a running program's memory is looked at. Its peak only grows, so only a peak of the
/// very last moment is missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The cost of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Time on the clock, in seconds.
    pub wall: f64,
    /// Processor time of all threads, in seconds.
    pub cpu: f64,
    /// The peak resident set, in MiB.
    pub peak: f64,
}

/// Runs a program to its end. What it prints is thrown away; if it fails, that is an error.
pub fn run(command: &mut Command) -> Result<Cost, Box<dyn Error>> {
    let (cost, status) = run_for_status(command)?;
    match status {
        Some(0) => Ok(cost),
        code => Err(format!("{command:?} ended with {code:?}").into()),
    }
}

/// Runs a program to its end, and gives back its exit code as well.
pub fn run_for_status(command: &mut Command) -> Result<(Cost, Option<i32>), Box<dyn Error>> {
    let program = format!("{:?}", command.get_program());
    let before = processor_time("self", Whose::Children)?;
    let begin = Instant::now();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = quiet.spawn().map_err(|error| format!("{program}: {error}"))?;
    let mut peak = 0.0f64;
    let status = loop {
        peak = peak.max(peak_of(&child.id().to_string()).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(LOOK_EVERY);
    };
    let wall = begin.elapsed().as_secs_f64();
    let cpu = processor_time("self", Whose::Children)? - before;
    Ok((Cost { wall, cpu, peak }, status.code()))
}

/// Runs `work` in this process and gives its cost. The peak is that of the whole process up to now.
pub fn of<T>(
    work: impl FnOnce() -> Result<T, Box<dyn Error>>,
) -> Result<(T, Cost), Box<dyn Error>> {
    let (before, begin) = (processor_time("self", Whose::Own)?, Instant::now());
    let result = work()?;
    let wall = begin.elapsed().as_secs_f64();
    let cpu = processor_time("self", Whose::Own)? - before;
    Ok((result, Cost { wall, cpu, peak: peak_of("self").unwrap_or_default() }))
}

/// The peak resident set of a process, in MiB.
fn peak_of(process: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_measured() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3"]);
        let (cost, status) = run_for_status(&mut command).expect("it runs");
        assert_eq!(status, Some(3));
        assert!(cost.wall > 0.01 && cost.cpu > 0.01 && cost.peak > 0.1, "{cost:?}");
        assert!(run(&mut command).is_err());
        assert!(run(&mut Command::new("/no/such/program")).is_err());
    }
}
