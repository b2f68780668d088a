//! Cards of which the aliases of modules promise more than the drivers keep.
//!
//! The bridge `bcma` takes each of these, and finds a radio behind it that no driver can use. That is in
//! no alias, so it is written down here, with its source.

use super::Ident;
use wifibox_ground::device::DeviceId;

/// A card with a radio that no driver can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exception {
    /// Vendor and device.
    pub id: DeviceId,
    /// The chip.
    pub chip: &'static str,
    /// The code that is missing, as a clause in the middle of a sentence.
    pub why: &'static str,
    /// The driver that is not part of Linux and has the radio, and the base that pins its package.
    pub elsewhere: Option<(&'static str, &'static str)>,
}

/// Broadcom's own driver (its README lists BCM4352, 4360 and 43142), which net/wifibox-alpine offers as the
/// option `XX_DRIVER_WL`, and the flavor `wl` has.
const WL: Option<(&str, &str)> = Some(("wl", "wifibox"));

const AC: &str = "b43's code for its AC-PHY is unfinished, and kernels are built without it";
const LCN40: &str = "b43 has no code for its LCN40-PHY, and brcmsmac does not know it";

const fn broadcom(device: u16, chip: &'static str, why: &'static str) -> Exception {
    Exception { id: DeviceId { vendor: 0x14e4, device, subsystem: None }, chip, why, elsewhere: WL }
}

/// Source: drivers/net/wireless/broadcom/b43 of Linux 6.12 (in Kconfig B43_PHY_AC depends on BROKEN;
/// phy_common.c has no LCN40), the aliases of brcmsmac, which hold no core revision of these chips, and
/// the symbols of Debian's b43.ko (6.1 to 7.3), which has no b43_phyops_ac.
pub(crate) const EXCEPTIONS: [Exception; 4] = [
    broadcom(0x4360, "BCM4360", AC),
    broadcom(0x4365, "BCM43142", LCN40),
    broadcom(0x43a0, "BCM4360", AC),
    broadcom(0x43b1, "BCM4352", AC),
];

/// The exception that a device is, if it is one.
pub fn of(ident: &Ident) -> Option<&'static Exception> {
    let Ident::Pci { id, .. } = ident else { return None };
    EXCEPTIONS.iter().find(|exception| exception.id == id.chip())
}
