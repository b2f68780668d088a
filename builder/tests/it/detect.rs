//! `detect` with the recipes and the table that the program brings: cards of every flavor in every format
//! that listings have, cards that cannot work, and the table itself.

#![allow(clippy::unwrap_used)]

mod cards;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output};

use cards::{BROADCOMS_OWN, CANNOT_WORK, Sample, WORK};
use wifibox_host::detect::answer::{Answer, Oracle};
use wifibox_host::detect::offer::{Offer, Wanted, offers};
use wifibox_host::detect::reason::Reason;
use wifibox_host::detect::table::{Kind, Table};
use wifibox_host::detect::{Card, read};
use wifibox_recipe::{Catalog, Sources};

const TABLE: &str = include_str!("../../../firmware-blobs/devices.tsv");

struct World {
    table: Table,
    offers: Vec<Offer>,
}

impl World {
    fn new() -> Self {
        let catalog = Catalog::load(&Sources::embedded()).unwrap_or_else(|error| panic!("{error}"));
        let table = Table::parse(TABLE).unwrap();
        let offers = offers(&catalog, &table, &Wanted::default()).unwrap_or_else(|e| panic!("{e}"));
        World { table, offers }
    }

    fn answers(&self, cards: &[Card]) -> Vec<Answer> {
        let (table, offers) = (&self.table, &self.offers[..]);
        let arguments = String::new();
        Oracle { table, offers, arguments, base: None, hypervisor: None }.answers(cards)
    }
}

fn flavors(answer: &Answer) -> Vec<&str> {
    answer.guests.iter().map(|guest| guest.flavor.as_str()).collect()
}

#[test]
fn every_card_gets_its_flavor_in_every_format() {
    let world = World::new();
    assert!(WORK.len() >= 60, "{}", WORK.len());
    let samples: Vec<Sample> = WORK.iter().map(|(id, _)| Sample::new(id)).collect();
    for (format, write) in writers::ALL {
        let text = write(&samples);
        let cards = read(&text).unwrap_or_else(|error| panic!("{format}: {error}\n{text}"));
        let answers = world.answers(&cards);
        assert_eq!(answers.len(), WORK.len(), "{format}: the Ethernet card is left out");
        for ((answer, sample), (id, flavor)) in answers.iter().zip(&samples).zip(WORK) {
            let known = flavors(answer);
            assert!(known.contains(&flavor), "{format}: {id}: {known:?} {:?}", answer.because);
            assert!(answer.id.to_string().starts_with(&sample.id.chip().to_string()), "{format}");
            if let Some(address) = answer.address {
                assert_eq!(address, sample.address, "{format}: {id}");
                let text = sample.address.bhyve().unwrap();
                let notations = answer.passthrough.iter();
                assert!(notations.clone().any(|n| n.text == format!("pptdevs=\"{text}\"")));
                assert!(notations.clone().any(|n| n.text.ends_with(&format!("host={address}"))));
            }
            let guest = answer.guests.iter().find(|guest| guest.flavor == flavor).unwrap();
            let device = format!(" --device {}", sample.id.chip());
            assert!(guest.command.contains(&device), "{format}: {}", guest.command);
            assert!(guest.modules.contains(&guest.driver), "{format}: {id}");
            assert!(!guest.firmware.is_empty() || flavor == "ath9k", "{format}: {id}");
        }
    }
}

#[test]
fn every_flavor_has_cards_here() {
    let world = World::new();
    let tested: BTreeSet<&str> = WORK.iter().map(|(_, flavor)| *flavor).collect();
    let mut all: BTreeSet<&str> = world.offers.iter().map(|offer| offer.flavor.as_str()).collect();
    // hwsim has no cards, default those of the others; wl has those of another test, and b43legacy those of b43, of which
    // only the card itself says which of the two drives it.
    all.retain(|flavor| !["hwsim", "default", "wl", "b43legacy"].contains(flavor));
    assert_eq!(tested, all);
}

