//! `--mishaps`: what is in a guest's way in the world without being its fault, one after the other in one boot of a station: a
//! portal, a full disk, a share that vanishes, a second radio, an access point whose name another one has, too, small
//! packets only, a network without DHCP. The host is told each in the status, and the guest goes on by itself.
//!
//! `--late-card`: a machine without a wireless card, and one that comes later.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::session::{Session, digest, test_bytes};
use super::setup::{Setup, append};
use super::station::{self, FAR};
use super::watch::{configure, done, joined, pings, reason, share, status};

/// Radios: the guest's, one for each of two access points, and one that nobody uses.
pub const RADIOS: &str = "mac80211_hwsim.radios=4";
/// None.
pub const NO_RADIO: &str = "mac80211_hwsim.radios=0";

/// What the guest joins. The scans are limited to the channels of the access points.
const NETWORKS: &str = "\
ctrl_interface=/var/run/wpa_supplicant
network={
	ssid=\"wifibox-test\"
	psk=\"correct horse battery\"
	scan_freq=2412 2437
}
";

const SILENT_NETWORK: &str = "\
ctrl_interface=/var/run/wpa_supplicant
network={
	ssid=\"wifibox-silent\"
	key_mgmt=NONE
	scan_freq=2412
}
";

/// An open network, where nobody gives addresses.
const SILENT: &str = "\
interface=wlan2
driver=nl80211
ssid=wifibox-silent
hw_mode=g
channel=1
";

/// Answers 204 to whom nothing is in the way, once the test says so.
const PORTAL: &str = "#!/bin/sh
if [ -f /run/e2e/paid ]; then
	printf 'HTTP/1.0 204 No Content\\r\\n\\r\\n'
else
	printf 'HTTP/1.0 302 Found\\r\\nLocation: http://login.example/\\r\\n\\r\\n'
fi
";

/// The hash of what was sent.
const SUM: &str = "#!/bin/sh
. /run/e2e/tools.sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' \"$($(tool head) -c \"$CONTENT_LENGTH\" | $(tool sha256sum))\"
";

/// As the book says for networks in which large packets get lost.
const SMALL_PACKETS: &str = "\
*mangle
-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
COMMIT
";

const UPLOAD: usize = 200_000;

/// Adds what the mishaps need to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    station::prepare(setup)?;
    Session::put(&setup.application, "wpa_supplicant.conf", NETWORKS.as_bytes())?;
    append(&setup.config.join("interfaces.conf"), "\niface wlan0\n  mtu 1280\n")?;
    append(&setup.config.join("iptables"), SMALL_PACKETS)?;
    let portal = format!("url=http://{FAR}:8080/cgi-bin/portal\n");
    Session::put(&setup.config, "portal.conf", portal.as_bytes())?;
    // Another access point of the same name, on the next radio and another channel.
    let other = station::ACCESS_POINT.replace("=wlan1\n", "=wlan2\n");
    let other = other.replace("channel=1\n", "channel=6\n");
    for (name, text) in [
        ("trials", "yes\n"),
        ("other.conf", &other),
        ("silent.conf", SILENT),
        ("www/cgi-bin/portal", PORTAL),
        ("www/cgi-bin/sum", SUM),
    ] {
        Session::put(&setup.exchange, name, text.as_bytes())?;
    }
    Ok(())
}

/// Walks through the mishaps.
pub fn run(session: &mut Session) -> Result<(), String> {
    station::work(session)?;
    portal(session)?;
    small_packets(session)?;
    full_disk(session)?;
    vanished_share(session)?;
    further_radios(session)?;
    other_access_point(session)?;
    no_addresses(session)?;
    session.power_off()
}

fn portal(session: &mut Session) -> Result<(), String> {
    let text = "a captive portal wants its page seen first: http://login.example/";
    reason(session, "a portal is in the status, with its page", text)?;
    Session::put(&session.exchange, "paid", b"yes\n")?;
    joined(session, "and no more once it lets packets through", "wifibox-test")
}

/// The wireless interface takes 1280 bytes, and the host's stack hears of no other limit than that of the connection.
fn small_packets(session: &mut Session) -> Result<(), String> {
    let bytes = test_bytes(UPLOAD);
    let wanted = digest(&bytes);
    let head = format!("POST /cgi-bin/sum HTTP/1.0\r\nContent-Length: {UPLOAD}\r\n\r\n");
    let request = [head.as_bytes(), &bytes].concat();
    session.wait_answer(
        "200 KB go out through an interface of 1280 bytes",
        (FAR, 8080),
        &request,
        |_| false,
        |answer| {
            let text = String::from_utf8_lossy(answer);
            text.contains(&wanted).then(|| ((), format!("SHA-256 {}...", &wanted[..8])))
        },
    )
}

fn full_disk(session: &mut Session) -> Result<(), String> {
    let fill = "dd if=/dev/zero of=/tmp/fill bs=65536 2>/dev/null\n[ -s /tmp/fill ]\n";
    session.order("guest", fill)?;
    status(session, "a full disk is in the status", |status| names(&status["full"], "/tmp"))?;
    pings(session, "and packets go through")?;
    session.order("guest", "rm /tmp/fill\n")?;
    status(session, "and no more once there is room", |status| none(&status["full"]))
}

