//! What the stages of a build took.

use wifibox_ground::meter::Stage;

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
