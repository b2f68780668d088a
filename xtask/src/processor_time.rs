//! The processor time of processes, as Linux counts it.

use std::error::Error;
use std::fs;

/// The unit of processor time in /proc: 1/100 s on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Whose processor time.
#[derive(Clone, Copy)]
pub enum Whose {
    /// The process's own.
    Own,
    /// That of the children that it waited for.
    Children,
}

/// User and system time of a process (`self` or its number) in seconds (Linux: proc(5)).
pub fn processor_time(process: &str, whose: Whose) -> Result<f64, Box<dyn Error>> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path)?;
    // The name of the program, in brackets, may hold spaces.
    let fields = text.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // proc(5): utime is field 14, cutime 16; two fields precede these.
    let first = match whose {
        Whose::Own => 11,
        Whose::Children => 13,
    };
    let ticks: Option<Vec<f64>> =
        fields.get(first..first + 2).map(|two| two.iter().filter_map(|n| n.parse().ok()).collect());
    let ticks: f64 = ticks.ok_or_else(|| format!("{path} has too few fields"))?.iter().sum();
    Ok(ticks / TICKS)
}
