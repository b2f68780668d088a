//! `wifibox-build host OUTPUT`: the files of hypervisors for an output that is there already.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::{ArgValueCandidates as Candidates, CompletionCandidate};

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::address::Address;
use wifibox_ground::guest::{Guest, HostPath};
use wifibox_ground::progress::Progress as _;
use wifibox_host::into_output::{into_folder, into_output};
use wifibox_host::{HostError, HostFile, Hypervisor, Overrides};

/// The part of `--help` behind the flags.
pub(crate) const HELP: &str = "\
A build writes these files for every hypervisor that its guest can run under, as the recipe has the \
guest. This writes them again with what is particular to a host: the card, the memory, the bridge. What \
is not said is as the build has it, whatever was said the time before.

Without --out the files go into OUTPUT/host, and manifest.json and SHA256SUMS follow, so that \
'wifibox-build verify' accepts the output as before.

Examples:
  wifibox-build host --hypervisor bhyve --passthru 3/0/0 out/alpine-iwlwifi
  wifibox-build host --hypervisor libvirt --passthru 0000:03:00.0 --memory 192 out/alpine-iwlwifi
  wifibox-build host --hypervisor qemu --config-disk --out /tmp/host out/alpine-iwlwifi";

/// `host`.
#[derive(Debug, Clone, Args)]
pub struct HostArgs {
    /// The output folder
    #[arg(value_name = "OUTPUT")]
    pub output: PathBuf,
    /// For this hypervisor, or these (a,b): bhyve, l4re, libvirt, qemu or xen [default: all that the guest
    /// can run under]
    #[arg(long, value_name = "NAME", value_delimiter = ',', add = Candidates::new(hypervisors))]
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
    /// Xen: the firewall's other cable ends in this driver domain [default: on a bridge of dom0]
    #[arg(long, value_name = "DOMAIN")]
    pub firewall_backend: Option<String>,
    /// Configure the guest by the disk config.img (see `wifibox-build config-disk`) instead of 9P
    #[arg(long)]
    pub config_disk: bool,
    /// Give the guest the disk rootfs_data.img, a raw image of yours, to keep its own data on (OpenWrt: in
    /// its GPT partition rootfs_data)
    #[arg(long)]
    pub persistent: bool,
    /// Name of the virtual machine [default: wifibox]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The folder of the host that holds the images [default: the hypervisor's usual one]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<String>,
    /// Write the files into this folder, and leave the output as it is
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace files that are there, even if they were changed or are somebody else's
    #[arg(long)]
    pub force: bool,
}

/// Writes the files, and prints where they are.
///
/// # Errors
/// The folder is no output, a wish cannot be granted, or a hypervisor does not suit the guest.
pub fn run(context: &Context, args: &HostArgs) -> Result<(), Failure> {
    let usage = |error: HostError| Failure::usage(error.to_string());
    let folder = args.folder.as_deref().map(HostPath::new).transpose();
    let folder = folder.map_err(|error| Failure::usage(error.to_string()))?;
    let overrides = Overrides {
        name: args.name.clone(),
        memory: args.memory,
        vcpus: args.vcpus,
        passthru: args.passthru.clone(),
        uplink: args.uplink.clone(),
        firewall_backend: args.firewall_backend.clone(),
        configuration_disk: args.config_disk,
        persistent: args.persistent,
        folder,
    };
    let built = wifibox_host::of_output(&args.output)?;
    let guest = overrides.apply(&built).map_err(usage)?;
    if let Some(smallest) = guest.smallest_memory.filter(|smallest| guest.memory < *smallest) {
        context
            .printer
            .warn(&format!("the guest is not known to come up with less than {smallest} MiB"));
    }
    let asked = !args.hypervisor.is_empty();
    let wanted = if asked { args.hypervisor.clone() } else { Hypervisor::ALL.to_vec() };
    let (mut hypervisors, mut files) = (Vec::new(), Vec::new());
    for hypervisor in wanted {
        match files_for(hypervisor, &guest, args) {
            Ok(more) => {
                hypervisors.push(hypervisor);
                files.extend(more);
            }
            Err(HostError::Unfit { why, .. }) if !asked => {
                context.printer.note(&format!("no files for {hypervisor}: {why}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let target = match &args.out {
        Some(out) => {
            into_folder(out, &files, args.force).map_err(Failure::failed)?;
            out.clone()
        }
        None => {
            into_output(&args.output, &hypervisors, &files, args.force).map_err(Failure::failed)?;
            args.output.join("host")
        }
    };
    let names: Vec<&str> = hypervisors.iter().map(|hypervisor| hypervisor.name()).collect();
    context.printer.status("Wrote", &names.join(", "));
    let paths: Vec<String> =
        files.iter().map(|file| target.join(&file.path).display().to_string()).collect();
    context.printer.result(
        || answers::Host { host: answers::HostFiles { hypervisors: names, files: &paths } },
        || paths.iter().map(|path| format!("{path}\n")).collect(),
    )
}

fn files_for(
    hypervisor: Hypervisor,
    guest: &Guest,
    args: &HostArgs,
) -> Result<Vec<HostFile>, HostError> {
    let elsewhere = args.out.is_some() && guest.folder.is_none();
    if hypervisor != Hypervisor::Qemu || !elsewhere {
        return hypervisor.files(guest);
    }
    // The script looks for the images beside itself: from elsewhere it must be told.
    let unfit = |why: String| HostError::Unfit { hypervisor, why };
    let folder = std::path::absolute(&args.output).map_err(|error| unfit(error.to_string()))?;
    let folder = HostPath::new(&text(&folder)).map_err(|error| {
        unfit(format!("{error}; say with --folder where the images are, or leave --out out"))
    })?;
    hypervisor.files(&Guest { folder: Some(folder), ..guest.clone() })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn hypervisors() -> Vec<CompletionCandidate> {
    Hypervisor::ALL.iter().map(|hypervisor| CompletionCandidate::new(hypervisor.name())).collect()
}

fn parse_passthru(text: &str) -> Result<Address, String> {
    wifibox_host::overrides::parse_address(text).map_err(|error| error.to_string())
}
