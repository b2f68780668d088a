//! The command line: one definition of each flag gives parser, help and (generated) man page.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::boot::BootArgs;
use super::bundle::BundleArgs;
use super::cache::CacheArgs;
use super::completions::CompletionsArgs;
use super::config_disk::ConfigDiskArgs;
use super::detect::DetectArgs;
use super::diff::DiffArgs;
use super::export::ExportArgs;
use super::host::HostArgs;
use super::inspect::InspectArgs;
use super::lint::LintArgs;
use super::lock::LockArgs;
use super::verify::VerifyArgs;
use super::why::WhyArgs;
use wifibox_ground::device::DeviceId;
use wifibox_linux::drivers::{ArchiveChoice, FirmwareAdd};

/// Builds small, bootable, reproducible virtual machines that drive a Wi-Fi card for a host that
/// cannot.
#[derive(Debug, Parser)]
#[command(
    name = "wifibox-build",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 the lock is out of date, \
                  4 verification failed."
)]
pub struct Cli {
    #[command(subcommand)]
    /// What to do; `build` when left out.
    pub verb: Option<Verb>,
    #[command(flatten)]
    /// What to build, when no verb is given.
    pub build: BuildArgs,
    #[command(flatten)]
    /// Flags of every verb.
    pub global: GlobalArgs,
}

/// Flags of every verb.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct GlobalArgs {
    /// Say nothing but errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colours (also: NO_COLOR)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Print results as JSON with a `format` number
    #[arg(long, global = true)]
    pub json: bool,
    /// A folder with recipes/, overlays/, kernels/ and firmware-blobs/ to use instead of the
    /// built-in ones
    #[arg(long, global = true, value_name = "DIR")]
    pub recipes: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build a guest (the default)
    Build(BuildArgs),
    /// Write, upgrade or check the lock file of a base
    Lock(LockArgs),
    /// Fetch everything that a build needs into the store
    Fetch(BuildArgs),
    /// Write all that the builds of a base need of the network into a folder
    Bundle(BundleArgs),
    /// List bases, flavors, roles, features, kernels and hypervisors
    List,
    /// Print a merged recipe and where each value came from
    Show(SelectArgs),
    /// Print why a package is in a guest
    Why(WhyArgs),
    /// Say which flavor a wireless card needs, and how to hand the card over
    Detect(DetectArgs),
    /// Boot an output folder in QEMU
    Boot(BootArgs),
    /// Make the disk that carries a guest's configuration where the host has no 9P
    ConfigDisk(ConfigDiskArgs),
    /// Write what another package system needs to build guests itself
    Export(ExportArgs),
    /// Print what is in an output folder or root.img, and where its bytes are
    Inspect(InspectArgs),
    /// Print how two output folders differ
    Diff(DiffArgs),
    /// Check that an output folder or a release is what was built (exit code 4 if not)
    Verify(VerifyArgs),
    /// Write the files that a hypervisor needs to run an output: into its folder host/, or elsewhere
    #[command(after_help = super::host::HELP)]
    Host(HostArgs),
    /// Check files for hosts for what their own programs pass over in silence (exit code 1 if there is
    /// something)
    #[command(after_help = super::lint::HELP)]
    Lint(LintArgs),
    /// Print the script that completes commands in a shell
    Completions(CompletionsArgs),
    /// Print, bound or empty what is kept between builds
    Cache(CacheArgs),
}

/// Which guest: the axes of composition.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Composition")]
pub struct SelectArgs {
    /// The chipset: see `wifibox-build list`; `build` and `fetch` take several, whose outputs go to
    /// OUT/FLAVOR
    #[arg(long, required_unless_present = "all_flavors")]
    pub flavor: Vec<String>,
    /// All flavors of the base, but for those that ask for an agreement or for firmware of yours
    /// (`build`, `fetch`)
    #[arg(long, conflicts_with = "flavor")]
    pub all_flavors: bool,
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    /// What the guest does: station or access-point [default: the base's own]
    #[arg(long)]
    pub role: Option<String>,
    /// Add a feature
    #[arg(long, value_name = "FEATURE")]
    pub with: Vec<String>,
    /// Leave a default feature out
    #[arg(long, value_name = "FEATURE")]
    pub without: Vec<String>,
    /// Keep settings made in an OpenWrt guest on a disk of their own: --with persistent
    #[arg(long)]
    pub persistent: bool,
    /// The kernel [default: the base's own]
    #[arg(long)]
    pub kernel: Option<String>,
    /// What the guest runs under [default: the base's own]
    #[arg(long)]
    pub hypervisor: Option<String>,
    /// Compressor of root.img: xz, zstd, gzip or lz4 [default: the base's own]
    #[arg(long)]
    pub compression: Option<String>,
}

/// Which base, in which release, for which architecture: what a lock is for.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// The base: where packages come from [default: the recipes' own]
    #[arg(long)]
    pub base: Option<String>,
    /// Its release, e.g. trixie [default: the base's own]
    #[arg(long)]
    pub release: Option<String>,
    /// The architecture, e.g. x86_64 or aarch64 [default: the base's own]
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
}

