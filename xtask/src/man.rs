//! `cargo xtask man`: writes docs/man/wifibox-build.1 from the definition of the arguments, so that it can
//! never say anything else than the program does.
//!
//! One page for all commands: what a command shares with `build` is described once. What no argument
//! tells (files, environment, examples) is in [`TAIL`].

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;
use wifibox_build::cli::command::Cli;

/// When the text of the page that is not generated changed last.
const DATE: &str = "2026-11-21";

/// Write the man page of the commands.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Only say whether the page is up to date.
    #[arg(long)]
    check: bool,
    /// The file.
    #[arg(long, value_name = "FILE", default_value = "docs/man/wifibox-build.1")]
    out: PathBuf,
}

const HEAD: &str = r#".SH SYNOPSIS
.B wifibox\-build
.RB [ build ]
.B \-\-flavor
.I FLAVOR
.RI [ OPTION ]...
.br
.B wifibox\-build
.I COMMAND
.RI [ OPTION ]...
.SH DESCRIPTION
.B wifibox\-build
turns a recipe into a small, bootable, reproducible virtual machine which drives a Wi\-Fi card for a host that
cannot: FreeBSD under bhyve, OPNsense or pfSense under Xen.
It fetches distribution packages, a Linux kernel and wireless firmware, verifies them against keys that the recipe
pins, lays them into a read\-only SquashFS, and writes a boot disk and what the hypervisor needs.
Nothing of the guest is run while it is built, nothing is unpacked, and no privileges are needed.
.PP
The first build of a base writes a lock file; later builds of that lock give the same bytes, whatever the machine.
Commit it, or keep it with what was built.
.PP
Results are written to standard output, everything else to standard error.
With
.B \-\-json
an error is an object on the last line of standard error:
.IR message ", " kind ", " exit_code ", " hints " and " causes
in
.IR error ,
beside the number
.IR format .
.PP
Options that take several values take them apart by commas, or may be given more than once.
"#;

const TAIL: &str = r#".SH ENVIRONMENT
.TP
.B WIFIBOX_BUILD_CACHE
Where downloads are kept, as
.B \-\-cache\-dir
says.
.TP
.BR WIFIBOX_BUILD_REGISTRY_USERNAME ", " WIFIBOX_BUILD_REGISTRY_PASSWORD
The login to a registry, where
.B \-\-username
and
.B \-\-password\-stdin
are not given.
.TP
.BR REGISTRY_AUTH_FILE ", " DOCKER_CONFIG ", " XDG_RUNTIME_DIR ", " XDG_CONFIG_HOME
Where podman and docker write logins to registries.
.TP
.BR XDG_CACHE_HOME ", " HOME
Below these the folder
.I wifibox\-build
is looked for where nothing else names one.
.TP
.B SOURCE_DATE_EPOCH
The time, in seconds since 1970, that all times in an output are clamped to, in place of the newest package's.
.TP
.B NO_COLOR
Turns colours off.
.TP
.BR http_proxy ", " https_proxy ", " all_proxy ", " no_proxy
Proxies to fetch through.
.SH FILES
.TP
.I locks/BASE\-RELEASE\-ARCHITECTURE.lock
The lock, below the current folder.
.TP
.I out/BASE\-FLAVOR/
The output folder, below the current folder; see
.BR wifibox\-guest (5).
.TP
.I wifibox.yaml
A project: which guests are wanted, and what is in them besides the recipes.
It is looked for in the current folder and those above it; locks and outputs are then below its folder.
The options of the command line go before it.
.TP
.I ~/.cache/wifibox\-build
Downloads, by their hashes. It may be removed at any time.
.SH EXIT STATUS
.TP
.B 0
Done.
.TP
.B 1
Failed.
.TP
.B 2
The arguments make no sense.
.TP
.B 3
The lock is out of date
.RB ( \-\-locked ", " \-\-frozen ", " "lock \-\-check" ).
.TP
.B 4
Something is not what it should be: a signature, a hash, an output.
.TP
.B 130
Interrupted.
.SH EXAMPLES
Which guest a card needs:
.PP
.RS 4
.nf
pciconf \-lv | wifibox\-build detect \-
.fi
.RE
.PP
A guest for Intel cards:
.PP
.RS 4
.nf
wifibox\-build \-\-flavor iwlwifi
.fi
.RE
.PP
An access point for one card, from Debian's packages, without a network:
.PP
.RS 4
.nf
wifibox\-build \-\-base debian \-\-flavor ath10k \-\-role access\-point \-\-device 168c:003e \-\-frozen
.fi
.RE
.PP
Whether a release is what its makers signed:
.PP
.RS 4
.nf
wifibox\-build verify wifibox\-0.1.0 \-\-public\-key minisign.pub
.fi
.RE
.SH SEE ALSO
.BR wifibox\-recipe (5),
.BR wifibox\-guest (5)
"#;

/// Runs the chore.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let page = page()?;
    if arguments.check {
        return check(&arguments.out, &page).map_err(Into::into);
    }
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&arguments.out, page)?;
    Ok(())
}

fn check(path: &Path, page: &str) -> Result<(), String> {
    let there = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if there == page {
        return Ok(());
    }
    Err(format!("{} is out of date: run 'cargo xtask man' and commit the file", path.display()))
}

