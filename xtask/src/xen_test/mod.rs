//! `cargo xtask xen-test OUTPUT --dom0 DOM0`: a guest as a driver domain under Xen itself.
//!
//! QEMU emulates a PC with an IOMMU and a network card. On it run Xen and a small dom0 (made by
//! `wifibox-build` from the recipes in `ci/dom0`), which
//!
//! - parses every configuration that is written for Xen with the real xl, and sees wrong ones refused;
//! - installs the guest with its own `host/xen/setup.sh`, hands it the card, and starts it;
//! - starts a second domain behind it, which gets an address from the guest, and reaches the card's
//!   network through it: a ping, and a file by HTTP from this process, compared by its SHA-256;
//! - ends that domain, after which nothing of it must be left in the guest.
//!
//! The guest must be built for Xen and with the feature `wired`, as the card is no wireless one. Nothing
//! here needs privileges. Prints a line for each step with the seconds since QEMU's start, then PASS or
//! FAIL, on failure with the end of the console, where each domain's lines begin with its name.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore prints")]

pub mod archive;
mod client;
pub mod machine;
pub mod parsing;
mod payload;
pub mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use archive::Archive;
use machine::Machine;
use server::Server;

/// The script that dom0 runs.
const RUN: &str = include_str!("run.sh");

/// Run a guest as a driver domain under Xen, with a domain behind it.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Output folder of a build for Xen, with the feature wired.
    output: PathBuf,
    /// Output folder of dom0, which ci/xen.sh makes from the recipes in ci/dom0.
    #[arg(long)]
    dom0: PathBuf,
    /// Further output folders for Xen, whose configurations xl parses as well.
    #[arg(long, value_name = "OUTPUT")]
    parse: Vec<PathBuf>,
    /// How long a step may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    /// Print the consoles as they come.
    #[arg(long)]
    console: bool,
}

/// Runs the chore; prints to standard output.
pub fn run(args: &Args) -> ExitCode {
    ended("xen-test", steps(args))
}

/// Prints how a chore under Xen ended.
pub fn ended(chore: &str, result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => {
            println!("PASS");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{chore}: {message}");
            println!("FAIL");
            ExitCode::FAILURE
        }
    }
}

/// Prepares everything, starts the machine, and waits for what it shows.
fn steps(args: &Args) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let server = Server::start()?;
    let cases = parsing::cases(&args.output, &args.parse)?;
    let known = parsing::keys_are_known(&args.dom0)?;
    println!("          xl knows all {known} keys of the linter");
    let disk = folder.path().join("domains.tar");
    pack(&args.output, &cases, server.port(), &disk)?;
    let mut machine = Machine::start(&args.dom0, &disk, folder.path(), &[], args.console)?;
    let result = watch(&mut machine, &server, &cases, Duration::from_secs(args.timeout));
    machine.explained(result)
}

/// The archive for dom0: the guest's output with its host files, the domain behind it, cases for xl, and the program
/// that runs it all.
fn pack(output: &Path, cases: &[parsing::Case], port: u16, disk: &Path) -> Result<(), String> {
    let mut archive = Archive::create(disk)?;
    archive.add_run(RUN)?;
    for case in cases {
        archive.add(&format!("cases/{}", case.name), case.text.as_bytes())?;
    }
    archive.add("client.img", &client::initramfs(output, port)?)?;
    // The samples are what a user would start from.
    let files = parsing::files(output, parsing::Variant::Started)?;
    archive.add_guest("output", output, &files, output)?;
    archive.finish()
}

/// Waits for each step of `run.sh` and of the domains.
fn watch(
    machine: &mut Machine,
    server: &Server,
    cases: &[parsing::Case],
    limit: Duration,
) -> Result<(), String> {
    machine.step("Xen and dom0 are up", "dom0: ready", limit)?;
    for case in cases {
        let said = machine.wait(&format!("test: parsed {} ", case.name), limit)?;
        case.judge(&said)?;
    }
    let count = |good: bool| cases.iter().filter(|case| case.good == good).count();
    let detail = format!("{} without a word, {} refused", count(true), count(false));
    machine.say("xl parses the configurations", &detail);
    machine.step("xl refuses a card in a PVH domain", "test: pvh refused", limit)?;
    machine.step("the guest is installed by its setup.sh", "setup.sh: installed", limit)?;
    machine.step("the driver domain is started", "test: created wifibox", limit)?;
    machine.step("its kernel is up", "wifibox| wifibox: init ", limit)?;
    machine.step("its services are up", "wifibox| wifibox: ready", limit)?;
    machine.step("its card has an address", "wifibox: wan0: BOUND", limit)?;
    machine.step("a domain behind it is started", "test: created client", limit)?;
    machine.step("the guest connects it", "is connected to eth0", limit)?;
    machine.step("it has an address from the guest", "client| client: lease 10.0.0.", limit)?;
    machine.step("ping through the guest and its card", "client| client: ping", limit)?;
    let line = machine.wait("client| client: file ", limit)?;
    machine.say("HTTP through the guest and its card", &server.delivered(&line)?);
    machine.step("after its end nothing is left of it", "test: clean", limit)?;
    machine.step("the guest powers off", "test: off", limit)?;
    machine.step("all ended", "dom0: end: the program ended with 0", limit)
}

/// Reads the files of a SquashFS image whose paths `wanted` accepts.
pub fn read_image(
    image: &Path,
    mut wanted: impl FnMut(&str) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    use wifibox_squashfs::read_nodes;
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", image.display());
    let file = std::fs::File::open(image).map_err(|error| failed(&error))?;
    let mut found = Vec::new();
    read_nodes(&mut std::io::BufReader::new(file), |node, content| {
        let path = String::from_utf8_lossy(&node.path).into_owned();
        if let Some(content) = content
            && wanted(&path)
        {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(content, &mut bytes)
                .map_err(|error| Unreadable(error.to_string()))?;
            found.push((path, bytes));
        }
        Ok::<(), Unreadable>(())
    })
    .map_err(|Unreadable(error)| failed(&error))?;
    Ok(found)
}

/// Why an image cannot be read.
struct Unreadable(String);

impl From<wifibox_squashfs::UnreadableImage> for Unreadable {
    fn from(error: wifibox_squashfs::UnreadableImage) -> Self {
        Unreadable(error.to_string())
    }
}