/// Where packages come from, and how far the lock and the network may be used.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Packages")]
pub struct SourceArgs {
    /// Take a repository from this mirror (https:, http:, file: or a folder); may be given more
    /// than once, and is tried in that order
    #[arg(long, value_name = "NAME=URL", value_parser = parse_mirror)]
    pub mirror: Vec<(String, String)>,
    /// Take package files from this folder, by name
    #[arg(long, value_name = "DIR")]
    pub distdir: Vec<PathBuf>,
    /// Read signing keys from this file as well as from the host's keyrings; they still must have
    /// the fingerprints that the recipe pins
    #[arg(long, value_name = "FILE")]
    pub trust_key: Vec<PathBuf>,
    /// Fail (exit code 3) if the lock file would change
    #[arg(long)]
    pub locked: bool,
    /// Do not touch the network
    #[arg(long)]
    pub offline: bool,
    /// Both --locked and --offline
    #[arg(long)]
    pub frozen: bool,
    /// Accept an index whose Valid-Until is past: an attacker may then hold back security updates
    #[arg(long)]
    pub dangerously_allow_expired_index: bool,
    /// The lock file [default: locks/BASE-RELEASE-ARCHITECTURE.lock]
    #[arg(long, value_name = "FILE")]
    pub lock_file: Option<PathBuf>,
    /// Where downloads are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "WIFIBOX_BUILD_CACHE")]
    pub cache_dir: Option<PathBuf>,
    /// Share downloads and compressed blocks with other machines: s3://BUCKET/PREFIX, with the AWS_*
    /// variables of other tools for endpoint, region and credentials, or an http: or https: folder that
    /// takes PUT
    #[arg(long, value_name = "URL", env = "WIFIBOX_BUILD_REMOTE_CACHE", hide_env_values = true)]
    pub remote_cache: Option<String>,
    /// Keep compressed blocks of images up to this many MiB, so that a block is compressed once; 0
    /// keeps none
    #[arg(long, value_name = "MIB", env = "WIFIBOX_BUILD_BLOCK_CACHE", default_value_t = 2048)]
    pub block_cache: u32,
    /// Threads and parallel downloads [default: the number of processors]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
}

/// `build` and `fetch`.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    #[command(flatten)]
    /// Which guest.
    pub select: SelectArgs,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
    #[command(flatten)]
    /// Into what.
    pub output: OutputArgs,
}

/// What comes out.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Result")]
pub struct OutputArgs {
    /// The output folder [default: out/BASE-FLAVOR]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Keep only firmware files that match (of those the modules want)
    #[arg(long, value_name = "GLOB")]
    pub firmware_file: Vec<String>,
    /// Keep only what this PCI card needs: VENDOR:DEVICE, or with the board's
    /// :SUBVENDOR:SUBDEVICE, as `lspci -nn` shows them
    #[arg(long, value_name = "ID")]
    pub device: Option<DeviceId>,
    /// Agree to the licence of a manifest's firmware, where the manifest asks for that
    #[arg(long, value_name = "MANIFEST")]
    pub accept_licence: Vec<String>,
    /// Add a firmware file of your own, such as a board's settings; NAME is below lib/firmware and
    /// may be left out where a driver asks for a file of this name
    #[arg(long, value_name = "FILE[:NAME]")]
    pub firmware_add: Vec<FirmwareAdd>,
    /// Take firmware from an archive of linux-firmware instead of packages: `upstream` is the one
    /// that the recipes pin (a large download), or a linux-firmware-VERSION.tar.xz of your own
    #[arg(long, value_name = "upstream|FILE")]
    pub firmware_archive: Option<ArchiveChoice>,
    /// Block size of root.img in KiB: 4 to 1024, a power of two; larger ones compress better and cost
    /// the guest memory when it reads
    #[arg(long, value_name = "KIB", default_value_t = 256)]
    pub block_size: u32,
    /// Build although nothing changed since the output folder was written
    #[arg(long)]
    pub force: bool,
    /// Neither use nor fill the caches of earlier builds (the store of downloads is used)
    #[arg(long)]
    pub no_cache: bool,
    /// Print what each stage took: time, processor time, memory; what is written beside root.img counts
    /// there
    #[arg(long)]
    pub timings: bool,
}

fn parse_mirror(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, url)) if !name.is_empty() && !url.is_empty() => {
            Ok((name.to_owned(), url.trim_end_matches('/').to_owned()))
        }
        _ => {
            Err("expected NAME=URL, for example debian=http://ftp.ch.debian.org/debian".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn build_is_the_default_verb() {
        let cli = Cli::try_parse_from(["wifibox-build", "--flavor", "iwlwifi", "-v"]).expect("ok");
        assert!(cli.verb.is_none() && cli.global.verbose);
        assert_eq!(cli.build.select.flavor, ["iwlwifi"]);
        let cli = Cli::try_parse_from(["wifibox-build", "build", "--flavor", "x"]).expect("ok");
        assert!(matches!(cli.verb, Some(Verb::Build(_))));
        assert!(Cli::try_parse_from(["wifibox-build"]).is_err());
        assert!(Cli::try_parse_from(["wifibox-build", "list"]).is_ok());
    }

    #[test]
    fn mirrors_need_a_name() {
        assert_eq!(parse_mirror("a=b/"), Ok(("a".into(), "b".into())));
        assert!(parse_mirror("http://x").is_err() && parse_mirror("a=").is_err());
    }
}
