//! IPv6 end to end, in the test of a station: the simulated network announces itself, the guest takes an
//! address there, announces itself to the host, and the host's pings go out by the guest and come back.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use super::session::Session;
use super::setup::Setup;

/// A server "in the Internet".
const FAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 7);
/// The network between guest and host, of the sample files.
const CABLE: [u16; 4] = [0xfd00, 0, 0, 0];

/// Router and server, in the namespace of the access point. It knows no way to the host's network, so that
/// an answer is to the guest's own address.
const SIDE: &str = "\
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
ip -6 addr add 2001:db8:77::1/64 dev wlan1
ip -6 addr add 2001:db8:ffff::7/128 dev lo
radvd -m logfile -l out/radvd.log -C radvd-far.conf -p /run/e2e.radvd
";

const ROUTER: &str = "\
interface wlan1
{
	AdvSendAdvert on;
	MinRtrAdvInterval 3;
	MaxRtrAdvInterval 4;
	AdvDefaultLifetime 1800;
	prefix 2001:db8:77::/64
	{
	};
	RDNSS 2001:db8:ffff::7 {
	};
};
";

/// Whether the guest has the feature: its samples tell.
fn has_it(session: &Session) -> bool {
    session.exchange.with_file_name("config").join("radvd.conf").is_file()
}

/// Adds what the test needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    let side = if setup.config.join("radvd.conf").is_file() { SIDE } else { "" };
    Session::put(&setup.exchange, "ipv6.sh", side.as_bytes())?;
    Session::put(&setup.exchange, "radvd-far.conf", ROUTER.as_bytes())
}

/// The host gets an address and a way out, and its pings come back.
pub fn run(session: &mut Session) -> Result<(), String> {
    if !has_it(session) {
        return Ok(());
    }
    session.wait("host has an IPv6 address of the guest's network", |session| {
        let address = session.host.address6()?;
        Some(if address.segments()[..4] == CABLE {
            Ok(((), address.to_string()))
        } else {
            Err(format!("a strange one: {address}"))
        })
    })?;
    session.wait("the guest is its way out by IPv6", |session| {
        let router = session.host.router6()?;
        Some(Ok(((), router.to_string())))
    })?;
    session.host.answers(FAR);
    let (mut sequence, mut next) = (0_u16, Instant::now());
    session.wait("IPv6 goes through the guest", |session| {
        if Instant::now() >= next {
            session.host.ping(FAR, sequence);
            sequence = sequence.wrapping_add(1);
            next = Instant::now() + Duration::from_millis(200);
        }
        let answered = session.host.answers(FAR) > 0;
        answered.then(|| Ok(((), format!("{FAR} answers a ping through NAT66"))))
    })
}

/// Waits until the guest says that IPv6 does not lead on by it: its network is gone.
pub fn no_way_out(session: &mut Session) -> Result<(), String> {
    if !has_it(session) {
        return Ok(());
    }
    session.wait("without its network the guest is no IPv6 router any more", |session| {
        session.host.router6().is_none().then(|| Ok(((), String::new())))
    })
}
