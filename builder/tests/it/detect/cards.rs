//! Cards, and what they should get. Ids and their chips: https://pci-ids.ucw.cz and the drivers of Linux.

use wifibox_ground::address::Address;
use wifibox_ground::device::DeviceId;

/// A card as it would show in a listing.
pub struct Sample {
    /// Its numbers, with a subsystem.
    pub id: DeviceId,
    /// Where it is.
    pub address: Address,
}

impl Sample {
    /// A card with these numbers; where it is follows from them.
    pub fn new(text: &str) -> Self {
        let mut id: DeviceId = text.parse().unwrap();
        id.subsystem = id.subsystem.or(Some((0x1028, 0x0310)));
        let (device, vendor) = (u32::from(id.device), u32::from(id.vendor));
        // No two of the cards may be in one place.
        let address = Address::new(0, 1 + (device * 7 + vendor) % 250, device % 32, vendor % 8);
        Sample { id, address: address.unwrap() }
    }
}

/// Cards that work, with the flavor that drives them.
pub const WORK: [(&str, &str); 86] = [
    ("8086:2725", "iwlwifi"),
    ("8086:2723", "iwlwifi"),
    ("8086:a0f0", "iwlwifi"),
    ("8086:24fd:8086:0010", "iwlwifi"),
    ("8086:24f3:8086:0010", "iwlwifi"),
    ("8086:095a:8086:5010", "iwlwifi"),
    ("8086:08b1:8086:4070", "iwlwifi"),
    ("8086:0085:8086:1311", "iwlwifi"),
    ("8086:0083:8086:1305", "iwlwifi"),
    ("8086:4235:8086:1021", "iwlwifi"),
    ("8086:51f0", "iwlwifi"),
    ("8086:272b", "iwlwifi"),
    ("8086:4222:8086:1005", "iwlegacy"),
    ("8086:4227", "iwlegacy"),
    ("8086:4229", "iwlegacy"),
    ("8086:4230", "iwlegacy"),
    ("8086:4220", "ipw2x00"),
    ("8086:4223", "ipw2x00"),
    ("8086:1043:8086:2701", "ipw2x00"),
    ("168c:001b", "ath9k"),
    ("168c:0024", "ath9k"),
    ("168c:002a", "ath9k"),
    ("168c:002b", "ath9k"),
    ("168c:002e", "ath9k"),
    ("168c:0030", "ath9k"),
    ("168c:0032", "ath9k"),
    ("168c:0034", "ath9k"),
    ("168c:0036", "ath9k"),
    ("168c:003c", "ath10k"),
    ("168c:003e", "ath10k"),
    ("168c:0042", "ath10k"),
    ("168c:0046", "ath10k"),
    ("17cb:1101", "ath11k"),
    ("17cb:1103", "ath11k"),
    ("17cb:1104", "ath11k"),
    ("17cb:1107", "ath12k"),
    ("17cb:1109", "ath12k"),
    // A QCC2072, by the newest kernel only.
    ("17cb:1112", "ath12k"),
    ("14e4:43a3", "brcm"),
    ("14e4:43ba", "brcm"),
    ("14e4:43e9", "brcm"),
    ("14e4:43c3", "brcm"),
    ("14e4:4727", "brcm"),
    ("14e4:4353", "brcm"),
    ("14e4:4311", "b43"),
    ("14e4:4315", "b43"),
    ("14e4:4318", "b43"),
    ("14e4:4328", "b43"),
    ("14e4:4331", "b43"),
    ("14c3:7961", "mediatek"),
    ("14c3:0608", "mediatek"),
    ("14c3:0616", "mediatek"),
    ("14c3:7915", "mediatek"),
    ("14c3:7925", "mediatek"),
    ("14c3:7663", "mediatek"),
    ("14c3:7612", "mediatek"),
    ("14c3:7610", "mediatek"),
    ("11ab:2b30", "marvell"),
    ("11ab:2b38", "marvell"),
    ("1b4b:2b42", "marvell"),
    ("1814:0301", "rt61"),
    ("1814:0302", "rt61"),
    ("1814:0401", "rt61"),
    ("1814:0601", "rt61"),
    ("1814:3090", "rt61"),
    ("1814:3290", "rt61"),
    ("1814:5390", "rt61"),
    ("10ec:8172", "rtlwifi"),
    ("10ec:8176", "rtlwifi"),
    ("10ec:8178", "rtlwifi"),
    ("10ec:8179", "rtlwifi"),
    ("10ec:8193", "rtlwifi"),
    ("10ec:818b", "rtlwifi"),
    ("10ec:8723", "rtlwifi"),
    ("10ec:b723", "rtlwifi"),
    ("10ec:8821", "rtlwifi"),
    ("10ec:c821", "rtw88"),
    ("10ec:b822", "rtw88"),
    ("10ec:c822", "rtw88"),
    ("10ec:d723", "rtw88"),
    ("10ec:8852", "rtw89"),
    ("10ec:a85a", "rtw89"),
    ("10ec:b852", "rtw89"),
    ("10ec:b851", "rtw89"),
    ("10ec:c852", "rtw89"),
    ("10ec:8922", "rtw89"),
];

/// Listings of cards whose radio no driver of Linux has, and Broadcom's own does: bcma knows the cards, nothing
/// what is behind it. BCM4360 of MacBooks twice, BCM4352, BCM43142.
pub const BROADCOMS_OWN: [(&str, &str); 4] = [
    ("03:00.0 0280: 14e4:43a0 (rev 03)\n\tSubsystem: 106b:0117\n", "BCM4360"),
    ("14e4:4360", "BCM4360"),
    ("14e4:43b1", "BCM4352"),
    ("14e4:4365:1028:0016", "BCM43142"),
];

/// Listings of one card that cannot work, and the code of the reason.
pub const CANNOT_WORK: [(&str, &str); 15] = [
    // A USB stick, by lsusb, FreeBSD's usbconfig, and its alias.
    ("Bus 001 Device 003: ID 0bda:8179 Realtek Semiconductor Corp. RTL8188EUS", "other-bus"),
    (
        "ugen0.3: <Ralink 802.11 n WLAN> at usbus0, cfg=0 md=HOST spd=HIGH (480Mbps) pwr=ON (450mA)\n\n  \
         bLength = 0x0012 \n  idVendor = 0x148f \n  idProduct = 0x5370 \n",
        "other-bus",
    ),
    ("usb:v0E8Dp7961d0100dcEFdsc02dp01icFFiscFFipFFin03", "other-bus"),
    (r"USB\VID_0CF3&PID_9271&REV_0108", "other-bus"),
    // SDIO, of a board and of a tablet.
    ("sdio:c00v02D0d4330", "other-bus"),
    ("sdio 024c:b723", "other-bus"),
    // 16-bit PC Cards, and an ISA card.
    ("  manfid: 0x0156, 0x0002\n", "other-bus"),
    ("pcmcia 0089:0001", "other-bus"),
    ("isa 4453:1234", "other-bus"),
    // WiGig of Intel, which only Windows had a driver for.
    ("03:00.0 0280: 8086:093c (rev 01)", "no-driver"),
    ("10ec:8168", "no-driver"),
    // airo, adm8211, wil6210: in Linux, in no flavor.
    ("14b9:0350", "no-flavor"),
    ("1317:8201", "no-flavor"),
    ("1ae9:0310", "no-flavor"),
    // A board that the driver does not list.
    ("8086:08b1:1234:5678", "other-boards"),
];
