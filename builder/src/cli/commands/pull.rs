//! `wifibox-build pull oci://HOST/REPOSITORY:TAG`: a guest out of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::registry::RegistryArgs;
use crate::cli::render::failure::Failure;
use crate::cli::render::pull::text;
use crate::cli::trust::TrustArgs;
use wifibox_fetch::registry::Reference;
use wifibox_pipeline::transfer::{PullRequest, pull};

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
The guest is checked before it gets its place: the signature over SHA256SUMS by --public-key, every file by its hash, \
and every file in root.img. What is in the folder already, or in the cache, is not fetched again. A pull that was \
interrupted is taken up by the same command.

Where the address stands for a release, all of it is pulled, or with --flavor one guest of it. Signatures of cosign \
are shown and not checked.

Examples:
  wifibox-build pull oci://registry.example/wifibox:2026-11 --flavor iwlwifi --public-key minisign.pub
  wifibox-build pull oci://localhost:5000/wifibox:2026-11 --out guest --dangerously-allow-unsigned";

/// `pull`.
#[derive(Debug, Clone, Args)]
pub struct PullArgs {
    /// Where from: oci://HOST/REPOSITORY:TAG, or with @sha256:DIGEST at its end
    #[arg(value_name = "REFERENCE")]
    pub reference: String,
    /// The folder to write [default: out/REPOSITORY or out/FLAVOR]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Which guest of several: its flavor, or its name in the release
    #[arg(long)]
    pub flavor: Option<String>,
    #[command(flatten)]
    /// Whose guest.
    pub trust: TrustArgs,
    #[command(flatten)]
    /// Who asks.
    pub registry: RegistryArgs,
}

/// Pulls, and prints what came.
///
/// # Errors
/// The registry has no such guest, or it is not the one that was signed (exit code 4).
pub fn run(context: &Context, args: &PullArgs) -> Result<(), Failure> {
    let reference: Reference =
        args.reference.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    let key = args.trust.key()?;
    let choice = args.registry.choice(&reference)?;
    let out = match (&args.out, &args.flavor) {
        (Some(out), _) => out.clone(),
        (None, Some(flavor)) if flavor.contains('/') => {
            return Err(Failure::usage(format!("--flavor {flavor}: no guest has such a name")));
        }
        (None, Some(flavor)) => PathBuf::from("out").join(flavor),
        (None, None) => {
            PathBuf::from("out").join(reference.repository.rsplit('/').next().unwrap_or_default())
        }
    };
    let request = PullRequest {
        reference: &reference,
        flavor: args.flavor.as_deref(),
        out: &out,
        key: key.as_ref(),
        registry: &choice,
    };
    let access = args.registry.access()?;
    let report = pull(&request, &access, &args.registry.work(context))?;
    context.printer.result(|| answers::Pull { pull: &report }, || text(&report))
}
