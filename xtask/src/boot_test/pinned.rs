//! The test of an access point whose recipe pins country, channels and power (the project ci/pinned): whoever configures the
//! guest, and whoever is in its networks, tries to change them, and does not.
//!
//! The guest runs no commands of its host's files, so that the test's own part is a service of the project.

use std::time::Duration;

use super::access_point::{self, ACCESS_POINT, GUEST, STATION};
use super::session::Session;
use super::setup::{Setup, append};

/// Ports that programs of a router, its console or its daemons' controls are found at.
const PORTS: [u16; 14] = [21, 22, 23, 53, 80, 111, 443, 1200, 1201, 1900, 5353, 8000, 8080, 8888];

/// Another country, channel and width than the project's, which pins DE, the channels 6 and 11, and 15 dBm.
const OTHERS: &str = "\
country_code=US
ieee80211d=1
ieee80211n=1
ht_capab=[HT40+]
";

/// What the host would have the guest do.
const COMMANDS: &str = "
iface wlan0
  pre-up iw reg set US; touch /run/wifibox/commands
  up iw dev wlan0 set txpower fixed 3000; touch /run/wifibox/commands
";
const SYSCTL: &str = "\nkernel.core_pattern = |/bin/busybox touch /run/wifibox/commands\n";
const CRONTAB: &str = "* * * * * iw dev wlan0 set txpower fixed 3000\n";

/// What is asked of the guest: on standard output, what its radio does; `changed`, what should not be.
const LOOK: &str = "
. /run/e2e/tools.sh
$(tool nsenter) -t 1 -n iw dev wlan0 info
$(tool nsenter) -t 1 -n iw reg get
iw dev wlan1 scan dump
[ ! -e /run/wifibox/commands ] || echo changed: commands
! grep -q commands /proc/sys/kernel/core_pattern || echo changed: core_pattern
for process in /proc/[0-9]*; do
	read -r name <\"$process/comm\" || continue
	case $name in crond | getty | socat) echo \"changed: $name runs\" ;; esac
done 2>/dev/null
grep '^hostapd.conf\\|^interfaces.conf' /run/wifibox/wrong
";

/// Adds what the test needs to the guest's shares.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    access_point::prepare(setup)?;
    let wanted = ACCESS_POINT.replace("channel=1\n", "channel=1\nchannel=13\n") + OTHERS;
    Session::put(&setup.application, "hostapd.conf", wanted.as_bytes())?;
    let station = STATION.replace("scan_freq=2412", "scan_freq=2437");
    Session::put(&setup.exchange, "wpa_supplicant.conf", station.as_bytes())?;
    append(&setup.config.join("interfaces.conf"), COMMANDS)?;
    Session::put(&setup.config, "sysctl.d/own.conf", SYSCTL.as_bytes())?;
    let var = setup.shares.iter().find(|share| share.tag == "var");
    let var = var.ok_or("the guest has no share var")?;
    Session::put(&var.folder, "spool/cron/crontabs/root", CRONTAB.as_bytes())
}

/// Walks through the steps.
pub fn run(session: &mut Session) -> Result<(), String> {
    access_point::join(session)?;
    let log = session.order("station", LOOK)?;
    for pinned in
        ["channel 6 (2437 MHz), width: 20 MHz", "txpower 15.00 dBm", "country DE:", "Country: DE"]
    {
        if !log.contains(pinned) {
            return Err(format!("the radio is not as pinned, without {pinned:?}: {log}"));
        }
    }
    if let Some(line) = log.lines().find(|line| line.starts_with("changed: ")) {
        return Err(format!("the host changed what is pinned: {line}"));
    }
    for said in
        ["'country_code=US' is not taken", "'channel=13' is not taken", "commands are not run"]
    {
        if !log.contains(said) {
            return Err(format!("nothing says that {said}: {log}"));
        }
    }
    let now = session.qemu.now();
    session.report.step(
        "country, channel and power are the image's",
        now,
        "DE, 6 (20 MHz), 15 dBm",
    );
    for port in PORTS {
        refuses(session, port)?;
    }
    let now = session.qemu.now();
    session.report.step(
        "no port answers to the host's side",
        now,
        &format!("{} tried", PORTS.len()),
    );
    super::scan::run(session, "station", "wlan1")?;
    session.power_off()
}

/// The guest does not answer on this port.
fn refuses(session: &mut Session, port: u16) -> Result<(), String> {
    let mut request = session.host.request((GUEST, port), b"STATUS", Duration::from_secs(2));
    loop {
        session.advance();
        match session.host.answer(&mut request, |bytes| !bytes.is_empty()) {
            None => {}
            Some(Err(_)) => return Ok(()),
            Some(Ok(answer)) => {
                let text = String::from_utf8_lossy(&answer).into_owned();
                return Err(format!("port {port} answers to the host's side: {text:?}"));
            }
        }
    }
}
