//! The only place that writes to the terminal: results on stdout, everything else on stderr.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;

use clap::ValueEnum;
use indicatif::{MultiProgress, ProgressDrawTarget};
use schemars::JsonSchema;
use serde::Serialize;

use super::failure::Failure;
use super::json;
use super::stages::Stages;

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Errors.
    Quiet,
    /// Steps of the work and warnings, too.
    Normal,
    /// Everything.
    Verbose,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Owns stdout, stderr and the progress bars.
#[derive(Debug)]
pub struct Printer {
    level: Level,
    color: bool,
    bars: MultiProgress,
    /// One writer at a time, so that lines stay whole.
    turn: Mutex<()>,
    json: bool,
    stages: Stages,
}

impl Printer {
    /// A printer as the flags, the terminal and `NO_COLOR` want it.
    pub fn new(level: Level, color: Color, json: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let no_color = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color(),
        };
        let target = if terminal && level != Level::Quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        Printer { level, color, bars, turn: Mutex::new(()), json, stages: Stages::new() }
    }

    /// Prints a result: its fields as JSON where that was asked for, else its text.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn result<T: Serialize + JsonSchema>(
        &self,
        fields: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        self.text(&if self.json { json::line(&fields())? } else { text() })
    }

    /// Writes to stdout. A reader that went away (`| head`) is no error.
    ///
    /// # Errors
    /// Whatever else the system says.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        self.stages.end();
        let _turn = self.turn.lock();
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => {
                other.map_err(|error| Failure::failed(format!("cannot write to stdout: {error}")))
            }
        }
    }

    /// A step of the work, for people: a verb in the progressive form and what it is done to.
    pub fn status(&self, verb: &str, what: &str) {
        if self.level >= Level::Normal {
            self.line(&format!("{} {what}", self.verb(verb)));
        }
    }

    /// The verb of a step, in its colour and column.
    pub(super) fn verb(&self, verb: &str) -> String {
        self.paint("1;32", &format!("{verb:>12}"))
    }

    /// The fault and the next step; as JSON, on one line, where that was asked for.
    pub fn failure(&self, failure: &Failure) {
        self.stages.end();
        if failure.silent {
            return;
        }
        if self.json {
            // It is all text.
            let line = json::line(&failure.fields()).unwrap_or_default();
            return self.line(line.trim_end());
        }
        let mut message = failure.message();
        for cause in failure.causes() {
            message += &format!("\n  caused by: {cause}");
        }
        self.line(&self.labelled("1;31", "error:", &message));
        for hint in &failure.advice() {
            self.line(&self.labelled("1;36", "help:", hint));
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    pub(super) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    pub(super) fn stages(&self) -> &Stages {
        &self.stages
    }

    pub(super) fn labelled(&self, code: &str, label: &str, text: &str) -> String {
        format!("{} {text}", self.paint(code, label))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(super) fn line(&self, text: &str) {
        let _turn = self.turn.lock();
        // There is nobody left to tell that stderr cannot be written.
        self.bars.suspend(|| drop(writeln!(io::stderr(), "{text}")));
    }
}
