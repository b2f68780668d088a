//! `wifibox-build host OUTPUT`: the files of hypervisors for an output that is there already.

use std::path::Path;

use super::args::HostArgs;
use super::context::Context;
use super::failure::Failure;
use crate::host::guest::HostPath;
use crate::host::install::{into_folder, into_output};
use crate::host::{Guest, HostError, HostFile, Hypervisor, Wishes};
use crate::progress::Progress as _;

/// Writes the files, and prints where they are.
///
/// # Errors
/// The folder is no output, a wish cannot be granted, or a hypervisor does not suit the guest.
pub fn run(context: &Context, args: &HostArgs) -> Result<(), Failure> {
    let usage = |error: HostError| Failure::usage(error.to_string());
    let folder = args.folder.as_deref().map(HostPath::new).transpose().map_err(usage)?;
    let wishes = Wishes {
        name: args.name.clone(),
        memory: args.memory,
        vcpus: args.vcpus,
        passthru: args.passthru.clone(),
        uplink: args.uplink.clone(),
        configuration_disk: args.config_disk,
        persistent: args.persistent,
        folder,
    };
    let built = Guest::of_output(&args.output).map_err(Failure::failed)?;
    let guest = built.with(&wishes).map_err(usage)?;
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
            Err(error @ HostError::Unfit { .. }) => return Err(usage(error)),
            Err(error) => return Err(Failure::failed(error)),
        }
    }
    let target = match &args.out {
        Some(out) => {
            into_folder(out, &files).map_err(Failure::failed)?;
            out.clone()
        }
        None => {
            into_output(&args.output, &hypervisors, &files).map_err(Failure::failed)?;
            args.output.join("host")
        }
    };
    let names = hypervisors.iter().map(|hypervisor| hypervisor.name());
    context.printer.status("Wrote", &names.collect::<Vec<_>>().join(", "));
    let paths: Vec<String> =
        files.iter().map(|file| target.join(&file.path).display().to_string()).collect();
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "host": { "hypervisors": hypervisors, "files": paths } })
            .to_string()
            + "\n"
    } else {
        paths.iter().map(|path| format!("{path}\n")).collect()
    };
    context.printer.result(&text).map_err(Failure::failed)
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
