//! One run of a guest: its shares, its machine, its cable, and the steps of its role.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wifibox_ground::guest::{CONFIGURATION_FILE, Guest, Purpose};
use wifibox_host::config_disk::Content;
use wifibox_host::qemu::{Acceleration, Board, Console, Disk, Firmware, Machine, Nic};
use wifibox_host::shares::{self, Share};

use super::network::Host;
use super::report::Report;
use super::session::Session;
use super::setup::Setup;
use super::wanted::Wanted;
use super::wire::{Carrier, Datagrams, Wire};
use super::{
    Args, Role, access_point, as_bhyve, mishaps, modules, pinned, power_cut, qemu, station,
    throughput, trials, wired,
};

/// The boots of a run: those after the first find its disk again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boot {
    /// The only one.
    Only,
    /// A setting is made; then the power fails.
    Before,
    /// The setting is there.
    After,
}

/// One run with `memory` MiB. An error means that it could not be started at all.
pub fn boot(args: &Args, memory: u32, quiet: bool) -> Result<Report, String> {
    // The names of unix sockets are short: this folder's must be, too.
    let scratch = tempfile::Builder::new()
        .prefix("wifibox-boot-")
        .disable_cleanup(args.keep)
        .tempdir()
        .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    let state = scratch.path().to_owned();
    let report = if args.power_cut {
        let before = boot_once(args, memory, quiet, Boot::Before, &state)?;
        if before.passed() { boot_once(args, memory, quiet, Boot::After, &state)? } else { before }
    } else {
        boot_once(args, memory, quiet, Boot::Only, &state)?
    };
    if !report.passed() {
        let kept = scratch.keep();
        if !quiet {
            println!("--- shares and logs: {}", kept.display());
        }
    } else if args.keep {
        println!("kept: {}", state.display());
    }
    Ok(report)
}

/// Adds what the steps of this run need to the guest's shares.
fn prepare(args: &Args, role: Role, boot: Boot, bhyve: bool, setup: &Setup) -> Result<(), String> {
    match role {
        _ if args.load_modules => modules::prepare(&args.dir, setup)?,
        _ if args.wired => wired::prepare(setup)?,
        Role::Station if args.trials => trials::prepare(setup)?,
        Role::Station if args.mishaps => mishaps::prepare(setup)?,
        Role::Station if args.late_card => mishaps::prepare_late(setup)?,
        Role::Station if args.throughput => throughput::prepare(setup)?,
        Role::Station => station::prepare(setup)?,
        Role::AccessPoint if args.pinned => pinned::prepare(setup)?,
        Role::AccessPoint => access_point::prepare(setup)?,
    }
    if bhyve {
        as_bhyve::Machine::prepare(setup)?;
    }
    if boot != Boot::Only {
        power_cut::prepare(setup)?;
    }
    Ok(())
}

/// Gives the guest the number of simulated radios that the steps need.
fn with_radios(args: &Args, firmware: &mut Firmware) {
    let radios = match args {
        Args { mishaps: true, .. } => Some(mishaps::RADIOS),
        Args { late_card: true, .. } => Some(mishaps::NO_RADIO),
        _ => None,
    };
    if let (Some(radios), Firmware::Direct { command_line, .. }) = (radios, firmware) {
        *command_line += &format!(" {radios}");
    }
}

/// QEMU's arguments, with those of a second wired card where one is asked for.
fn with_card(args: &Args, setup: &Setup, mut arguments: Vec<String>) -> Vec<String> {
    if args.wired {
        arguments.extend(wired::card(&setup.exchange));
    }
    arguments
}

