//! Ctrl-C, SIGTERM and SIGHUP. The first asks the work to stop, and ends the process where that is not heard; a second
//! one ends it at once.

use std::thread;
use std::time::Duration;

use super::options::GlobalArgs;
use super::render::failure::Failure;
use super::render::printer::Printer;
use wifibox_ground::cancel::{Cancel, Interrupted, output_changed, uninterrupted};
use wifibox_ground::output::remove_held;

/// How long the work has time to stop by itself.
const GRACE: Duration = Duration::from_millis(600);

/// Takes over the signals, from now on.
pub fn listen(global: &GlobalArgs) -> Cancel {
    let cancel = Cancel::new();
    let (flag, global) = (cancel.clone(), global.clone());
    // Without a handler a signal ends the process at once, which outputs and store survive too.
    drop(ctrlc::set_handler(move || {
        if flag.is_cancelled() {
            end(&global);
        }
        flag.cancel();
        let global = global.clone();
        // In a thread of its own, so that the next signal is heard meanwhile.
        let watch = thread::Builder::new().name("grace".to_owned());
        let watching = watch.spawn(move || {
            thread::sleep(GRACE);
            end(&global);
        });
        if watching.is_err() {
            thread::sleep(GRACE);
        }
    }));
    cancel
}

/// Ends the process, whatever its threads do: what they write appears whole or not at all, and this process's unfinished
/// folders go with it.
fn end(global: &GlobalArgs) -> ! {
    // An output that is just taking its place does so.
    let _whole = uninterrupted();
    let failure = if output_changed() {
        Failure::interrupted("interrupted; what was written is whole")
    } else {
        Failure::interrupted(Interrupted)
    };
    Printer::new(global.level(), global.color, global.json).failure(&failure);
    remove_held();
    std::process::exit(failure.code().into())
}
