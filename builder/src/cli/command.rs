//! The command line as a whole: the verbs, what belongs to all of them, and who does the work of each.

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::commands::{
    boot, build, bundle, cache, completions, config_disk, detect, diff, doctor, export, fetch,
    host, init, inspect, install, lint, list, lock, outdated, pull, push, report, show, status,
    uninstall, verify, why,
};
use super::context::Context;
use super::options::{BuildArgs, GlobalArgs, ProjectArgs, SelectArgs};
use super::render::failure::Failure;
use super::render::printer::Color;

/// Builds small, bootable, reproducible virtual machines that drive a Wi-Fi card for a host that
/// cannot.
///
/// Outputs name the version only, never the commit: they do not depend on where the program was built.
#[derive(Debug, Parser)]
#[command(
    name = "wifibox-build",
    version = env!("WIFIBOX_BUILD_VERSION"),
    about = "Builds small, bootable, reproducible virtual machines that drive a Wi-Fi card for a host that \
             cannot",
    long_about = None,
    override_usage = "wifibox-build --flavor FLAVOR [OPTIONS]\n       wifibox-build [OPTIONS] <COMMAND>",
    after_help = "Exit codes: 0 done, 1 failed, 2 bad input, 3 the lock is out of date, \
                  4 verification failed, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    /// The verb; `build` when left out.
    pub verb: Option<Verb>,
    #[command(flatten)]
    /// The guest to build, when no verb is given.
    pub build: BuildArgs,
    #[command(flatten)]
    /// Flags of every verb.
    pub global: GlobalArgs,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build a guest (the default)
    Build(BuildArgs),
    /// Write, upgrade or check the lock file of a base
    Lock(lock::LockArgs),
    /// Say what is newer than a lock, security updates first, and which guests it changes
    #[command(after_help = outdated::HELP)]
    Outdated(outdated::OutdatedArgs),
    /// Fetch everything that a build needs into the store
    Fetch(BuildArgs),
    /// Write everything that the builds of a base need from the network into a folder
    Bundle(bundle::BundleArgs),
    /// List bases, flavors, roles, features, kernels and hypervisors
    List,
    /// Print a merged recipe and where each value came from
    Show(SelectArgs),
    /// Print why a package is in a guest
    Why(why::WhyArgs),
    /// Say which flavor a wireless card needs, and how to hand the card over
    Detect(detect::DetectArgs),
    /// Write a wifibox.yaml: which guests are yours, and what is in them
    Init(init::InitArgs),
    /// Boot an output folder in QEMU
    Boot(boot::BootArgs),
    /// Make the disk that carries a guest's configuration where the host has no 9P
    ConfigDisk(config_disk::ConfigDiskArgs),
    /// Write guests, or what is needed to build them, for another package system
    #[command(after_help = export::HELP)]
    Export(export::ExportArgs),
    /// Put an output, a release or several outputs into a registry (OCI)
    #[command(after_help = push::HELP)]
    Push(push::PushArgs),
    /// Take a guest or a release out of a registry (OCI), and check it before it gets its place
    #[command(after_help = pull::HELP)]
    Pull(pull::PullArgs),
    /// Print what is in an output folder or root.img, and where its bytes are
    Inspect(inspect::InspectArgs),
    /// Print how two output folders differ
    Diff(diff::DiffArgs),
    /// Check that an output folder or a release is what was built (exit code 4 if not)
    Verify(verify::VerifyArgs),
    /// Write the files that a hypervisor needs to run an output: into its folder host/, or elsewhere
    #[command(after_help = host::HELP)]
    Host(host::HostArgs),
    /// Put an output where its host looks for it, and keep the one that was there
    #[command(after_help = install::HELP)]
    Install(install::InstallArgs),
    /// Take away what `install` put there
    #[command(after_help = uninstall::HELP)]
    Uninstall(uninstall::UninstallArgs),
    /// Say what keeps an installed guest from working, and how to cure it (exit code 1 if something does)
    #[command(after_help = doctor::HELP)]
    Doctor(doctor::DoctorArgs),
    /// Print how the installed guest is by its own account
    #[command(after_help = status::HELP)]
    Status(status::StatusArgs),
    /// Write all that is needed to find out why a guest does not work into one file, without passwords
    #[command(after_help = report::HELP)]
    Report(report::ReportArgs),
    /// Find mistakes in a host's configuration files that their own programs ignore (exit code 1
    /// for errors)
    #[command(after_help = lint::HELP)]
    Lint(lint::LintArgs),
    /// Print the script that completes commands in a shell
    #[command(after_help = completions::HELP)]
    Completions(completions::CompletionsArgs),
    /// Show, limit or empty the caches that are kept between builds
    Cache(cache::CacheArgs),
}

