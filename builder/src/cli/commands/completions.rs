//! `wifibox-build completions SHELL`: the script that completes commands in a shell.
//!
//! The script asks this program for what may come next, so that it knows verbs, options, names of recipes and
//! files in every place of a command line.

use clap::{Args, ValueEnum};
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell, Zsh};

use crate::cli::context::Context;
use crate::cli::render::failure::Failure;

/// The variable by which a script asks.
pub(crate) const VARIABLE: &str = "WIFIBOX_BUILD_COMPLETE";

/// The part of `--help` behind the flags.
pub(crate) const HELP: &str = "\
Where the script belongs, for one user:
  bash   ~/.local/share/bash-completion/completions/wifibox-build
  zsh    _wifibox-build in a folder of $fpath
  fish   ~/.config/fish/completions/wifibox-build.fish

The script runs wifibox-build, which must be in PATH.";

/// The library's script for Bash does not complete `--option=VALUE`, which Readline takes apart at the `=`.
const BASH: &str = r#"_wifibox_build() {
    local IFS=$'\013' index=0 place word words=()
    for place in "${!COMP_WORDS[@]}"; do
        word=${COMP_WORDS[place]}
        if ((place == COMP_CWORD)); then
            word=$2 index=${#words[@]}
        elif [[ $word == = ]]; then
            continue
        fi
        words+=("$word")
    done
    COMPREPLY=($(_CLAP_IFS=$IFS _CLAP_COMPLETE_INDEX=$index VARIABLE=bash \
        wifibox-build -- "${words[@]}" 2>/dev/null))
    if [[ ${COMPREPLY-} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _wifibox_build wifibox-build 2>/dev/null ||
    complete -o bashdefault -F _wifibox_build wifibox-build
"#;

/// In a folder of `$fpath` the file is the body of a function, which is called the first time that something is to
/// be completed: then it has to do so as well.
const AUTOLOADED: &str = "\
if [ \"$funcstack[1]\" = _wifibox-build ]; then
    _clap_dynamic_completer_wifibox_build \"$@\"
fi
";

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Shells that there is a script for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Elvish.
    Elvish,
    /// Fish.
    Fish,
    /// PowerShell.
    #[value(name = "powershell")]
    Power,
    /// Z shell.
    Zsh,
}

/// Prints it.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    let script = script(args.shell).map_err(Failure::failed)?;
    context.printer.text(&script)
}

fn script(shell: Shell) -> std::io::Result<String> {
    let writer: &dyn EnvCompleter = match shell {
        Shell::Bash => return Ok(BASH.replace("VARIABLE", VARIABLE)),
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Power => &Powershell,
        Shell::Zsh => &Zsh,
    };
    let name = "wifibox-build";
    let mut script = Vec::new();
    writer.write_registration(VARIABLE, name, name, name, &mut script)?;
    let mut script = String::from_utf8_lossy(&script).trim().to_owned() + "\n";
    if shell == Shell::Zsh {
        script += AUTOLOADED;
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_asks_the_program() {
        for shell in Shell::value_variants() {
            let script = script(*shell).expect("a script");
            assert!(script.contains(VARIABLE), "{shell:?}: {script}");
            assert!(script.contains("wifibox-build"), "{shell:?}: {script}");
        }
    }
}
