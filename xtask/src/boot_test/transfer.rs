//! What transfers through a guest were measured with, and the table of that.

use std::path::Path;

use serde::Serialize;

use super::qemu::Moment;

/// The bytes of a transfer.
pub const LENGTH: usize = 4 << 20;
/// How often each transfer is made.
pub const ROUNDS: usize = 3;
/// Bits of a gigabit.
const GIGABIT: f64 = 1e9;

/// What a transfer was measured with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Transfer {
    /// Through what: `radio alone`, or the card's name.
    pub path: &'static str,
    /// To the host (the guest, without a card), or from it.
    pub direction: Direction,
    /// KiB/s.
    pub speed: f64,
    /// Seconds of processor time for 10^9 bits.
    pub processor: f64,
}

/// Where the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To the host.
    Down,
    /// From the host.
    Up,
}

impl Transfer {
    /// The transfer of [`LENGTH`] bytes in these seconds.
    pub fn of(path: &'static str, direction: Direction, seconds: f64, processor: f64) -> Self {
        let speed = LENGTH as f64 / 1024.0 / seconds;
        let processor = processor * GIGABIT / (LENGTH as f64 * 8.0);
        Transfer { path, direction, speed, processor }
    }

    /// The one between two moments of QEMU.
    pub fn between(
        path: &'static str,
        direction: Direction,
        (begin, end): (Moment, Moment),
    ) -> Result<Self, String> {
        let (Some(before), Some(after)) = (begin.processor, end.processor) else {
            return Err("this system does not say how much processor time QEMU has used".to_owned());
        };
        Ok(Transfer::of(path, direction, end.seconds - begin.seconds, after - before))
    }
}

/// Of each path and direction the median, in the order in which they came first.
pub fn medians(rounds: &[Transfer]) -> Vec<Transfer> {
    let mut result: Vec<Transfer> = Vec::new();
    for first in rounds {
        let same =
            |other: &&Transfer| (other.path, other.direction) == (first.path, first.direction);
        if result.iter().any(|other| same(&other)) {
            continue;
        }
        let median = |value: fn(&Transfer) -> f64| {
            let mut values: Vec<f64> = rounds.iter().filter(same).map(value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        let (speed, processor) = (median(|one| one.speed), median(|one| one.processor));
        result.push(Transfer { speed, processor, ..*first });
    }
    result
}

/// The figures, each with its ratio to the radio alone in the same run of QEMU.
pub fn table(guest: &Path, all: &[Transfer]) -> String {
    let mut text = format!(
        "{}: {LENGTH} bytes by TCP, medians of {ROUNDS}\n{:12} {:5} {:>8} {:>8} {:>12} {:>8}\n",
        guest.display(),
        "through",
        "",
        "KiB/s",
        "ratio",
        "s / Gbit",
        "ratio"
    );
    let mut alone: Vec<&Transfer> = Vec::new();
    for one in all {
        let Transfer { path, direction, speed, processor } = one;
        if *path == "radio alone" {
            alone.retain(|other| other.direction != *direction);
            alone.push(one);
        }
        let direct = alone.iter().find(|other| other.direction == *direction);
        let ratio = |value: fn(&Transfer) -> f64| {
            direct.map_or_else(String::new, |direct| format!("{:.2}", value(one) / value(direct)))
        };
        let arrow = if *direction == Direction::Down { "down" } else { "up" };
        text += &format!(
            "{path:12} {arrow:5} {speed:8.0} {:>8} {processor:12.2} {:>8}\n",
            ratio(|one| one.speed),
            ratio(|one| one.processor)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_medians_beside_the_radio_of_the_same_run() {
        let one = |path, speed, processor| Transfer {
            path,
            direction: Direction::Down,
            speed,
            processor,
        };
        let rounds = [
            one("radio alone", 900.0, 10.0),
            one("e1000", 400.0, 25.0),
            one("radio alone", 1000.0, 12.0),
            one("e1000", 500.0, 20.0),
            one("radio alone", 2000.0, 8.0),
            one("e1000", 450.0, 22.0),
        ];
        let medians = medians(&rounds);
        assert_eq!(medians, [one("radio alone", 1000.0, 10.0), one("e1000", 450.0, 22.0)]);
        let text = table(Path::new("guest"), &medians);
        let last: Vec<&str> = text.lines().last().unwrap().split_ascii_whitespace().collect();
        assert_eq!(last, ["e1000", "down", "450", "0.45", "22.00", "2.20"]);
    }
}
