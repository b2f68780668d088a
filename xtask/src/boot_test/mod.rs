//! `cargo xtask boot-test DIR`: boots the guest of an output folder in QEMU and shows, without a
//! radio and without privileges, that it does its work.
//!
//! The guest must be of the flavor `hwsim`, which simulates two radios: one is the guest's, the other
//! plays the rest of the world ([`station`], [`access_point`]). The host behind `eth0` is a network
//! stack inside this process ([`network`]). Prints a line for each step with the seconds since
//! QEMU's start, then PASS or FAIL.

mod access_point;
mod network;
mod qemu;
mod report;
mod session;
mod station;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use wifibox_build::host::boot::{Acceleration, Console, GuestDescription, Nic};
use wifibox_build::host::shares::{self, Share};

use network::Host;
use report::Report;
use session::Session;
use wire::{Carrier, Datagrams, Wire};

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
    /// Memory of the guest in MiB.
    #[arg(long, value_name = "MB", default_value_t = 256)]
    memory: u32,
    /// What the guest is [default: what manifest.json says].
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// How long a step may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 240)]
    timeout: u64,
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
}

/// What the guest does with its radio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Role {
    /// Joins networks.
    Station,
    /// Opens a network.
    AccessPoint,
}

/// The folders of one run.
pub struct Setup {
    /// The share `config`.
    config: PathBuf,
    /// The share `app_config`.
    application: PathBuf,
    /// The share `e2e`.
    exchange: PathBuf,
    /// All shares.
    shares: Vec<Share>,
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
        Some(range) => smallest_memory(args, range),
        None => boot(args, args.memory, args.json).map(|report| {
            if args.json {
                print_json(&report);
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

/// One run with `memory` MiB. An error means that it could not be started at all.
fn boot(args: &Args, memory: u32, quiet: bool) -> Result<Report, String> {
    let role = match args.role {
        Some(role) => role,
        None => manifest_role(&args.dir)?,
    };
    let mut guest = GuestDescription::of_output(&args.dir).map_err(|error| error.to_string())?;
    if args.uefi {
        guest.firmware = qemu::find_firmware()?;
    }
    // The names of unix sockets are short: this folder's must be, too.
    let scratch = tempfile::Builder::new()
        .prefix("wifibox-boot-")
        .disable_cleanup(args.keep)
        .tempdir()
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let folder = scratch.path();
    let setup = lay_out(&args.dir, folder)?;
    match role {
        Role::Station => station::prepare(&setup)?,
        Role::AccessPoint => access_point::prepare(&setup)?,
    }

    let carrier: Box<dyn Carrier>;
    (carrier, guest.nic) = connect(args.tap, folder)?;
    guest.memory = memory;
    guest.acceleration = qemu::find_acceleration();
    guest.shares = setup.shares;
    guest.console = Console::Plain;
    guest.monitor = Some(folder.join("qmp"));
    guest.no_reboot = true;

    let report = Report {
        version: 1,
        role: if role == Role::Station { "station" } else { "access-point" },
        firmware: if args.uefi { "uefi" } else { "direct" },
        memory,
        acceleration: if guest.acceleration == Acceleration::Kvm { "kvm" } else { "tcg" },
        steps: Vec::new(),
        first_packet: None,
        failure: None,
        quiet,
    };
    let log = folder.join("console.log");
    let mut session = Session {
        qemu: qemu::Qemu::start(&guest, &log, &folder.join("qemu.log"))?,
        host: Host::new(Wire::new(carrier)),
        report,
        exchange: setup.exchange,
        limit: Duration::from_secs(args.timeout),
    };
    let outcome = match role {
        Role::Station => station::run(&mut session),
        Role::AccessPoint => access_point::run(&mut session),
    };
    if let (false, Some(seconds)) = (quiet, session.report.first_packet) {
        println!("first packet: {seconds:.2} s after QEMU's start");
    }
    if let Err(failure) = outcome {
        if !quiet {
            println!("failed: {failure}\n--- the console's last lines:");
            for line in session.qemu.console_end(40) {
                println!("{line}");
            }
            println!("--- the whole log: {}", keep_log(&log, scratch)?.display());
        }
        session.report.failure = Some(failure);
    } else if args.keep {
        println!("kept: {}", folder.display());
    }
    Ok(session.report)
}

/// Saves the console's log of a failed run from the removal of its folder.
fn keep_log(log: &Path, scratch: tempfile::TempDir) -> Result<PathBuf, String> {
    let kept = scratch.keep();
    let name = log.file_name().unwrap_or_default();
    Ok(kept.join(name))
}

/// The role in the output folder's manifest.
fn manifest_role(folder: &Path) -> Result<Role, String> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        role: String,
    }
    let path = folder.join("manifest.json");
    let text = fs::read_to_string(&path).map_err(|error| {
        format!("cannot read {}, and no --role is given: {error}", path.display())
    })?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    match manifest.role.as_str() {
        "station" => Ok(Role::Station),
        "access-point" => Ok(Role::AccessPoint),
        other => Err(format!("{} has the unknown role {other:?}: give --role", path.display())),
    }
}

/// Fresh shares in `folder`: the output's samples, and the exchange folder.
fn lay_out(output: &Path, folder: &Path) -> Result<Setup, String> {
    let mut shares = shares::prepare(output, folder).map_err(|error| error.to_string())?;
    let named = |tag: &str| shares.iter().find(|share| share.tag == tag);
    let (Some(config), Some(application)) = (named("config"), named("app_config")) else {
        return Err("the output folder lays out no shares `config` and `app_config`".to_owned());
    };
    let (config, application) = (config.folder.clone(), application.folder.clone());
    let exchange = folder.join("e2e");
    // Made here, so that the guest's files have the folder's owner.
    fs::create_dir_all(exchange.join("out"))
        .map_err(|error| format!("cannot make {}: {error}", exchange.display()))?;
    shares.push(Share::new("e2e", exchange.clone(), false));
    Ok(Setup { config, application, exchange, shares })
}

/// The cable to the guest: this side's end and the guest's.
fn connect(tap: bool, folder: &Path) -> Result<(Box<dyn Carrier>, Nic), String> {
    if tap {
        return connect_tap();
    }
    let (own, guest) = (folder.join("host.sock"), folder.join("guest.sock"));
    let carrier = Datagrams::new(&own, &guest)
        .map_err(|error| format!("cannot make the socket {}: {error}", own.display()))?;
    Ok((Box::new(carrier), Nic::Datagram { local: guest, remote: own }))
}

#[cfg(target_os = "linux")]
fn connect_tap() -> Result<(Box<dyn Carrier>, Nic), String> {
    let name = format!("wfb{}", std::process::id() % 1_000_000);
    let carrier = wire::Tap::new(&name)?;
    Ok((Box::new(carrier), Nic::Tap { name }))
}

#[cfg(not(target_os = "linux"))]
fn connect_tap() -> Result<(Box<dyn Carrier>, Nic), String> {
    Err("--tap works on Linux only".to_owned())
}

/// Adds text to a file of the shares.
fn append(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot extend {}: {error}", path.display());
    let mut whole = fs::read_to_string(path).map_err(failed)?;
    whole.push_str(text);
    fs::write(path, whole).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        assert_eq!(parse_range("64..128"), Ok((64, 128)));
        for bad in ["", "64", "128..64", "0..8", "a..b"] {
            assert!(parse_range(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_role_comes_from_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        fs::write(&path, r#"{"version":1,"role":"access-point"}"#).unwrap();
        assert_eq!(manifest_role(folder.path()), Ok(Role::AccessPoint));
        fs::write(&path, r#"{"role":"toaster"}"#).unwrap();
        assert!(manifest_role(folder.path()).unwrap_err().contains("toaster"));
    }
}
