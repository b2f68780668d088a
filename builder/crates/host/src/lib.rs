//! What a host needs to run a guest: files for each hypervisor, and QEMU's arguments.
//!
//! [`guest`] is the typed description that everything comes from: [`from_recipe`] makes it at build
//! time, [`wishes`] adds what a user asks for, [`check`] refuses what files could not hold. Each
//! hypervisor has a module with a function `files(&Guest) -> Result<Vec<HostFile>, HostError>`;
//! [`hypervisor`] calls them. The facts are those of the guest contract in `docs/`.
//!
//! To run a guest at once, [`board`] says what differs between machines, [`boot`] how a guest is wired,
//! with the parts of [`machine`], and turns that into QEMU's arguments; [`shares`] lays out the folders
//! that the guest mounts, and [`config_disk`] makes the disk that replaces them where there is no 9P.

pub mod bhyve;
pub mod board;
pub mod boot;
pub mod config_disk;
pub mod detect;
mod error;
pub mod from_recipe;
mod hypervisor;
pub mod install;
pub mod l4re;
pub mod libvirt;
pub mod lint;
pub mod machine;
pub mod output;
pub mod qemu;
#[cfg(test)]
pub(crate) mod sample;
pub mod shares;
#[cfg(test)]
mod values_tests;
pub mod wishes;
pub mod xen;

use std::path::Path;

use wifibox_ground::guest::Guest;

pub use error::HostError;
pub use from_recipe::of_recipe;
pub use hypervisor::{Hypervisor, all_files};
pub use wishes::Wishes;

/// The permissions of configuration and documents.
pub const PLAIN: u32 = 0o644;
/// The permissions of scripts.
pub const SCRIPT: u32 = 0o755;

/// A file for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFile {
    /// Where it is, below `host/`.
    pub path: String,
    /// Its permissions: [`PLAIN`] or [`SCRIPT`].
    pub mode: u32,
    /// What is in it. Its first lines say what it is for and where it goes.
    pub contents: Vec<u8>,
}

impl HostFile {
    /// A file to be read.
    pub fn plain(path: &str, text: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), mode: PLAIN, contents: text.into() }
    }

    /// A file to be run.
    pub fn script(path: &str, text: impl Into<Vec<u8>>) -> Self {
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
