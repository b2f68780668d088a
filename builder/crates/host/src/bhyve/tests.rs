//! The files for bhyve against each other and against the linter.

use std::collections::BTreeMap;

use super::*;
use crate::Overrides;
use crate::lint::bhyve::Config;
use crate::overrides::parse_address;
use crate::sample::guest;

fn texts(guest: &Guest) -> BTreeMap<String, String> {
    let files = files(guest).unwrap();
    files
        .into_iter()
        .map(|file| (file.path.clone(), String::from_utf8(file.contents).unwrap()))
        .collect()
}

/// Guests as different as they come.
fn guests() -> Vec<Guest> {
    let cards = ["3/0/0", "0000:0a:14.3"].map(|text| parse_address(text).unwrap()).to_vec();
    let mut list = Vec::new();
    for architecture in ["x86_64", "aarch64"] {
        for role in ["station", "access-point"] {
            for overrides in [
                Overrides::default(),
                Overrides { passthru: cards.clone(), vcpus: Some(2), ..Overrides::default() },
                Overrides { configuration_disk: true, persistent: true, ..Overrides::default() },
                Overrides {
                    persistent: true,
                    uplink: Some("br0".to_owned()),
                    ..Overrides::default()
                },
            ] {
                let mut guest = guest();
                architecture.clone_into(&mut guest.architecture);
                role.clone_into(&mut guest.role);
                if architecture == "x86_64" || overrides.passthru.is_empty() {
                    list.push(overrides.apply(&guest).unwrap());
                }
            }
        }
    }
    list
}

#[test]
fn every_file_is_sound() {
    for guest in guests() {
        for (path, text) in texts(&guest) {
            assert!(text.starts_with('#'), "{path}");
            assert!(text.contains("For ") || text.contains("Runs "), "{path}");
            if let Some(kind) = lint::Kind::guess(&path, text.as_bytes()) {
                assert_eq!(lint::lint(kind, text.as_bytes()), [], "{path}:\n{text}");
            } else {
                assert!(text.starts_with("#!/bin/sh"), "{path} is not checked by anything");
            }
        }
    }
}

/// The variables that options of bhyve stand for, by the rules of bhyve(8) and its parsers of
/// old-style options.
fn of_options(command: &str) -> BTreeMap<String, String> {
    let mut set = BTreeMap::new();
    let mut words = command.split_whitespace().filter(|word| *word != "\\");
    while let Some(word) = words.next() {
        let mut put = |key: &str, value: &str| set.insert(key.to_owned(), value.to_owned());
        match word {
            "-c" => drop(put("cpus", words.next().unwrap())),
            "-m" => drop(put("memory.size", words.next().unwrap())),
            "-AHPSuw" => {
                put("acpi_tables", "true");
                put("x86.vmexit_on_hlt", "true");
                put("x86.vmexit_on_pause", "true");
                put("memory.wired", "true");
                put("rtc.use_localtime", "false");
                put("x86.strictmsr", "false");
            }
            "-l" => {
                let (device, rest) = words.next().unwrap().split_once(',').unwrap();
                let key = if device == "bootrom" { "lpc.bootrom" } else { "lpc.com1.path" };
                put(key, rest);
            }
            "-o" => {
                let (key, value) = words.next().unwrap().split_once('=').unwrap();
                put(key, value);
            }
            "-s" => {
                let value = words.next().unwrap();
                let (bus, slot, function) = lint::bhyve::option_place(value).unwrap();
                let node = format!("pci.{bus}.{slot}.{function}");
                let mut parts = value.split(',').skip(1);
                let device = parts.next().unwrap();
                put(&format!("{node}.device"), device);
                for part in parts {
                    match (device, part.split_once('=')) {
                        (_, None) if part == "ro" => drop(put(&format!("{node}.ro"), "true")),
                        ("virtio-9p", Some((tag, path))) => {
                            put(&format!("{node}.sharename"), tag);
                            put(&format!("{node}.path"), path);
                        }
                        ("passthru", _) => {
                            for (name, number) in
                                ["bus", "slot", "func"].iter().zip(part.split('/'))
                            {
                                put(&format!("{node}.{name}"), number);
                            }
                        }
                        ("virtio-blk", _) => drop(put(&format!("{node}.path"), part)),
                        ("e1000" | "virtio-net", _) => drop(put(&format!("{node}.backend"), part)),
                        other => panic!("{other:?}"),
                    }
                }
            }
            "\"$name\"" => drop(put("name", "\"$name\"")),
            other => panic!("{other}"),
        }
    }
    set
}

