//! From the wireless side: no port of the guest answers, and no new connection reaches the host's network.
//!
//! A neighbour in the wireless network (the access point, or a station of the guest's own network) sends its
//! packets for the host by way of the guest, as anybody there can, and tries ports of the guest and of the
//! host, by IPv4 and IPv6. What gets through to the host is seen on its cable ([`super::approach`]).

use super::session::Session;
use super::setup::Setup;

/// `intruder.sh DEVICE HOST HOST6`: tries ports of the guest and of the host from the network of DEVICE, and prints
/// those that answer.
const INTRUDER: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
device=$1 host=$2 host6=$3
nc=$(tool nc)

# The neighbour: the guest's addresses in this network.
while read -r address _ _ hardware _ on; do
	[ \"$on\" != \"$device\" ] || guest=$address mac=$hardware
done </proc/net/arp
IFS=:
set -- $mac
unset IFS
local=$(printf 'fe80::%x:%xff:fe%02x:%x' $((0x$1 * 256 ^ 512 | 0x$2)) $((0x$3)) $((0x$4)) $((0x$5 * 256 + 0x$6)))
echo \"neighbour $guest $local\"

# try ADDRESS...
try() {
	for target; do
		echo x | $nc -u -w 1 \"$target\" 9 >/dev/null 2>&1 &
		ping -c 1 -W 1 \"$target\" >/dev/null 2>&1 &
		for port in 21 22 23 53 80 111 123 139 443 445 546 547 631 1200 1201 1900 5353 8080 11223; do
			{ $nc -w 2 \"$target\" $port </dev/null >/dev/null 2>&1 && echo \"open $target $port\"; } &
		done
		wait
	done
}

ip route add 10.0.0.0/24 via \"$guest\" dev \"$device\" 2>/dev/null
try \"$guest\" 10.0.0.1 10.0.0.2 \"$host\"
echo 1 >/proc/sys/net/ipv6/conf/$device/accept_ra
ip -6 route add fd00::/64 via \"$local\" dev \"$device\" && {
	try fd00::ffff
	# Packets from a link's own address are not passed on.
	ip -6 addr add fd77::1/64 dev \"$device\" && sleep 2
	try fd00::2 \"$host6\"
}
exit 0
";

/// Adds what the scan needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    Session::put(&setup.exchange, "intruder.sh", INTRUDER.as_bytes())
}

/// The least memory in MiB with which there is a scan: the neighbour's many processes live in the guest's
/// machine, and a search for the smallest memory is not about them.
const ROOM: u32 = 128;

/// Has `side` scan from the network of `device`.
pub fn run(session: &mut Session, side: &str, device: &str) -> Result<(), String> {
    if session.report.memory < ROOM {
        return Ok(());
    }
    let host = session
        .host
        .lease()
        .map_or_else(|| "10.0.0.1".to_owned(), |lease| lease.address.address().to_string());
    let host6 = session.host.address6().map_or_else(|| "fd00::3".to_owned(), |own| own.to_string());
    session.host.watch();
    let log = session.order(side, &format!("sh /run/e2e/intruder.sh {device} {host} {host6}\n"))?;
    if !log.starts_with("neighbour ") {
        return Err(format!("the wireless side could not scan: {log}"));
    }
    let open: Vec<&str> = log.lines().filter(|line| line.starts_with("open ")).collect();
    // The access point's scan of its own gateway may be of the host's stack, too: neither answers.
    if !open.is_empty() {
        return Err(format!("ports answer to the wireless side: {}", open.join(", ")));
    }
    let approaches = session.host.approaches();
    if let Some(first) = approaches.first() {
        return Err(format!(
            "the wireless side reaches the host: {} packets, the first {first}",
            approaches.len()
        ));
    }
    let now = session.qemu.now();
    session.report.step(
        "no port answers to the wireless side, nothing new reaches the host",
        now,
        "IPv4, IPv6",
    );
    Ok(())
}
