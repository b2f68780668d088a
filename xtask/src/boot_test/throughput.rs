//! `--throughput`: what the detour through the guest costs. The same bytes go by TCP, both ways,
//!
//! - between the guest itself and a server behind its radio: the radio alone;
//! - between the host and that server, through the guest's network card and its NAT, once for each card;
//! - between two hosts of this test without any guest: what the test's own network stack costs.
//!
//! Processor time is that of QEMU (of this process, without a guest): an idle host's time and a busy host's are the same in
//! it. Of several rounds the median counts. Ratios hold within a run; the radio is a simulated one, which costs more
//! processor time than a real one.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use smoltcp::wire::Ipv4Cidr;

use super::network::Host;
use super::session::{Session, digest, test_bytes};
use super::setup::Setup;
use super::station::{self, FAR};
use super::transfer::{Direction, LENGTH, ROUNDS, Transfer, medians};
use super::wire::{Carrier, Wire};
use crate::processor_time::{Whose, processor_time};

/// The port that serves the file.
const DOWN: u16 = 8081;
/// The port that takes one.
const UP: u16 = 8082;

/// Takes a file on its standard input, a connection, and says so.
const TAKE: &str = "cd /run/e2e.memory
head -c \"$(wc -c <large)\" >taken
echo taken
";
/// Sends a file on its standard output, a connection, and waits for the other end's word.
const SEND: &str = "cat /run/e2e.memory/large
read -r word
[ \"$word\" = taken ] && : >/run/e2e.memory/sent
";

/// Adds the servers' files to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    station::prepare(setup)?;
    // With this file the guest takes orders, too.
    Session::put(&setup.exchange, "trials", b"")?;
    Session::put(&setup.exchange, "memory/large", &test_bytes(LENGTH))?;
    Session::put(&setup.exchange, "memory/take", TAKE.as_bytes())?;
    Session::put(&setup.exchange, "memory/send", SEND.as_bytes())
}

/// Walks through the steps with this card.
pub fn run(session: &mut Session, card: &'static str) -> Result<(), String> {
    station::reach(session)?;
    // From memory, so that no share is measured.
    let server = format!(
        ". ./tools.sh && mkdir /run/e2e.memory && mount -t tmpfs none /run/e2e.memory &&\n\
         cp memory/* /run/e2e.memory && $(tool httpd) -p {FAR}:{DOWN} -h /run/e2e.memory &&\n\
         {{ $(tool nc) -ll -p {UP} -e sh /run/e2e.memory/take >/dev/null 2>&1 </dev/null & }}"
    );
    session.order("ap", &server)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(alone_down(session)?);
        rounds.push(alone_up(session)?);
        rounds.push(down(session, card)?);
        rounds.push(up(session, card)?);
    }
    session.report.throughput = medians(&rounds);
    session.power_off()
}

/// The guest fetches from the server.
fn alone_down(session: &mut Session) -> Result<Transfer, String> {
    let command = format!("$(tool wget) -q -O /run/e2e.memory/taken http://{FAR}:{DOWN}/large");
    alone(session, Direction::Down, &command)
}

/// The guest sends to the server.
fn alone_up(session: &mut Session) -> Result<Transfer, String> {
    let sent = "/run/e2e.memory/sent";
    let command = format!(
        "rm -f {sent} && $(tool nc) {FAR} {UP} -e sh /run/e2e.memory/send && [ -e {sent} ]"
    );
    alone(session, Direction::Up, &command)
}

/// A transfer of the guest's own, whose time is taken in the guest, as orders wait for each other.
fn alone(session: &mut Session, direction: Direction, command: &str) -> Result<Transfer, String> {
    let script = format!(
        "cd /run/e2e && . ./tools.sh && rm -f /run/e2e.memory/taken && read -r begin _ </proc/uptime && {command} &&\n\
         read -r end _ </proc/uptime && echo \"$begin $end\""
    );
    let begin = session.qemu.now();
    let said = session.order("guest", &script)?;
    let end = session.qemu.now();
    let times: Vec<f64> =
        said.split_ascii_whitespace().filter_map(|time| time.parse().ok()).collect();
    let &[from, to] = times.as_slice() else {
        return Err(format!("the guest says {said:?} of its transfer"));
    };
    let transfer = Transfer::between("radio alone", direction, (begin, end))?;
    taken(session)?;
    Ok(Transfer { speed: Transfer::of("", direction, to - from, 0.0).speed, ..transfer })
}