impl Cli {
    /// Takes a command line apart; the first word is the program's name.
    ///
    /// # Errors
    /// It makes no sense; or it asks for help or the version, which is an error to clap.
    pub fn read<W>(words: impl IntoIterator<Item = W>) -> Result<Self, clap::Error>
    where
        W: Into<OsString> + Clone,
    {
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let mut command = Cli::command().color(color_of_help(&words));
        let matches = command.try_get_matches_from_mut(&words)?;
        if let Some(verb) = matches.subcommand_name() {
            let stray = command.get_arguments().find(|arg| {
                let source = matches.value_source(arg.get_id().as_str());
                !arg.is_global_set() && source == Some(ValueSource::CommandLine)
            });
            if let Some(option) = stray.and_then(clap::Arg::get_long).map(str::to_owned) {
                let why = format!("--{option} stands before '{verb}': put it behind the command");
                return Err(command.error(ErrorKind::ArgumentConflict, why));
            }
        }
        Cli::from_arg_matches(&matches)
    }

    /// The verb: `build` where none is given.
    pub fn verb(self) -> Verb {
        self.verb.unwrap_or(Verb::Build(self.build))
    }
}

/// The flags of every verb, where there is nothing else in the command line.
#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
struct Nothing {
    #[command(flatten)]
    global: GlobalArgs,
}

/// The flags of a command line that asks for nothing.
pub(crate) fn nothing_asked(words: &[OsString]) -> Option<GlobalArgs> {
    Nothing::try_parse_from(words).ok().map(|nothing| nothing.global)
}

/// Help is coloured as everything else is.
fn color_of_help(words: &[OsString]) -> ColorChoice {
    match GlobalArgs::scan(words).color {
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
        Color::Auto => ColorChoice::Auto,
    }
}

impl Verb {
    /// The project of a verb that may have one.
    pub fn project(&self) -> Option<&ProjectArgs> {
        match self {
            Verb::Build(args) | Verb::Fetch(args) => Some(&args.select.project),
            Verb::Lock(args) => Some(&args.project),
            Verb::Outdated(args) => Some(&args.project),
            Verb::Bundle(args) => Some(&args.select.project),
            Verb::Show(args) => Some(&args.project),
            Verb::Why(args) => Some(&args.select.project),
            Verb::Boot(_)
            | Verb::Cache(_)
            | Verb::Completions(_)
            | Verb::ConfigDisk(_)
            | Verb::Detect(_)
            | Verb::Diff(_)
            | Verb::Doctor(_)
            | Verb::Export(_)
            | Verb::Host(_)
            | Verb::Init(_)
            | Verb::Inspect(_)
            | Verb::Install(_)
            | Verb::Lint(_)
            | Verb::List
            | Verb::Pull(_)
            | Verb::Push(_)
            | Verb::Report(_)
            | Verb::Status(_)
            | Verb::Uninstall(_)
            | Verb::Verify(_) => None,
        }
    }

    /// The lock file that a verb which takes one was given.
    pub fn lock_file(&self) -> Option<&Path> {
        let source = match self {
            Verb::Build(args) | Verb::Fetch(args) => &args.source,
            Verb::Lock(args) => &args.source,
            Verb::Outdated(args) => &args.source,
            Verb::Bundle(args) => &args.source,
            Verb::Why(args) => &args.source,
            Verb::Export(args) => args.source()?,
            _ => return None,
        };
        source.lock_file.as_deref()
    }