#[test]
fn cards_that_cannot_work_get_their_reason() {
    let world = World::new();
    assert!(CANNOT_WORK.len() >= 10);
    for (text, code) in CANNOT_WORK {
        let cards = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let answers = world.answers(&cards);
        let [answer] = answers.as_slice() else { panic!("{text}: {answers:?}") };
        assert!(answer.guests.is_empty() && answer.passthrough.is_empty(), "{text}: {answer:?}");
        let reason = serde_json::to_value(answer.reason.as_ref().unwrap()).unwrap();
        assert_eq!(reason["code"], code, "{text}: {reason}");
        let because = answer.because.as_deref().unwrap();
        assert!(because.ends_with('.') && !answer.advice.is_empty(), "{text}: {because}");
    }
}

#[test]
fn a_radio_that_only_its_makers_driver_has_gets_the_base_that_has_it() {
    let world = World::new();
    for (text, chip) in BROADCOMS_OWN {
        let cards = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let answers = world.answers(&cards);
        let [answer] = answers.as_slice() else { panic!("{text}: {answers:?}") };
        let [guest] = answer.guests.as_slice() else { panic!("{text}: {answer:?}") };
        assert_eq!((guest.flavor.as_str(), guest.base.as_str()), ("wl", "wifibox"), "{text}");
        assert_eq!(
            (guest.chip.as_deref(), &guest.modules[..]),
            (Some(chip), &["wl".to_owned()][..])
        );
        assert_eq!(guest.command, "wifibox-build --flavor wl --base wifibox", "{text}");
        let on_wifibox = program(&["--base", "wifibox", &cards[0].ident.to_string()], "");
        let said = String::from_utf8_lossy(&on_wifibox.stdout).into_owned();
        assert!(said.contains("wl, not part of Linux"), "{said}");
        // Asked about a base that does not have it, the answer is where it is.
        let on_debian = program(&["--base", "debian", &cards[0].ident.to_string()], "");
        let said = String::from_utf8_lossy(&on_debian.stdout).into_owned();
        assert_eq!(on_debian.status.code(), Some(1), "{said}");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(chip) && said.contains("wl has one, on the base wifibox"), "{said}");
    }
}

#[test]
fn other_buses_name_the_driver_that_linux_has() {
    let world = World::new();
    for (text, driver) in [
        ("usb 0bda:8179", "rtl8xxxu"),
        ("Bus 002 Device 004: ID 148f:5370 Ralink Technology, Corp. RT5370", "rt2800usb"),
        ("usb:v0E8Dp7961d0100dcEFdsc02dp01icFFiscFFipFFin03", "mt7921u"),
        ("sdio:c00v02D0d4330", "brcmfmac"),
        ("pcmcia 0156:0002", "orinoco_cs"),
    ] {
        let answers = world.answers(&read(text).unwrap());
        let Some(Reason::OtherBus { drivers, .. }) = &answers[0].reason else { panic!("{text}") };
        assert!(drivers.iter().any(|known| known == driver), "{text}: {drivers:?}");
    }
}

#[test]
fn boards_count_where_drivers_tell_them_apart() {
    let world = World::new();
    let answer = |text: &str| world.answers(&read(text).unwrap()).remove(0);
    let known = answer("8086:08b1:8086:4070");
    assert_eq!(
        known.guests[0].command,
        "wifibox-build --flavor iwlwifi --device 8086:08b1:8086:4070"
    );
    let unsure = answer("8086:08b1");
    assert!(unsure.notes.iter().any(|note| note.contains("some of the boards")), "{unsure:?}");
    let other = answer("8086:08b1:1234:5678");
    assert!(matches!(other.reason, Some(Reason::OtherBoards { .. })), "{other:?}");
}

