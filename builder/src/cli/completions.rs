//! `wifibox-build completions SHELL`: the script that completes commands in a shell.

use clap::{Args, CommandFactory as _};

use super::args::Cli;
use super::context::Context;
use super::failure::Failure;

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Prints it.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    context.printer.result(&script(args.shell)).map_err(Failure::failed)
}

fn script(shell: clap_complete::Shell) -> String {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_learns_verbs_and_options() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            for word in ["verify", "public-key", "flavor", "completions"] {
                assert!(script.contains(word), "{word} for {shell}");
            }
        }
    }
}
