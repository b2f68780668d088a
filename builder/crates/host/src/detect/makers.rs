//! Makers of wireless cards by their names in pci.ids: a listing without numbers still has that of a device that its
//! pci.ids did not know (`Intel Corporation Device 2725`).

use super::text;

/// As pci.ids of different years and OpenBSD call them. Marvell is not here: it has two numbers.
const MAKERS: [(&str, u16); 14] = [
    ("Intel Corporation", 0x8086),
    ("Intel", 0x8086),
    ("MEDIATEK Corp.", 0x14c3),
    ("MediaTek", 0x14c3),
    ("Realtek Semiconductor Co., Ltd.", 0x10ec),
    ("Realtek", 0x10ec),
    ("Qualcomm Atheros", 0x168c),
    ("Atheros Communications Inc.", 0x168c),
    ("Qualcomm Technologies, Inc", 0x17cb),
    ("Qualcomm", 0x17cb),
    ("Broadcom Inc. and subsidiaries", 0x14e4),
    ("Broadcom Limited", 0x14e4),
    ("Broadcom Corporation", 0x14e4),
    ("Ralink corp.", 0x1814),
];

/// The number of a maker.
pub(super) fn number(name: &str) -> Option<u16> {
    MAKERS.iter().find(|(known, _)| *known == name.trim()).map(|(_, number)| *number)
}

/// Whether a number is that of a maker of wireless cards.
pub(super) fn is_one(number: u16) -> bool {
    const MARVELL: [u16; 2] = [0x11ab, 0x1b4b];
    MARVELL.contains(&number) || MAKERS.iter().any(|(_, known)| *known == number)
}

/// `Intel Corporation Device 2725`, or `Device 17cb:1103` where not even the maker is known: its name, its numbers.
pub(super) fn unnamed(text: &str) -> Option<(&str, (u16, u16))> {
    let (maker, numbers) = text.rsplit_once("Device ")?;
    let numbers = match text::pair(numbers) {
        Some(both) if maker.is_empty() => both,
        _ => (number(maker)?, text::hex4(numbers)?),
    };
    Some((text, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_without_a_name_have_their_number() {
        for (text, numbers) in [
            ("Intel Corporation Device 2725", Some((0x8086, 0x2725))),
            ("Qualcomm Device 1103", Some((0x17cb, 0x1103))),
            ("Device 17cb:1103", Some((0x17cb, 0x1103))),
            ("AzureWave Device 5471", None),
            ("Intel Corporation Wi-Fi 6 AX200", None),
            ("Intel Corporation Device", None),
        ] {
            assert_eq!(unnamed(text).map(|(_, numbers)| numbers), numbers, "{text}");
        }
    }
}
