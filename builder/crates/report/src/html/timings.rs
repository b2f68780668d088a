//! The stages of a build over time.

use std::fmt::Write as _;

use wifibox_ground::meter::Stage;

use super::page::{Page, escape, facts, size};
use super::table::{Cell, table};

/// The width of the picture, in its own units.
const WIDTH: f64 = 1000.0;
/// Where the bars begin.
const LEFT: f64 = 190.0;
/// The height of a stage.
const LINE: f64 = 26.0;

/// The page; `what` names the guest.
#[must_use]
pub fn timings(what: &str, stages: &[Stage]) -> String {
    let mut page = Page::new(
        &format!("Timings of {what}"),
        "What each stage of the build took, one after the other.",
    );
    let wall: f64 = stages.iter().map(|stage| stage.wall_seconds).sum();
    let cpu: f64 = stages.iter().map(|stage| stage.cpu_seconds).sum();
    let peak = stages.iter().map(|stage| stage.peak_bytes).max().unwrap_or_default();
    page.add(&facts(&[
        ("time", format!("{wall:.2} s")),
        ("processor time", format!("{cpu:.2} s")),
        ("memory at its peak", size(peak)),
        ("stages", stages.len().to_string()),
    ]));
    page.part("time", "Over time", &picture(stages, wall));
    let rows: Vec<Vec<Cell>> = stages
        .iter()
        .map(|stage| {
            vec![
                Cell::text(&stage.stage),
                Cell::Number(milliseconds(stage.wall_seconds)),
                Cell::Number(milliseconds(stage.cpu_seconds)),
                Cell::Size(stage.peak_bytes),
                Cell::Size(stage.peak_growth_bytes),
            ]
        })
        .collect();
    let heads = ["stage", "time, ms", "processor time, ms", "peak memory", "growth"];
    page.part("stages", "Stages", &table(&heads, &rows));
    page.finish()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // times of a build
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1000.0).round().max(0.0) as u64
}

fn picture(stages: &[Stage], wall: f64) -> String {
    #[allow(clippy::cast_precision_loss)] // a few dozen
    let height = stages.len() as f64 * LINE + 24.0;
    let scale = if wall > 0.0 { (WIDTH - LEFT - 80.0) / wall } else { 0.0 };
    let mut svg = format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Stages over time\">\n"
    );
    let (mut begun, mut y) = (0.0, 4.0);
    for Stage { stage, wall_seconds, cpu_seconds, .. } in stages {
        let (x, w) = (LEFT + begun * scale, (wall_seconds * scale).max(1.0));
        let busy = if *wall_seconds > 0.0 { cpu_seconds / wall_seconds } else { 0.0 };
        let _ = writeln!(
            svg,
            "<g><title>{name}: {wall_seconds:.3} s, processors busy {busy:.1} times</title>\n\
             <text x=\"{label}\" y=\"{text:.1}\" font-size=\"13\" text-anchor=\"end\" fill=\"currentColor\">{name}</text>\n\
             <rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{all:.1}\" height=\"18\" fill=\"currentColor\" \
             fill-opacity=\".06\"/>\n\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"18\" rx=\"2\" fill=\"#3b6ea8\"/>\n\
             <text x=\"{after:.1}\" y=\"{text:.1}\" font-size=\"12\" fill=\"currentColor\">{wall_seconds:.2} s</text></g>",
            name = escape(stage),
            label = LEFT - 8.0,
            text = y + 13.5,
            all = WIDTH - LEFT - 80.0,
            after = x + w + 5.0,
        );
        begun += wall_seconds;
        y += LINE;
    }
    svg + "</svg></figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_follow_each_other() {
        let stage = |name: &str, wall_seconds| Stage {
            stage: name.to_owned(),
            wall_seconds,
            cpu_seconds: 1.0,
            peak_bytes: 3 << 20,
            peak_growth_bytes: 0,
        };
        let page = timings("debian-iwlwifi", &[stage("lock", 1.0), stage("<packages>", 3.0)]);
        for words in ["4.00 s", "3.0 MiB", "&lt;packages&gt;", "x=\"190.0\"", "x=\"372.5\""] {
            assert!(page.contains(words), "{words}");
        }
    }
}