#[test]
fn an_unknown_kernel_is_trusted_with_what_all_known_ones_have() {
    let base = |base: Option<&str>, arguments: &[&str]| {
        let named = base.map(|base| ["--base", base]);
        let all: Vec<&str> = named.iter().flatten().chain(arguments).copied().collect();
        program(&[&["--json"], all.as_slice()].concat(), "")
    };
    let first = |run: &Output| {
        let value: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        value["cards"][0].clone()
    };
    // Only Linux 7.3 of the kernels in the table knows the D240: Debian has it where it is asked for, one that was
    // named and whose kernel is not in the table with a warning.
    let newest = first(&base(None, &["8086:d240"]));
    let command = newest["guests"][0]["command"].to_string();
    assert!(command.contains("--base debian --kernel backports --device 8086:d240"), "{newest}");
    assert_eq!(newest["guests"][0]["kernel"], "backports");
    let old = first(&base(Some("debian"), &["--release", "bookworm", "8086:d240"]));
    assert_eq!(old["reason"]["code"], "other-kernels");
    let named = first(&base(Some("alpine"), &["8086:d240"]));
    assert!(named["notes"].to_string().contains("only the build tells"), "{named}");
    let known = first(&base(Some("alpine"), &["8086:2725"]));
    assert!(known["notes"].to_string().contains("all kernels that were looked at"), "{known}");
    let debian = first(&base(Some("debian"), &["8086:2725"]));
    assert!(debian["guests"][0]["command"].to_string().contains(" --base debian "), "{debian}");
    assert_eq!(debian["notes"].to_string(), "[]");
}

#[test]
fn notes_say_what_stands_in_the_way() {
    let world = World::new();
    let text = "iwm0@pci0:0:20:3:\tclass=0x028000 rev=0x20 hdr=0x00 vendor=0x8086 device=0xa0f0 \
                subvendor=0x8086 subdevice=0x0074\n\
                ppt0@pci0:6:0:0:\tclass=0x028000 rev=0x1a hdr=0x00 vendor=0x8086 device=0x2725 \
                subvendor=0x8086 subdevice=0x0024\n";
    let answers = world.answers(&read(text).unwrap());
    let has = |answer: &Answer, part: &str| answer.notes.iter().any(|note| note.contains(part));
    assert!(has(&answers[0], "CNVi") && has(&answers[0], "iwm0 holds it"), "{answers:?}");
    assert!(has(&answers[1], "reserved for guests already") && !has(&answers[1], "CNVi"));
    let text =
        "00:14.2 0500: 8086:a0ef\n\tIOMMU group: 9\n00:14.3 0280: 8086:a0f0\n\tIOMMU group: 9\n";
    let answers = world.answers(&read(text).unwrap());
    assert!(has(&answers[0], "0000:00:14.2 is in its group"), "{answers:?}");
}

#[test]
fn the_table_is_as_its_generator_writes_it() {
    let table = Table::parse(TABLE).unwrap();
    assert!(table.to_string() == TABLE, "run cargo xtask devices again");
    let bases: Vec<_> = table.kernels.iter().filter_map(|kernel| kernel.of.as_deref()).collect();
    assert_eq!(bases, ["debian/bookworm", "debian/trixie", "debian/trixie/backports"]);
}

/// Modules of manifests that the table does not hold, and why.
const NOT_IN_THE_TABLE: [(&str, &str); 10] = [
    ("8821ce", "an out-of-tree driver of the base wifibox"),
    ("ipw2100", "Debian's kernels come without it; optional"),
    ("mt7603e", "Debian's kernels come without it; optional"),
    ("qrtr_mhi", "in net/qrtr, no wireless driver: what ath11k and ath12k talk through"),
    ("rtw_8723de", "out of tree: rtw88_8723de in the kernel"),
    ("rtw_8814ae", "out of tree: rtw88_8814ae in the kernel"),
    ("rtw_8821c", "out of tree: rtw88_8821c in the kernel"),
    ("rtw_8822be", "out of tree: rtw88_8822be in the kernel"),
    ("rtw_8822ce", "out of tree: rtw88_8822ce in the kernel"),
    ("wl", "Broadcom's own, an out-of-tree driver of the base wifibox"),
];

