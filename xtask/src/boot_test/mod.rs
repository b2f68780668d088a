//! `cargo xtask boot-test DIR`: boots the guest of an output folder in QEMU and shows, without a
//! radio and without privileges, that it does its work.
//!
//! The guest must be of the flavor `hwsim`, which simulates two radios: one is the guest's, the other
//! plays the rest of the world ([`station`], [`access_point`]). The host behind `eth0` is a network
//! stack inside this process ([`network`]). With `--load-modules` a guest of any flavor loads all its
//! kernel modules instead ([`modules`]); with `--wired` the way out is a second wired card ([`wired`]); with
//! `--throughput` the way through the guest is measured ([`throughput`]); with
//! `--power-cut` a guest that keeps its settings is booted twice ([`power_cut`]); with `--pinned` others try to change what an
//! access point does on the air ([`pinned`]). Prints a line for each step with the
//! seconds since QEMU's start, then PASS or FAIL.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore prints")]

pub mod access_point;
mod approach;
mod as_bhyve;
mod ipv6;
mod mishaps;
mod modules;
mod network;
mod pinned;
mod power_cut;
mod qemu;
mod report;
mod run;
mod scan;
#[cfg(test)]
mod scripts;
pub mod session;
pub mod setup;
mod station;
mod throughput;
mod tools;
mod transfer;
mod trials;
mod uci;
mod wanted;
mod watch;
mod wire;
mod wired;

use std::path::PathBuf;
use std::process::ExitCode;

use run::boot;

/// Memory of the guest where nothing else is said, in MiB.
const MEMORY: u32 = 256;
/// Memory is searched in steps of this many MiB.
const STEP: u32 = 8;

/// Boot a guest with simulated radios and check that it works.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Output folder of a build of the flavor hwsim.
    dir: PathBuf,
    /// Boot by UEFI firmware from esp.img; otherwise QEMU loads the kernel directly.
    #[arg(long)]
    uefi: bool,
    /// Boot by UEFI in the machine that host/bhyve/wifibox.config of the output describes: QEMU
    /// dressed as bhyve.
    #[arg(long, conflicts_with_all = ["uefi", "smallest_memory", "load_modules"])]
    as_bhyve: bool,
    /// With --as-bhyve: the machine of this file of bhyve_config(5) instead, with the images and the
    /// folders that it names.
    #[arg(long, value_name = "FILE", requires = "as_bhyve")]
    machine: Option<PathBuf>,
    /// Memory of the guest in MiB [default: 256, with --as-bhyve what the output says].
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    /// Kind of the guest [default: the one in manifest.json].
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// How long a step may take, in seconds that QEMU computes, or in twice as many that pass.
    #[arg(long, value_name = "SECONDS", default_value_t = 240)]
    timeout: u64,
    /// Load every kernel module of the guest instead, whatever its flavor: no radio is needed.
    #[arg(long)]
    load_modules: bool,
    /// Give the guest a second wired card as its way out instead, whatever its flavor: it is built with
    /// --with wired, and no radio is needed.
    #[arg(long, conflicts_with_all = ["as_bhyve", "config_disk", "smallest_memory", "load_modules", "power_cut", "trials"])]
    wired: bool,
    /// Hand the guest its configuration on a disk instead of by 9P.
    #[arg(long)]
    config_disk: bool,
    /// Boot a guest with a disk of its own (--persistent) twice: a setting is made, the power fails, and
    /// after the next start the setting is there.
    #[arg(long, conflicts_with_all = ["as_bhyve", "config_disk", "smallest_memory", "load_modules"])]
    power_cut: bool,
    /// After the station has joined, put it through what happens to guests: other networks, wrong
    /// passwords, a card that goes away, files that are wrong.
    #[arg(long, conflicts_with_all = ["as_bhyve", "config_disk", "smallest_memory", "load_modules", "power_cut"])]
    trials: bool,
    /// After the station has joined, put what is in the way of guests in its way: a portal, a full disk, a share that vanishes,
    /// a second radio, another access point of the same name, a network without DHCP.
    #[arg(long, conflicts_with_all = ["as_bhyve", "uefi", "config_disk", "smallest_memory", "load_modules", "power_cut", "trials"])]
    mishaps: bool,
    /// Boot without a wireless card, which comes later.
    #[arg(long, conflicts_with_all = ["as_bhyve", "uefi", "config_disk", "smallest_memory", "load_modules", "power_cut", "trials", "mishaps"])]
    late_card: bool,
    /// After the station has joined, measure what the way through it costs, with each network card: TCP both ways, beside the
    /// radio alone, in processor time, too.
    #[arg(long, conflicts_with_all = ["as_bhyve", "uefi", "config_disk", "smallest_memory", "load_modules", "power_cut", "trials", "mishaps", "late_card", "timeline"])]
    throughput: bool,
    /// The access point is one whose recipe pins country, channels and power (ci/pinned): its host and its neighbours try to
    /// change them.
    #[arg(long, conflicts_with_all = ["config_disk", "smallest_memory", "load_modules", "power_cut", "trials", "mishaps", "late_card", "throughput", "wired"])]
    pinned: bool,
    /// The network card of the machine.
    #[arg(long, value_enum, default_value_t = Card::Own, conflicts_with = "as_bhyve")]
    nic: Card,
    /// Keep the folder with shares and logs.
    #[arg(long)]
    keep: bool,
    /// Connect by a tap interface (Linux, root) instead of unix sockets.
    #[arg(long)]
    tap: bool,
    /// Find the smallest memory in this range (MiB, in steps of 8) with which everything passes.
    #[arg(long, value_name = "FROM..TO", value_parser = parse_range)]
    smallest_memory: Option<(u32, u32)>,
    /// Print a summary as JSON instead of the steps.
    #[arg(long)]
    json: bool,
    /// Write the steps over time as a page for a browser.
    #[arg(long, value_name = "FILE", conflicts_with = "smallest_memory")]
    timeline: Option<PathBuf>,
}

