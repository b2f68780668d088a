//! `wifibox-build push oci://HOST/REPOSITORY:TAG DIR`: guests into a registry.

use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::registry::{RegistryArgs, address};
use crate::cli::render::failure::Failure;
use wifibox_ground::progress::Progress as _;
use wifibox_pipeline::transfer::{PushReport, PushRequest, Pushed, push};

/// What `--help` says besides the flags.
pub(crate) const HELP: &str = "\
Each file of an output folder is a blob of its own, so that what the registry has is not sent again. DIR may be an \
output, a release, or a folder of several outputs: then the tag stands for an index of them, and pull chooses by \
--flavor. The signature SHA256SUMS.minisig and the bills of materials are put beside each guest, as what refers to \
it: sign before you push, or sign later and push again.

A push that was interrupted is taken up by the same command. The tag changes last.

Examples:
  wifibox-build push oci://registry.example/wifibox/iwlwifi:2026-11 out/alpine-iwlwifi
  wifibox-build push oci://localhost:5000/wifibox:2026-11 release";

/// `push`.
#[derive(Debug, Clone, Args)]
pub struct PushArgs {
    /// Where to: oci://HOST/REPOSITORY:TAG
    #[arg(value_name = "REFERENCE")]
    pub reference: String,
    /// The folder: an output, a release, or a folder of several outputs
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Take what another repository of the same registry has from there, instead of sending it; may be given more than
    /// once
    #[arg(long, value_name = "REPOSITORY")]
    pub mount_from: Vec<String>,
    #[command(flatten)]
    /// Who asks.
    pub registry: RegistryArgs,
}

/// Pushes, and prints what was sent.
///
/// # Errors
/// The folder is not what a build wrote (exit code 4), or the registry refuses it.
pub fn run(context: &Context, args: &PushArgs) -> Result<(), Failure> {
    let reference = address(&args.reference)?;
    let choice = args.registry.choice(&reference)?;
    let request = PushRequest {
        folder: &args.folder,
        reference: &reference,
        registry: &choice,
        mount_from: &args.mount_from,
    };
    let access = args.registry.access()?;
    let report = push(&request, &access, &args.registry.work(context))?;
    if report.manifests.iter().any(|one| !one.signed) {
        context.printer.warn(
            "not all of it is signed: pull takes such guests only with --dangerously-allow-unsigned; sign SHA256SUMS with \
             minisign and push again",
        );
    }
    context.printer.result(|| answers::Push { push: &report }, || text(&report))
}

fn text(report: &PushReport) -> String {
    let PushReport { reference, digest, manifests, sent, there, .. } = report;
    let mut text = format!(
        "{reference}: {} files sent, {} bytes; {} files, {} bytes, were there\n  digest sha256:{digest}\n",
        sent.count, sent.bytes, there.count, there.bytes
    );
    for Pushed { name, digest, signed } in manifests.iter().filter(|one| !one.name.is_empty()) {
        let note = if *signed { "" } else { " (not signed)" };
        text += &format!("  {name} sha256:{digest}{note}\n");
    }
    text
}
