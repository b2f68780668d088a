//! Groups of options that several verbs share: one definition of each flag gives parser, help, completion and
//! (generated) man page.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates as Candidates;

use super::candidates;
use super::render::printer::{Color, Level};
use wifibox_ground::device::DeviceId;
use wifibox_linux::drivers::{ArchiveChoice, FirmwareAdd};
use wifibox_recipe::Selection;

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

impl GlobalArgs {
    /// How much is said.
    pub fn level(&self) -> Level {
        match (self.quiet, self.verbose) {
            (true, _) => Level::Quiet,
            (_, true) => Level::Verbose,
            _ => Level::Normal,
        }
    }

    /// Reads these flags from a command line that as a whole makes no sense, or asks for help.
    pub fn scan(words: &[OsString]) -> Self {
        let mut flags = GlobalArgs {
            quiet: false,
            verbose: false,
            color: Color::Auto,
            json: false,
            recipes: None,
        };
        let mut words = words.iter().filter_map(|word| word.to_str());
        while let Some(word) = words.next().filter(|word| *word != "--") {
            flags.json |= word == "--json";
            let color = match word.strip_prefix("--color") {
                Some("") => words.next(),
                Some(joined) => joined.strip_prefix('='),
                None => None,
            };
            let color = color.and_then(|color| Color::from_str(color, false).ok());
            flags.color = color.unwrap_or(flags.color);
        }
        flags
    }
}

/// The user's project.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Project")]
pub struct ProjectArgs {
    /// The project's file [default: wifibox.yaml in this folder or one above it]
    #[arg(long, value_name = "FILE", conflicts_with = "no_project")]
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub project: Option<PathBuf>,
    /// Do without a project, also where there is a wifibox.yaml
    #[arg(long)]
    pub no_project: bool,
    /// Of the project's guests only this one, or these (a,b) [default: all]
    #[arg(long, short = 'p', value_name = "NAME", value_delimiter = ',')]
    #[arg(conflicts_with = "no_project", add = Candidates::new(candidates::guests))]
    pub guest: Vec<String>,
}

/// Which guest: the axes of composition.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Composition")]
pub struct SelectArgs {
    #[command(flatten)]
    /// Of which project.
    pub project: ProjectArgs,
    /// The chipset: see `wifibox-build list`; a+b is one guest with both. `build` and `fetch` take several guests
    /// (a,b), whose outputs go to OUT/FLAVOR [default: the project's]
    #[arg(long, value_delimiter = ',')]
    #[arg(add = Candidates::new(candidates::flavors))]
    pub flavor: Vec<String>,
    /// All flavors of the base, except those that need your agreement to a licence or firmware that only
    /// you have (`build`, `fetch`)
    #[arg(long, conflicts_with = "flavor")]
    pub all_flavors: bool,
    #[command(flatten)]
    /// Of which base.
    pub target: TargetArgs,
    /// The guest's role: station or access-point [default: the base's own]
    #[arg(long, add = Candidates::new(candidates::roles))]
    pub role: Option<String>,
    /// Add a feature, or several (a,b)
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    #[arg(add = Candidates::new(candidates::features))]
    pub with: Vec<String>,
    /// Leave out a default feature, or several (a,b)
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    #[arg(add = Candidates::new(candidates::features))]
    pub without: Vec<String>,
    /// Keep settings made in an OpenWrt guest on a disk of their own: --with persistent
    #[arg(long)]
    pub persistent: bool,
    /// The kernel [default: the base's own]
    #[arg(long, add = Candidates::new(candidates::kernels))]
    pub kernel: Option<String>,
    /// The hypervisor of the host [default: the base's own]
    #[arg(long, add = Candidates::new(candidates::hypervisors))]
    pub hypervisor: Option<String>,
    /// Compressor of root.img [default: the base's own]
    #[arg(long, value_enum)]
    pub compression: Option<Compressor>,
}

/// Compressors of root.img.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Compressor {
    /// The smallest image.
    Xz,
    /// A little larger, and read much faster.
    Zstd,
    /// Read by every kernel.
    Gzip,
    /// The largest image, read fastest.
    Lz4,
    /// For what reads nothing else: gzip is smaller and lz4 faster
    Lzo,
}

