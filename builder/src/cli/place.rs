//! The options of verbs that look at, or change, the folders of a host.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::{ArgValueCandidates as Candidates, CompletionCandidate};

use super::render::failure::Failure;
use wifibox_ground::guest::HostPath;
use wifibox_host::Hypervisor;
use wifibox_host::install::{Layout, below};

/// Where the host's folders are.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// The root folder of the host
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub root: PathBuf,
    /// Programs, documents and, on FreeBSD, the guest itself go below this folder [default: /usr/local]
    #[arg(long, value_name = "DIR", default_value = "/usr/local", hide_default_value = true)]
    pub prefix: String,
    /// Whose host it is: bhyve, libvirt or xen [default: bhyve, or xen if the guest was built for it; libvirt
    /// on a running Linux]
    #[arg(long, value_name = "NAME", add = Candidates::new(hosts))]
    pub hypervisor: Option<Hypervisor>,
}

impl PlaceArgs {
    /// The host's folders. `built_for` is the hypervisor of a guest that is at hand.
    ///
    /// # Errors
    /// The prefix is no folder of a host, or nothing is installed for this hypervisor.
    pub fn layout(&self, built_for: Option<&str>) -> Result<Layout, Failure> {
        let prefix = HostPath::new(&self.prefix)
            .map_err(|error| Failure::usage(format!("--prefix: {error}")))?;
        let layout = |hypervisor| Layout::new(hypervisor, &prefix);
        if let Some(hypervisor) = self.hypervisor {
            return Ok(layout(hypervisor)?);
        }
        // Nothing of FreeBSD is put on a running Linux.
        let here = self.root == Path::new("/") && !cfg!(target_os = "freebsd");
        let usual = if here { Hypervisor::Libvirt } else { Hypervisor::Bhyve };
        let Some(built_for) = built_for else {
            // Where something is installed already.
            let all = [Hypervisor::Bhyve, Hypervisor::Libvirt, Hypervisor::Xen].map(layout);
            let found = all.into_iter().flatten();
            let mut found = found.filter(|one| below(&self.root, &one.record()).is_file());
            return Ok(found.next().map_or_else(|| layout(usual), Ok)?);
        };
        // A guest for bhyve runs under QEMU as well.
        Ok(layout(match built_for {
            "xen" => Hypervisor::Xen,
            "l4re" => Hypervisor::L4re,
            _ => usual,
        })?)
    }
}

fn hosts() -> Vec<CompletionCandidate> {
    ["bhyve", "libvirt", "xen"].into_iter().map(CompletionCandidate::new).collect()
}
