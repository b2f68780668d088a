//! The domains of the house: what their owner would configure, and the written files of each.

use std::fs;
use std::path::{Path, PathBuf};

use wifibox_ground::address::Address;
use wifibox_host::{HostFile, Overrides, shares};

use super::Args;
use crate::boot_test::access_point;
use crate::boot_test::session::Session;
use crate::boot_test::setup::append;
use crate::xen_test::archive::Archive;
use crate::xen_test::machine::CARD;
use crate::xen_test::parsing::files_with;
use crate::xen_test::server::Server;

const RUN: &str = include_str!("run.sh");
const UP: &str = include_str!("up.sh");
const STATION: &str = include_str!("station.sh");
const LEASE: &str = include_str!("lease.sh");

/// A crash at once, by the host's order; nobody reads the console for half a minute.
const CRASH: &str = "kernel.sysrq = 1\nkernel.panic = 1\n";

/// Writes the archive for dom0: `servers` are the one that the firewall lets clients reach, and another.
pub fn pack(
    args: &Args,
    (open, closed): (&Server, &Server),
    folder: &Path,
    disk: &Path,
) -> Result<(), String> {
    let mut archive = Archive::create(disk)?;
    archive.add_run(&RUN.replace("@SHA256@", &open.sha256()))?;

    let wifi = Overrides {
        memory: args.memory,
        firewall_backend: Some("wired".to_owned()),
        configuration_disk: true,
        ..Overrides::default()
    };
    let files = files_with(&args.wifi, &wifi)?;
    let station = STATION
        .replace("@PORT@", &open.port().to_string())
        .replace("@CLOSED@", &closed.port().to_string());
    let place = folder.join("wifibox");
    let (config, application) = configuration(&args.wifi, &place)?;
    // OpenWrt has no group of that name.
    let access_point = access_point::ACCESS_POINT.replace("_group=wheel", "_group=0");
    Session::put(&application, "hostapd.conf", access_point.as_bytes())?;
    append(&config.join("interfaces.conf"), "\niface eth0\n  up sh /media/etc/house/up.sh &\n")?;
    for (name, text) in [
        ("up.sh", UP),
        ("station.sh", &station),
        ("lease.sh", LEASE),
        ("wpa_supplicant.conf", access_point::STATION),
    ] {
        Session::put(&config.join("house"), name, text.as_bytes())?;
    }
    Session::put(&config.join("house"), "busybox", &busybox(&args.firewall)?)?;
    archive.add_guest("wifibox", &args.wifi, &files, &place)?;
    let firewall = firewall(&files, open.port())?;

    let wired = Overrides {
        name: Some("wired".to_owned()),
        passthru: Address::parse_linux(CARD).into_iter().collect(),
        configuration_disk: true,
        ..Overrides::default()
    };
    let files = files_with(&args.wired, &wired)?;
    let place = folder.join("wired");
    let (config, _) = configuration(&args.wired, &place)?;
    // The access point's domain has the usual network already.
    for name in ["interfaces.conf", "udhcpd.conf"] {
        let file = config.join(name);
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        Session::put(&config, name, text.replace("10.0.0.", "10.0.1.").as_bytes())?;
    }
    archive.add_guest("wired", &args.wired, &files, &place)?;

    archive.add_images("firewall", &args.firewall)?;
    archive.add("firewall.cfg", firewall.as_bytes())?;
    archive.finish()
}

/// The samples of an output as its owner's files below `folder`: the shares `config` and `app_config`.
fn configuration(output: &Path, folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", output.display());
    let guest = wifibox_host::of_output(output).map_err(|error| wrong(&error))?;
    let shares = shares::prepare(&guest, output, folder).map_err(|error| wrong(&error))?;
    let share = |tag| {
        let found = shares.iter().find(|share| share.tag == tag);
        found.map(|share| share.folder.clone()).ok_or_else(|| wrong(&format!("no share {tag}")))
    };
    let config = share("config")?;
    append(&config.join("sysctl.conf"), CRASH)?;
    Ok((config, share("app_config")?))
}

/// The firewall's busybox, a static program, for what the guest's own may lack.
fn busybox(firewall: &Path) -> Result<Vec<u8>, String> {
    let image = firewall.join("root.img");
    let found = crate::xen_test::read_image(&image, |path| path == "usr/bin/busybox")?;
    let (_, bytes) =
        found.into_iter().next().ok_or_else(|| format!("{} holds no busybox", image.display()))?;
    Ok(bytes)
}

/// The written `firewall.cfg` for a small Linux: name, cables and what happens at its end are as they were.
fn firewall(files: &[HostFile], port: u16) -> Result<String, String> {
    let file = files.iter().find(|file| file.path == "xen/firewall.cfg");
    let file = file.ok_or("there is no host/xen/firewall.cfg")?;
    let text = String::from_utf8(file.contents.clone()).map_err(|error| error.to_string())?;
    let kept = ["name = ", "vif = ", "  \"backend=", "]", "on_poweroff", "on_reboot", "on_crash"];
    let kept: Vec<&str> =
        text.lines().filter(|line| kept.iter().any(|begin| line.starts_with(begin))).collect();
    for domain in ["wifibox", "wired"] {
        let cable = format!("  \"backend={domain},type=vif\"");
        if !kept.iter().any(|line| line.starts_with(&cable)) {
            return Err(format!("firewall.cfg has no line {cable}:\n{text}"));
        }
    }
    Ok(format!(
        "{}\n\
         type = \"pv\"\n\
         memory = 96\n\
         kernel = \"/domains/firewall/vmlinuz\"\n\
         ramdisk = \"/domains/firewall/initramfs.img\"\n\
         cmdline = \"quiet console=hvc0 root=/dev/xvde allow={port}\"\n\
         disk = [ \"format=raw,vdev=xvde,access=ro,target=/domains/firewall/root.img\" ]\n",
        kept.join("\n")
    ))
}
