//! The machine and its kernel: virtualization, IOMMU, modules.

use super::{Finding, Host, REBOOT, RESTART, set_guest, set_loader};

pub(super) fn examine(host: &Host<'_>, list: &mut Vec<Finding>) {
    let before = list.len();
    virtualization(host, list);
    if list.len() == before {
        iommu(host, list);
    }
    modules(host, list);
    bhyve(host, list);
}

/// vmm(4) says at boot, or when it is loaded, what the firmware keeps off.
fn virtualization(host: &Host<'_>, list: &mut Vec<Finding>) {
    let messages = host.capture.output("dmesg");
    let off = messages.lines().find(|line| {
        let line = line.to_lowercase();
        (line.contains("vmx") || line.contains("svm"))
            && (line.contains("disabled by bios") || line.contains("does not support"))
    });
    if let Some(line) = off {
        let what = "The processor's virtualization is off: switch on VT-x or SVM (AMD-V), and VT-d or \
                    AMD-Vi with it, in the setup of the machine's firmware.";
        list.push(Finding::guest("virtualization-off", what).because(line).cure([REBOOT]));
    }
}

fn iommu(host: &Host<'_>, list: &mut Vec<Finding>) {
    let zero = |name: &str| host.capture.sysctl(name).filter(|value| value == "0");
    let amd = host.capture.sysctl("hw.model").is_some_and(|model| model.contains("AMD"));
    let tables = host.capture.find("acpi-tables").filter(|text| text.contains("RSD"));
    if tables.is_some_and(|text| !text.contains("DMAR") && !text.contains("IVRS")) {
        let what = "The machine shows no IOMMU: switch on VT-d (Intel) or AMD-Vi (AMD, also called IOMMU) in \
                    the setup of its firmware. A machine without one cannot hand a card over.";
        let check = "acpidump -t | grep -E 'DMAR|IVRS'";
        list.push(Finding::guest("iommu-off", what).cure([REBOOT, check]));
    } else if amd && zero("hw.vmm.amdvi.enable").is_some() {
        let what = "The IOMMU of AMD's processors is off in FreeBSD unless loader.conf says so.";
        list.push(
            Finding::guest("amdvi-off", what)
                .because("hw.vmm.amdvi.enable: 0")
                .cure([set_loader("hw.vmm.amdvi.enable", "1"), REBOOT.to_owned()]),
        );
    } else if zero("hw.vmm.iommu.enable").is_some() {
        let what = "Something has switched off the IOMMU: a line of loader.conf or sysctl.conf.";
        list.push(Finding::guest("iommu-disabled", what).because("hw.vmm.iommu.enable: 0").cure([
            "grep -n hw.vmm.iommu /boot/loader.conf /etc/sysctl.conf".to_owned(),
            set_loader("hw.vmm.iommu.enable", "1"),
            REBOOT.to_owned(),
        ]));
    } else if zero("hw.vmm.iommu.initialized").is_some() && host.running {
        let what = "vmm(4) could not take the IOMMU in use; its messages say why.";
        list.push(
            Finding::guest("iommu-not-initialized", what)
                .because("hw.vmm.iommu.initialized: 0")
                .cure(["dmesg | grep -iE 'dmar|amdvi|vmm'", REBOOT]),
        );
    }
}

fn modules(host: &Host<'_>, list: &mut Vec<Finding>) {
    let known = host.capture.find("kldstat").is_some();
    let loaded = host.has_module("vmm") || host.capture.sysctl("hw.vmm.maxcpu").is_some();
    if known && !loaded {
        list.push(without_vmm(host));
    }
    let console = host.settings.get("console").is_some_and(|value| value == "yes");
    if console && host.running && host.capture.lacks("/dev/nmdm-wifibox.1A") {
        let what = "The console is asked for, and there is no null-modem device for it.";
        let cure =
            ["kldload -n nmdm".to_owned(), set_loader("nmdm_load", "YES"), RESTART.to_owned()];
        list.push(Finding::advice("nmdm-not-loaded", what).cure(cure));
    }
    if let Some(line) = host.logged(&["No null-modem device"]).filter(|_| !console) {
        let what = "There is no console to look into the guest unless bhyve.conf asks for one.";
        let cure = [set_guest("console", "yes"), RESTART.to_owned(), "wifibox console".to_owned()];
        list.push(Finding::advice("console-off", what).because(line).cure(cure));
    }
}

fn without_vmm(host: &Host<'_>) -> Finding {
    let level = host.capture.sysctl("kern.securelevel");
    if let Some(level) = level.filter(|level| level.parse().is_ok_and(|level: i32| level > 0)) {
        let what = "Modules cannot be loaded at this securelevel: have the loader load vmm(4).";
        return Finding::guest("securelevel", what)
            .because(format!("kern.securelevel: {level}"))
            .cure([set_loader("vmm_load", "YES"), REBOOT.to_owned()]);
    }
    let refused = host.logged(&["kernel module could not be loaded"]);
    let mismatch = host.capture.output("dmesg");
    let mismatch = mismatch.lines().rev().find(|line| {
        line.contains("KLD vmm") || (line.contains("vmm") && line.contains("version mismatch"))
    });
    if refused.is_some() || mismatch.is_some() || host.capture.lacks("/boot/kernel/vmm.ko") {
        let evidence = mismatch.map(str::to_owned).or_else(|| refused.cloned());
        let what = "The module vmm(4) cannot be loaded: kernel and modules are of different updates, or it was \
                    left out of a kernel of your own.";
        return Finding::guest("vmm-not-loadable", what)
            .because(evidence.unwrap_or_else(|| "/boot/kernel/vmm.ko is not there".to_owned()))
            .cure(["uname -KU; freebsd-version -kru", "freebsd-update install", REBOOT]);
    }
    let what = "The module vmm(4) is not loaded. Without it in loader.conf a driver of the host takes the card \
                at boot, whatever pptdevs says.";
    let cure = [set_loader("vmm_load", "YES"), "kldload vmm".to_owned(), RESTART.to_owned()];
    Finding::guest("vmm-not-loaded", what).cure(cure)
}

fn bhyve(host: &Host<'_>, list: &mut Vec<Finding>) {
    let devices = host.capture.find("bhyve-devices");
    if devices.is_some_and(|text| text.contains("virtio-blk") && !text.contains("virtio-9p")) {
        let what = "This bhyve has no virtio-9p, by which the guest gets its files: FreeBSD 13.0 was the first.";
        let cure = ["freebsd-version", "freebsd-update -r 14.3-RELEASE upgrade"];
        list.push(Finding::guest("no-virtio-9p", what).cure(cure));
    }
    let most = host.capture.sysctl("hw.vmm.maxcpu").and_then(|value| value.parse::<u32>().ok());
    let asked = host.settings.get("cpus").and_then(|value| value.parse::<u32>().ok());
    if let (Some(most), Some(asked)) = (most, asked)
        && asked > most
    {
        let what = format!("bhyve.conf asks for {asked} processors, and there are {most} at most.");
        let cure = [set_guest("cpus", "1"), RESTART.to_owned()];
        list.push(Finding::guest("too-many-processors", what).cure(cure));
    }
}
