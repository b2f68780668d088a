//! `cargo xtask kernel`: makes the kernel `slim` of the source that Debian builds its own from.
//!
//! Data flows one way: the source package by the signed index, pinned in a lock ([`source`]); the configuration that
//! `kernels/slim` asks for, and a check that the kernel's own rules granted all of it ([`config`]); the build
//! ([`make`]); a package of apk v2 that the builder reads, with a record of what it was made of and with ([`package`]).
//! [`compare`] holds its drivers against another kernel's.
//!
//! The same source, configuration and toolchain make the same bytes, in whatever folder.

mod compare;
mod config;
mod make;
mod package;
mod source;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use wifibox_ground::location::Location;

pub type Failure = Box<dyn std::error::Error>;

/// Make the kernel `slim` from its source.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The folder for the package, its record, the lock of the source and the list `distinfo`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The package that holds the source.
    #[arg(long, value_name = "PACKAGE", default_value = "linux-source-6.12")]
    source: String,
    /// The release of Debian that has it.
    #[arg(long, default_value = "trixie")]
    release: String,
    /// The machine.
    #[arg(long, value_enum, default_value_t = Machine::X86_64)]
    arch: Machine,
    /// For Xen: with its disks, network cards and passed-through PCI, and without those of bhyve and QEMU.
    #[arg(long)]
    xen: bool,
    /// Leave the drivers of cards out: enough for simulated radios, in half of the time.
    #[arg(long)]
    without_radios: bool,
    /// The lock that pins the source [default: DIR/source.lock].
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,
    /// Take the newest source that there is into the lock.
    #[arg(long)]
    upgrade: bool,
    /// With --upgrade: only say which one that would be.
    #[arg(long, requires = "upgrade")]
    dry_run: bool,
    /// Take a repository from this mirror; may be given more than once.
    #[arg(long, value_name = "NAME=URL", value_parser = mirror)]
    mirror: Vec<(String, Location)>,
    /// Take package files from this folder, by name.
    #[arg(long, value_name = "DIR")]
    distdir: Vec<PathBuf>,
    /// Do not touch the network.
    #[arg(long)]
    offline: bool,
    /// Where fetched files are kept [default: DIR/cache].
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Where `kernels/slim` is.
    #[arg(long, value_name = "DIR", default_value = "kernels/slim")]
    config: PathBuf,
    /// Only configure it: check that the kernel's rules grant what `kernels/slim` asks for, and write the configuration to
    /// DIR/PACKAGE.config.
    #[arg(long, conflicts_with = "compare")]
    configure: bool,
    /// The folder to build in; what is there is built on. 2.5 GB [default: a temporary one below DIR].
    #[arg(long, value_name = "DIR")]
    build: Option<PathBuf>,
    /// Say what the drivers made here and those in this folder of another kernel's modules (lib/modules/VERSION) do not
    /// have in common: aliases and firmware.
    #[arg(long, value_name = "DIR")]
    compare: Option<PathBuf>,
    /// How many compilers run at a time [default: one for each processor].
    #[arg(long, short)]
    jobs: Option<NonZeroUsize>,
}

/// What a kernel can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Machine {
    /// PCs.
    #[value(name = "x86_64")]
    X86_64,
    /// Arm, 64 bits.
    #[value(name = "aarch64")]
    Aarch64,
}

impl Machine {
    /// As `uname -m` says.
    pub fn name(self) -> &'static str {
        match self {
            Machine::X86_64 => "x86_64",
            Machine::Aarch64 => "aarch64",
        }
    }
}

/// Which kernel is made.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// For which machine.
    pub machine: Machine,
    /// For Xen.
    pub xen: bool,
    /// With the drivers of cards.
    pub radios: bool,
}

impl Variant {
    /// The package's name: each variant has its own.
    pub fn package(self) -> String {
        format!("linux-slim-{}{}", if self.xen { "xen-" } else { "" }, self.machine.name())
    }
}

fn mirror(text: &str) -> Result<(String, Location), String> {
    let (name, place) = text.split_once('=').ok_or("expected NAME=URL")?;
    let location = Location::parse(place).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), location))
}

/// Makes it.
#[expect(clippy::print_stdout, reason = "the result of a chore")]
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let out = &arguments.out;
    let written = |error| format!("{}: {error}", out.display());
    fs::create_dir_all(out).map_err(written)?;
    let variant =
        Variant { machine: arguments.arch, xen: arguments.xen, radios: !arguments.without_radios };
    let fragments = config::Fragments::read(&arguments.config, variant)?;
    let source = match source::find(&arguments)? {
        source::Found::Here(source) => source,
        source::Found::Newest { locked, offered } => {
            let locked = locked.as_deref().unwrap_or("nothing");
            println!("{} {offered} is the newest source; the lock has {locked}", arguments.source);
            return Ok(());
        }
    };
    println!("source: {} {}, SHA-256 {}", source.name, source.version, source.sha256);

    let temporary;
    let folder = match &arguments.build {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            folder.as_path()
        }
        None => {
            temporary = tempfile::tempdir_in(out).map_err(written)?;
            temporary.path()
        }
    };
    let tree = source.unpack(&folder.join("source"))?;
    let build = make::Build::new(&tree, &folder.join("build"), variant, &source, arguments.jobs)?;
    build.configure(&fragments)?;
    if arguments.configure {
        let file = out.join(format!("{}.config", variant.package()));
        fs::write(&file, build.config()?)
            .map_err(|error| format!("{}: {error}", file.display()))?;
        println!("{}: every option is as it was asked for", file.display());
        return Ok(());
    }
    let size = build.kernel_and_modules()?;
    println!("{size}");
    let made = package::write(&build, &source, &fragments, variant, out)?;
    println!("{made}");
    if let Some(other) = &arguments.compare {
        print!("{}", compare::compare(&build.stage(), other)?);
    }
    Ok(())
}

/// A file that must be there, as text.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
