//! Guests and templates of vm-bhyve(8).
//!
//! Its reader takes lines that begin with a lower-case letter, cuts them at the first `#` even inside
//! quotation marks, and looks names up without saying which it did not know. Slots it counts itself
//! (its function `vm::run`): a host bridge on 0, an ISO image on 3, disks from 4, one slot for each
//! under UEFI (older versions attach no more than three there), then network cards, then cards of the host; LPC is on 31.
//! Devices that `bhyve_options` adds must stay clear of these.

use std::collections::BTreeMap;

use super::assignments::cards;
use super::vm_bhyve_lines::read;
use super::{Problem, did_you_mean};

/// Names without a number.
const NAMES: [&str; 62] = [
    "fwcfg",
    "grub_run_no_partition",
    "tags",
    "grub_run_dir",
    "grub_run_file",
    "ignore_msr",
    "limit_pcpu",
    "limit_rbps",
    "limit_riops",
    "limit_wbps",
    "limit_wiops",
    "nulliso_fix",
    "on_fault",
    "on_restart",
    "sound_play",
    "sound_rec",
    "xhci_mouse",
    "ahci_device_limit",
    "arch",
    "bhyve_options",
    "bhyveload_args",
    "bhyveload_loader",
    "comports",
    "cpu",
    "cpu_cores",
    "cpu_sockets",
    "cpu_threads",
    "debug",
    "graphics",
    "graphics_listen",
    "graphics_port",
    "graphics_res",
    "graphics_vga",
    "graphics_wait",
    "grub_run_partition",
    "guest",
    "guest_version",
    "hostbridge",
    "ignore_bad_msr",
    "ipxe",
    "linux_kernel",
    "loader",
    "loader_timeout",
    "memory",
    "nice",
    "notes",
    "poststop",
    "priority",
    "prestart",
    "start_slot",
    "install_slot",
    "sound",
    "stop_wait",
    "tpm",
    "uefi",
    "uefi_vars",
    "utctime",
    "uuid",
    "virt_consoles",
    "virt_random",
    "vnc_password",
    "wired_memory",
];
/// Names whose last part is numbered: `disk0_type`.
const NUMBERED: [(&str, &[&str]); 5] = [
    ("disk", &["_type", "_dev", "_name", "_opts", "_size"]),
    ("network", &["_type", "_switch", "_device", "_mac", "_span", "_name"]),
    ("passthru", &["", "_options"]),
    ("grub_run", &[""]),
    ("grub_install", &[""]),
];
/// Names of further programs' settings that templates have.
const PREFIXES: [&str; 4] = ["zfs_", "bhyveld_", "grub_", "virt_console"];
/// Disks that older versions attach under UEFI.
const UEFI_DISKS: usize = 3;

/// The problems of a file.
pub(super) fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let list = read(text, &mut problems);
    let mut values = BTreeMap::new();
    for assignment in &list {
        values.entry(assignment.name.as_str()).or_insert(assignment);
        if !is_known(&assignment.name) {
            let name = &assignment.name;
            let what = format!("vm-bhyve knows no {name}{}", did_you_mean(name, NAMES));
            problems.push(Problem::new(assignment.line, what).warning());
        }
    }
    let get = |name: &str| values.get(name).map(|a| (a.line, a.value.as_str()));
    for name in ["loader", "cpu", "memory", "disk0_type", "disk0_name"] {
        if get(name).is_none() && !(name == "loader" && get("uefi").is_some()) {
            let problem = Problem::new(0, format!("{name} is missing: the guest would not start"));
            // A guest may boot without a disk.
            problems.push(if name.starts_with("disk") { problem.warning() } else { problem });
        }
    }
    if let Some((line, memory)) = get("memory") {
        // bhyve reads it by expand_number(3), which lets a B follow the unit.
        let unit = memory.strip_suffix(['b', 'B']).unwrap_or(memory);
        let digits = unit.strip_suffix(|c: char| "KkMmGgTt".contains(c)).unwrap_or(unit);
        if unit != memory && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let what = format!("memory is {memory:?}: older versions of bhyve want it like 160M");
            problems.push(Problem::new(line, what).hint().from("expand_number(3)"));
        } else if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let what =
                format!("memory is {memory:?}: expected a whole number with M or G, like 160M");
            problems.push(Problem::new(line, what));
        }
    }
    if let Some((line, cpu)) = get("cpu")
        && !cpu.parse::<u16>().is_ok_and(|cpu| cpu > 0)
    {
        problems.push(Problem::new(line, format!("cpu is {cpu:?}: expected 1 or more")));
    }
    slots(&get, &mut problems);
    problems
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || NUMBERED.iter().any(|(start, ends)| {
            let Some(rest) = name.strip_prefix(start) else { return false };
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, end) = rest.split_at(digits);
            !number.is_empty() && ends.contains(&end)
        })
}

