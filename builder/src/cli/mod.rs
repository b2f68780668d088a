//! The command line: what can be asked for, one file per verb, and the only code that prints.
//!
//! `command` is on top: it knows all verbs. Those in `commands` know the shared options, the context and how
//! results are rendered, and never each other.

pub mod answers;
mod candidates;
mod cards;
pub mod command;
mod commands;
mod context;
mod host_capture;
mod interrupt;
mod limits;
mod meter;
mod named_file;
pub mod options;
mod place;
mod project;
mod project_file;
mod registry;
mod render;
mod trust;

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap_complete::CompleteEnv;

use command::Cli;
use commands::completions;
use context::Context;
use options::GlobalArgs;
use render::failure::Failure;
use render::printer::Printer;
use render::{start, usage};

/// Runs the program with these arguments (the first is its name); gives back the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    // A shell asks what may come next; the script that it got from `completions` sets the variable.
    let completion = CompleteEnv::with_factory(Cli::command).var(completions::VARIABLE);
    let words: Vec<OsString> = arguments.into_iter().collect();
    match completion.try_complete(words.clone(), std::env::current_dir().ok().as_deref()) {
        Ok(false) => {}
        Ok(true) => return 0,
        Err(_) => return 1,
    }
    if let Some(global) = command::nothing_asked(&words)
        && project_file::Place::here().is_none()
    {
        return report(&printer(&global), &start::nothing_asked());
    }
    let cli = match Cli::read(&words) {
        Ok(cli) => cli,
        // Help and version are results; everything else is a failure of the arguments.
        Err(error) if !error.use_stderr() => {
            drop(error.print());
            return 0;
        }
        Err(error) => {
            return report(&printer(&GlobalArgs::scan(&words)), &usage::failure(&error));
        }
    };
    limits::raise_open_files();
    let global = cli.global.clone();
    let verb = cli.verb();
    let cancel = interrupt::listen(&global);
    let context =
        match Context::new(&global, verb.project(), verb.lock_file(), printer(&global), cancel) {
            Ok(context) => context,
            Err((printer, failure)) => return report(&printer, &failure),
        };
    match verb.run(&context) {
        Ok(()) => 0,
        Err(failure) => report(&context.printer, &failure),
    }
}

fn printer(global: &GlobalArgs) -> Printer {
    Printer::new(global.level(), global.color, global.json)
}

fn report(printer: &Printer, failure: &Failure) -> u8 {
    printer.failure(failure);
    failure.code()
}
