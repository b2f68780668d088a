//! The test of a station: the guest joins a simulated access point, and the host reaches a server
//! behind it through the guest.
//!
//! The access point lives in the guest's machine, on the second simulated radio and in a network
//! namespace of its own, so that the guest's services meet it by radio only.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use super::report::hundredths;
use super::session::{Session, digest, test_bytes};
use super::setup::{Setup, append};
use super::tools;
use super::wanted::Wanted;

/// The guest's address for the host.
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// A server "in the Internet", and the name server that the network announces.
pub const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// The access point's network.
const WIRELESS: &str = "192.168.77.";
const DOWNLOAD: usize = 2 * 1024 * 1024;

/// Joins the test's network. The scan is limited to its channel: a simulated radio has dozens.
const STATION: &str = "\
ctrl_interface=/var/run/wpa_supplicant
ctrl_interface_group=wheel
update_config=1
p2p_disabled=1
network={
	ssid=\"wifibox-test\"
	key_mgmt=WPA-PSK
	psk=\"correct horse battery\"
	scan_freq=2412
}
";

/// The key is what the station's passphrase gives for this name (PBKDF2).
pub const ACCESS_POINT: &str = "\
interface=wlan1
driver=nl80211
ssid=wifibox-test
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_psk=08f0159e0cefec726de9c759dccd82483ca24338d22b51f252f59189f9f64d59
";

const DHCP_SERVER: &str = "\
start 192.168.77.50
end 192.168.77.60
interface wlan1
lease_file /run/e2e.leases
pidfile /run/e2e.pid
opt subnet 255.255.255.0
opt router 192.168.77.1
opt dns 198.51.100.7
opt domain lab.example
opt lease 3600
";

