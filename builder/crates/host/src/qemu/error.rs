//! Why QEMU cannot start a guest.

use std::path::PathBuf;

use wifibox_ground::failure::Kind;

/// Why QEMU cannot start a guest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the output folder is missing.
    #[error("{path} is missing: build the guest first, or name another output folder")]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// QEMU lacks something that the guest needs.
    #[error("QEMU cannot start this guest: {why}")]
    Unfit {
        /// The obstacle, and the advice.
        why: String,
    },
    /// QEMU's options are text.
    #[error("{path:?} is not UTF-8, which QEMU's options cannot express: move the files elsewhere")]
    NotText {
        /// The path that cannot be passed.
        path: PathBuf,
    },
    /// OVMF, or what is like it for the guest's machine, is not installed.
    #[error("no UEFI firmware found (Debian: apt install {package}), or boot without it")]
    NoFirmware {
        /// Debian's package.
        package: &'static str,
    },
}

impl Error {
    /// Which kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unfit { .. } => Kind::Usage,
            Self::Missing { .. } | Self::NotText { .. } | Self::NoFirmware { .. } => Kind::Failed,
        }
    }
}