/// The slots that vm-bhyve takes, and those of `bhyve_options`.
fn slots<'a>(get: &impl Fn(&str) -> Option<(usize, &'a str)>, problems: &mut Vec<Problem>) {
    let mut taken: BTreeMap<(u8, u8), String> = BTreeMap::from([
        ((0, 0), "the host bridge".to_owned()),
        ((3, 0), "the ISO image".to_owned()),
        ((31, 0), "the LPC bridge".to_owned()),
    ]);
    let uefi = get("loader").is_some_and(|(_, loader)| loader.starts_with("uefi"))
        || get("uefi").is_some();
    let start: u8 = get("start_slot").and_then(|(_, slot)| slot.parse().ok()).unwrap_or(4);
    let (mut slot, mut number) = (start, 0_usize);
    while let (Some((line, _)), Some((_, _))) =
        (get(&format!("disk{number}_type")), get(&format!("disk{number}_name")))
    {
        if uefi && number == UEFI_DISKS {
            let what = format!("older versions of vm-bhyve attach {UEFI_DISKS} disks under UEFI");
            problems.push(Problem::new(line, what).hint());
        }
        // Without UEFI disks are functions of one slot.
        let place = if uefi {
            (slot, 0)
        } else {
            let eighth = u8::try_from(number / 8).unwrap_or(u8::MAX);
            (slot.saturating_add(eighth), u8::try_from(number % 8).unwrap_or_default())
        };
        taken.insert(place, format!("disk{number}"));
        number += 1;
        slot = if uefi { slot.saturating_add(1) } else { slot };
    }
    if !uefi && number > 0 {
        slot = taken.keys().map(|(slot, _)| *slot).filter(|slot| *slot < 31).max().unwrap_or(4) + 1;
    }
    let networks = (0_u8..8).take_while(|n| get(&format!("network{n}_type")).is_some()).count();
    for function in 0..u8::try_from(networks).unwrap_or_default() {
        taken.insert((slot, function), format!("network{function}"));
    }
    slot = slot.saturating_add(u8::from(networks > 0));
    if get("virt_random").is_some_and(|(_, value)| value == "yes") {
        taken.insert((slot, 0), "virt_random".to_owned());
        slot = slot.saturating_add(1);
    }
    let (mut function, mut number, mut last) = (0_u8, 0_usize, "");
    while let Some((line, card)) =
        get(&format!("passthru{number}")).filter(|(_, card)| !card.is_empty())
    {
        // `1/0/0=8:0` says where the guest has it.
        let (card, forced) = match card.split_once('=') {
            Some((card, place)) => (card, Some(place)),
            None => (card, None),
        };
        match cards(card) {
            Ok(list) if list.len() == 1 => {}
            Ok(_) => {
                problems.push(Problem::new(line, format!("passthru{number}: expected one card")))
            }
            Err(what) => problems.push(Problem::new(line, format!("passthru{number}: {what}"))),
        }
        if let Some(place) = forced {
            match super::bhyve::option_place(&format!("{place},passthru")) {
                Ok((_, slot, function)) => {
                    taken.insert((slot, function), format!("passthru{number}"));
                }
                Err(_) => {
                    let what = format!("passthru{number}: expected CARD=SLOT:FUNCTION");
                    problems.push(Problem::new(line, what));
                }
            }
            number += 1;
            continue;
        }
        let of = card.split('/').next().unwrap_or_default();
        if !last.is_empty() && last != of {
            slot = slot.saturating_add(1);
            function = 0;
        }
        taken.insert((slot, function), format!("passthru{number}"));
        (last, number, function) = (of, number + 1, function.saturating_add(1));
    }
    if number > 0 && get("wired_memory").is_none_or(|(_, value)| value != "yes") {
        let line = get("passthru0").map_or(0, |(line, _)| line);
        let what = "passthru0 needs wired_memory=\"yes\": not every version of vm-bhyve adds it";
        problems.push(Problem::new(line, what).warning());
    }
    further(get, taken, problems);
}

