//! The command line: one definition of each flag gives parser, help and (generated) man page.

use std::path::PathBuf;

use crate::detect::address::Address;
use crate::device::DeviceId;
use crate::host::Hypervisor;
use crate::lint::Kind;
use crate::pipeline::{ArchiveChoice, FirmwareAdd};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    #[command(after_help = HOST_HELP)]
    Host(HostArgs),
    /// Check files for hosts for what their own programs pass over in silence (exit code 1 if there is
    /// something)
    #[command(after_help = LINT_HELP)]
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
    /// Where packages come from [default: the recipes' own]
    #[arg(long)]
    pub base: Option<String>,
    /// The base's release, e.g. trixie [default: the base's own]
    #[arg(long)]
    pub release: Option<String>,
    /// The guest's architecture, e.g. x86_64 or aarch64 [default: the base's own]
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
    /// What the guest does: station or access-point [default: the base's own]
    #[arg(long)]
    pub role: Option<String>,
    /// Add a feature
    #[arg(long, value_name = "FEATURE")]
    pub with: Vec<String>,
    /// Leave a default feature out
    #[arg(long, value_name = "FEATURE")]
    pub without: Vec<String>,
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
    /// Print what each stage took: time, processor time, memory
    #[arg(long)]
    pub timings: bool,
}

/// `lock`.
#[derive(Debug, Clone, Args)]
pub struct LockArgs {
    /// The base to lock [default: the recipes' own]
    #[arg(long)]
    pub base: Option<String>,
    /// Its release [default: the base's own]
    #[arg(long)]
    pub release: Option<String>,
    /// The architecture, e.g. x86_64 or aarch64 [default: the base's own]
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
    /// Take the newest packages the repositories offer
    #[arg(long, conflicts_with = "check")]
    pub upgrade: bool,
    /// Only say (exit code 3) whether the lock covers the recipes
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// `bundle`.
#[derive(Debug, Clone, Args)]
pub struct BundleArgs {
    /// The folder to write; it serves for --mirror and for --distdir
    pub dir: PathBuf,
    #[command(flatten)]
    /// Which guest; its whole base comes along.
    pub select: SelectArgs,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// `cache`.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// Where downloads are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "WIFIBOX_BUILD_CACHE", global = true)]
    pub cache_dir: Option<PathBuf>,
    #[command(subcommand)]
    /// What to do with it.
    pub action: CacheAction,
}

/// What can be done with what is kept between builds.
#[derive(Debug, Clone, Subcommand)]
pub enum CacheAction {
    /// Print how much is kept: downloads, unpacked packages, compressed blocks
    Size,
    /// Remove what was not used for longest until blocks and unpacked packages are below a size
    Prune {
        /// For compressed blocks, in MiB
        #[arg(long, value_name = "MIB", env = "WIFIBOX_BUILD_BLOCK_CACHE", default_value_t = 2048)]
        block_cache: u32,
        /// For unpacked packages, in MiB
        #[arg(long, value_name = "MIB", default_value_t = 4096)]
        unpacked: u32,
    },
    /// Remove all blocks and unpacked packages; downloads stay
    Clear,
}

/// `why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The package to explain
    pub package: String,
    #[command(flatten)]
    /// Which guest.
    pub select: SelectArgs,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// `detect`.
#[derive(Debug, Clone, Args)]
pub struct DetectArgs {
    /// Listings of hardware (pciconf -lv, lspci -nnk, ...), - for standard input, or ids such as
    /// 8086:2725 [default: this host]
    pub listing: Vec<String>,
    /// Read sys/ below this folder, that of a Linux machine
    #[arg(long, value_name = "DIR", conflicts_with = "listing")]
    pub root: Option<PathBuf>,
    /// Only guests of this base
    #[arg(long)]
    pub base: Option<String>,
    /// Only guests of this release
    #[arg(long)]
    pub release: Option<String>,
    /// The role that the guest is built with
    #[arg(long)]
    pub role: Option<String>,
    /// The hypervisor that the guest is built for
    #[arg(long)]
    pub hypervisor: Option<String>,
}

/// `boot`.
#[derive(Debug, Clone, Args)]
pub struct BootArgs {
    /// The output folder to boot
    pub folder: PathBuf,
    /// Boot esp.img by UEFI instead of the kernel directly
    #[arg(long)]
    pub uefi: bool,
    /// Memory in MiB
    #[arg(long, default_value_t = 256)]
    pub memory: u32,
    /// Where the guest's shares are kept [default: a fresh temporary folder]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
}

/// `config-disk`.
#[derive(Debug, Clone, Args)]
pub struct ConfigDiskArgs {
    /// Where the configuration is: an output folder, the host's etc/wifibox, or a folder with the
    /// shares' folders `config`, `app_config` and `var` in it
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The image to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How long it is, in bytes or with K, M or G behind the number [default: as long as it needs, and
    /// at least 4M]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub size: Option<u64>,
}

/// `export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    /// For whom.
    pub what: ExportWhat,
}

/// What can be exported.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportWhat {
    /// The generated files of the FreeBSD port: flavors, options, distfiles, distinfo, packing list,
    /// locks, for all guests of a base
    FreebsdPort(FreebsdPortArgs),
}