    /// Does the work.
    ///
    /// # Errors
    /// Those of the verb.
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Verb::Build(args) => build::run(context, args),
            Verb::Lock(args) => lock::run(context, args),
            Verb::Outdated(args) => outdated::run(context, args),
            Verb::Fetch(args) => fetch::run(context, args),
            Verb::Bundle(args) => bundle::run(context, args),
            Verb::List => list::run(context),
            Verb::Show(args) => show::run(context, args),
            Verb::Why(args) => why::run(context, args),
            Verb::Detect(args) => detect::run(context, args),
            Verb::Init(args) => init::run(context, args),
            Verb::Boot(args) => boot::run(context, args),
            Verb::ConfigDisk(args) => config_disk::run(context, args),
            Verb::Export(args) => export::run(context, args),
            Verb::Push(args) => push::run(context, args),
            Verb::Pull(args) => pull::run(context, args),
            Verb::Inspect(args) => inspect::run(context, args),
            Verb::Diff(args) => diff::run(context, args),
            Verb::Verify(args) => verify::run(context, args),
            Verb::Host(args) => host::run(context, args),
            Verb::Install(args) => install::run(context, args),
            Verb::Uninstall(args) => uninstall::run(context, args),
            Verb::Doctor(args) => doctor::run(context, args),
            Verb::Status(args) => status::run(context, args),
            Verb::Report(args) => report::run(context, args),
            Verb::Lint(args) => lint::run(context, args),
            Verb::Completions(args) => completions::run(context, args),
            Verb::Cache(args) => cache::run(context, args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn build_is_the_default_verb() {
        let cli = read("wifibox-build --flavor iwlwifi -v").expect("ok");
        assert!(cli.verb.is_none() && cli.global.verbose);
        assert_eq!(cli.build.select.flavor, ["iwlwifi"]);
        assert!(matches!(cli.verb(), Verb::Build(_)));
        let cli = read("wifibox-build build --flavor x").expect("ok");
        assert!(matches!(cli.verb, Some(Verb::Build(_))));
        let cli = read("wifibox-build -p lab --role station").expect("ok");
        assert_eq!(cli.build.select.project.guest, ["lab"]);
        assert!(matches!(cli.verb(), Verb::Build(_)));
        assert!(read("wifibox-build --project a --no-project").is_err());
        assert!(read("wifibox-build list").is_ok() && read("wifibox-build build").is_ok());
    }

    #[test]
    fn flags_of_every_verb_may_stand_before_it_and_others_may_not() {
        let cli = read("wifibox-build --json --color never list").expect("ok");
        assert!(cli.global.json && matches!(cli.verb, Some(Verb::List)));
        let cli = read("wifibox-build -q build --flavor x").expect("ok");
        assert!(cli.global.quiet);
        let cli = read("wifibox-build --json show --flavor x").expect("ok");
        assert!(cli.global.json);
        let stray = read("wifibox-build --flavor x list").expect_err("it is ignored otherwise");
        assert!(stray.to_string().contains("--flavor stands before 'list'"), "{stray}");
        assert!(read("wifibox-build --offline build --flavor x").is_err());
        assert!(read("wifibox-build cache size --cache-dir x").is_ok());
        assert!(read("wifibox-build cache --cache-dir x size").is_ok());
    }

    #[test]
    fn several_features_are_one_word_or_several() {
        let cli = read("wifibox-build --flavor x --with a,b --with c --without d,e").expect("ok");
        assert_eq!(cli.build.select.with, ["a", "b", "c"]);
        assert_eq!(cli.build.select.without, ["d", "e"]);
        let cli = read("wifibox-build host --hypervisor qemu,xen out/x").expect("ok");
        let Some(Verb::Host(host)) = cli.verb else { unreachable!("another verb") };
        assert_eq!(host.hypervisor.len(), 2);
    }

    #[test]
    fn only_flags_of_every_verb_ask_for_nothing() {
        let nothing = |line: &str| {
            nothing_asked(&line.split(' ').map(OsString::from).collect::<Vec<_>>()).is_some()
        };
        assert!(nothing("wifibox-build") && nothing("wifibox-build --json -v"));
        for something in ["--help", "--version", "list", "--offline", "--flavor x", "--frob", "-h"]
        {
            assert!(!nothing(&format!("wifibox-build {something}")), "{something}");
        }
    }
}