/// Which base, in which release, for which architecture: what a lock is for.
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// The base: where packages come from [default: the recipes' own]
    #[arg(long, add = Candidates::new(candidates::bases))]
    pub base: Option<String>,
    /// Its release, e.g. trixie [default: the base's own]
    #[arg(long, add = Candidates::new(candidates::releases))]
    pub release: Option<String>,
    /// The architecture, e.g. x86_64 or aarch64 [default: the base's own]
    #[arg(long, value_name = "NAME", add = Candidates::new(candidates::architectures))]
    pub arch: Option<String>,
}

/// A kernel whose lock is not the base's.
#[derive(Debug, Clone, Args)]
pub struct OtherKernelArgs {
    /// With this kernel: one that does not come from the base has a lock of its own
    #[arg(long, value_name = "NAME", add = Candidates::new(candidates::kernels))]
    pub kernel: Option<String>,
}

impl OtherKernelArgs {
    /// The same target with this kernel, where one is named.
    pub fn of(&self, target: Selection) -> Selection {
        Selection { kernel: self.kernel.clone().or(target.kernel), ..target }
    }
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
    /// Accept an index that is older than the one the lock was made of: an attacker may then serve old
    /// packages whose holes are known
    #[arg(long)]
    pub dangerously_allow_rollback: bool,
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
    /// Take what other machines put into the remote cache, and put nothing in: for builds of other people's changes
    #[arg(long, env = "WIFIBOX_BUILD_REMOTE_CACHE_READ_ONLY", hide_env_values = true,
        value_parser = clap::builder::FalseyValueParser::new())]
    pub remote_cache_read_only: bool,
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

/// The form of the output.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Result")]
pub struct OutputArgs {
    /// The output folder [default: out/BASE-FLAVOR]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
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
    /// the guest memory when it reads [default: 256]
    #[arg(long, value_name = "KIB", value_parser = parse_block_size)]
    pub block_size: Option<u32>,
    /// Build although nothing changed since the output folder was written
    #[arg(long)]
    pub force: bool,
    /// Neither use nor fill the caches of earlier builds (the store of downloads is used)
    #[arg(long)]
    pub no_cache: bool,
    /// Print what each stage took: time, processor time, memory; what is written beside root.img counts
    /// there. With =html as a page for a browser, beside the output folder
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub timings: Option<Timings>,
}

/// How `--timings` says what stages took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Timings {
    /// As a table, on standard output.
    Text,
    /// As a page for a browser.
    Html,
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

/// A block size in KiB, as SquashFS has them.
///
/// # Errors
/// It is none.
pub(crate) fn parse_block_size(text: &str) -> Result<u32, String> {
    let sizes = (2..=10).map(|power| 1u32 << power);
    let Ok(size) = text.parse::<u32>() else {
        return Err("expected a number of KiB: 4, 8, 16, 32, 64, 128, 256, 512 or 1024".to_owned());
    };
    match sizes.min_by_key(|known| known.abs_diff(size)) {
        Some(nearest) if nearest != size => {
            Err(format!("expected a power of two from 4 to 1024; the nearest one is {nearest}"))
        }
        _ => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_found_in_a_command_line_that_makes_no_sense() {
        let scan = |line: &str| {
            let flags = GlobalArgs::scan(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
            (flags.json, flags.color)
        };
        assert_eq!(scan("w --frob --json"), (true, Color::Auto));
        assert_eq!(scan("w --color never --frob"), (false, Color::Never));
        assert_eq!(scan("w lst --color=always -- --json"), (false, Color::Always));
    }

    #[test]
    fn mirrors_need_a_name() {
        assert_eq!(parse_mirror("a=b/"), Ok(("a".into(), "b".into())));
        assert!(parse_mirror("http://x").is_err() && parse_mirror("a=").is_err());
    }

    #[test]
    fn block_sizes_are_powers_of_two_and_a_wrong_one_is_told_the_nearest() {
        assert_eq!(parse_block_size("4"), Ok(4));
        assert_eq!(parse_block_size("1024"), Ok(1024));
        for (wrong, nearest) in [("0", " 4"), ("250", " 256"), ("2048", " 1024"), ("-1", " 256")] {
            let why = parse_block_size(wrong).expect_err(wrong);
            assert!(why.contains(nearest), "{wrong}: {why}");
        }
    }
}
