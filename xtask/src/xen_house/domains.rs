//! The domains of the house: what their owner would configure, and the written files of each.

use std::fs;
use std::path::{Path, PathBuf};

use wifibox_ground::address::Address;
use wifibox_host::{HostFile, Hypervisor, Overrides};

use super::{Args, read};
use crate::xen_test::archive::Archive;
use crate::xen_test::machine::CARD;
use crate::xen_test::server::Server;

const RUN: &str = include_str!("run.sh");
const UP: &str = include_str!("up.sh");
const STATION: &str = include_str!("station.sh");
const LEASE: &str = include_str!("lease.sh");

/// The wireless network, and who joins it.
const ACCESS_POINT: &str = "\
interface=wlan0
driver=nl80211
ctrl_interface=/var/run/hostapd
ctrl_interface_group=0
ssid=house
hw_mode=g
channel=1
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=correct horse battery
";
const CLIENT: &str = "\
network={
	ssid=\"house\"
	key_mgmt=WPA-PSK
	psk=\"correct horse battery\"
	scan_freq=2412
}
";

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
    let run = RUN.replace("@CARD@", CARD).replace("@SHA256@", &open.sha256());
    archive.add("run", run.as_bytes())?;

    let wifi = Overrides {
        memory: args.memory,
        firewall_backend: Some("wired".to_owned()),
        configuration_disk: true,
        ..Overrides::default()
    };
    let files = files(&args.wifi, &wifi)?;
    let station = STATION
        .replace("@PORT@", &open.port().to_string())
        .replace("@CLOSED@", &closed.port().to_string());
    let configuration = configuration(&args.wifi, &folder.join("wifibox"), |text| text)?;
    put(&configuration.join("hostapd/hostapd.conf"), ACCESS_POINT.as_bytes())?;
    let appliance = configuration.join("appliance");
    append(&appliance.join("interfaces.conf"), "\niface eth0\n  up sh /media/etc/house/up.sh &\n")?;
    for (name, text) in [
        ("up.sh", UP),
        ("station.sh", &station),
        ("lease.sh", LEASE),
        ("wpa_supplicant.conf", CLIENT),
    ] {
        put(&appliance.join("house").join(name), text.as_bytes())?;
    }
    put(&appliance.join("house/busybox"), &busybox(&args.firewall)?)?;
    archive.add_guest("wifibox", &args.wifi, &files, &configuration)?;
    let firewall = firewall(&files, open.port())?;

    let wired = Overrides {
        name: Some("wired".to_owned()),
        passthru: Address::parse_linux(CARD).into_iter().collect(),
        configuration_disk: true,
        ..Overrides::default()
    };
    let files = self::files(&args.wired, &wired)?;
    // The access point's domain has the usual network already.
    let configuration = self::configuration(&args.wired, &folder.join("wired"), |text| {
        text.replace("10.0.0.", "10.0.1.")
    })?;
    archive.add_guest("wired", &args.wired, &files, &configuration)?;

    archive.add_images("firewall", &args.firewall)?;
    archive.add("firewall.cfg", firewall.as_bytes())?;
    archive.finish()
}

/// The files for Xen of an output, as `wifibox-build host` writes them.
fn files(output: &Path, overrides: &Overrides) -> Result<Vec<HostFile>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", output.display());
    let guest = wifibox_host::of_output(output).map_err(|error| wrong(&error))?;
    let guest = overrides.apply(&guest).map_err(|error| wrong(&error))?;
    Hypervisor::Xen.files(&guest).map_err(|error| wrong(&error))
}

/// The samples of an output as its owner's files in `folder`, each changed by `change`.
fn configuration(
    output: &Path,
    folder: &Path,
    change: impl Fn(String) -> String,
) -> Result<PathBuf, String> {
    let place = folder.join("etc/wifibox");
    let mut left = vec![PathBuf::new()];
    while let Some(below) = left.pop() {
        let source = output.join("etc/wifibox").join(&below);
        let failed = |error: std::io::Error| format!("{}: {error}", source.display());
        for entry in fs::read_dir(&source).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = below.join(entry.file_name());
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                left.push(name);
            } else if kind.is_file() {
                let text = String::from_utf8_lossy(&read(&entry.path())?).into_owned();
                put(&place.join(name.with_extension("")), change(text).as_bytes())?;
            }
        }
    }
    append(&place.join("appliance/sysctl.conf"), CRASH)?;
    Ok(place)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}

fn append(path: &Path, text: &str) -> Result<(), String> {
    let whole = [read(path)?.as_slice(), text.as_bytes()].concat();
    put(path, &whole)
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
