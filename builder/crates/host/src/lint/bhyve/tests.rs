//! Each rule of the linter, by a text that it accepts or refuses.

use super::*;

const SOUND: &str = "\
# A machine.
name=wifibox
cpus=1
memory.size=160M
memory.wired=true
acpi_tables=YES

lpc.bootrom=/usr/local/share/uefi-firmware/BHYVE_UEFI.fd
lpc.com1.path=stdio
pci.0.0.0.device=hostbridge
pci.0.4.0.device=virtio-blk
pci.0.4.0.path=/images/esp.img
pci.0.4.0.ro=true
pci.0.4.1.device=virtio-9p
pci.0.4.1.sharename=config
pci.0.4.1.path=/etc/config
pci.0.5.0.device=e1000
pci.0.5.0.backend=tap0
pci.0.6.0.device=passthru
pci.0.6.0.bus=3
pci.0.6.0.slot=0
pci.0.6.0.func=0
pci.0.31.0.device=lpc
";

/// The sound machine with a line replaced, or added where `old` is empty.
fn with(old: &str, new: &str) -> String {
    if old.is_empty() {
        return format!("{SOUND}{new}\n");
    }
    assert!(SOUND.contains(old), "{old}");
    SOUND.replacen(old, new, 1)
}

fn refused(old: &str, new: &str, words: &str) {
    let problems = lint(&with(old, new));
    assert!(
        problems.iter().any(|problem| problem.what.contains(words)),
        "{old:?} -> {new:?}: expected {words:?}, found {problems:?}"
    );
}

#[test]
fn a_machine_is_sound() {
    assert_eq!(lint(SOUND), []);
    let devices = Config::parse(SOUND).0.devices();
    let places: Vec<(u8, u8, &str)> =
        devices.iter().map(|d| (d.slot, d.function, d.model.as_str())).collect();
    assert_eq!(places[1..4], [(4, 0, "virtio-blk"), (4, 1, "virtio-9p"), (5, 0, "e1000")]);
    assert_eq!(devices[2].variables["sharename"], "config");
}

#[test]
fn what_bhyve_takes_is_taken() {
    for (old, new) in [
        ("cpus=1", "cpus=0x1"),
        ("cpus=1", "cpus=4\nsockets=1\ncores=2\nthreads=2"),
        ("memory.size=160M", "memory.size=1G"),
        ("memory.size=160M", "memory.size=160"),
        ("memory.size=160M", "memory.size=167772160"),
        ("lpc.com1.path=stdio", "lpc.com1.path=/dev/nmdm0A"),
        ("/images/esp.img", "/images/%(name)/esp.img"),
        ("/images/esp.img", "%(folder)/esp.img\nfolder=/images"),
        ("pci.0.6.0.bus=3\npci.0.6.0.slot=0\npci.0.6.0.func=0", "pci.0.6.0.pptdev=ppt0"),
        ("", "vcpu.0.cpuset=1,2-3"),
        ("", "pci.0.7.0.device=virtio-rnd"),
        ("", "pci.0.7.0.device=ahci\npci.0.7.0.port.0.type=cd\npci.0.7.0.port.0.path=/a.iso"),
        ("", "pci.0.7.0.device=xhci\npci.0.7.0.slot.1.device=tablet"),
    ] {
        assert_eq!(lint(&with(old, new)), [], "{old:?} -> {new:?}");
    }
}

#[test]
fn the_form_of_lines() {
    refused("cpus=1", "cpus = 1", "blanks round the '='");
    refused("cpus=1", "cpus=1 ", "blanks round the '='");
    refused("cpus=1", " cpus=1", "blanks round the '='");
    refused("cpus=1", "cpus=", "has no value");
    refused("cpus=1", "cpus", "expected KEY=VALUE");
    refused("# A machine.", "  # A machine.", "first column");
    refused("\n\n", "\n  \n", "line of blanks");
    refused("cpus=1", "=1", "is empty");
    refused("cpus=1", "cpus.=1", "is empty");
    refused("memory.size", "memory..size", "is empty");
    refused("cpus=1", "c/pus=1", "is no name");
    refused("cpus=1\n", "cpus=1\r\n", "blanks round the '='");
}

#[test]
fn names() {
    refused("acpi_tables", "acpi_table", "did you mean acpi_tables?");
    refused("", "unknown=1", "bhyve knows no unknown");
    refused("", "x86.strictmrs=false", "did you mean x86.strictmsr?");
    refused("", "cpus=1", "set in line 3 already");
    refused("", "lpc=1", "it is a node");
    refused("", "cpus.more=1", "is a value (line 3)");
    refused("", "vcpu.x.cpuset=1", "bhyve knows no vcpu.x.cpuset");
}

