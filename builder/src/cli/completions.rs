//! `wifibox-build completions SHELL`: the script that completes commands in a shell.

use clap::CommandFactory as _;

use super::args::{Cli, CompletionsArgs};
use super::context::Context;
use super::failure::Failure;

/// Prints it.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    context.printer.result(&script).map_err(Failure::failed)
}
