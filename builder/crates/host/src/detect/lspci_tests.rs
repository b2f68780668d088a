//! Every form of `lspci`'s output is read.

use super::*;

#[test]
fn every_way_to_print_a_card_says_the_same() {
    let with_subsystem = "8086:a0f0:8086:0074";
    for (text, id) in [
        ("00:14.3 0280: 8086:a0f0 (rev 20)\n\tSubsystem: 8086:0074\n", with_subsystem),
        (
            "0000:00:14.3 Network controller [0280]: Intel Corporation Wi-Fi 6 AX201 [8086:a0f0] (rev 20)\n\
          \tSubsystem: Intel Corporation Device [8086:0074]\n\tKernel driver in use: iwlwifi\n\
          \tKernel modules: iwlwifi\n",
            with_subsystem,
        ),
        ("00:14.3 Network controller [0280]: Intel Corporation Device [8086:a0f0]\n", "8086:a0f0"),
        (
            "00:14.3 \"Network controller [0280]\" \"Intel Corporation [8086]\" \"Wi-Fi 6 AX201 [a0f0]\" \
          -r20 -p00 \"Intel Corporation [8086]\" \"Device [0074]\"\n",
            with_subsystem,
        ),
        ("00:14.3 \"0280\" \"8086\" \"a0f0\" -r20 \"\" \"\"\n", "8086:a0f0"),
    ] {
        let cards = read(text);
        let [(0, card)] = cards.as_slice() else { panic!("{text}: {cards:?}") };
        assert_eq!(card.ident.to_string(), id, "{text}");
        assert_eq!(card.address, Address::parse_linux("00:14.3"));
        assert!(card.has_wireless_class() && read_records(text).is_empty());
    }
}

#[test]
fn records_are_read() {
    let text = "Slot:\t00:14.3\nClass:\tNetwork controller [0280]\nVendor:\tIntel Corporation [8086]\n\
                Device:\tWi-Fi 6 AX201 [a0f0]\nSVendor:\tIntel Corporation [8086]\nSDevice:\tDevice [0074]\n\
                Rev:\t20\nProgIf:\t00\nDriver:\tiwlwifi\nModule:\tiwlwifi\nIOMMUGroup:\t9\n\n\
                Device:\t00:14.0\nClass:\tUSB controller [0c03]\nVendor:\tIntel Corporation [8086]\n\
                Device:\tTiger Lake [a0ed]\nIOMMUGroup:\t9\n";
    let cards = read_records(text);
    let [(0, wifi), (12, _)] = cards.as_slice() else { panic!("{cards:?}") };
    assert_eq!(wifi.ident.to_string(), "8086:a0f0:8086:0074");
    assert_eq!(wifi.name.as_deref(), Some("Intel Corporation Wi-Fi 6 AX201"));
    assert_eq!(wifi.driver.as_deref(), Some("iwlwifi"));
    assert_eq!(wifi.companions, [Address::parse_linux("00:14.0").expect("an address")]);
    assert!(read(text).is_empty());
}

#[test]
fn groups_come_from_verbose_output_too() {
    let text = "00:14.0 0c03: 8086:a0ed\n\tFlags: bus master, IRQ 1, IOMMU group 9\n\
                00:14.3 0280: 8086:a0f0\n\tIOMMU group: 9\n";
    let cards = read(text);
    assert!(cards.iter().all(|(_, card)| card.companions.len() == 1), "{cards:?}");
}

#[test]
fn names_alone_are_noticed() {
    let text = "00:14.3 Network controller: Intel Corporation Wi-Fi 6 AX201 (rev 20)\n";
    assert!(read(text).is_empty() && has_names_only(text));
    assert!(!has_names_only("12:30 lunch: soup\n"));
}
