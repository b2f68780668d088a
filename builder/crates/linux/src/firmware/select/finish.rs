//! The last steps of a selection: links by board name, and the check of promises.

use super::Work;
use crate::firmware::report::{Broken, FirmwareError, KeptLink};
use crate::firmware::rules::{Pattern, Rules};

impl Work<'_> {
    /// Adds the links by board name.
    pub(super) fn boards(&mut self, rules: &Rules) -> Result<(), FirmwareError> {
        for rule in &rules.boards {
            let pattern = Pattern::new(&rule.of)?;
            let names: Vec<String> =
                self.kept.iter().filter(|name| pattern.matches(name)).cloned().collect();
            for name in names {
                let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
                let link = format!("{stem}.{}.{extension}", rule.board);
                let base = name.rsplit_once('/').map_or(name.as_str(), |(_, base)| base);
                if rule.board.is_empty() || rule.board.contains('/') {
                    return Err(FirmwareError::Link {
                        name: link,
                        target: base.to_owned(),
                        problem: "the board's name is empty or holds '/'",
                    });
                }
                if self.offers.resolve(&link).is_ok() {
                    // The board has firmware of its own.
                    self.keep(&link);
                } else {
                    let from = format!("board {}", rule.board);
                    let kept = KeptLink { target: base.to_owned(), from };
                    self.selection.links.insert(link, kept);
                }
            }
        }
        Ok(())
    }

    /// Fails when a promise is not kept by now.
    pub(super) fn keep_promises(&self, rules: &Rules) -> Result<(), FirmwareError> {
        let mut broken = Vec::new();
        for promise in &rules.promises {
            let patterns = Pattern::all(&promise.patterns)?;
            let matches = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
            let files = self.selection.files.keys();
            if self.kept.iter().chain(files).any(|name| matches(name)) {
                continue;
            }
            let lines = self.selection.report.iter();
            let lines = lines.filter(|l| matches(&l.name) || promise.patterns.contains(&l.name));
            broken.push(Broken {
                patterns: promise.patterns.clone(),
                packages: promise.packages.clone(),
                lines: lines.cloned().collect(),
            });
        }
        if broken.is_empty() { Ok(()) } else { Err(FirmwareError::Promise(broken)) }
    }
}
