//! Listings as people paste them: quoted, indented, broken, coloured, several at once.

use super::*;

/// Each device as `ID ADDRESS DRIVER`.
pub(super) fn told(text: &str) -> Vec<String> {
    let cards = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let tell = |card: &Card| {
        let place = card.address.map_or("-".to_owned(), |address| address.to_string());
        format!("{} {place} {}", card.ident, card.driver.as_deref().unwrap_or("-"))
    };
    cards.iter().map(tell).collect()
}

const CARD: &str = "03:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)\n\
                    \tSubsystem: Intel Corporation Device [8086:0080]\n\tKernel driver in use: iwlwifi\n";
const TOLD: &str = "8086:2723:8086:0080 0000:03:00.0 iwlwifi";

#[test]
fn what_stands_round_a_listing_does_not_matter() {
    let each =
        |prefix: &str| CARD.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
    for text in [
        format!("Here is my card:\n\n{}", each("    ")),
        each("> "),
        each(">> "),
        each("> > "),
        format!("```console\n$ lspci -nnk\n{CARD}```\n"),
        CARD.replace('\n', "\r\n"),
        CARD.replace(' ', "\u{a0}"),
        CARD.replace("03:00.0", "\u{1b}[1;33m03:00.0\u{1b}[0m"),
        format!("\u{feff}{CARD}"),
        CARD.replace("AX200 [", "AX200\n["),
        CARD.replace("Intel Corporation Device [", "Intel Corporation Device\n["),
        CARD.replace("controller [", "controller\n["),
        each("> ").replace("AX200 [", "AX200\n> ["),
        CARD.replace('\t', ""),
        format!("<pre>{CARD}</pre>"),
        format!("* {CARD}"),
        // Both listings of the machine, and its kernel's messages.
        format!("03:00.0 Network controller [0280]: Intel AX200 [8086:2723] (rev 1a)\n\n{CARD}"),
        format!("{CARD}[ 0.6] pci 0000:03:00.0: [8086:2723] type 00 class 0x028000\n"),
    ] {
        assert_eq!(told(&text), [TOLD], "{text}");
    }
}

#[test]
fn markup_numbers_and_mails_go() {
    for text in [
        // Forums, in both their languages.
        CARD.replace("[8086:2723]", "[[COLOR=\"#FF0000\"]8086:2723[/COLOR]]"),
        format!("[code]{}[/code]", CARD.replace("Network controller", "[b]Network controller[/b]")),
        CARD.replace('\n', "<br>\n").replace(' ', "&nbsp;"),
        CARD.replace('\n', "<br />").replace("AX200", "<b>AX200</b>"),
        // A mail's source.
        CARD.replace("8086:2723", "8086:=\n2723").replace('\t', "=C2=A0=C2=A0 "),
        // cat -n, grep -n, grep in several files, a page with numbers.
        CARD.lines().zip(9..).map(|(line, n)| format!("{n:6}\t{line}\n")).collect(),
        CARD.lines().zip(9..).map(|(line, n)| format!("{n}. {line}\n")).collect(),
        CARD.replace("03:00.0", "57:03:00.0").replace("\tS", "58-\tS").replace("\tK", "59-\tK"),
        CARD.replace("03:00.0", "pc.txt:03:00.0").replace('\t', "pc.txt-\t"),
        // Of ls-iommu.
        CARD.replace("[0280]:", "[0280]"),
    ] {
        assert_eq!(told(&text), [TOLD], "{text}");
    }
    let mail = "none3@pci0:6:0:0: class=3D0x028000 rev=3D0x1a hdr=3D0x00 vendor=3D0x8086 =\ndevice=3D0x2725 =\n\
                subvendor=3D0x8086 subdevice=3D0x0024\n    device     =3D 'Wi-Fi 6E AX210'\n";
    assert_eq!(told(mail), ["8086:2725:8086:0024 0000:06:00.0 -"]);
}