fn vanished_share(session: &mut Session) -> Result<(), String> {
    let here = share(session, "config");
    let away = here.with_file_name("config-away");
    // The hypervisor holds the folder itself.
    let carry = |from: &Path, to: &Path| -> std::io::Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            fs::rename(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    };
    let failed = |error| format!("cannot empty {}: {error}", here.display());
    carry(&here, &away).map_err(failed)?;
    let name = "a share whose files are gone is in the status";
    status(session, name, |status| names(&status["missing_files"], "interfaces.conf"))?;
    pings(session, "and packets go through")?;
    carry(&away, &here).map_err(failed)?;
    status(session, "and no more once they are back", |status| none(&status["missing_files"]))
}

fn further_radios(session: &mut Session) -> Result<(), String> {
    let name = "a second radio is in the status, and not used";
    status(session, name, |status| names(&status["radio"]["others"], "wlan3:mac80211_hwsim"))?;
    session.order(
        "guest",
        "read -r phy </sys/class/net/wlan2/phy80211/name\n\
         iw phy \"$phy\" set netns \"$(cat /run/e2e/out/ap.pid)\"\n",
    )?;
    Ok(())
}

/// Two access points of one name; that of the guest goes. Behind both is the same network.
fn other_access_point(session: &mut Session) -> Result<(), String> {
    session.order("ap", "hostapd -B -t -P /run/e2e.other /run/e2e/other.conf\n")?;
    let mut first = String::new();
    status(session, "the first of two access points of one name", |status| {
        first = status["network"]["bssid"].as_str()?.to_owned();
        Some(first.clone())
    })?;
    session.order(
        "ap",
        "kill \"$(cat /run/e2e.hostapd)\" \"$(cat /run/e2e.pid)\"\nip addr flush dev wlan1\n\
         ip addr add 192.168.77.1/24 dev wlan2\n\
         sed s/wlan1/wlan2/ /run/e2e/udhcpd.conf >/run/e2e/other-udhcpd.conf\n\
         udhcpd -S -a 0 /run/e2e/other-udhcpd.conf\n",
    )?;
    status(session, "it goes, and the guest is with the other", |status| {
        let network = &status["network"];
        let bssid = network["bssid"].as_str().filter(|bssid| **bssid != first)?;
        let well = network["state"] == "COMPLETED" && network["reason"].is_null();
        well.then(|| bssid.to_owned())
    })?;
    pings(session, "and packets go through")
}

fn no_addresses(session: &mut Session) -> Result<(), String> {
    session.order(
        "ap",
        "kill \"$(cat /run/e2e.other)\" \"$(cat /run/e2e.pid)\"\nsleep 1\nip addr flush dev wlan2\n\
         hostapd -B -t -P /run/e2e.other /run/e2e/silent.conf\n",
    )?;
    configure(session, SILENT_NETWORK)?;
    reason(session, "a network without DHCP is in the status", "no DHCP server answers")?;
    configure(session, NETWORKS)?;
    session.order(
        "ap",
        "kill \"$(cat /run/e2e.other)\"\nsleep 1\nip addr add 192.168.77.1/24 dev wlan1\n\
         hostapd -B -t -P /run/e2e.hostapd /run/e2e/hostapd.conf\nudhcpd -S -a 0 /run/e2e/udhcpd.conf\n",
    )?;
    joined(session, "back in a network with it", "wifibox-test")?;
    pings(session, "and packets go through")
}

/// The list has a word that ends so.
fn names(list: &Value, end: &str) -> Option<String> {
    let words = list.as_array()?;
    words.iter().filter_map(Value::as_str).find(|word| word.ends_with(end)).map(str::to_owned)
}

fn none(list: &Value) -> Option<String> {
    list.as_array()?.is_empty().then(String::new)
}

/// Adds what the test of a late card needs.
pub fn prepare_late(setup: &Setup) -> Result<(), String> {
    station::prepare(setup)?;
    let up = "#!/bin/sh\ncd /run/e2e\n. ./tools.sh\nmkdir -p out\norders guest >/dev/null 2>&1 </dev/null &\n";
    Session::put(&setup.exchange, "up.sh", up.as_bytes())
}

/// Starts without a card, which comes when everything else is up.
pub fn run_late(session: &mut Session) -> Result<(), String> {
    session.host.ask_for_address();
    session.wait_ready()?;
    station::lease(session)?;
    let text = "there is no wireless card, or none with a driver";
    reason(session, "without a card the status says so", text)?;
    session.order("guest", "rmmod mac80211_hwsim\nmodprobe mac80211_hwsim radios=1\n")?;
    status(session, "a card that comes late is used", |status| {
        let driver = status["radio"]["driver"].as_str()?;
        let waits = status["network"]["reason"].as_str()?.contains("is in sight");
        waits.then(|| driver.to_owned())
    })?;
    done(session, "and its daemon looks for the network", "");
    session.power_off()
}