/// Starts the access point's side in its namespace and hands it the second radio. The guest goes on
/// when the access point is up: in the world outside it is there first, and a scan that comes too
/// early would cost five seconds until the next.
const UP: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
mkdir -p out
$(tool unshare) -n sh ./ap.sh >out/ap.log 2>&1 </dev/null &
child=$!
echo $child >out/ap.pid
[ ! -f trials ] || orders guest >/dev/null 2>&1 </dev/null &
own=$(readlink /proc/self/ns/net)
until [ -e /sys/class/net/wlan1/phy80211/name ]; do sleep 0.1; done
while [ \"$(readlink /proc/$child/ns/net)\" = \"$own\" ]; do sleep 0.05; done
read -r phy </sys/class/net/wlan1/phy80211/name
iw phy \"$phy\" set netns $child
tries=0
until [ -s out/up ] || [ $tries -ge 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
";

const ACCESS_POINT_SIDE: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
until ip addr add 192.168.77.1/24 dev wlan1 2>/dev/null; do sleep 0.05; done
hostapd -B -t -P /run/e2e.hostapd hostapd.conf
ip link set lo up
ip addr add 198.51.100.7/32 dev lo
. ./gateways.sh
: >/run/e2e.leases
udhcpd -S -a 0 udhcpd.conf
$(tool httpd) -p 198.51.100.7:8080 -h www
# Where a name server would be.
$(tool httpd) -p 198.51.100.7:53 -h www
read -r uptime _ </proc/uptime
echo \"at $uptime of the guest's time\" >out/up
. ./ipv6.sh
orders ap
";

const WHO: &str = "#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' \"$REMOTE_ADDR\"
";

/// Adds what the test needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    Session::put(&setup.application, "wpa_supplicant.conf", STATION.as_bytes())?;
    append(
        &setup.config.join("interfaces.conf"),
        "\niface eth0\n  up mkdir -p /run/e2e && mount -t 9p -o trans=virtio,version=9p2000.L e2e \
         /run/e2e && sh /run/e2e/up.sh\n",
    )?;
    tools::put(setup)?;
    for (name, text) in [
        ("up.sh", UP),
        ("ap.sh", ACCESS_POINT_SIDE),
        ("hostapd.conf", ACCESS_POINT),
        ("udhcpd.conf", DHCP_SERVER),
        ("gateways.sh", ""),
        ("www/cgi-bin/who", WHO),
    ] {
        Session::put(&setup.exchange, name, text.as_bytes())?;
    }
    Session::put(&setup.exchange, "www/name", b"first\n")?;
    Session::put(&setup.exchange, "www/blob", &test_bytes(DOWNLOAD))?;
    if let Some(wanted) = Wanted::of(setup) {
        super::uci::prepare(&wanted, setup)?;
    }
    super::ipv6::prepare(setup)?;
    super::scan::prepare(setup)
}

/// Walks through the steps.
pub fn run(session: &mut Session) -> Result<(), String> {
    work(session)?;
    session.power_off()
}

/// Waits until the host reaches the server through the guest.
pub fn reach(session: &mut Session) -> Result<(), String> {
    session.wait_kernel()?;
    session.host.ask_for_address();
    session.wait_ready()?;
    lease(session)?;
    first_packet(session)?;
    session.wait_file("simulated access point was up", "up").map(drop)
}

/// All steps but the last.
pub fn work(session: &mut Session) -> Result<(), String> {
    reach(session)?;
    if session.exchange.with_file_name("config").join("uds_passthru.conf").is_file() {
        let name = "associated by WPA2, says the control socket";
        session.wait_status(name, GUEST, "wpa_state=COMPLETED")?;
    }
    // Wifibox's own guests hand on the addresses of the network's name servers.
    let (name, server) = match session.base.as_str() {
        "wifibox" => ("lease names the network's name server", FAR),
        _ => ("lease names the guest as name server", GUEST),
    };
    session.wait(name, |session| {
        let lease = session.host.lease()?;
        let list: Vec<String> = lease.name_servers.iter().map(ToString::to_string).collect();
        (lease.name_servers.first() == Some(&server)).then(|| Ok(((), list.join(" "))))
    })?;
    // OpenWrt's guests have a daemon for that, which answers itself.
    if server == GUEST && session.base != "openwrt" {
        asks(session, "the guest hands queries on to the network's name server", "first")?;
    }
    let wanted = session.wanted.take();
    download(session, wanted.as_ref().and_then(Wanted::address))?;
    if let Some(wanted) = wanted {
        super::uci::run(&wanted, session)?;
    }
    super::ipv6::run(session)?;
    if session.base != "openwrt" {
        super::scan::run(session, "ap", "wlan1")?;
    }
    Ok(())
}

/// Waits until the host has a lease of the guest's network.
pub fn lease(session: &mut Session) -> Result<(), String> {
    session.wait("host has a lease from the guest", |session| {
        let lease = session.host.lease()?;
        let address = lease.address.address();
        if address.octets()[..3] != GUEST.octets()[..3] || lease.router != Some(GUEST) {
            return Some(Err(format!("a strange one: {lease:?}")));
        }
        Some(Ok(((), lease.address.to_string())))
    })
}

/// Asks the guest's port of name service until the wireless network's server answers with `word`.
pub fn asks(session: &mut Session, name: &str, word: &str) -> Result<(), String> {
    let request = b"GET /name HTTP/1.0\r\n\r\n";
    session.wait_answer(
        name,
        (GUEST, 53),
        request,
        |_| false,
        |bytes| {
            let text = String::from_utf8_lossy(bytes);
            text.ends_with(&format!("\r\n\r\n{word}\n")).then(|| ((), word.to_owned()))
        },
    )
}

/// Pings through the guest until an answer comes; then four more must come.
fn first_packet(session: &mut Session) -> Result<(), String> {
    let (mut sequence, mut next, mut answers) = (0_u16, Instant::now(), 0);
    let mut ping = |session: &mut Session| {
        if Instant::now() >= next {
            session.host.ping(FAR, sequence);
            sequence = sequence.wrapping_add(1);
            next = Instant::now() + Duration::from_millis(100);
        }
        answers += session.host.answers(FAR);
        answers
    };
    session.wait("first packet through the guest", |session| {
        (ping(session) > 0).then(|| Ok(((), format!("{FAR} answers a ping through NAT"))))
    })?;
    session.report.first_packet = Some(hundredths(session.qemu.now().seconds));
    session.wait("five pings answered", |session| {
        (ping(session) >= 5).then(|| Ok(((), String::new())))
    })
}

/// The server's bytes come through the guest unchanged, and it saw the guest's address: `fixed`, or one of the network.
fn download(session: &mut Session, fixed: Option<&str>) -> Result<(), String> {
    let wanted = digest(&test_bytes(DOWNLOAD));
    let started = Instant::now();
    let request = b"GET /blob HTTP/1.0\r\n\r\n";
    session.wait_answer(
        "2 MiB by TCP, bytes identical",
        (FAR, 8080),
        request,
        |_| false,
        |bytes| {
            let body = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
            let got = digest(bytes.get(body + 4..)?);
            let speed = DOWNLOAD as f64 / started.elapsed().as_secs_f64() / 1024.0;
            (got == wanted).then(|| ((), format!("SHA-256 {}..., {speed:.0} KiB/s", &got[..8])))
        },
    )?;
    let request = b"GET /cgi-bin/who HTTP/1.0\r\n\r\n";
    session.wait_answer(
        "the server saw wlan0's address",
        (FAR, 8080),
        request,
        |_| false,
        |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let address = text.lines().last()?.trim();
            fixed
                .map_or(address.starts_with(WIRELESS), |fixed| address == fixed)
                .then(|| ((), address.to_owned()))
        },
    )
}