/// One boot, with the guest's disk in `state` and everything else in its own folder there.
fn boot_once(
    args: &Args,
    memory: u32,
    quiet: bool,
    boot: Boot,
    state: &Path,
) -> Result<Report, String> {
    let guest = wifibox_host::of_output(&args.dir).map_err(|error| error.to_string())?;
    let role = args.role.map_or_else(|| role_of(&guest.role), Ok)?;
    let bhyve = bhyve(args, &guest)?;
    let memory = match (&bhyve, args.memory) {
        (Some(machine), None) => machine.memory,
        _ => memory,
    };
    let folder = &match boot {
        Boot::Only => state.to_owned(),
        Boot::Before => state.join("1"),
        Boot::After => state.join("2"),
    };
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let shares = match &bhyve {
        Some(machine) if args.machine.is_some() => machine.shares(),
        _ => shares::prepare(&guest, &args.dir, folder).map_err(|error| error.to_string())?,
    };
    let setup = lay_out(&guest, shares, folder)?;
    prepare(args, role, boot, bhyve.is_some(), &setup)?;
    let (carrier, nic) = connect(args.tap, folder)?;
    let mut machine = machine(args, &guest, state, &setup.shares)?;
    if boot != Boot::Only && !machine.disks.iter().any(|disk| disk.purpose == Purpose::Persistent) {
        return Err("the guest has no disk of its own: build it with --persistent".to_owned());
    }
    if args.config_disk {
        machine.disks.push(config_disk(folder)?);
        machine.shares.retain(|share| share.tag == "e2e");
    }
    with_radios(args, &mut machine.firmware);
    machine.memory = memory;
    machine.nic = nic;
    let monitor = folder.join("qmp");
    machine.monitor = Some(monitor.clone());
    let arguments = match &bhyve {
        Some(bhyve) => {
            let Machine { acceleration, nic, shares, .. } = &machine;
            bhyve.arguments(memory, &bhyve.firmware()?, *acceleration, nic, shares, &monitor)?
        }
        None => machine.arguments().map_err(|error| error.to_string())?,
    };
    let arguments = with_card(args, &setup, args.nic.dress(arguments)?);

    let report = Report {
        version: 1,
        role: if role == Role::Station { "station" } else { "access-point" },
        firmware: if args.uefi || args.as_bhyve { "uefi" } else { "direct" },
        memory,
        acceleration: if machine.acceleration == Acceleration::Kvm { "kvm" } else { "tcg" },
        steps: Vec::new(),
        first_packet: None,
        modules: Vec::new(),
        throughput: Vec::new(),
        failure: None,
        quiet,
    };
    let (log, messages) = (folder.join("console.log"), folder.join("qemu.log"));
    let mut session = Session {
        qemu: qemu::Qemu::start(machine.board, &arguments, &monitor, &log, &messages)?,
        host: Host::new(Wire::new(carrier)),
        report,
        wanted: Wanted::of(&setup),
        exchange: setup.exchange,
        machine: bhyve.map(|machine| machine.expected()).unwrap_or_default(),
        base: guest.base,
        limit: Duration::from_secs(args.timeout),
        orders: std::collections::BTreeMap::new(),
    };
    let outcome = steps(args, role, boot, &mut session);
    if let (false, Some(seconds)) = (quiet, session.report.first_packet) {
        println!("first packet: {seconds:.2} s after QEMU's start");
    }
    if let Err(failure) = outcome {
        if !quiet {
            println!("failed: {failure}\n--- the console's last lines:");
            for line in session.qemu.console_end(40) {
                println!("{line}");
            }
            println!("--- the whole log: {}", log.display());
        }
        session.report.failure = Some(failure);
    }
    Ok(session.report)
}

/// The machine of `--as-bhyve`, if it is asked for.
fn bhyve(args: &Args, guest: &Guest) -> Result<Option<as_bhyve::Machine>, String> {
    let board = Board::of(guest).map_err(|error| error.to_string())?;
    match &args.machine {
        Some(file) => as_bhyve::Machine::of_host(board, file).map(Some),
        None => args.as_bhyve.then(|| as_bhyve::Machine::of_output(board, &args.dir)).transpose(),
    }
}