#[test]
fn one_line_is_a_listing_too() {
    let card = CARD.replace(['\n', '\t'], " ");
    let ethernet = "02:00.0 Ethernet controller [0200]: Realtek RTL8111 [10ec:8168] Subsystem: Lenovo [17aa:5081]";
    let other = "10ec:8168:17aa:5081 0000:02:00.0 -";
    assert_eq!(told(&card), [TOLD]);
    assert_eq!(told(&card.replace(" (rev 1a)", "")), [TOLD]);
    assert_eq!(told(&format!("{ethernet} {card}")), [other, TOLD]);
    assert_eq!(told(&format!("IOMMU Group 1: {ethernet} IOMMU Group 2: {card}")), [other, TOLD]);
    let iwm = "iwm0@pci0:2:0:0: class=0x028000 rev=0x59 hdr=0x00 vendor=0x8086 device=0x095a subvendor=0x8086 \
               subdevice=0x5010 vendor = 'Intel Corporation' device = 'Wireless 7265' class = network";
    let em = iwm.replace("iwm0@pci0:2:0:0", "em0@pci0:0:25:0").replace("0x095a", "0x15a2");
    let told_iwm = "8086:095a:8086:5010 0000:02:00.0 iwm0";
    assert_eq!(told(iwm), [told_iwm]);
    assert_eq!(read(iwm).unwrap()[0].name.as_deref(), Some("Intel Corporation Wireless 7265"));
    assert_eq!(told(&format!("{em} {iwm}")), ["8086:15a2:8086:5010 0000:00:19.0 em0", told_iwm]);
}

#[test]
fn a_device_that_pci_ids_did_not_know_has_its_number() {
    for (text, expected) in [
        (
            "01:00.0 Network controller: Intel Corporation Device 2725 (rev 1a)\n\tSubsystem: Intel Corporation Device 0024\n\
             \tKernel driver in use: iwlwifi\n",
            "8086:2725:8086:0024 0000:01:00.0 iwlwifi",
        ),
        ("04:00.0 Network controller: MEDIATEK Corp. Device 7961\n", "14c3:7961 0000:04:00.0 -"),
        ("01:00.0 Network controller: Device 17cb:1103 (rev 01)\n", "17cb:1103 0000:01:00.0 -"),
    ] {
        assert_eq!(told(text), [expected]);
        assert!(read(text).unwrap()[0].has_wireless_class());
    }
}

#[test]
fn groups_are_read_in_every_shape() {
    for text in [
        "IOMMU Group 25 05:00.0 PCI bridge [0604]: ASMedia Switch [1b21:1184]\n\
         IOMMU Group 26 06:01.0 PCI bridge [0604]: ASMedia Switch [1b21:1184]\n\
         IOMMU Group 26 07:00.0 Network controller [0280]: Intel Wi-Fi 6 AX200 [8086:2723] (rev 1a)\n\
         IOMMU Group 28 09:00.0 Ethernet controller [0200]: Intel I211 [8086:1539] (rev 03)\n",
        "IOMMU Group 26:\n\t07:00.0 Network controller [0280]: Intel AX200 [8086:2723] (rev 1a)\n\
         IOMMU Group 27:\n\t2d:00.0 VGA compatible controller [0300]: AMD [AMD/ATI] [RX 580] [1002:67df]\n",
        "### IOMMU group 26\n07:00.0 0280: 8086:2723\n",
    ] {
        let cards = read(text).unwrap();
        let card = cards.iter().find(|card| card.has_wireless_class()).unwrap();
        assert_eq!(card.address, Address::parse_linux("07:00.0"), "{text}");
        assert_eq!(card.companions, [], "{text}");
    }
    let shared = "IOMMU Group 9:\n\t00:14.0 USB [0c03]: Intel [8086:a0ed]\n\t00:14.3 Network [0280]: Intel [8086:a0f0]\n";
    let cards = read(shared).unwrap();
    assert_eq!(cards[1].companions, [Address::parse_linux("00:14.0").unwrap()]);
    // The same group of another machine is another group.
    let other = "IOMMU Group 9:\n\t00:14.3 Network [0280]: Intel [8086:7af0]\n";
    let cards = read(&format!("{other}{shared}")).unwrap();
    assert_eq!(cards.len(), 3);
}

#[test]
fn class_words_and_drivers_of_busybox() {
    let text = "01:00.0 Class 0280: 8086:2723 iwlwifi\n00:06.0 Class 0280: 8086:02f0\n\
                02:00.0 \"Class 0280\" \"14c3\" \"7925\" \"1a3b\" \"6002\" \"mt7925e\"\n\
                0000:05:00.0 Class 0280: 168c:003e (rev 32)\n";
    let expected = [
        "8086:2723 0000:01:00.0 iwlwifi",
        "8086:02f0 0000:00:06.0 -",
        "14c3:7925:1a3b:6002 0000:02:00.0 mt7925e",
        "168c:003e 0000:05:00.0 -",
    ];
    assert_eq!(told(text), expected);
}

