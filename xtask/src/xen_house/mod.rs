//! `cargo xtask xen-house`: a whole house under Xen itself.
//!
//!     client ~~ air ~~ [ wifibox: access point ] -- vif -- [ firewall ] -- vif -- [ wired: the card ] -- network
//!
//! The PC is that of `xen-test`: QEMU with an IOMMU. dom0 installs both driver domains with their own `setup.sh`, and
//! starts all three in the order of its autostart: the access point of a simulated radio, the guest that has the
//! network card, and a Linux with nftables in place of OPNsense or pfSense, which has the cables that the written
//! `firewall.cfg` gives it. A client on the second radio pings and fetches a file from this process through all of
//! them, and must not reach what the firewall does not let through. Then the kernel of either driver domain crashes:
//! each comes back, and the firewall, which goes on, is connected again. At the end there is a table of when each
//! domain had its network.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore prints")]

mod domains;
mod timeline;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::xen_test::ended;
use crate::xen_test::machine::Machine;
use crate::xen_test::server::Server;
use timeline::Timeline;

/// The machine's time is that of its instructions, two nanoseconds each, and not the host's: with four domains on one
/// emulated processor of a busy host, libxl would give up what it waits ten seconds for.
const STEADY: [&str; 2] = ["-icount", "shift=1"];

/// Run a whole house under Xen itself: two driver domains and a firewall between them.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Output folder of an access point for Xen, with simulated radios.
    wifi: PathBuf,
    /// Output folder of a station for Xen, with the feature wired.
    wired: PathBuf,
    /// Output folder of dom0, which ci/xen-house.sh makes from the recipes in ci/dom0.
    #[arg(long)]
    dom0: PathBuf,
    /// Output folder of the firewall, from the same recipes.
    #[arg(long)]
    firewall: PathBuf,
    /// Memory of the access point, in MiB [default: the recipe's]
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// How long a step may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 240)]
    timeout: u64,
    /// Print the consoles as they come.
    #[arg(long)]
    console: bool,
}

/// Runs the chore; prints to standard output.
pub fn run(args: &Args) -> ExitCode {
    ended("xen-house", steps(args))
}

/// Prepares everything, starts the machine, and waits for what it shows.
fn steps(args: &Args) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    // The firewall lets wireless clients reach one of them.
    let (open, closed) = (Server::start()?, Server::start()?);
    let disk = folder.path().join("domains.tar");
    domains::pack(args, (&open, &closed), folder.path(), &disk)?;
    let mut machine = Machine::start(&args.dom0, &disk, folder.path(), &STEADY, args.console)?;
    let result = watch(&mut machine, &open, Duration::from_secs(args.timeout));
    machine.explained(result)?;
    match closed.served() {
        0 => Ok(()),
        count => Err(format!("the firewall let {count} connections to the other port through")),
    }
}

/// Waits for each step of `run.sh` and of the domains.
fn watch(machine: &mut Machine, server: &Server, limit: Duration) -> Result<(), String> {
    let mut timeline = Timeline::default();
    machine.step("Xen and dom0 are up", "dom0: ready", limit)?;
    for name in ["wifibox", "wired"] {
        machine.step(
            "a driver domain is installed by its setup.sh",
            "setup.sh: installed",
            limit,
        )?;
        timeline.domain(name);
    }
    timeline.domain("firewall");
    for (name, file) in
        [("wifibox", "10-wifibox"), ("wired", "10-wired"), ("firewall", "20-firewall")]
    {
        let line = machine.wait(&format!("test: create {file}.cfg"), limit)?;
        timeline.created(name, &line);
    }
    machine.step("all are started in the order of their names", "test: started", limit)?;
    for (name, at, text) in [
        ("wired", "kernel", "wired| wifibox: kernel up at "),
        ("wifibox", "kernel", "wifibox| wifibox: kernel up at "),
        ("wired", "first packet", "wifibox: wan0: BOUND"),
        ("firewall", "first packet", "firewall| firewall: first packet from "),
        ("wifibox", "cable of the firewall", "wifibox| wifibox: vif"),
        ("wired", "cable of the firewall", "wired| wifibox: vif"),
        ("wifibox", "client associated", "wifibox| client: associated"),
        ("wifibox", "first packet", "wifibox| client: first packet"),
    ] {
        let line = machine.wait(text, limit)?;
        timeline.reached(name, at, &line);
    }
    machine.step("ping from the air to the wired network", "client: ping", limit)?;
    let line = machine.wait("client: file ", limit)?;
    machine.say("TCP from the wired network to the air", &server.delivered(&line)?);
    machine.step(
        "the firewall keeps the other port closed",
        "client: the other port is closed",
        limit,
    )?;
    machine.step("everything reaches what it may", "test: everything", limit)?;
    for name in ["wired", "wifibox"] {
        machine.step(
            &format!("the kernel of {name} crashes"),
            &format!("test: crash {name}"),
            limit,
        )?;
        machine.step("xl starts it again", &format!("test: {name} is back"), limit)?;
        machine.step(
            "the firewall is connected again, and goes on",
            &format!("test: healed {name}"),
            limit,
        )?;
    }
    machine.step("both power off when asked", "test: off", limit)?;
    machine.step("all ended", "dom0: end: the program ended with 0", limit)?;
    print!("{}", timeline.table());
    Ok(())
}