/// The devices of `bhyve_options`, which must stay clear of the slots taken.
fn further<'a>(
    get: &impl Fn(&str) -> Option<(usize, &'a str)>,
    mut taken: BTreeMap<(u8, u8), String>,
    problems: &mut Vec<Problem>,
) {
    let Some((line, options)) = get("bhyve_options") else { return };
    // Several disks share a controller, where this is set: places are not what was counted.
    if get("ahci_device_limit").is_some_and(|(_, limit)| limit != "1") {
        return;
    }
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix("-s") else { continue };
        let value = if rest.is_empty() { words.next().unwrap_or_default() } else { rest };
        match super::bhyve::option_place(value) {
            Err(what) => problems.push(Problem::new(line, what)),
            Ok((_, slot, function)) => {
                if let Some(other) = taken.insert((slot, function), value.to_owned()) {
                    let what = format!(
                        "two devices in one place: {slot}:{function} is {other}, and {value}"
                    );
                    problems.push(Problem::new(line, what));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "\
loader=\"uefi\"
cpu=\"1\"
memory=\"160M\"
wired_memory=\"yes\"
disk0_type=\"virtio-blk\"
disk0_dev=\"custom\"
disk0_name=\"/images/esp.img\"
disk1_type=\"virtio-blk\"
disk1_name=\"root.img\"
network0_type=\"e1000\"
network0_switch=\"wifibox\"
passthru0=\"3/0/0\"
bhyve_options=\"-S -s 24:0,virtio-9p,config=/etc/config,ro -s 24:1,virtio-9p,var=/var/x\"
";

    #[test]
    fn a_template_is_sound() {
        assert_eq!(lint(SOUND), []);
    }

    #[test]
    fn each_mistake_is_found() {
        for (old, new, words) in [
            ("-s 24:1", "-s 24:0", "two devices in one place: 24:0"),
            ("-s 24:0", "-s 4", "4:0 is disk0"),
            ("-s 24:0", "-s 5:0", "5:0 is disk1"),
            ("-s 24:0", "-s 6:0", "6:0 is network0"),
            ("-s 24:0", "-s 7:0", "7:0 is passthru0"),
            ("-s 24:0", "-s 31", "31:0 is the LPC bridge"),
            ("-s 24:0", "-s 32:0", "slots go to 31"),
            ("-s 24:0", "-s 24:8", "functions go to 7"),
            ("wired_memory=\"yes\"\n", "", "needs wired_memory"),
            ("memory=\"160M\"", "memory=\"160MB\"", "like 160M"),
            ("cpu=\"1\"", "cpu=\"0\"", "expected 1 or more"),
            ("cpu=\"1\"", "cpus=\"1\"", "did you mean cpu?"),
            ("cpu=\"1\"", "Cpu=\"1\"", "passes over it"),
            ("/images/esp.img", "/images/#1/esp.img", "begins a comment"),
            ("\"3/0/0\"", "\"pci0:3:0:0\"", "is no card"),
            ("\"3/0/0\"", "\"3/0/0 4/0/0\"", "expected one card"),
            ("loader=\"uefi\"\n", "", "loader is missing"),
            ("disk0_name=\"/images/esp.img\"\n", "", "disk0_name is missing"),
            (
                "network0_type",
                "disk2_type=\"a\"\ndisk2_name=\"b\"\ndisk3_type=\"a\"\ndisk3_name=\"b\"\nnetwork0_type",
                "attach 3 disks under UEFI",
            ),
        ] {
            assert!(SOUND.contains(old), "{old}");
            let problems = lint(&SOUND.replacen(old, new, 1));
            assert!(problems.iter().any(|p| p.what.contains(words)), "{new}: {problems:?}");
        }
    }
}
