//! When each domain reached what: seconds since its `xl create`, and of its own time.

use std::fmt::Write as _;

/// The domains in the order of their start, each with what it reached.
#[derive(Default)]
pub struct Timeline {
    domains: Vec<Domain>,
}

struct Domain {
    name: &'static str,
    created: f64,
    /// What, when, and the last word of the domain's line, which is its uptime.
    reached: Vec<(&'static str, f64, String)>,
}

impl Timeline {
    /// Adds a domain.
    pub fn domain(&mut self, name: &'static str) {
        self.domains.push(Domain { name, created: 0.0, reached: Vec::new() });
    }

    fn find(&mut self, name: &str) -> Option<&mut Domain> {
        self.domains.iter_mut().find(|domain| domain.name == name)
    }

    /// `line`, with the machine's seconds at its begin, says that the domain is created now.
    pub fn created(&mut self, name: &str, line: &str) {
        if let Some(domain) = self.find(name) {
            domain.created = seconds(line);
        }
    }

    /// `line` says that the domain reached something.
    pub fn reached(&mut self, name: &str, what: &'static str, line: &str) {
        if let Some(domain) = self.find(name) {
            let uptime = line.rsplit(' ').next().unwrap_or_default();
            let uptime = uptime.trim_matches(['(', ')']).to_owned();
            domain.reached.push((what, seconds(line), uptime));
        }
    }

    /// The table, by time.
    pub fn table(&self) -> String {
        let mut text =
            String::from("domain    what                    after xl create   of its own time\n");
        for domain in &self.domains {
            let mut reached: Vec<_> = domain.reached.iter().collect();
            reached.sort_by(|one, other| one.1.total_cmp(&other.1));
            for (what, at, uptime) in reached {
                // Writing to a String cannot fail.
                let _ = writeln!(
                    text,
                    "{:<9} {what:<23} {:>13.1} s {uptime:>15} s",
                    domain.name,
                    at - domain.created
                );
            }
        }
        text
    }
}

/// The machine's seconds at the begin of a line.
fn seconds(line: &str) -> f64 {
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_time_since_the_creation_and_the_domains_own() {
        let mut timeline = Timeline::default();
        timeline.domain("wired");
        timeline.created("wired", "   10.50 test: create 10-wired.cfg");
        timeline.reached("wired", "first packet", "   22.00 wired| wifibox: wan0: BOUND (9.25)");
        timeline.reached("wired", "kernel", "   15.00 wired| wifibox: kernel up at 3.50");
        let table = timeline.table();
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["wired", "kernel", "4.5", "s", "3.50", "s"]);
        assert_eq!(lines[2], ["wired", "first", "packet", "11.5", "s", "9.25", "s"]);
    }
}