/// `export freebsd-port`.
#[derive(Debug, Clone, Args)]
pub struct FreebsdPortArgs {
    /// The port's folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The base [default: the recipes' own]
    #[arg(long)]
    pub base: Option<String>,
    /// Its release [default: the base's own]
    #[arg(long)]
    pub release: Option<String>,
    /// The architecture, e.g. x86_64 or aarch64 [default: the base's own]
    #[arg(long, value_name = "NAME")]
    pub arch: Option<String>,
    /// Only this flavor; may be given more than once [default: all]
    #[arg(long)]
    pub flavor: Vec<String>,
    /// Only this kernel; may be given more than once [default: all of the base]
    #[arg(long)]
    pub kernel: Vec<String>,
    #[command(flatten)]
    /// From where.
    pub source: SourceArgs,
}

/// `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// The output folder, or a root.img (any SquashFS image)
    #[arg(value_name = "DIR|IMAGE")]
    pub path: PathBuf,
    /// Print where the bytes are: by part, package, folder and file, before and after compression
    #[arg(long)]
    pub sizes: bool,
    /// How many names deep folders are told apart
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub depth: usize,
    /// How many lines a table has at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
}

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The first output folder
    #[arg(value_name = "A")]
    pub old: PathBuf,
    /// The second output folder
    #[arg(value_name = "B")]
    pub new: PathBuf,
    /// Exit with 1 if they differ, as git diff does
    #[arg(long)]
    pub exit_code: bool,
    /// List every file of root.img that differs
    #[arg(long)]
    pub files: bool,
}

/// `verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The output folder, or a release
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The key of minisign that must have signed it: the 56 characters, or the file minisign.pub
    #[arg(long, value_name = "FILE|KEY")]
    pub public_key: Option<String>,
    /// Check what there is of a release of which only a part was fetched
    #[arg(long)]
    pub ignore_missing: bool,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

const HOST_HELP: &str = "\
A build writes these files for every hypervisor that its guest can run under, as the recipe has the \
guest. This writes them again with what is particular to a host: the card, the memory, the bridge. What \
is not said is as the build has it, whatever was said the time before.

Without --out the files go into OUTPUT/host, and manifest.json and SHA256SUMS follow, so that \
'wifibox-build verify' accepts the output as before.

Examples:
  wifibox-build host --hypervisor bhyve --passthru 3/0/0 out/alpine-iwlwifi
  wifibox-build host --hypervisor libvirt --passthru 0000:03:00.0 --memory 192 out/alpine-iwlwifi
  wifibox-build host --hypervisor qemu --config-disk --out /tmp/host out/alpine-iwlwifi";

