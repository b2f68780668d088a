//! The file of differences that are meant: one line each, with a reason.
//!
//! ```text
//! # A comment.
//! extra    etc/wifibox/**     The builder's own files.
//! missing  {dev,proc,sys}/**  Mounted over when the guest boots.
//! ```
//!
//! The first word is a kind of difference, or several with commas between them; the second is a glob
//! over paths, in which `*` stays within one folder; the rest is the reason. A line that matches no
//! difference is an error, so that the file says no more than is true.

use globset::{GlobBuilder, GlobMatcher};

use super::difference::{Class, Difference};

/// The lines of one or more such files.
#[derive(Debug, Default)]
pub struct Allowed {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    /// File and number, and what stands there.
    place: String,
    classes: Vec<Class>,
    paths: GlobMatcher,
    reason: String,
    used: bool,
}

impl Allowed {
    /// Adds the lines of a file, whose name is for errors.
    ///
    /// # Errors
    /// A line is not made as described above.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), String> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{file}:{}: {line}", number + 1);
            let bad = |why: &str| format!("{place}: {why}");
            let Some((classes, rest)) = line.split_once(char::is_whitespace) else {
                return Err(bad("expected a kind of difference, a glob and a reason"));
            };
            let Some((glob, reason)) = rest.trim_start().split_once(char::is_whitespace) else {
                return Err(bad("expected a reason after the glob"));
            };
            let known = |word: &str| Class::ALL.into_iter().find(|class| class.word() == word);
            let classes: Option<Vec<Class>> = classes.split(',').map(known).collect();
            let Some(classes) = classes else {
                let words: Vec<&str> = Class::ALL.iter().map(|class| class.word()).collect();
                return Err(bad(&format!("the kinds are {}", words.join(", "))));
            };
            let paths = GlobBuilder::new(glob)
                .literal_separator(true)
                .build()
                .map_err(|error| bad(&error.to_string()))?
                .compile_matcher();
            let reason = reason.trim().to_owned();
            self.lines.push(Line { place, classes, paths, reason, used: false });
        }
        Ok(())
    }

    /// Why this difference is meant, if it is.
    pub fn reason(&mut self, difference: &Difference) -> Option<&str> {
        let line = self.lines.iter_mut().find(|line| {
            line.classes.contains(&difference.class) && line.paths.is_match(&difference.path)
        })?;
        line.used = true;
        Some(&line.reason)
    }

    /// The lines that matched nothing, with their places.
    pub fn unused(&self) -> Vec<&str> {
        self.lines.iter().filter(|line| !line.used).map(|line| line.place.as_str()).collect()
    }
}
