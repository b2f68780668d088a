//! The test of a guest whose way out is a second wired card (the feature `wired`): of any flavor, no radio is
//! needed.
//!
//! The network behind that card is QEMU's own (`-netdev user`), closed to the world: it gives the guest an
//! address and has one server, which answers each connection with a file. The program that sends it waits for the end of
//! what it is sent: QEMU throws away what is on its way when the program ends.

use std::net::Ipv4Addr;
use std::path::Path;

use super::session::{Session, digest, test_bytes};
use super::setup::Setup;
use super::station::{self, GUEST};

/// The server in the network behind the card.
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 7);
const PORT: u16 = 8080;
const DOWNLOAD: usize = 2 * 1024 * 1024;
/// The file that the server sends.
const BLOB: &str = "www/blob";

/// Puts the server's file into the exchange folder.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    Session::put(&setup.exchange, BLOB, &test_bytes(DOWNLOAD))
}

/// QEMU's arguments for the second card, and for the network behind it.
pub fn card(exchange: &Path) -> Vec<String> {
    let blob = exchange.join(BLOB);
    let network = format!(
        "user,id=way-out,restrict=on,ipv6=off,net=192.168.77.0/24,dhcpstart=192.168.77.50,\
         guestfwd=tcp:{SERVER}:{PORT}-cmd:cat {} -",
        blob.display()
    );
    ["-netdev", &network, "-device", "e1000,netdev=way-out"].map(str::to_owned).to_vec()
}

/// Walks through the steps.
pub fn run(session: &mut Session) -> Result<(), String> {
    session.wait_kernel()?;
    session.host.ask_for_address();
    session.wait_ready()?;
    station::lease(session)?;
    session.wait_console("the second card has an address", &["wan0: BOUND"])?;
    let wanted = digest(&test_bytes(DOWNLOAD));
    session.wait_answer(
        "2 MiB by TCP through the second card, bytes identical",
        (SERVER, PORT),
        b"\n",
        |bytes| bytes.len() >= DOWNLOAD,
        |bytes| {
            // What it was sent comes back after the file.
            let got = digest(bytes.get(..DOWNLOAD)?);
            (got == wanted).then(|| ((), format!("SHA-256 {}...", &got[..8])))
        },
    )?;
    let answers = |session: &mut Session| session.host.answers(GUEST);
    session.host.ping(GUEST, 1);
    session.wait("the guest answers a ping", |session| {
        (answers(session) > 0).then(|| Ok(((), GUEST.to_string())))
    })?;
    session.power_off()
}
