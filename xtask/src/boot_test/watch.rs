//! What the test sees of a guest on the host while it goes on: its status, and whether packets go through.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::session::Session;
use super::station::FAR;

/// Has the guest read another wpa_supplicant.conf.
pub fn configure(session: &mut Session, text: &str) -> Result<(), String> {
    Session::put(&share(session, "wpa_supplicant"), "wpa_supplicant.conf", text.as_bytes())?;
    session.order("guest", ". /etc/wifibox/functions; restart wpa_supplicant\n").map(drop)
}

/// The folder of a share; that of `app_config` has the daemon's name.
pub fn share(session: &Session, name: &str) -> PathBuf {
    session.exchange.with_file_name(name)
}

/// Notes a step that is done.
pub fn done(session: &mut Session, name: &str, detail: &str) {
    let now = session.qemu.now();
    session.report.step(name, now, detail);
}

/// Waits for this in the status file on the host.
pub fn status(
    session: &mut Session,
    name: &str,
    mut accept: impl FnMut(&Value) -> Option<String>,
) -> Result<(), String> {
    let path = share(session, "var").join("log/status.json");
    session.wait(name, |_| {
        let text = fs::read(&path).ok()?;
        let value: Value = match serde_json::from_slice(&text) {
            Ok(value) => value,
            Err(error) => return Some(Err(format!("{}: {error}", path.display()))),
        };
        accept(&value).map(|detail| Ok(((), detail)))
    })
}

/// Waits until the status gives a reason that contains this text.
pub fn reason(session: &mut Session, name: &str, text: &str) -> Result<(), String> {
    status(session, name, |status| {
        let reason = status["network"]["reason"].as_str()?;
        reason.contains(text).then(|| reason.to_owned())
    })
}

/// Waits until the status says that the guest is in this network and nothing is wrong.
pub fn joined(session: &mut Session, name: &str, ssid: &str) -> Result<(), String> {
    status(session, name, |status| {
        let network = &status["network"];
        let in_it = network["ssid"] == ssid && network["state"] == "COMPLETED";
        (in_it && network["reason"].is_null()).then(|| network["security"].to_string())
    })
}

/// Waits for an answer from beyond the wireless network.
pub fn pings(session: &mut Session, name: &str) -> Result<(), String> {
    session.host.answers(FAR);
    let (mut sequence, mut next) = (1000_u16, Instant::now());
    session.wait(name, |session| {
        if Instant::now() >= next {
            session.host.ping(FAR, sequence);
            sequence = sequence.wrapping_add(1);
            next = Instant::now() + Duration::from_millis(300);
        }
        (session.host.answers(FAR) > 0).then(|| Ok(((), String::new())))
    })
}
