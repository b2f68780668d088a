//! The command line: arguments, one file per verb, and the only code that prints.

pub mod args;
mod boot;
mod build;
mod bundle;
mod cache;
mod completions;
mod config_disk;
mod context;
mod detect;
mod detect_text;
mod diff;
mod export;
mod failure;
mod fetch;
mod host;
mod inspect;
mod limits;
mod lint;
mod list;
mod lock;
mod many;
mod meter;
pub mod printer;
mod show;
mod table;
mod verify;
mod why;

use std::ffi::OsString;

use clap::Parser as _;

use args::{Cli, Verb};
use context::Context;
use failure::Failure;
use printer::Printer;
use wifibox_ground::cancel::Cancel;

/// Runs the program with these arguments (the first is its name); gives back the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a failure of the arguments.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return code;
        }
    };
    limits::raise_open_files();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let printer = Printer::new(&cli.global, no_color);
    let cancel = Cancel::new();
    let on_interrupt = cancel.clone();
    // Without a handler Ctrl-C ends the process at once, which outputs and store survive too.
    drop(ctrlc::set_handler(move || on_interrupt.cancel()));
    let verb = cli.verb.unwrap_or(Verb::Build(cli.build));
    let context = match Context::new(&cli.global, printer, cancel) {
        Ok(context) => context,
        Err((printer, failure)) => return report(&printer, &failure),
    };
    let done = match verb {
        Verb::Build(args) => build::run(&context, &args),
        Verb::Lock(args) => lock::run(&context, &args),
        Verb::Fetch(args) => fetch::run(&context, &args),
        Verb::Bundle(args) => bundle::run(&context, &args),
        Verb::List => list::run(&context),
        Verb::Show(args) => show::run(&context, &args),
        Verb::Why(args) => why::run(&context, &args),
        Verb::Detect(args) => detect::run(&context, &args),
        Verb::Boot(args) => boot::run(&context, &args),
        Verb::ConfigDisk(args) => config_disk::run(&context, &args),
        Verb::Export(args) => export::run(&context, &args),
        Verb::Inspect(args) => inspect::run(&context, &args),
        Verb::Diff(args) => diff::run(&context, &args),
        Verb::Verify(args) => verify::run(&context, &args),
        Verb::Host(args) => host::run(&context, &args),
        Verb::Lint(args) => lint::run(&context, &args),
        Verb::Completions(args) => completions::run(&context, &args),
        Verb::Cache(args) => cache::run(&context, &args),
    };
    match done {
        Ok(()) => 0,
        Err(failure) => report(&context.printer, &failure),
    }
}

fn report(printer: &Printer, failure: &Failure) -> u8 {
    if !failure.silent {
        printer.error(&*failure.error, &failure.hints);
    }
    failure.code
}