#[test]
fn the_command_line_says_what_the_configuration_says() {
    for guest in guests() {
        let texts = texts(&guest);
        let config = Config::parse(&texts["bhyve/wifibox.config"]).0;
        let machine = Machine::of(&guest).unwrap();
        let command = run::command(&guest, &machine);
        assert!(texts["bhyve/run.sh"].contains(&command));
        let filled = command
            .replace("\"$firmware\"", machine.firmware)
            .replace("\"$console\"", "stdio")
            .replace("\"$tap\"", "tap0");
        let mut options = of_options(&filled);
        options.insert("name".to_owned(), guest.name.clone());
        for (key, value) in &options {
            assert_eq!(config.get(key), Some(value.as_str()), "{key}");
        }
        let keys = texts["bhyve/wifibox.config"].lines().filter(|line| !line.starts_with('#'));
        for key in keys.filter_map(|line| line.split_once('=')).map(|(key, _)| key) {
            assert!(options.contains_key(key), "{key} is not on the command line:\n{command}");
        }
    }
}

#[test]
fn the_slots_are_those_of_the_contract() {
    let overrides =
        Overrides { passthru: vec![parse_address("3/0/0").unwrap()], ..Overrides::default() };
    let texts = texts(&overrides.apply(&guest()).unwrap());
    let config = Config::parse(&texts["bhyve/wifibox.config"]).0;
    let places: Vec<String> = config
        .devices()
        .iter()
        .map(|device| format!("{}:{} {}", device.slot, device.function, device.model))
        .collect();
    assert_eq!(
        places,
        [
            "0:0 hostbridge",
            "4:0 virtio-blk",
            "4:1 virtio-blk",
            "4:2 virtio-9p",
            "4:3 virtio-9p",
            "4:4 virtio-9p",
            "5:0 e1000",
            "6:0 passthru",
            "31:0 lpc",
        ]
    );
    assert!(texts["bhyve/bhyve.conf"].contains("\npassthru=\"3/0/0\"\n"));
    assert!(texts["bhyve/bhyve.conf"].contains("\nmemory=160M\n"));
    assert!(texts["bhyve/loader.conf"].contains("\npptdevs=\"3/0/0\"\n"));
    assert!(texts["bhyve/rc.conf"].contains("if_iwlwifi"));
    assert!(texts["bhyve/vm-bhyve.conf"].contains("\npassthru0=\"3/0/0\"\n"));
    assert!(texts["bhyve/vm-bhyve.conf"].contains("-s 24:0,virtio-9p,config="));
}

#[test]
fn wifibox_core_gets_no_files_for_what_it_cannot_do() {
    let overrides = Overrides { persistent: true, ..Overrides::default() };
    let texts = texts(&overrides.apply(&guest()).unwrap());
    assert!(!texts.contains_key("bhyve/bhyve.conf") && texts.contains_key("bhyve/wifibox.config"));
    assert!(!texts["bhyve/rc.conf"].contains("wifibox_enable"));
}

#[test]
fn what_cannot_be_is_refused() {
    let fails = |change: &dyn Fn(&mut Guest), words: &str| {
        let mut guest = guest();
        change(&mut guest);
        let message = files(&guest).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    fails(&|guest| guest.passthru = vec![parse_address("0001:03:00.0").unwrap()], "PCI domain");
    fails(
        &|guest| {
            guest.architecture = "aarch64".to_owned();
            guest.passthru = vec![parse_address("3/0/0").unwrap()];
        },
        "x86_64 only",
    );
    fails(
        &|guest| {
            let share = guest.shares[0].clone();
            for number in 0..40 {
                let tag = format!("more{number}");
                guest.shares.push(wifibox_ground::guest::Share { tag, ..share.clone() });
            }
        },
        "more disks and shares",
    );
}

#[test]
fn the_shell_accepts_the_scripts() {
    let folder = tempfile::tempdir().unwrap();
    for guest in guests() {
        for (path, text) in texts(&guest) {
            if text.starts_with("#!") {
                let file = folder.path().join("script");
                std::fs::write(&file, text).unwrap();
                let status =
                    std::process::Command::new("sh").arg("-n").arg(&file).status().unwrap();
                assert!(status.success(), "{path}");
            }
        }
    }
}
