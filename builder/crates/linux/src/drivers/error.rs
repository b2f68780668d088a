//! Why a guest cannot have its kernel, modules or firmware.

use std::path::PathBuf;

use wifibox_fetch::FetchError;
use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::ReadBack;
use wifibox_ground::device::DeviceId;
use wifibox_ground::failure::Kind;
use wifibox_ground::location::LocationError;
use wifibox_ground::output::OutputError;
use wifibox_recipe::RecipeError;
use wifibox_tree::PlaceError;
use wifibox_tree::applets::AppletError;
use wifibox_tree::libraries::LibraryError;

use crate::firmware::FirmwareError;
use crate::firmware::archive::ArchiveError;
use crate::kernel;

/// Why a guest cannot have its kernel, modules or firmware.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant says what it is by its message")]
pub enum Error {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("{}: {}", .0, .1)]
    Mirror(String, LocationError),
    #[error("kernel {kernel}: {why}")]
    KernelFiles { kernel: String, why: String },
    #[error(transparent)]
    Modules(#[from] kernel::closure::ClosureError),
    #[error(transparent)]
    Depmod(#[from] kernel::depmod::DepmodError),
    #[error("{0}")]
    Unsupported(String),
    #[error(transparent)]
    Impossible(#[from] kernel::capability::Impossible),
    #[error(transparent)]
    Firmware(#[from] FirmwareError),
    #[error(transparent)]
    FirmwareArchive(#[from] ArchiveError),
    #[error("--firmware-file {globs}: none of the firmware that the modules want matches")]
    NoSuchFirmware { globs: String, wanted: Vec<String> },
    #[error("firmware file {}: {why}", .file.display())]
    OwnFirmware { file: PathBuf, why: String },
    #[error(
        "no driver of the flavor {flavor} knows the card {device} (kernel {kernel}); \
         'wifibox-build list' shows the other flavors"
    )]
    NoDriver { device: DeviceId, flavor: String, kernel: String },
    #[error(transparent)]
    Applets(#[from] AppletError),
    #[error(transparent)]
    Libraries(#[from] LibraryError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Recipe(error) => error.kind(),
            Error::Fetch(error) => error.kind(),
            Error::Mirror(..)
            | Error::NoSuchFirmware { .. }
            | Error::OwnFirmware { .. }
            | Error::NoDriver { .. } => Kind::Usage,
            Error::Interrupted(_) => Kind::Interrupted,
            Error::KernelFiles { .. }
            | Error::Modules(_)
            | Error::Depmod(_)
            | Error::Unsupported(_)
            | Error::Impossible(_)
            | Error::Firmware(_)
            | Error::FirmwareArchive(_)
            | Error::Applets(_)
            | Error::Libraries(_)
            | Error::Place(_)
            | Error::ReadBack(_)
            | Error::Output(_) => Kind::Failed,
        }
    }
}
