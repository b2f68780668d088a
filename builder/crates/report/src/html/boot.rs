//! A boot test over time: which step was passed when.

use std::fmt::Write as _;

use super::page::{Page, escape, facts};

/// The width of the picture, in its own units.
const WIDTH: f64 = 1000.0;
/// Where the bars begin.
const LEFT: f64 = 330.0;
/// The height of a step.
const LINE: f64 = 22.0;

/// A step that was passed.
#[derive(Debug, Clone)]
pub struct BootStep {
    /// What it shows.
    pub name: String,
    /// When, in seconds since the machine was switched on.
    pub seconds: f64,
    /// The evidence.
    pub detail: String,
}

/// The page; `what` names the guest, and `facts_of_run` say how it was booted. `failure` is why it did not pass.
#[must_use]
pub fn boot(
    what: &str,
    facts_of_run: &[(&str, String)],
    steps: &[BootStep],
    failure: Option<&str>,
) -> String {
    let lead = "Which step was passed when, from the moment that the machine was switched on.";
    let mut page = Page::new(&format!("Boot test of {what}"), lead);
    page.add(&facts(facts_of_run));
    if let Some(failure) = failure {
        page.part("failure", "It failed", &format!("<pre>{}</pre>\n", escape(failure)));
    }
    page.part("time", "Over time", &picture(steps));
    let row = |step: &BootStep| {
        format!(
            "<tr><td class=\"number\" data-value=\"{seconds}\">{seconds:.2}</td><td>{}</td><td>{}</td></tr>\n",
            escape(&step.name),
            escape(&step.detail),
            seconds = step.seconds,
        )
    };
    let rows: String = steps.iter().map(row).collect();
    page.part(
        "steps",
        "Steps",
        &format!(
            "<div class=\"wide\"><table class=\"data\">\n<thead><tr><th class=\"number\" scope=\"col\">seconds</th>\
             <th scope=\"col\">step</th><th scope=\"col\">seen</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
        ),
    );
    page.finish()
}

/// A bar for each step: from the one before to it.
fn picture(steps: &[BootStep]) -> String {
    let end = steps.iter().map(|step| step.seconds).fold(0.0, f64::max);
    let scale = if end > 0.0 { (WIDTH - LEFT - 70.0) / end } else { 0.0 };
    #[allow(clippy::cast_precision_loss)] // a few dozen
    let height = steps.len() as f64 * LINE + 8.0;
    let mut svg = format!(
        "<figure><svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Steps over time\">\n"
    );
    let (mut before, mut y) = (0.0, 4.0);
    for BootStep { name, seconds, detail } in steps {
        let begun = f64::min(before, *seconds);
        let (x, w) = (LEFT + begun * scale, ((seconds - begun) * scale).max(1.0));
        let _ = writeln!(
            svg,
            "<g><title>{whole}: {detail}</title>\
             <text x=\"{label}\" y=\"{text:.1}\" font-size=\"12\" text-anchor=\"end\" fill=\"currentColor\">{name}</text>\
             <rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"15\" rx=\"2\" fill=\"#3b6ea8\"/>\
             <text x=\"{after:.1}\" y=\"{text:.1}\" font-size=\"11\" fill=\"currentColor\">{seconds:.2} s</text></g>",
            name = escape(&short(name)),
            detail = escape(detail),
            whole = escape(name),
            label = LEFT - 8.0,
            text = y + 11.5,
            after = x + w + 5.0,
        );
        before = *seconds;
        y += LINE;
    }
    svg + "</svg></figure>\n"
}

/// As much of a name as there is room for beside the bars.
fn short(name: &str) -> String {
    const ROOM: usize = 44;
    if name.chars().count() <= ROOM {
        return name.to_owned();
    }
    name.chars().take(ROOM).collect::<String>().trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_begin_where_the_one_before_ended() {
        let step = |name: &str, seconds| BootStep {
            name: name.to_owned(),
            seconds,
            detail: "seen & heard".to_owned(),
        };
        let steps = [step("kernel", 1.0), step("<eth0>", 4.0)];
        let facts = [("memory", "192 MiB".to_owned())];
        let page = boot("debian-hwsim", &facts, &steps, Some("no <address>"));
        for words in [
            "&lt;eth0&gt;",
            "seen &amp; heard",
            "x=\"330.0\" y=\"4.0\" width=\"150.0\"",
            "x=\"480.0\" y=\"26.0\" width=\"450.0\"",
            "no &lt;address&gt;",
            "192 MiB",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!boot("x", &facts, &[], None).contains("It failed"));
    }
}
