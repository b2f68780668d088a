//! `wifibox-build export`: guests for other package systems, or what these need to build guests themselves.

mod freebsd_pkg;
mod freebsd_port;

use clap::{Args, Subcommand};

use crate::cli::context::Context;
use crate::cli::options::SourceArgs;
use crate::cli::render::failure::Failure;

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Examples:
  wifibox-build export freebsd-pkg out/alpine-iwlwifi --key wifibox.key --out repository
  wifibox-build export freebsd-port --base wifibox --out /usr/ports/net/wifibox-guest";

/// `export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    #[command(subcommand)]
    /// For whom.
    pub what: ExportWhat,
}

impl ExportArgs {
    /// Where packages come from, if any are asked for.
    pub fn source(&self) -> Option<&SourceArgs> {
        match &self.what {
            ExportWhat::FreebsdPort(args) => Some(&args.source),
            ExportWhat::FreebsdPkg(_) => None,
        }
    }
}

/// The kinds of export.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportWhat {
    /// A signed repository of pkg(8) with guests that are built, as packages
    #[command(after_help = freebsd_pkg::HELP)]
    FreebsdPkg(freebsd_pkg::FreebsdPkgArgs),
    /// The generated files of the FreeBSD port: flavors, options, distfiles, distinfo, packing list,
    /// locks, for all guests of a base
    FreebsdPort(freebsd_port::FreebsdPortArgs),
}

/// Writes what is asked for.
///
/// # Errors
/// Those of resolving, of packing and of writing.
pub fn run(context: &Context, args: &ExportArgs) -> Result<(), Failure> {
    match &args.what {
        ExportWhat::FreebsdPkg(args) => freebsd_pkg::run(context, args),
        ExportWhat::FreebsdPort(args) => freebsd_port::run(context, args),
    }
}
