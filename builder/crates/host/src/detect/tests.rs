//! Tests of reading any text.
use proptest::prelude::*;

use super::*;

/// Pieces that listings are made of, so that damage is near the truth.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\t\n]{0,30}",
        ".{0,10}",
        prop::sample::select(vec![
            "iwm0@pci0:0:20:3:",
            "@pci",
            "class=0x028000",
            "vendor=0x8086",
            "device=0x2725",
            "chip=0x",
            "    device     = '",
            "00:14.3 ",
            "0000:00:14.3 \"",
            "[0280]: ",
            "[8086:2725]",
            " (rev ",
            "\tSubsystem: ",
            "Slot:\t00:14.3\n",
            "Class:\tx [0280]\n",
            "Vendor:\t[8086]\n",
            "Device:\t[2725]\n",
            "IOMMUGroup:\t9\n",
            "\n\n",
            "IOMMU group 7,",
            "pci:v00008086d00002725sv",
            "usb:v0BDAp8179d",
            "sdio:c",
            "PCI\\VEN_8086&DEV_27",
            "&SUBSYS_",
            "USB\\VID_",
            "Bus 001",
            " Device 003: ID 0bda:8179",
            "pci 0000:00:14.3: [8086:a0f0] type",
            "class ",
            "found->\tvendor=",
            "dev=0x1,",
            "domain=0, bus=1, slot=1, func=1",
            "class=02-80-00,",
            "ugen0.2: <é> at usbus0",
            "idVendor = 0x0bda",
            "idProduct = 0x8179",
            "manfid: 0x1, 0x2",
            "{",
            "[",
            "\"vendor\":",
            "8086:2725",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(pieces in prop::collection::vec(piece(), 0..40)) {
        if let Ok(cards) = read(&pieces.concat()) {
            prop_assert!(!cards.is_empty() && cards.len() <= CARD_LIMIT);
        }
    }

    #[test]
    fn any_json_is_read_or_refused(pieces in prop::collection::vec(piece(), 0..20)) {
        let quoted: Vec<String> = pieces.iter().map(|piece| serde_json::json!(piece).to_string()).collect();
        let text = format!(
            "[{{\"product\":{0},\"businfo\":{0},\"vendor\":{0},\"device\":{0},\"slot\":{0}}}]",
            quoted.first().map_or("1", String::as_str)
        );
        drop(read(&text));
    }

    #[test]
    fn any_table_is_read_or_refused(text in "(format\t1\n)?((alias|kernel|need|module)\t[ -~\t]{0,20}\n){0,5}") {
        if let Ok(table) = table::Table::parse(&text) {
            prop_assert_eq!(table::Table::parse(&table.to_string()), Ok(table));
        }
    }
}

#[test]
fn what_is_no_listing_says_so() {
    assert!(matches!(read("hello\n"), Err(DetectError::NothingKnown)));
    assert!(matches!(read(""), Err(DetectError::Empty)));
    assert!(matches!(
        read("00:14.3 Network controller: Intel Corporation Wi-Fi 6 AX201 (rev 20)\n"),
        Err(DetectError::NamesOnly)
    ));
    assert!(matches!(read("{\"a\":"), Err(DetectError::Json(_))));
    let large = " ".repeat(LISTING_LIMIT + 1);
    assert!(matches!(read(&large), Err(DetectError::TooLarge { .. })));
}

#[test]
fn two_listings_of_one_machine_are_one() {
    let text = "none0@pci0:6:0:0: class=0x028000 rev=0x1a hdr=0x00 vendor=0x8086 device=0x2725 \
                subvendor=0x8086 subdevice=0x0024\n\
                06:00.0 Network controller [0280]: Intel Corporation AX210 [8086:2725] (rev 1a)\n\
                \tSubsystem: Intel Corporation Device [8086:0024]\n\
                Bus 001 Device 003: ID 0bda:8179 Realtek Semiconductor Corp. NIC\n";
    let cards = read(text).expect("a listing");
    assert_eq!(cards.len(), 2, "{cards:?}");
}

/// On FreeBSD, the host's own listing includes `usbconfig`, which reports a lack of devices on its
/// standard output.
#[test]
fn words_of_usbconfig_are_no_device() {
    let pciconf = "iwm0@pci0:0:20:3:\tclass=0x028000 rev=0x20 hdr=0x00 vendor=0x8086 device=0xa0f0 \
                   subvendor=0x8086 subdevice=0x0074\n    vendor     = 'Intel Corporation'\n";
    let alone = read(pciconf).unwrap();
    assert_eq!(alone.len(), 1);
    let words = format!("{pciconf}No device match or lack of permissions.\n");
    assert_eq!(read(&words).unwrap(), alone);
}
