//! Errors of recipes, worded so that they can be fixed: where, the value found, the value expected,
//! and the nearest valid name.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;

use std::sync::Arc;
use wifibox_ground::failure::Kind;

use super::located::Origin;
use wifibox_ground::digest::{Hasher, Sha256};

/// Longest piece of a source line that an error shows, in characters.
const EXCERPT_LIMIT: usize = 160;

/// Why recipes cannot be read or composed.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// A file or folder of recipes cannot be read.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The operation that failed, as an infinitive.
        doing: &'static str,
        /// The file or folder on the host.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// A file that is wanted is not among the sources.
    #[error("{path} does not exist{among}")]
    Missing {
        /// Path within the sources.
        path: String,
        /// Which sources were looked at; starts with a space.
        among: String,
    },
    /// A source file cannot be taken: too big, not UTF-8, a link, a name that is not text.
    #[error("{path} {why}")]
    Unfit {
        /// Path within the sources, or on the host.
        path: String,
        /// The reason, and what was expected.
        why: String,
    },
    /// Something in a file is wrong, or contradicts another file.
    #[error(transparent)]
    Invalid(Box<Problem>),
    /// The request is not something that these recipes can make.
    #[error(transparent)]
    Choice(Box<Problem>),
}

impl RecipeError {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            // Who asks has written these files, too.
            RecipeError::Choice(_)
            | RecipeError::Missing { .. }
            | RecipeError::Unfit { .. }
            | RecipeError::Invalid(_) => Kind::Usage,
            RecipeError::Io { .. } => Kind::Failed,
        }
    }

    pub(super) fn invalid(problem: Problem) -> Self {
        RecipeError::Invalid(Box::new(problem))
    }

    pub(super) fn choice(problem: Problem) -> Self {
        RecipeError::Choice(Box::new(problem))
    }
}

/// A line of a source file, to show where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, line and column.
    pub origin: Origin,
    /// The text of that line; empty if there is none to show.
    pub excerpt: String,
}

/// One thing that is wrong, the places that show it, and how to put it right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The fault.
    pub message: String,
    /// Where, if it is in a file.
    pub at: Option<Place>,
    /// Other places that have to do with it, each with what is there.
    pub also: Vec<(String, Place)>,
    /// Advice: the expected value, the nearest valid name, what to do.
    pub help: Vec<String>,
}

impl std::error::Error for Problem {}

impl Problem {
    /// A problem without a place so far.
    pub fn new(message: impl Into<String>) -> Self {
        Problem { message: message.into(), ..Problem::default() }
    }

    /// Adds where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.at = Some(place);
        self
    }

    /// Adds another place that has to do with it.
    #[must_use]
    pub fn also(mut self, what: impl Into<String>, place: Place) -> Self {
        self.also.push((what.into(), place));
        self
    }

    /// Adds a line of advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what is expected instead of the name `found`, nearest valid name first.
    #[must_use]
    pub fn expected<'a>(self, found: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let problem = match wifibox_ground::nearest::nearest(found, &names) {
            Some(name) => self.help(format!("did you mean \"{name}\"?")),
            None => self,
        };
        match names.as_slice() {
            [] => problem.help("there is none to choose from"),
            [only] => problem.help(format!("expected \"{only}\"")),
            _ => problem.help(format!("expected one of: {}", names.join(", "))),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.at {
            write!(f, "\n{place}")?;
        }
        for (what, place) in &self.also {
            write!(f, "\n{what}\n{place}")?;
        }
        for line in &self.help {
            write!(f, "\n  = {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  --> {}", self.origin)?;
        if self.origin.line == 0 || self.excerpt.is_empty() {
            return Ok(());
        }
        let number = self.origin.line.to_string();
        let margin = " ".repeat(number.len());
        let before = usize::try_from(self.origin.column).unwrap_or(1).saturating_sub(1);
        write!(f, "\n {margin} |\n {number} | {}", self.excerpt)?;
        if before < EXCERPT_LIMIT {
            write!(f, "\n {margin} | {}^", " ".repeat(before))?;
        }
        Ok(())
    }
}

/// The texts of all files read, so that errors can show the lines they speak of.
#[derive(Debug, Clone, Default)]
pub struct Texts(BTreeMap<Arc<str>, Arc<str>>);

impl Texts {
    /// Keeps the text of `file`.
    pub fn keep(&mut self, file: Arc<str>, text: Arc<str>) {
        self.0.insert(file, text);
    }

    /// The hash of all names and texts.
    pub fn fingerprint(&self) -> Sha256 {
        let mut hasher = Hasher::default();
        for (file, text) in &self.0 {
            for part in [file, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        hasher.finish()
    }

    /// The place that `origin` speaks of, with its line if the file is known.
    pub fn place(&self, origin: &Origin) -> Place {
        let line = usize::try_from(origin.line).unwrap_or(0);
        let excerpt = self
            .0
            .get(&origin.file)
            .and_then(|text| text.lines().nth(line.checked_sub(1)?))
            .unwrap_or_default();
        let excerpt: String = excerpt.trim_end().chars().map(shown).take(EXCERPT_LIMIT).collect();
        Place { origin: origin.clone(), excerpt }
    }
}

/// Control characters would disturb the terminal and the caret's column.
fn shown(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_a_caret() {
        let mut texts = Texts::default();
        texts.keep("a.yaml".into(), "one: 1\n\ttwo: 2\n".into());
        let origin = Origin { file: "a.yaml".into(), line: 2, column: 2 };
        let problem = Problem::new("wrong").at(texts.place(&origin)).help("do better");
        insta::assert_snapshot!(problem, @r"
        wrong
          --> a.yaml:2:2
           |
         2 |  two: 2
           |  ^
          = do better
        ");
    }

    #[test]
    fn a_place_outside_the_text_shows_no_line() {
        let origin = Origin { file: "a.yaml".into(), line: 9, column: 1 };
        assert_eq!(Texts::default().place(&origin).to_string(), "  --> a.yaml:9:1");
    }
}