#[test]
fn the_modules_of_all_manifests_are_in_the_table() {
    let world = World::new();
    let known = world.table.modules();
    let excused: BTreeMap<&str, &str> = NOT_IN_THE_TABLE.into_iter().collect();
    let mut missing = BTreeSet::new();
    for offer in &world.offers {
        for drivers in &offer.drivers {
            let runtime = drivers.runtime_modules.iter().map(|module| module.name.as_str());
            let modules = drivers.modules.iter().map(String::as_str).chain(runtime);
            missing.extend(modules.filter(|module| !known.contains_key(module)).map(str::to_owned));
            // A driver of a flavor knows some device, or nothing would ever load it.
            for module in
                drivers.modules.iter().filter(|module| known.contains_key(module.as_str()))
            {
                let aliases = world.table.about(Kind::Alias, module).count();
                assert!(aliases > 0 || offer.flavor == "hwsim", "{}: {module}", offer.flavor);
            }
        }
    }
    assert_eq!(missing, excused.keys().map(|name| (*name).to_owned()).collect());
}

fn program(arguments: &[&str], input: &str) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), input).unwrap();
    let mut command = Command::new(wifibox_testkit::program());
    command.arg("detect").args(arguments);
    command.stdin(std::fs::File::open(file.path()).unwrap()).output().unwrap()
}

#[test]
fn the_program_says_by_its_exit_code_whether_there_is_a_guest() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let good = program(&["-"], "06:00.0 0280: 8086:2725 (rev 1a)\n");
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let out = text(&good.stdout);
    assert!(out.contains("wifibox-build --flavor iwlwifi --device 8086:2725"), "{out}");
    assert!(out.contains("pptdevs=\"6/0/0\"") && good.stderr.is_empty(), "{out}");

    let bad = program(&["-"], "Bus 001 Device 003: ID 0bda:8179 Realtek Semiconductor Corp. NIC\n");
    assert_eq!(bad.status.code(), Some(1), "{bad:?}");
    assert!(text(&bad.stdout).contains("rtl8xxxu") && !bad.stderr.is_empty());

    let none = program(&["-"], "00:1f.6 0200: 8086:15fc (rev 20)\n");
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert!(text(&none.stdout).contains("1 device, and none is a wireless card"));

    for (input, hint) in [
        ("what is this\n", "formats that are read:"),
        ("00:14.3 Network controller: Intel Corporation Wi-Fi 6 AX201 (rev 20)\n", "lspci -nnk"),
    ] {
        let unreadable = program(&["-"], input);
        assert_eq!(unreadable.status.code(), Some(2), "{unreadable:?}");
        assert!(text(&unreadable.stderr).contains(hint) && unreadable.stdout.is_empty());
    }
    assert_eq!(program(&["/nonexistent/file"], "").status.code(), Some(2));
}

#[test]
fn json_has_a_format_number_and_everything_else() {
    let run = program(&["--json", "8086:2725", "1ae9:0310", "--hypervisor", "xen"], "");
    let value: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&value["format"], &value["devices"]), (&1.into(), &2.into()));
    let guest = &value["cards"][0]["guests"][0];
    assert_eq!(
        guest["command"],
        "wifibox-build --flavor iwlwifi --hypervisor xen --device 8086:2725"
    );
    assert_eq!(value["cards"][1]["reason"]["code"], "no-flavor");
    let run = program(&["--json", "--hypervisor", "xen", "-"], "06:00.0 0280: 8086:2725\n");
    let value: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let notations = value["cards"][0]["passthrough"].as_array().unwrap();
    assert!(notations.len() == 2 && notations.iter().all(|n| n["hypervisor"] == "xen"));
}