#[test]
fn dumps_and_paths_have_the_numbers_too() {
    let text = "03:00.0 Network controller: Intel Corporation Wi-Fi 6 AX200 (rev 1a)\n\
                00: 86 80 23 27 06 04 10 00 1a 00 80 02 10 00 00 00\n\
                10: 04 00 00 a1 00 00 00 00 00 00 00 00 00 00 00 00\n\
                20: 00 00 00 00 00 00 00 00 00 00 00 00 86 80 80 00\n";
    assert_eq!(told(text), ["8086:2723:8086:0080 0000:03:00.0 -"]);
    assert!(read(text).unwrap()[0].has_wireless_class());
    let text = "00:1c.0/03:00.0 Network controller [0280]: Intel AX200 [8086:2723]\n\
                pc.txt:04:00.0 Network controller [0280]: Intel AX210 [8086:2725]\n";
    assert_eq!(told(text), ["8086:2723 0000:03:00.0 -", "8086:2725 0000:04:00.0 -"]);
}

#[test]
fn several_machines_keep_their_addresses() {
    let text = "laptop:\n03:00.0 Network controller [0280]: Intel AX200 [8086:2723]\n\ndesktop:\n\
                03:00.0 Network controller [0280]: MEDIATEK MT7925 [14c3:7925]\n\
                iwm0@pci0:5:0:0: class=0x028000 rev=0x78 hdr=0x00 vendor=0x8086 device=0x24fd\n\
                subvendor=0x8086 subdevice=0x0010\n\
                04:00.0 Network controller [0280]: Intel AX200 [8086:2723]\n";
    let expected = [
        "8086:2723 0000:03:00.0 -",
        "14c3:7925 0000:03:00.0 -",
        "8086:24fd:8086:0010 0000:05:00.0 iwm0",
        "8086:2723 0000:04:00.0 -",
    ];
    assert_eq!(told(text), expected);
}

#[test]
fn ids_stand_on_one_line_and_windows_says_where() {
    assert_eq!(
        told("8086:2725, 14c3:7925 168c:003e"),
        ["8086:2725 - -", "14c3:7925 - -", "168c:003e - -"]
    );
    let windows = "PCI\\VEN_8086&DEV_2725&SUBSYS_00248086&REV_1A\r\nPCI\\VEN_8086&amp;DEV_2725&amp;CC_028000\r\n\
                   PCI\\VEN_8086&DEV_2725\r\nPCI bus 6, device 0, function 0\r\n";
    assert_eq!(told(windows), ["8086:2725:8086:0024 0000:06:00.0 -"]);
    assert!(read(windows).unwrap()[0].has_wireless_class());
}

#[test]
fn a_card_of_every_kind_of_report_is_one_card() {
    let text = "Network:\n  Device-1: Intel Wi-Fi 6 AX200 driver: iwlwifi v: kernel bus-ID: 03:00.0\n    \
                chip-ID: 8086:2723 class-ID: 0280\n\n8086:2723\nMy card: Intel AX200 [8086:2723]\n\
                MODALIAS=pci:v00008086d00002723sv00008086sd00000080bc02sc80i00\n";
    assert_eq!(told(text), [TOLD]);
}

#[test]
fn names_alone_are_told_apart() {
    for (text, words) in [
        (
            "iwm0: <Some AC 8265> mem 0xd1000000-0xd1001fff at device 0.0 on pci3\n",
            "FreeBSD's dmesg",
        ),
        (
            "DEVICE     BHYVE ID     READY        DESCRIPTION\nppt0  3/0/0  Yes  Wireless 7265\n",
            "vm passthru",
        ),
    ] {
        let error = read(text).unwrap_err();
        assert!(matches!(error, DetectError::Unnumbered(_)));
        assert!(error.to_string().contains(words), "{error}");
    }
    for text in
        ["00:14.3 \"Network controller\" \"Intel\" \"AX201\"\n", "Slot:\t00:14.3\nVendor:\tIntel\n"]
    {
        assert!(matches!(read(text), Err(DetectError::NamesOnly)), "{text}");
    }
}