const LINT_HELP: &str = "\
bhyve says nothing about variables that it does not know, wifibox sources 'cpus = 1' without a word, and \
vm-bhyve cuts a value at '#'. This does not.

Kinds, which are guessed from contents and names unless --kind is given:
  bhyve          a machine for bhyve -k: bhyve_config(5), and devices that collide
  wifibox-bhyve  bhyve.conf of wifibox-core
  wifibox-core   core.conf of wifibox-core
  vm-bhyve       a guest or template of vm-bhyve, and devices that collide
  loader, rc     loader.conf(5) and rc.conf(5) of FreeBSD
  devd           devd.conf(5) of FreeBSD

Of a folder, every file of a known kind is checked.";

/// `host`.
#[derive(Debug, Clone, Args)]
pub struct HostArgs {
    /// The output folder
    #[arg(value_name = "OUTPUT")]
    pub output: PathBuf,
    /// For this hypervisor: bhyve, l4re, libvirt, qemu or xen; may be given more than once [default:
    /// all that the guest can run under]
    #[arg(long, value_name = "NAME")]
    pub hypervisor: Vec<Hypervisor>,
    /// Hand this PCI card over, as Linux and Xen write it (0000:03:00.0), FreeBSD (pci0:3:0:0) or bhyve
    /// (3/0/0); may be given more than once
    #[arg(long, value_name = "ADDRESS", value_parser = parse_passthru)]
    pub passthru: Vec<Address>,
    /// Memory in MiB [default: the recipe's]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u32>,
    /// Virtual processors [default: 1]
    #[arg(long, value_name = "N")]
    pub vcpus: Option<u16>,
    /// The bridge of the host that the guest's network card is on [default: the hypervisor's usual one]
    #[arg(long, value_name = "NAME")]
    pub uplink: Option<String>,
    /// Configure the guest by the disk config.img (see `wifibox-build config-disk`) instead of 9P
    #[arg(long)]
    pub config_disk: bool,
    /// Give the guest the disk persistent.img, a raw image of yours, to keep its own data on (OpenWrt: in
    /// its GPT partition rootfs_data)
    #[arg(long)]
    pub persistent: bool,
    /// What the virtual machine is called [default: wifibox]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The folder of the host that holds the images [default: the hypervisor's usual one]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<String>,
    /// Write the files into this folder, and leave the output as it is
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// Files, or folders with files of known kinds (the folder host/ of an output)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What kind of file it is [default: guessed]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Kind>,
}

fn parse_passthru(text: &str) -> Result<Address, String> {
    crate::host::wishes::parse_address(text).map_err(|error| error.to_string())
}

/// A number of bytes: `4194304`, `4096K`, `4M`.
fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'k', 'M', 'm', 'G', 'g']) {
        Some(digits) => {
            let power = match text.as_bytes().last() {
                Some(b'K' | b'k') => 10,
                Some(b'M' | b'm') => 20,
                _ => 30,
            };
            (digits, 1u64 << power)
        }
        None => (text, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    match size {
        Some(size) if size > 0 && size % 512 == 0 => Ok(size),
        Some(_) => Err("a disk has a multiple of 512 bytes".to_owned()),
        None => Err("expected a number of bytes, or one with K, M or G behind it".to_owned()),
    }
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
    fn sizes_have_units() {
        assert_eq!(parse_size("4M"), Ok(4 << 20));
        assert_eq!(parse_size("64k"), Ok(64 << 10));
        assert_eq!(parse_size("1024"), Ok(1024));
        for bad in ["", "M", "4T", "0", "1000", "-1", "99999999999999999999", "99999999999G"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn mirrors_need_a_name() {
        assert_eq!(parse_mirror("a=b/"), Ok(("a".into(), "b".into())));
        assert!(parse_mirror("http://x").is_err() && parse_mirror("a=").is_err());
    }
}