#[test]
fn values() {
    refused("memory.wired=true", "memory.wired=wired", "expected true");
    refused("cpus=1", "cpus=0", "expected 1 to 65535");
    refused("cpus=1", "cpus=one", "expected an integer");
    refused("", "pci.0.7.0.device=virtio-scsi\npci.0.7.0.iid=010", "octal");
    for bad in ["160MB", "M", "160 M", "-1", "1.5G", "512K", "99999999999999999999", "20000000T"] {
        let problems = lint(&with("memory.size=160M", &format!("memory.size={bad}")));
        assert!(!problems.is_empty(), "{bad}");
    }
    refused("/images/esp.img", "esp.img", "absolute path");
    refused("lpc.com1.path=stdio", "lpc.com1.path=terminal", "expected stdio");
    refused("", "uuid=1234", "expected a UUID");
    refused("", "lpc.fwcfg=amd", "expected one of bhyve, qemu");
    refused("", "pci.0.5.0.mac=01:00:00:00:00:01", "unicast");
    refused("", "pci.0.5.0.mac=58:9c:fc:1", "six bytes");
    refused("", "pci.0.4.0.sectorsize=100", "powers of two");
    refused("", "vcpu.0.cpuset=1-", "expected numbers and ranges");
    refused("cpus=1", "cpus=4\ncores=3", "bhyve refuses that");
}

#[test]
fn references() {
    refused("/images/esp.img", "/images/%(vm)/esp.img", "not set");
    refused("/images/esp.img", "/images/%(name", "has no end");
    refused("/images/esp.img", "/images/%()", "names no variable");
    refused("/images/esp.img", "/images/100%", "leave it out");
    refused("/images/esp.img", "/a\nfirst=%(second)%(second)\nsecond=%(first)%(first)", "circle");
    refused("/images/esp.img", "/images/%(name)\\", "at the end");
    // Of own variables only those that something refers to are taken.
    refused("", "folder=/images", "bhyve knows no folder");
}

#[test]
fn devices() {
    refused("", "pci.0.4.1.device=virtio-rnd", "two devices in one place: pci.0.4.1");
    refused("", "pci.0.32.0.device=virtio-rnd", "a slot to 31");
    refused("", "pci.0.7.8.device=virtio-rnd", "a function to 7");
    refused("", "pci.0.07.0.device=virtio-rnd", "without padding");
    refused("", "pci.7.0.device=virtio-rnd", "expected pci.BUS.SLOT.FUNCTION.NAME");
    refused("", "pci.0.7.1.device=virtio-rnd", "has no function 0");
    refused("=virtio-blk", "=virtio-block", "did you mean virtio-blk?");
    refused("pci.0.5.0.device=e1000\n", "", "has no pci.0.5.0.device");
    refused("pci.0.5.0.backend=tap0\n", "", "cannot be without pci.0.5.0.backend");
    refused("pci.0.4.0.path=/images/esp.img\n", "", "cannot be without pci.0.4.0.path");
    refused("pci.0.4.1.sharename=config\n", "", "cannot be without pci.0.4.1.sharename");
    refused("", "pci.0.4.0.sharename=x", "virtio-blk has no variable sharename");
    refused("", "pci.0.4.1.path2=x", "did you mean path?");
}

#[test]
fn the_machine() {
    refused("memory.wired=true\n", "", "needs memory.wired=true");
    refused("memory.wired=true", "memory.wired=no", "needs memory.wired=true");
    refused("pci.0.6.0.func=0\n", "", "needs either bus, slot and func");
    refused("", "pci.0.6.0.pptdev=ppt0", "needs either bus, slot and func");
    refused("pci.0.0.0.device=hostbridge\n", "", "no hostbridge");
    refused("pci.0.31.0.device=lpc\n", "", "lpc bridge, which is not there");
    refused("", "pci.0.30.0.device=lpc", "a second lpc");
    refused("pci.0.31.0", "pci.1.31.0", "on bus 0 only");
    refused("lpc.bootrom=/usr/local/share/uefi-firmware/BHYVE_UEFI.fd\n", "", "nothing starts");
    refused("", "bootrom=/u-boot.bin", "it cannot be both");
    refused("", "pci.0.7.0.device=e1000\npci.0.7.0.backend=tap0", "the interface tap0 is at");
    refused(
        "",
        "pci.0.6.1.device=passthru\npci.0.6.1.bus=3\npci.0.6.1.slot=0\npci.0.6.1.func=0",
        "the card 3/0/0 is at pci.0.6.0 and at pci.0.6.1",
    );
    refused(
        "",
        "pci.0.4.2.device=virtio-9p\npci.0.4.2.sharename=config\npci.0.4.2.path=/x",
        "the share config is at",
    );
    refused(
        "pci.0.4.0.ro=true",
        "pci.0.7.0.device=nvme\npci.0.7.0.path=/images/esp.img",
        "writable",
    );
    assert!(lint("name=a\nlpc.bootrom=/a\n")[0].what.contains("no device at all"));
}
