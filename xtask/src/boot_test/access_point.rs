//! The test of an access point: a simulated station joins the guest's network and fetches a file
//! from the host through the guest.
//!
//! The station lives in the guest's machine, on the second simulated radio and in a network
//! namespace of its own, so that the guest's services meet it by radio only.

use std::net::Ipv4Addr;

use smoltcp::wire::{IpAddress, Ipv4Cidr};

use super::report::hundredths;
use super::session::{Session, digest, test_bytes};
use super::setup::{Setup, append};
use super::tools;

/// The host's address, the guest's gateway.
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The guest's address for the host.
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
/// An address behind the host.
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const PORT: u16 = 8080;
const DOWNLOAD: usize = 2 * 1024 * 1024;

/// Opens the test's network.
pub const ACCESS_POINT: &str = "\
interface=wlan0
driver=nl80211
ctrl_interface=/var/run/hostapd
ctrl_interface_group=wheel
ssid=wifibox-test
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=correct horse battery
";

/// The key is what the passphrase gives for this name (PBKDF2).
pub const STATION: &str = "\
network={
	ssid=\"wifibox-test\"
	key_mgmt=WPA-PSK
	psk=08f0159e0cefec726de9c759dccd82483ca24338d22b51f252f59189f9f64d59
	scan_freq=2412
}
";

/// Starts the station in its namespace and hands it the second radio.
const UP: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
mkdir -p out
$(tool unshare) -n -m sh ./station.sh >out/station.log 2>&1 </dev/null &
child=$!
own=$(readlink /proc/self/ns/net)
until [ -e /sys/class/net/wlan1/phy80211/name ]; do sleep 0.1; done
while [ \"$(readlink /proc/$child/ns/net)\" = \"$own\" ]; do sleep 0.05; done
read -r phy </sys/class/net/wlan1/phy80211/name
iw phy \"$phy\" set netns $child
";

const STATION_SIDE: &str = "#!/bin/sh
cd /run/e2e
. ./tools.sh
# /sys shows the devices of the namespace that mounts it.
mount -t sysfs sysfs /sys
until ip link set wlan1 up 2>/dev/null; do sleep 0.05; done
# A scan before the access point is up would cost five seconds until the next.
until [ -e /var/run/hostapd/wlan0 ]; do sleep 0.1; done
wpa_supplicant -t -D nl80211 -i wlan1 -c wpa_supplicant.conf &
until read -r state </sys/class/net/wlan1/operstate && [ \"$state\" = up ]; do sleep 0.1; done
read -r uptime _ </proc/uptime
echo \"at $uptime of the guest's time\" >out/associated
until udhcpc -f -q -n -t 5 -T 1 -i wlan1 -s ./lease.sh; do sleep 1; done
until ping -c 1 -W 1 198.51.100.7; do :; done
echo 'answers' >out/ping
$(tool wget) -O - http://198.51.100.7:8080/blob | sha256sum >out/digest.new
mv out/digest.new out/digest
orders station
";

const LEASE: &str = "#!/bin/sh
[ \"$1\" = bound ] || exit 0
ip addr add \"$ip/$mask\" dev \"$interface\"
ip route add default via \"$router\"
echo \"$ip/$mask by $router\" >/run/e2e/out/lease
";

/// Adds what the test needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    Session::put(&setup.application, "hostapd.conf", ACCESS_POINT.as_bytes())?;
    append(
        &setup.config.join("interfaces.conf"),
        "\niface eth0\n  up mkdir -p /run/e2e && mount -t 9p -o trans=virtio,version=9p2000.L e2e \
         /run/e2e && sh /run/e2e/up.sh &\n",
    )?;
    tools::put(setup)?;
    for (name, text) in [
        ("up.sh", UP),
        ("station.sh", STATION_SIDE),
        ("lease.sh", LEASE),
        ("wpa_supplicant.conf", STATION),
    ] {
        Session::put(&setup.exchange, name, text.as_bytes())?;
    }
    super::scan::prepare(setup)
}

/// Walks through the steps.
pub fn run(session: &mut Session) -> Result<(), String> {
    join(session)?;
    if session.exchange.with_file_name("config").join("uds_passthru.conf").is_file() {
        let name = "hostapd answers by the control socket";
        session.wait_status(name, GUEST, "state=ENABLED")?;
    }
    // OpenWrt's stand-in for a firewall lets everything through.
    if session.base != "openwrt" {
        super::scan::run(session, "station", "wlan1")?;
    }
    session.power_off()
}

/// Until the station has what it wants from the host.
pub fn join(session: &mut Session) -> Result<(), String> {
    session.host.take_address(Ipv4Cidr::new(HOST, 24));
    session.host.add_address(FAR);
    let content = test_bytes(DOWNLOAD);
    let wanted = digest(&content);
    let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {DOWNLOAD}\r\n\r\n");
    let mut server = session.host.serve(PORT, [head.into_bytes(), content].concat());

    session.wait_kernel()?;
    session.wait_ready()?;
    session.wait_file("a station is associated by WPA2", "associated")?;
    session.wait_file("the station has a lease from the guest", "lease")?;
    session.wait_file("first packet through the guest", "ping")?;
    session.report.first_packet = Some(hundredths(session.qemu.now().seconds));

    let path = session.exchange.join("out/digest");
    session.wait("2 MiB from the host by TCP, bytes identical", |session| {
        session.host.attend(&mut server);
        let text = std::fs::read_to_string(&path).ok()?;
        let got = text.split_whitespace().next().unwrap_or_default();
        Some(if got == wanted {
            Ok(((), format!("SHA-256 {}...", &wanted[..8])))
        } else {
            Err(format!("the station got {got}, and not {wanted}"))
        })
    })?;
    let peers: Vec<IpAddress> = server.peers.iter().map(|peer| peer.addr).collect();
    let now = session.qemu.now();
    if peers.is_empty() || peers.iter().any(|&peer| peer != IpAddress::Ipv4(GUEST)) {
        return Err(format!("the host's server saw {peers:?}, and not only {GUEST}"));
    }
    session.report.step("the host saw eth0's address", now, &GUEST.to_string());
    Ok(())
}
