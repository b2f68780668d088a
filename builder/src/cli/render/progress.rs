//! Progress of long work: bars on a terminal, and what is said besides.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::{Level, Printer};
use wifibox_ground::progress::{Progress, Task};

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
        let bar = self.bars().add(match total {
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
        if self.level() >= Level::Verbose {
            self.line(message);
        }
    }

    fn warn(&self, message: &str) {
        if self.level() >= Level::Normal {
            self.line(&self.labelled("1;33", "warning:", message));
        }
    }
}
