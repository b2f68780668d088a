//! The only place that writes to the terminal: results on stdout, everything else on stderr.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Color, GlobalArgs};
use wifibox_ground::progress::{Progress, Task};

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Quiet,
    Normal,
    Verbose,
}

/// Owns stdout, stderr and the progress bars.
#[derive(Debug)]
pub struct Printer {
    level: Level,
    color: bool,
    bars: MultiProgress,
    /// One writer at a time, so that lines stay whole.
    turn: Mutex<()>,
    /// Whether results are to be printed as JSON.
    pub json: bool,
}

impl Printer {
    /// A printer as the flags and the terminal want it. `no_color` is the value of `NO_COLOR`.
    pub fn new(args: &GlobalArgs, no_color: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        let level = match (args.quiet, args.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        };
        let color = match args.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_color,
        };
        let target = if terminal && level != Level::Quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        Printer { level, color, bars, turn: Mutex::new(()), json: args.json }
    }

    /// Writes a result to stdout. A reader that went away (`| head`) is no error.
    ///
    /// # Errors
    /// Whatever else the system says.
    pub fn result(&self, text: &str) -> io::Result<()> {
        let _turn = self.turn.lock();
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// A step of the work, for people: a verb in the progressive form and what it is done to.
    pub fn status(&self, verb: &str, what: &str) {
        if self.level >= Level::Normal {
            self.line(&format!("{} {what}", self.paint("1;32", &format!("{verb:>12}"))));
        }
    }

    /// What went wrong, and what to do next.
    pub fn error(&self, error: &dyn std::error::Error, hints: &[String]) {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Transparent errors repeat what their source says.
            if !message.contains(&text) {
                message = format!("{message}\n  caused by: {text}");
            }
            source = cause.source();
        }
        self.line(&format!("{} {message}", self.paint("1;31", "error:")));
        for hint in hints {
            self.line(&format!("{} {hint}", self.paint("1;36", "help:")));
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        let _turn = self.turn.lock();
        // There is nobody left to tell that stderr cannot be written.
        self.bars.suspend(|| drop(writeln!(io::stderr(), "{text}")));
    }
}

struct Bar(ProgressBar);

impl Task for Bar {
    fn advance(&self, amount: u64) {
        self.0.inc(amount);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Printer {
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        let bar = self.bars.add(match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        });
        let template = match total {
            Some(_) => "{msg:40!} {bar:24} {bytes:>10}/{total_bytes:10} {eta:>4}",
            None => "{msg:40!} {spinner} {bytes:>10}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Box::new(Bar(bar))
    }

    fn note(&self, message: &str) {
        if self.level >= Level::Verbose {
            self.line(message);
        }
    }

    fn warn(&self, message: &str) {
        if self.level >= Level::Normal {
            self.line(&format!("{} {message}", self.paint("1;33", "warning:")));
        }
    }
}