/// The page's text.
fn page() -> std::io::Result<String> {
    let mut root = Cli::command();
    root.build();
    let known: BTreeMap<String, String> =
        root.get_arguments().map(|arg| (arg.get_id().to_string(), meaning(arg))).collect();
    let mut page = Vec::new();
    let man =
        Man::new(root.clone()).date(DATE).source("wifibox-build").manual("General Commands Manual");
    man.render_title(&mut page)?;
    let mut text = String::from_utf8_lossy(&page).into_owned();
    text += ".SH NAME\nwifibox\\-build \\- build virtual machines that drive a Wi\\-Fi card\n";
    text += HEAD;
    text += ".SH COMMANDS\n";
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        commands(command, "", &known, &mut text)?;
    }
    text += ".SH OPTIONS\nThose of\n.BR build ,\nwhich other commands share.\n";
    text += &options(root.clone().mut_args(|arg| {
        let hide = ["help", "version"].contains(&arg.get_id().as_str());
        arg.hide(hide)
    }))?;
    text += TAIL;
    Ok(text)
}

/// A section for `command`, or for each of its commands.
fn commands(
    command: &Command,
    prefix: &str,
    known: &BTreeMap<String, String>,
    text: &mut String,
) -> std::io::Result<()> {
    let name = format!("{prefix}{}", command.get_name());
    let inner: Vec<&Command> =
        command.get_subcommands().filter(|inner| inner.get_name() != "help").collect();
    if !inner.is_empty() {
        for inner in inner {
            commands(inner, &format!("{name} "), known, text)?;
        }
        return Ok(());
    }
    let mut heading = escape(&name);
    for arg in command.get_positionals() {
        let names = arg.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
        let dots =
            if arg.get_num_args().is_some_and(|range| range.max_values() > 1) { "..." } else { "" };
        let names =
            if names.is_empty() { arg.get_id().as_str().to_uppercase() } else { names.to_string() };
        let (open, close) = if arg.is_required_set() { ("", "") } else { ("[", "]") };
        heading += &format!(" {open}{}{close}{dots}", escape(&names));
    }
    *text += &format!(".SS {heading}\n");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    *text += &format!("{}.\n", escape(about.trim_end_matches('.')));
    // What stands under no heading here is the command's own, though `build` has it as well.
    let shared = |arg: &Arg| {
        let global = arg.is_global_set() || arg.get_help_heading().is_some();
        global && known.get(arg.get_id().as_str()) == Some(&meaning(arg))
    };
    let mut headings: Vec<&str> = command
        .get_arguments()
        .filter(|arg| shared(arg) && !arg.is_global_set())
        .filter_map(|arg| arg.get_help_heading())
        .collect();
    headings.dedup();
    if !headings.is_empty() && name != "build" {
        let list = headings.join(", ");
        *text += &format!("Takes options of {} (see OPTIONS) as well.\n", escape(&list));
    }
    let own = command.clone().mut_args(|arg| {
        let hide = shared(&arg) || ["help", "version"].contains(&arg.get_id().as_str());
        if hide { arg.hide(true) } else { arg.help_heading(None::<&str>) }
    });
    *text += &options(own)?.replace(".SS OPTIONS\n", "");
    if let Some(after) = command.get_after_help() {
        *text += &prose(&after.to_string());
    }
    Ok(())
}

/// The key by which two arguments are recognised as the same: their help text.
fn meaning(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

/// The options of `command`, under subheadings.
fn options(command: Command) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    Man::new(command).render_options_section(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // What roff's writer puts before every piece; breaks round the lists of values, which mandoc skips.
    let lines = text.lines().filter(|line| {
        ![".ie ", ".el ", ".if "].iter().any(|start| line.starts_with(start)) && *line != ".br"
    });
    Ok(lines.map(|line| line.replacen(".SH ", ".SS ", 1) + "\n").collect())
}

/// Paragraphs as they are; lines that are set in stay lines.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut literal = false;
    for line in text.lines() {
        let set_in = line.starts_with("  ");
        if set_in != literal {
            out += if set_in { ".PP\n.RS 4\n.nf\n" } else { ".fi\n.RE\n" };
            literal = set_in;
        }
        match line.trim() {
            "" => out += ".PP\n",
            // A full stop or apostrophe at the beginning would be a request.
            line => out += &format!("\\&{}\n", escape(line)),
        }
    }
    if literal {
        out += ".fi\n.RE\n";
    }
    format!(".PP\n{out}").replace(".PP\n.PP\n", ".PP\n")
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/man/wifibox-build.1");
        check(&path, &page().expect("written")).expect("run `cargo xtask man`");
    }

    #[test]
    fn text_after_the_options_keeps_its_lines() {
        let text = prose("One\ntwo.\n\nExamples:\n  a -b\n  c");
        let expected =
            ".PP\n\\&One\n\\&two.\n.PP\n\\&Examples:\n.PP\n.RS 4\n.nf\n\\&a \\-b\n\\&c\n.fi\n.RE\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_command_and_option_is_described() {
        let page = page().expect("written");
        let mut root = Cli::command();
        root.build();
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            assert!(page.contains(&format!(".SS {}", escape(command.get_name()))), "{page}");
            for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                let Some(long) = arg.get_long() else { continue };
                let name = format!("\\-\\-{}", escape(long));
                assert!(page.contains(&name), "{name} of {}", command.get_name());
            }
        }
    }
}
