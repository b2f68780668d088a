//! `bhyve.conf` and `core.conf` of wifibox-core: shell that its program `wifibox` sources. The values
//! that it takes are those of its function `load_bhyve_conf_values`; names that it does not know, and
//! lines that are no assignment, pass in silence there.

use super::assignment::Assignment;
use super::assignments::{cards, read};
use super::{Problem, did_you_mean};

/// The most cards that fit into slot 6.
const CARDS: usize = 8;

/// `bhyve.conf`.
pub(super) fn bhyve_conf(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known = ["cpus", "memory", "passthru", "console", "priority", "stop_wait_max"];
    for Assignment { line, name, value } in read(text, "", &mut problems) {
        let expected = match name.as_str() {
            "cpus" => number(&value, 1, 65535),
            "memory" => memory(&value),
            "passthru" => match cards(&value) {
                Ok(cards) if cards.len() > CARDS => Some(format!("at most {CARDS} cards fit")),
                Ok(_) => None,
                Err(what) => Some(what),
            },
            "console" => {
                (!["yes", "no"].contains(&value.as_str())).then(|| "expected yes or no".to_owned())
            }
            "priority" => number(&value, 0, 99),
            "stop_wait_max" => number(&value, 1, 60),
            other => {
                let what = format!("wifibox knows no {other}{}", did_you_mean(other, known));
                problems.push(Problem::new(line, what));
                None
            }
        };
        if let Some(expected) = expected {
            problems.push(Problem::new(line, format!("{name} is {value:?}: {expected}")));
        }
    }
    problems
}

/// `core.conf`.
pub(super) fn core_conf(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Assignment { line, name, value } in read(text, "", &mut problems) {
        let levels = ["none", "error", "warn", "info", "debug"];
        if name != "loglevel" {
            let what = format!("wifibox knows no {name}{}", did_you_mean(&name, ["loglevel"]));
            problems.push(Problem::new(line, what));
        } else if !levels.contains(&value.to_ascii_lowercase().as_str()) {
            let what = format!("loglevel is {value:?}: expected one of {}", levels.join(", "));
            problems.push(Problem::new(line, what));
        }
    }
    problems
}

fn number(value: &str, least: u32, most: u32) -> Option<String> {
    let good = value.bytes().all(|byte| byte.is_ascii_digit())
        && value.parse::<u32>().is_ok_and(|number| (least..=most).contains(&number));
    (!good).then(|| format!("expected {least} to {most}"))
}

/// Digits, and one letter of a unit.
fn memory(value: &str) -> Option<String> {
    let digits = value.strip_suffix(|c: char| "KkMmGgTt".contains(c)).unwrap_or(value);
    let good = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (!good).then(|| "expected a whole number with K, M, G or T behind it, like 160M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wifibox_takes_is_taken() {
        let text = "cpus=1\nmemory=128M\nconsole=no\npassthru=\npriority=50\nstop_wait_max=30\n";
        assert_eq!(bhyve_conf(text), []);
        assert_eq!(bhyve_conf("passthru=\"3/0/0 0/20/0\"\n"), []);
        assert_eq!(core_conf("# x\nloglevel=warn\n"), []);
    }

    #[test]
    fn each_mistake_is_found() {
        for (bad, words) in [
            ("cpus = 1", "a blank round"),
            ("cpus=0", "expected 1 to"),
            ("cpus=two", "expected 1 to"),
            ("memory=128MB", "like 160M"),
            ("memory=M", "like 160M"),
            ("console=true", "expected yes or no"),
            ("passthru=3/0/0 0/20/0", "quotation marks"),
            ("passthru=pci0:3:0:0", "is no card"),
            ("passthru=\"3/0/0 3/0/0\"", "is listed twice"),
            ("passthru=\"1/0/0 2/0/0 3/0/0 4/0/0 5/0/0 6/0/0 7/0/0 8/0/0 9/0/0\"", "at most 8"),
            ("priority=100", "expected 0 to 99"),
            ("stop_wait_max=0", "expected 1 to 60"),
            ("memroy=128M", "did you mean memory?"),
            ("start", "expected NAME"),
        ] {
            let problems = bhyve_conf(bad);
            assert!(problems.iter().any(|p| p.what.contains(words)), "{bad}: {problems:?}");
        }
        assert!(core_conf("loglevel=loud")[0].what.contains("expected one of"));
        assert!(core_conf("level=warn")[0].what.contains("knows no level"));
    }
}
