//! The kernel of a guest, the modules that it needs, and the firmware that these ask for: taken out of what
//! packages offer in the guest's root, and put back as far as the guest needs it.

mod archive;
mod check;
mod device;
mod error;
mod firmware;
mod form;
mod initramfs;
mod modules;
mod own;

use wifibox_ground::content::Spool;
use wifibox_ground::device::DeviceId;
use wifibox_ground::meter::Laps;
use wifibox_ground::output::OutputFolder;
use wifibox_ground::progress::Stage;
use wifibox_recipe::Composed;
use wifibox_tree::{Context, Tree};

pub use archive::{ArchiveChoice, FirmwareArchive};
pub use device::Focus;
pub use error::Error;
pub use firmware::Installed;
pub use initramfs::initramfs;
pub use modules::Kernel;
pub use own::{FirmwareAdd, LOCAL, OwnFile};

/// The user's choices for a guest's drivers.
pub struct Asked<'a> {
    /// The only card that the guest is for.
    pub device: Option<DeviceId>,
    /// Globs: of the files that modules want, those that match come in, and no others.
    pub only: &'a [String],
    /// Files of the user's own.
    pub adds: &'a [FirmwareAdd],
    /// An archive of linux-firmware.
    pub archive: Option<&'a FirmwareArchive>,
    /// Where what is kept of it, and what is packed anew, waits.
    pub spool: &'a Spool,
}

/// The kernel of a guest, and the firmware that its modules take.
pub struct Drivers {
    /// The kernel and its modules.
    pub kernel: Kernel,
    /// The firmware.
    pub firmware: Installed,
}

impl Drivers {
    /// Writes the licences of what came from an archive into `licenses/` of the output.
    ///
    /// # Errors
    /// [`Error`]: one cannot be read or written.
    pub fn write_licences(&self, folder: &OutputFolder) -> Result<(), Error> {
        match &self.firmware.archive {
            Some(archive) => archive::write_licences(archive, &self.firmware.selection, folder),
            None => Ok(()),
        }
    }
}

/// Takes kernel and firmware out of `tree`, and puts back what the guest needs.
///
/// # Errors
/// [`Error`]: files that the kernel's descriptor names are missing, or a module, or firmware that a
/// chipset promises.
pub fn install(
    composed: &Composed<'_>,
    tree: &mut Tree,
    asked: &Asked<'_>,
    context: &Context<'_>,
    laps: &Laps<'_>,
) -> Result<Drivers, Error> {
    context.work.progress.stage(&Stage::new("Choosing", "modules and firmware"));
    let kernel = modules::install(&composed.recipe, tree, asked.spool, asked.device, context)?;
    laps.end("kernel modules");
    let firmware = firmware::install(composed, tree, &kernel, asked, context)?;
    laps.end("firmware");
    Ok(Drivers { kernel, firmware })
}
