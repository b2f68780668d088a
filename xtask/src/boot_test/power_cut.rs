//! The test of a guest that keeps its settings on a disk: what is set before the power fails is there
//! after the next start.
//!
//! The power fails for a disk that is in use, whose file system has to be recovered from its journal
//! then. OpenWrt's guests do that in the kernel, when fstools mounts the disk.

use super::session::Session;
use super::setup::{Setup, append};
use super::{Role, access_point, station};

/// A setting as `uci commit` would leave it: a file below /etc.
const SETTING: &str = "config e2e 'setting'\n\toption outlives 'the power cut'\n";

/// Says what the disk has kept, and makes the setting.
const KEEP: &str = "#!/bin/sh
cd /run/e2e
{
	if [ -f /etc/config/e2e ]; then cat /etc/config/e2e; else echo none; fi
	# Only what was mounted when the power failed is recovered.
	dmesg | grep -o 'EXT4-fs.*: recovery complete' || echo 'no recovery'
} >out/found.new
mv out/found.new out/found
cp setting /etc/config/e2e
sync
grep -o ' /overlay ext4 ' /proc/mounts >out/kept
";

/// Adds what the test needs to the guest's shares; the role mounts the share `e2e`.
pub fn prepare(setup: &Setup) -> Result<(), String> {
    let command =
        "\niface eth0\n  up until [ -f /run/e2e/keep.sh ]; do sleep 1; done; sh /run/e2e/keep.sh\n";
    append(&setup.config.join("interfaces.conf"), command)?;
    Session::put(&setup.exchange, "keep.sh", KEEP.as_bytes())?;
    Session::put(&setup.exchange, "setting", SETTING.as_bytes())
}

/// The first boot, which ends when the power fails: the disk is new, and a setting is made.
pub fn before(session: &mut Session, role: Role) -> Result<(), String> {
    if role == Role::Station {
        session.host.ask_for_address();
    }
    found(session, "the disk is new", |text| text == "none\nno recovery\n")?;
    session.wait_file("a setting was made on the disk", "kept")?;
    let now = session.qemu.now();
    session.report.step("the power fails", now, "");
    Ok(())
}

/// The second boot: the setting is there, and the guest does its work as ever.
pub fn after(session: &mut Session, role: Role) -> Result<(), String> {
    found(session, "the setting outlived the power cut", |text| {
        text.starts_with(SETTING) && text.ends_with(": recovery complete\n")
    })?;
    match role {
        Role::Station => station::run(session),
        Role::AccessPoint => access_point::run(session),
    }
}

/// Waits for what the guest found on its disk, which must be as `expected`.
fn found(session: &mut Session, name: &str, expected: impl Fn(&str) -> bool) -> Result<(), String> {
    let path = session.exchange.join("out/found");
    session.wait(name, |_| {
        let text = std::fs::read_to_string(&path).ok()?;
        let detail = text.trim().replace(['\n', '\t'], " ");
        Some(if expected(&text) { Ok(((), detail)) } else { Err(format!("it found: {detail}")) })
    })
}