/// The guest's machine, with what every run wants otherwise than its users do; its disk is in `state`.
fn machine(args: &Args, guest: &Guest, state: &Path, shares: &[Share]) -> Result<Machine, String> {
    let failed = |error: wifibox_host::qemu::Error| error.to_string();
    let board = Board::of(guest).map_err(failed)?;
    let uefi = args.uefi.then(|| Firmware::installed_uefi(board)).transpose().map_err(failed)?;
    let mut machine = Machine::of(guest, &args.dir, state, uefi).map_err(failed)?;
    machine.lay_out_disks(&args.dir, state).map_err(|error| error.to_string())?;
    machine.acceleration = Acceleration::of_this_host(board);
    machine.shares = shares.to_vec();
    machine.console = Console::Plain;
    machine.no_reboot = true;
    Ok(machine)
}

/// The steps of this run.
fn steps(args: &Args, role: Role, boot: Boot, session: &mut Session) -> Result<(), String> {
    match role {
        _ if boot == Boot::Before => power_cut::before(session, role),
        _ if boot == Boot::After => power_cut::after(session, role),
        _ if args.load_modules => modules::run(session),
        _ if args.wired => wired::run(session),
        _ if args.config_disk => on_disk(session, role),
        Role::Station if args.trials => trials::run(session),
        Role::Station if args.mishaps => mishaps::run(session),
        Role::Station if args.late_card => mishaps::run_late(session),
        Role::Station if args.throughput => throughput::run(session, args.nic.name()),
        Role::Station => station::run(session),
        Role::AccessPoint if args.pinned => pinned::run(session),
        Role::AccessPoint => access_point::run(session),
    }
}

/// The steps of a guest whose configuration is on a disk.
fn on_disk(session: &mut Session, role: Role) -> Result<(), String> {
    session.wait_console("mounted the configuration disk", &["configuration from the disk"])?;
    match role {
        Role::Station => station::run(session),
        Role::AccessPoint => access_point::run(session),
    }
}

/// The role of this name, as the manifest has it.
fn role_of(name: &str) -> Result<Role, String> {
    match name {
        "station" => Ok(Role::Station),
        "access-point" => Ok(Role::AccessPoint),
        other => Err(format!("the manifest has the unknown role {other:?}: give --role")),
    }
}

/// The shares of a guest, and in `folder` the exchange folder.
fn lay_out(guest: &Guest, mut shares: Vec<Share>, folder: &Path) -> Result<Setup, String> {
    let named = |tag: &str| shares.iter().find(|share| share.tag == tag);
    let (Some(config), Some(application)) = (named("config"), named("app_config")) else {
        return Err("the guest has no shares `config` and `app_config`".to_owned());
    };
    let (config, application) = (config.folder.clone(), application.folder.clone());
    let exchange = folder.join("e2e");
    // Made here, so that the guest's files have the folder's owner.
    fs::create_dir_all(exchange.join("out"))
        .map_err(|error| format!("cannot make {}: {error}", exchange.display()))?;
    shares.push(Share::new("e2e", exchange.clone(), false));
    let architecture = guest.architecture.clone();
    Ok(Setup { config, application, exchange, shares, architecture })
}

/// The configuration disk, made of the shares in `folder`; the guest may write to it.
fn config_disk(folder: &Path) -> Result<Disk, String> {
    let image = folder.join(CONFIGURATION_FILE);
    let content = Content::find(folder).map_err(|error| error.to_string())?;
    let file = fs::File::create(&image)
        .map_err(|error| format!("cannot make {}: {error}", image.display()))?;
    content.write(None, std::io::BufWriter::new(file)).map_err(|error| error.to_string())?;
    let purpose = Purpose::Configuration;
    Ok(Disk { purpose, id: "config".to_owned(), image, read_only: false })
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
    let carrier = super::wire::Tap::new(&name)?;
    Ok((Box::new(carrier), Nic::Tap { name }))
}

#[cfg(not(target_os = "linux"))]
fn connect_tap() -> Result<(Box<dyn Carrier>, Nic), String> {
    Err("--tap works on Linux only".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_the_names_of_recipes() {
        assert_eq!(role_of("station"), Ok(Role::Station));
        assert_eq!(role_of("access-point"), Ok(Role::AccessPoint));
        assert!(role_of("toaster").unwrap_err().contains("toaster"));
    }
}