/// The guest's use of its radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Joins networks.
    Station,
    /// Opens a network.
    AccessPoint,
}

/// The network card that is the cable to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Card {
    /// The hardware of machines of the guest's kind.
    Own,
    /// An Intel 82540EM.
    E1000,
    /// A paravirtual one.
    VirtioNet,
}

impl Card {
    /// Its name in reports.
    fn name(self) -> &'static str {
        match self {
            Self::Own => "the machine's own card",
            Self::E1000 => "e1000",
            Self::VirtioNet => "virtio-net",
        }
    }

    /// QEMU's arguments with this card in the place of the machine's own.
    fn dress(self, mut arguments: Vec<String>) -> Result<Vec<String>, String> {
        let wanted = match self {
            Self::Own => return Ok(arguments),
            Self::E1000 => "e1000",
            Self::VirtioNet => "virtio-net-pci",
        };
        let card = arguments.iter_mut().find(|argument| argument.contains(",netdev="));
        let card = card.ok_or("the machine has no network card")?;
        let rest = card.split_once(',').map_or("", |(_, rest)| rest);
        *card = format!("{wanted},{rest}");
        Ok(arguments)
    }
}

fn parse_range(text: &str) -> Result<(u32, u32), String> {
    let (from, to) = text.split_once("..").ok_or("write FROM..TO, like 64..128")?;
    let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text:?}: {error}"));
    let (from, to) = (number(from)?, number(to)?);
    if from == 0 || from > to {
        return Err(format!("{from}..{to} is an empty range"));
    }
    Ok((from, to))
}

/// Runs the chore; prints to standard output.
pub fn run(args: &Args) -> ExitCode {
    let outcome = match args.smallest_memory {
        _ if args.throughput => throughput_of_cards(args),
        Some(range) => smallest_memory(args, range),
        None => boot(args, args.memory.unwrap_or(MEMORY), args.json).map(|report| {
            if args.json {
                print_json(&report);
            }
            if let Some(path) = &args.timeline
                && let Err(error) = std::fs::write(path, report.page(&args.dir))
            {
                eprintln!("boot-test: cannot write {}: {error}", path.display());
            }
            report.passed()
        }),
    };
    match outcome {
        Ok(passed) => {
            if !args.json {
                println!("{}", if passed { "PASS" } else { "FAIL" });
            }
            if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("boot-test: {message}");
            ExitCode::FAILURE
        }
    }
}

fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("boot-test: no summary: {error}"),
    }
}

/// Measures each card, and prints what they cost beside the radio alone. Gives back whether all passed.
fn throughput_of_cards(args: &Args) -> Result<bool, String> {
    let cards = match args.nic {
        Card::Own => vec![Card::E1000, Card::VirtioNet],
        card => vec![card],
    };
    let mut all = vec![throughput::without_guest()?];
    for card in cards {
        let report =
            boot(&Args { nic: card, ..args.clone() }, args.memory.unwrap_or(MEMORY), args.json)?;
        if let Some(failure) = &report.failure {
            eprintln!("boot-test: {}: {failure}", card.name());
            return Ok(false);
        }
        all.extend(report.throughput);
    }
    if args.json {
        print_json(&all);
    } else {
        print!("{}", transfer::table(&args.dir, &all));
    }
    Ok(true)
}

/// Halves the range until the smallest memory that passes is known.
fn smallest_memory(args: &Args, (from, to): (u32, u32)) -> Result<bool, String> {
    let sizes: Vec<u32> = (from..=to).step_by(STEP as usize).collect();
    let (mut low, mut high, mut found) = (0, sizes.len(), None);
    // Invariant: everything below `low` fails, and `found` is the size at `high`.
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(&memory) = sizes.get(middle) else { break };
        let report = boot(args, memory, true)?;
        if !args.json {
            let ending = report.failure.as_deref().unwrap_or("passes");
            println!("{memory:5} MB: {}", ending.lines().next().unwrap_or_default());
        }
        if report.passed() {
            high = middle;
            found = Some(memory);
        } else {
            low = middle + 1;
        }
    }
    match found {
        Some(memory) if args.json => print_json(&serde_json::json!({"smallest_memory": memory})),
        Some(memory) => println!("smallest memory that passes: {memory} MB"),
        None => println!("nothing in {from}..{to} MB passes"),
    }
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_card_takes_the_place_of_the_machines_own() {
        let line =
            || vec!["-device".to_owned(), "e1000,netdev=net,mac=02:00:00:00:00:01".to_owned()];
        assert_eq!(
            Card::VirtioNet.dress(line()).unwrap()[1],
            "virtio-net-pci,netdev=net,mac=02:00:00:00:00:01"
        );
        assert_eq!(Card::Own.dress(line()).unwrap(), line());
        assert!(Card::E1000.dress(Vec::new()).is_err());
    }

    #[test]
    fn ranges_are_checked() {
        assert_eq!(parse_range("64..128"), Ok((64, 128)));
        for bad in ["", "64", "128..64", "0..8", "a..b"] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }
}
