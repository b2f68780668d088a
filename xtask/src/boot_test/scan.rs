//! From the wireless side: no port of the guest answers, and no new connection reaches the host's network.
//!
//! A neighbour in the wireless network (the access point, or a station of the guest's own network) sends its
//! packets for the host by way of the guest, as anybody there can, and tries ports of the guest and of the
//! host, by IPv4 and IPv6. What gets through to the host is seen on its cable ([`approach`]).

use super::run::Setup;
use super::session::Session;

/// `intruder.sh DEVICE HOST`: tries ports of the guest and of the host from the network of DEVICE, and prints
/// those that answer.
const INTRUDER: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
device=$1 host=$2
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
	try fd00::2
}
exit 0
";

/// Adds what the scan needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    Session::put(&setup.exchange, "intruder.sh", INTRUDER.as_bytes())
}

/// Has `side` scan from the network of `device`.
pub fn run(session: &mut Session, side: &str, device: &str) -> Result<(), String> {
    let host = session
        .host
        .lease()
        .map_or_else(|| "10.0.0.1".to_owned(), |lease| lease.address.address().to_string());
    session.host.watch();
    let log = session.order(side, &format!("sh /run/e2e/intruder.sh {device} {host}\n"))?;
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
    let seconds = session.qemu.seconds();
    session.report.step(
        "no port answers to the wireless side, nothing new reaches the host",
        seconds,
        "IPv4, IPv6",
    );
    Ok(())
}

/// What in a frame on the host's cable is the begin of something new for the host's network (10.0.0.0/8,
/// fd00::2): a connection by TCP, a datagram to the port that the scan uses, a ping, or the question who has
/// the address, which comes before the first packet.
pub fn approach(frame: &[u8]) -> Option<String> {
    let byte = |at: usize| frame.get(at).copied();
    let word = |at: usize| Some(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
    let new = |protocol: u8, at: usize| -> Option<String> {
        match protocol {
            6 if byte(at + 13)? & 0x12 == 0x02 => Some(format!("TCP to port {}", word(at + 2)?)),
            17 if word(at + 2)? == 9 => Some("UDP to port 9".to_owned()),
            1 if byte(at)? == 8 => Some("a ping".to_owned()),
            58 if byte(at)? == 128 => Some("a ping".to_owned()),
            _ => None,
        }
    };
    match word(12)? {
        0x0800 if byte(30)? == 10 => {
            let from: Vec<String> = frame.get(26..30)?.iter().map(ToString::to_string).collect();
            let what = new(byte(23)?, 14 + usize::from(byte(14)? & 15) * 4)?;
            Some(format!("{what} from {}", from.join(".")))
        }
        0x86dd => match byte(20)? {
            58 if byte(54)? == 135 => {
                let target = frame.get(62..78)?;
                let own = target.first() == Some(&0xfd) && target.ends_with(&[0, 0, 0, 2]);
                own.then(|| "the question who has fd00::2".to_owned())
            }
            protocol if byte(38)? == 0xfd => new(protocol, 54),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame of IPv4 with this protocol, target and payload.
    fn frame(protocol: u8, target: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 168, 77, 1]);
        frame.extend(target);
        frame.extend(payload);
        frame
    }

    #[test]
    fn only_what_is_new_for_the_hosts_network_is_an_approach() {
        let mut tcp = [0; 20];
        tcp[3] = 80;
        tcp[13] = 0x02;
        let syn = approach(&frame(6, [10, 0, 0, 2], &tcp));
        assert_eq!(syn.as_deref(), Some("TCP to port 80 from 192.168.77.1"));
        assert_eq!(approach(&frame(6, [198, 51, 100, 7], &tcp)), None);
        tcp[13] = 0x12;
        assert_eq!(approach(&frame(6, [10, 0, 0, 2], &tcp)), None);
        assert!(approach(&frame(17, [10, 0, 0, 2], &[0, 1, 0, 9])).is_some());
        assert_eq!(approach(&frame(17, [10, 0, 0, 2], &[0, 67, 0, 68])), None);
        assert!(approach(&frame(1, [10, 0, 0, 2], &[8, 0])).is_some());
        assert_eq!(approach(&frame(1, [10, 0, 0, 2], &[0, 0])), None);
        assert_eq!(approach(&[0; 10]), None);
    }
}
