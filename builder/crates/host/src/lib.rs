//! The host's side of a guest: files for each hypervisor, and QEMU's arguments.
//!
//! Everything comes from [`Guest`], the description that [`of_recipe`] makes at build time and
//! [`of_output`] reads back; [`Overrides`] adds what a user asks for. Each hypervisor has a module with a
//! function `files(&Guest) -> Result<Vec<HostFile>, HostError>`; `fit` calls them. The facts are those of
//! the guest contract in `docs/`.
//!
//! To run a guest at once, [`qemu`] makes QEMU's machine of the description, [`shares`] lays out the
//! folders that the guest mounts, and [`config_disk`] makes the disk that replaces them where there is no
//! 9P. [`lint`] checks files for hosts, [`detect`] says which guest a card needs.

mod bhyve;
pub mod config_disk;
pub mod detect;
pub mod doctor;
mod error;
mod fit;
pub mod freebsd_pkg;
mod from_recipe;
pub mod guest_status;
mod hypervisor;
pub mod install;
pub mod into_output;
mod l4re;
mod libvirt;
pub mod lint;
pub mod output;
pub mod overrides;
pub mod qemu;
#[cfg(test)]
mod sample;
pub mod shares;
#[cfg(test)]
mod values_tests;
mod xen;

use std::path::Path;

use wifibox_ground::guest::Guest;

pub use error::HostError;
pub use fit::all_files;
pub use from_recipe::of_recipe;
pub use hypervisor::Hypervisor;
pub use overrides::Overrides;

/// The permissions of configuration and documents.
const PLAIN: u32 = 0o644;
/// The permissions of scripts.
const SCRIPT: u32 = 0o755;

/// A file for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFile {
    /// Where it is, below `host/`.
    pub path: String,
    /// Its permissions: those of a document (0644) or of a script (0755).
    pub mode: u32,
    /// The file's text. Its first lines say what it is for and where it goes.
    pub contents: Vec<u8>,
}

impl HostFile {
    /// A file to be read.
    fn plain(path: &str, text: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), mode: PLAIN, contents: text.into() }
    }

    /// A file to be run.
    fn script(path: &str, text: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), mode: SCRIPT, contents: text.into() }
    }
}

/// The guest of the output in `folder`, as its `manifest.json` has it.
///
/// # Errors
/// The folder is no output, one without a description, or one whose description is damaged.
pub fn of_output(folder: &Path) -> Result<Guest, HostError> {
    let manifest = wifibox_report::output::load(folder)?;
    let guest = manifest.guest.ok_or_else(|| HostError::NoGuest { path: folder.to_owned() })?;
    guest.check()?;
    Ok(guest)
}
