//! Why the files of a hypervisor cannot be written.

use std::path::PathBuf;

use super::Hypervisor;
use wifibox_ground::failure::Kind;
use wifibox_ground::guest::BadValue;
use wifibox_report::output::LoadError;

/// Why there are no files for a hypervisor.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The output cannot be read.
    #[error(transparent)]
    Output(#[from] LoadError),
    /// The output is from before its manifest described the guest.
    #[error(
        "{path}/manifest.json does not describe the guest's machine: an older version wrote it; \
         build the guest again"
    )]
    NoGuest {
        /// The output folder.
        path: PathBuf,
    },
    /// A value of the description is not allowed.
    #[error(transparent)]
    Value(#[from] BadValue),
    /// An address that is in no known notation.
    #[error(
        "{text:?} is not the address of a PCI card: write it as Linux and Xen do (0000:03:00.0 or \
         03:00.0), as FreeBSD does (pci0:3:0:0), or as bhyve does (3/0/0)"
    )]
    Address {
        /// The text that was given.
        text: String,
    },
    /// The guest's kernel, initramfs or devices are not what the hypervisor offers.
    #[error("no files for {hypervisor}: {why}")]
    Unfit {
        /// The hypervisor.
        hypervisor: Hypervisor,
        /// The obstacle, and the advice.
        why: String,
    },
    /// A file that was to be written is not what the hypervisor reads: a fault of this program.
    #[error("the file {path} would not be understood: {why}")]
    Faulty {
        /// The file.
        path: String,
        /// The linter's complaints.
        why: String,
    },
}

impl HostError {
    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Address { .. } | Self::Unfit { .. } => Kind::Usage,
            Self::Output(_) | Self::NoGuest { .. } | Self::Value(_) | Self::Faulty { .. } => {
                Kind::Failed
            }
        }
    }
}
