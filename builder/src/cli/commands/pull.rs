//! `wifibox-build pull oci://HOST/REPOSITORY:TAG`: a guest out of a registry.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::registry::{RegistryArgs, Wanted};
use crate::cli::render::failure::Failure;
use crate::cli::render::pull::text;
use crate::cli::trust::TrustArgs;

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
    let PullArgs { out, flavor, trust, registry, .. } = args;
    let wanted = Wanted { address: &args.reference, flavor: flavor.as_deref(), trust, registry };
    let report = wanted.pull(context, |reference, _| match (out, flavor) {
        (Some(out), _) => Ok(out.clone()),
        (None, Some(flavor)) if flavor.contains('/') => {
            Err(Failure::usage(format!("--flavor {flavor}: no guest has such a name")))
        }
        (None, Some(flavor)) => Ok(PathBuf::from("out").join(flavor)),
        (None, None) => {
            let name = reference.repository.rsplit('/').next().unwrap_or_default();
            Ok(PathBuf::from("out").join(name))
        }
    })?;
    context.printer.result(|| answers::Pull { pull: &report }, || text(&report))
}
