//! The test of a station whose user wrote OpenWrt's own form of configuration (UCI): the simulated access point is the one
//! that the share's files ask for, and the guest's addresses are theirs.

use super::session::Session;
use super::setup::Setup;
use super::wanted::{FAR, Wanted};

/// Puts this access point into the place of the other one.
pub fn prepare(wanted: &Wanted, setup: &Setup) -> Result<(), String> {
    Session::put(&setup.exchange, "hostapd.conf", wanted.access_point()?.as_bytes())?;
    Session::put(&setup.exchange, "gateways.sh", wanted.gateways().as_bytes())
}

/// The guest is where it should be, and has the addresses that it should have.
pub fn run(wanted: &Wanted, session: &mut Session) -> Result<(), String> {
    // The first process is in the guest's own namespace.
    let look = ". /run/e2e/tools.sh\niw dev wlan1 info\niw dev wlan1 station dump\n\
                $(tool nsenter) -t 1 -n iw dev wlan0 info\n";
    let log = session.order("ap", look)?;
    let place = "channel 36 (5180 MHz), width: 80 MHz";
    let rate = log.lines().find(|line| line.contains("rx bitrate:") && line.contains("VHT"));
    let (2, Some(rate)) = (log.matches(place).count(), rate) else {
        return Err(format!("guest and access point do not both have 80 MHz of channel 36: {log}"));
    };
    let now = session.qemu.now();
    session.report.step("joined at 5 GHz with 80 MHz", now, &format!("{place}; {}", rate.trim()));
    if let Some(address) = wanted.address6() {
        let ping = format!(
            ". /run/e2e/tools.sh\nfor n in 1 2 3 4 5; do\n\
             $(tool ping) -6 -c 1 -W 2 -I {FAR} {address} && exit 0\ndone\nexit 1\n"
        );
        session.order("ap", &ping)?;
        let now = session.qemu.now();
        let detail = format!("{address} answers {FAR}");
        session.report.step("the guest's fixed IPv6 address and its way out", now, &detail);
    }
    Ok(())
}
