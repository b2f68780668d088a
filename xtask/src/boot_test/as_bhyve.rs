//! `--as-bhyve`: QEMU dressed as bhyve boots what was written for bhyve.
//!
//! The machine is read from the output's own `host/bhyve/wifibox.config`, variable by variable, so that
//! what is tested is what is given away: each device in the slot that the file says, virtio of the
//! legacy kind, an 82545EM, one serial port, no graphics and no hot-plug, the memory of the file, UEFI. [`dress`] has what
//! is another one on a PC than on 64-bit Arm.
//! With `--machine FILE` the file is another one, such as a host's own after its programs have started
//! (`ci/wifibox-core-replay.sh`): images and shares are then those that it names.
//! A variable or device that QEMU cannot be dressed with is an error, and not passed over. The guest
//! itself tells which machine it finds ([`Machine::expected`]).

mod dress;

use std::path::{Path, PathBuf};

use dress::Dress;
use wifibox_host::lint::bhyve::{Config, Device};
use wifibox_host::lint::{self, Kind};
use wifibox_host::qemu::{Acceleration, Board, Nic};
use wifibox_host::shares::Share;

use super::session::Session;
use super::setup::{Setup, append};

/// The file of an output that says which machine bhyve makes.
const FILE: &str = "host/bhyve/wifibox.config";
/// The slot of the test's own share, which no output uses.
const OWN_SLOT: u8 = 20;
/// Tells which machine the guest finds.
const TELL: &str = "#!/bin/sh
cd /run/e2e
[ ! -d /sys/class/dmi/id ] || {
	read -r vendor </sys/class/dmi/id/sys_vendor
	read -r product </sys/class/dmi/id/product_name
	echo \"$vendor $product\"
} >out/machine.new
for device in /sys/bus/pci/devices/*; do
	read -r vendor <\"$device/vendor\"
	read -r product <\"$device/device\"
	echo \"${device##*/} ${vendor#0x}:${product#0x}\" >>out/machine.new
done
mv out/machine.new out/machine
";

/// The machine of an output, or of a host.
pub struct Machine {
    dress: &'static Dress,
    config: Config,
    /// The folder of the images, if it is not that of their paths.
    output: Option<PathBuf>,
    /// Memory in MiB.
    pub memory: u32,
}

impl Machine {
    /// Reads the machine of the output in `folder`.
    pub fn of_output(board: Board, folder: &Path) -> Result<Self, String> {
        Self::read(board, &folder.join(FILE), Some(folder.to_owned()))
    }

    /// Reads the machine of a host from `file`; images and shares are where it says.
    pub fn of_host(board: Board, file: &Path) -> Result<Self, String> {
        Self::read(board, file, None)
    }

    fn read(board: Board, path: &Path, output: Option<PathBuf>) -> Result<Self, String> {
        let dress = Dress::of(board);
        let text = std::fs::read(path).map_err(|error| {
            format!("cannot read {} (built with --hypervisor bhyve?): {error}", path.display())
        })?;
        if let Some(problem) = lint::lint(Kind::Bhyve, &text).first() {
            return Err(format!("{}: {problem}", path.display()));
        }
        let config = Config::parse(&String::from_utf8_lossy(&text)).0;
        for &(key, value) in dress.fixed {
            if config.get(key) != Some(value) {
                return Err(format!(
                    "{}: {key} is {:?}, and QEMU is dressed for {value}",
                    path.display(),
                    config.get(key).unwrap_or_default()
                ));
            }
        }
        for key in config.names() {
            let fixed = dress.fixed.iter().any(|(name, _)| *name == key);
            let known = fixed || dress.used.contains(&key);
            if !known && !key.starts_with("pci.") {
                return Err(format!("{}: QEMU cannot be dressed with {key}", path.display()));
            }
        }
        let size = config.get("memory.size").unwrap_or_default();
        let memory = size.strip_suffix('M').and_then(|digits| digits.parse().ok());
        let memory = memory.ok_or_else(|| format!("{}: {size:?} of memory", path.display()))?;
        Ok(Self { dress, config, output, memory })
    }

    /// The shares, with the folders that the file names.
    pub fn shares(&self) -> Vec<Share> {
        let devices = self.config.devices();
        let shares = devices.iter().filter(|device| device.model == "virtio-9p");
        let get = |device: &Device, key: &str| device.variables.get(key).cloned();
        shares
            .filter_map(|device| {
                let read_only = get(device, "ro").as_deref() == Some("true");
                Some(Share::new(&get(device, "sharename")?, get(device, "path")?.into(), read_only))
            })
            .collect()
    }

    /// Lets the guest tell which machine it finds.
    pub fn prepare(setup: &Setup) -> Result<(), String> {
        // The share may be mounted in the background.
        append(
            &setup.config.join("interfaces.conf"),
            "  up until [ -e /run/e2e/machine.sh ]; do sleep 0.1; done; sh /run/e2e/machine.sh\n",
        )?;
        Session::put(&setup.exchange, "machine.sh", TELL.as_bytes())
    }

    /// QEMU's arguments for the firmware of this host, in place of bhyve's.
    pub fn firmware(&self) -> Result<Vec<String>, String> {
        self.dress.firmware()
    }

    /// The lines that the guest must report: the names of SMBIOS, then each device with its ids.
    pub fn expected(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.dress.names.iter().map(|&name| name.to_owned()).collect();
        for device in self.devices() {
            let ids = match device.model.as_str() {
                "virtio-blk" => "1af4:1001",
                "virtio-9p" => "1af4:1009",
                "virtio-net" => "1af4:1000",
                "e1000" => "8086:100f",
                _ => continue,
            };
            lines.push(format!("0000:00:{:02x}.{:x} {ids}", device.slot, device.function));
        }
        lines
    }

    fn devices(&self) -> Vec<Device> {
        let mut devices = self.config.devices();
        devices.retain(|device| !["hostbridge", "lpc"].contains(&device.model.as_str()));
        devices
    }

    /// QEMU's arguments. `shares` are the test's folders by tag, `memory` is in MiB.
    pub fn arguments(
        &self,
        memory: u32,
        firmware: &[String],
        acceleration: Acceleration,
        nic: &Nic,
        shares: &[Share],
        monitor: &Path,
    ) -> Result<Vec<String>, String> {
        let cpus = self.config.get("cpus").unwrap_or("1");
        let mut list: Vec<String> =
            ["-nodefaults", "-no-user-config", "-no-reboot"].map(str::to_owned).to_vec();
        let mut add = |words: &[&str]| list.extend(words.iter().map(|word| (*word).to_owned()));
        add(self.dress.arguments);
        add(&acceleration.arguments(self.dress.board));
        add(&["-m", &memory.to_string(), "-smp", cpus, "-rtc", "base=utc"]);
        add(&["-display", "none", "-serial", "stdio"]);
        add(&["-qmp", &format!("unix:{},server=on,wait=off", monitor.display())]);
        add(&firmware.iter().map(String::as_str).collect::<Vec<_>>());
        let devices = self.devices();
        for device in &devices {
            for argument in self.device(device, &devices, nic, shares)? {
                add(&[&argument]);
            }
        }
        let own = shares.iter().filter(|share| !self.has_share(&devices, &share.tag));
        for (function, share) in own.enumerate() {
            let place = format!("addr={OWN_SLOT:02x}.{function:x},multifunction=on");
            for argument in share_arguments(share, share.read_only, &place) {
                add(&[&argument]);
            }
        }
        Ok(list)
    }

    fn has_share(&self, devices: &[Device], tag: &str) -> bool {
        devices.iter().any(|device| device.variables.get("sharename").is_some_and(|t| t == tag))
    }

    /// The arguments for one device, in its place.
    fn device(
        &self,
        device: &Device,
        all: &[Device],
        nic: &Nic,
        shares: &[Share],
    ) -> Result<Vec<String>, String> {
        let Device { bus, slot, function, model, variables } = device;
        let name = format!("pci.{bus}.{slot}.{function}");
        if *bus != 0 || *slot == OWN_SLOT {
            return Err(format!(
                "{name}: QEMU is dressed for bus 0, and slot {OWN_SLOT} is the test's"
            ));
        }
        let many = all.iter().filter(|other| other.slot == *slot).count() > 1;
        let many = if many && *function == 0 { ",multifunction=on" } else { "" };
        let place = format!("addr={slot:02x}.{function:x}{many}");
        let known: &[&str] = match model.as_str() {
            "virtio-blk" => &["path", "ro"],
            "virtio-9p" => &["sharename", "path", "ro"],
            "e1000" | "virtio-net" => &["backend"],
            other => return Err(format!("{name}: QEMU cannot be dressed with {other}")),
        };
        if let Some(other) = variables.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("{name}: QEMU cannot be dressed with {other}"));
        }
        let get = |key: &str| variables.get(key).map_or("", String::as_str);
        let read_only = get("ro") == "true";
        match model.as_str() {
            "virtio-blk" => {
                let image = Path::new(get("path"));
                let path = match (&self.output, image.file_name()) {
                    // Where it is on a FreeBSD host does not matter, which one it is does.
                    (Some(output), Some(name)) => output.join(name),
                    _ => image.to_owned(),
                };
                if !path.is_file() {
                    return Err(format!("{name}: {} is missing", path.display()));
                }
                let id = format!("disk{slot}-{function}");
                let read_only = if read_only { "on" } else { "off" };
                Ok(vec![
                    "-blockdev".to_owned(),
                    format!(
                        "driver=raw,node-name={id},read-only={read_only},file.driver=file,\
                         file.filename={}",
                        path.display()
                    ),
                    "-device".to_owned(),
                    format!(
                        "virtio-blk-pci,drive={id},disable-modern=on,disable-legacy=off,{place}"
                    ),
                ])
            }
            "virtio-9p" => {
                let tag = get("sharename");
                let share = shares.iter().find(|share| share.tag == tag);
                let share = share.ok_or_else(|| format!("{name}: the test has no share {tag}"))?;
                Ok(share_arguments(share, read_only, &place))
            }
            card => {
                let card = if card == "e1000" {
                    "e1000-82545em,netdev=net".to_owned()
                } else {
                    "virtio-net-pci,netdev=net,disable-modern=on,disable-legacy=off".to_owned()
                };
                let netdev = nic.netdev().map_err(|error| error.to_string())?;
                let (netdev, card) = (["-netdev".to_owned(), netdev], format!("{card},{place}"));
                Ok([netdev, ["-device".to_owned(), card]].concat())
            }
        }
    }
}

fn share_arguments(share: &Share, read_only: bool, place: &str) -> Vec<String> {
    let (tag, folder) = (&share.tag, share.folder.display());
    let read_only = if read_only { ",readonly=on" } else { "" };
    vec![
        "-fsdev".to_owned(),
        format!("local,id={tag},path={folder},security_model=mapped-xattr{read_only}"),
        "-device".to_owned(),
        format!(
            "virtio-9p-pci,fsdev={tag},mount_tag={tag},disable-modern=on,disable-legacy=off,{place}"
        ),
    ]
}

#[cfg(test)]
mod tests;
