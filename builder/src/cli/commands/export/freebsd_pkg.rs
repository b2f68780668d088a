//! `wifibox-build export freebsd-pkg DIR...`: guests as a repository of pkg(8).

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_formats::signing_key::SigningKey;
use wifibox_ground::guest::HostPath;
use wifibox_ground::regular;
use wifibox_host::Hypervisor;
use wifibox_host::freebsd_pkg::{self, Repository, Request};
use wifibox_host::install::Layout;

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Each guest becomes a package with the files that the port net/wifibox-guest installs: wifibox-guest-FLAVOR, or \
wifibox-guest for the flavor default. Its version is the day of its newest package, as the port's is. A repository has \
a flavor once: one for each base and role. What is in DIR and not for bhyve is refused.

The key is an RSA key that you keep; its public half lies in the repository. Hosts know it by the fingerprint that is \
printed: publish that where people look before they trust the repository.

Examples:
  openssl genrsa -out wifibox.key 4096
  wifibox-build export freebsd-pkg out/alpine-iwlwifi --key wifibox.key --out repository
  wifibox-build export freebsd-pkg release/guests/alpine-* --key wifibox.key --url https://example.org/wifibox --out \
repository";

/// The guest's man page.
const MAN_PAGE: &str = include_str!("../../../../../docs/man/wifibox-guest.5");
/// The largest file of a key that is read.
const KEY_LIMIT: u64 = 64 << 10;

/// `export freebsd-pkg`.
#[derive(Debug, Clone, Args)]
pub struct FreebsdPkgArgs {
    /// Guests: an output, a release, or a folder of several outputs
    #[arg(value_name = "DIR", required = true, value_hint = clap::ValueHint::DirPath)]
    pub folders: Vec<PathBuf>,
    /// The repository's folder; what an earlier export left there is replaced
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The RSA key that signs the catalogue, in PEM and without a password
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The address at which the repository will be: its configuration for hosts is written, too
    #[arg(long)]
    pub url: Option<String>,
    /// Count up where guests changed and their packages did not: PORTREVISION of their version
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub revision: u32,
    /// Everything is installed below this folder
    #[arg(long, value_name = "DIR", default_value = "/usr/local")]
    pub prefix: String,
}

/// Writes the repository, and prints how hosts use it.
///
/// # Errors
/// A folder holds no guest for bhyve, or one that was changed; the key is none; the repository cannot be written.
pub fn run(context: &Context, args: &FreebsdPkgArgs) -> Result<(), Failure> {
    let prefix = HostPath::new(&args.prefix)
        .map_err(|error| Failure::usage(format!("--prefix: {error}")))?;
    let url = args.url.as_deref().map(|url| url.trim_end_matches('/'));
    if let Some(bad) = url.filter(|url| !is_address(url)) {
        let why = format!("--url {bad:?}: an address like https://example.org/wifibox is expected");
        return Err(Failure::usage(why));
    }
    let request = Request {
        folders: &args.folders,
        out: &args.out,
        layout: &Layout::new(Hypervisor::Bhyve, &prefix)?,
        key: &key(&args.key)?,
        revision: args.revision,
        url,
        man_page: MAN_PAGE,
    };
    let Repository { packages, fingerprint } = freebsd_pkg::export(&request, &context.printer)?;
    let fields = || answers::Export::Packages { out: &args.out, packages: &packages, fingerprint };
    context.printer.result(fields, || {
        let mut text = format!("{}: {} packages\n", args.out.display(), packages.len());
        for package in &packages {
            let freebsd_pkg::Packed { name, version, size, .. } = package;
            text += &format!("  {name} {version}, {size} bytes\n");
        }
        let place = args.out.canonicalize().unwrap_or_else(|_| args.out.clone());
        let url = url.map_or_else(|| format!("file://{}", place.display()), str::to_owned);
        text +=
            &format!("  signed by the key with the fingerprint {fingerprint}\n\nOn each host\n\n");
        text += &freebsd_pkg::configuration(prefix.as_str(), &url);
        let folder = format!("{prefix}/etc/pkg/fingerprints/wifibox/trusted");
        text + &format!("\nand the repository's file 'fingerprint' in {folder}\n")
    })
}

/// Reads the key.
fn key(path: &Path) -> Result<SigningKey, Failure> {
    let wrong = |why: String| Failure::usage(format!("--key {}: {why}", path.display()));
    let bytes = regular::read(path, KEY_LIMIT).map_err(|error| wrong(error.to_string()))?;
    SigningKey::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| wrong(error.to_string()))
}

/// Whether pkg.conf(5) can hold it between quotes, and pkg can fetch from there.
fn is_address(url: &str) -> bool {
    let known = ["https://", "http://", "file:///"].iter().any(|scheme| url.starts_with(scheme));
    known && url.chars().all(|c| c.is_ascii_graphic() && !"\"\\${}".contains(c))
}