/// The host fetches from the server, through the guest.
fn down(session: &mut Session, card: &'static str) -> Result<Transfer, String> {
    let wanted = digest(&test_bytes(LENGTH));
    let begin = session.qemu.now();
    session.wait_answer(
        &format!("4 MiB through {}, down", card),
        (FAR, DOWN),
        b"GET /large HTTP/1.0\r\n\r\n",
        |_| false,
        |bytes| {
            let body = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
            (digest(bytes.get(body + 4..)?) == wanted).then(|| ((), String::new()))
        },
    )?;
    Transfer::between(card, Direction::Down, (begin, session.qemu.now()))
}

/// The host sends to the server, through the guest.
fn up(session: &mut Session, card: &'static str) -> Result<Transfer, String> {
    let request = test_bytes(LENGTH);
    let begin = session.qemu.now();
    session.wait_answer(
        &format!("4 MiB through {}, up", card),
        (FAR, UP),
        &request,
        |_| false,
        |bytes| bytes.ends_with(b"taken\n").then(|| ((), String::new())),
    )?;
    let transfer = Transfer::between(card, Direction::Up, (begin, session.qemu.now()))?;
    taken(session)?;
    Ok(transfer)
}

/// Checks that what arrived is what was sent.
fn taken(session: &mut Session) -> Result<(), String> {
    let compare =
        "cd /run/e2e && . ./tools.sh && $(tool cmp) /run/e2e.memory/large /run/e2e.memory/taken";
    session.order("guest", compare).map(drop)
}

/// Frames on their way.
type Queue = Rc<RefCell<VecDeque<Vec<u8>>>>;

/// One end of a cable within this process, which loses nothing.
struct Cable {
    arriving: Queue,
    leaving: Queue,
}

impl Carrier for Cable {
    fn receive(&mut self) -> Option<Vec<u8>> {
        self.arriving.borrow_mut().pop_front()
    }

    fn send(&mut self, frame: &[u8]) {
        self.leaving.borrow_mut().push_back(frame.to_vec());
    }
}

/// Two hosts of this test on one cable: the transfer without a guest.
pub fn without_guest() -> Result<Transfer, String> {
    let (one, other) = (Queue::default(), Queue::default());
    let host = |arriving: &Queue, leaving: &Queue, last: u8| {
        let cable = Cable { arriving: Rc::clone(arriving), leaving: Rc::clone(leaving) };
        let mut host = Host::new(Wire::new(Box::new(cable)));
        host.take_address(Ipv4Cidr::new(Ipv4Addr::new(192, 0, 2, last), 24));
        host
    };
    let used = || {
        let used = processor_time("self", Whose::Own);
        used.map_err(|error| format!("this process's time: {error}"))
    };
    let (mut client, mut server) = (host(&one, &other, 1), host(&other, &one, 2));
    let content = test_bytes(LENGTH);
    let mut service = server.serve(80, content.clone());
    let (begin, before) = (Instant::now(), used()?);
    let target = (Ipv4Addr::new(192, 0, 2, 2), 80);
    let mut request = client.request(target, b"GET", Duration::from_secs(60));
    let answer = loop {
        client.poll();
        server.poll();
        server.attend(&mut service);
        if let Some(answer) = client.answer(&mut request, |_| false) {
            break answer?;
        }
    };
    if answer != content {
        return Err("other bytes arrived than were sent".to_owned());
    }
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Transfer::of("no guest", Direction::Down, seconds, used()? - before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hosts_need_no_guest() {
        let transfer = without_guest().unwrap();
        assert!(transfer.speed > 0.0, "{transfer:?}");
    }
}
