//! Progress of long work. On a terminal a line says how far the stage is, with a bar for each task below it; elsewhere there
//! is a line for each stage, and one for every ten seconds of a long one.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::{Level, Printer};
use super::stage::Current;
use super::stages::Stages;
use wifibox_ground::progress::{Progress, Stage, Task};

struct Bar(ProgressBar, Stages);

impl Task for Bar {
    fn advance(&self, amount: u64) {
        self.0.inc(amount);
        self.1.change(|current| current.advance(amount));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
        self.1.change(Current::task_ends);
    }
}

impl Progress for Printer {
    fn stage(&self, stage: &Stage<'_>) {
        if self.level() < Level::Normal {
            return;
        }
        let is_first = !self.stages().is_under_way();
        let current = self.stages().begin(stage);
        if !self.bars().is_hidden() {
            self.stages().draw(self.bars(), self.verb(current.verb()));
            return;
        }
        self.status(current.verb(), &current.title());
        if is_first {
            self.stages().watch();
        }
    }

    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        self.stages().change(|current| current.task_begins(total));
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
        Box::new(Bar(bar, self.stages().clone()))
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
