//! What keeps the guest from starting.

use super::*;

#[test]
pub(in crate::doctor::tests) fn the_machine_and_its_kernel() {
    named(
        stopped,
        Severity::Guest,
        &[
            ("virtualization-off", "shutdown -r now", |fake| {
                fake.put("dmesg", "vmx_modinit: VMX operation disabled by BIOS\n");
            }),
            ("iommu-off", "acpidump", |fake| {
                fake.put("acpi-tables", "  RSD PTR: OEM=LENOVO\n  APIC: Length=188\n");
            }),
            ("amdvi-off", "hw.vmm.amdvi.enable=\"1\"", |fake| {
                fake.change("sysctl", "Intel(R) Core(TM) i5-8250U", "AMD Ryzen 5 5600G")
                    .put("acpi-tables", "  RSD PTR: OEM=ASUS\n  IVRS: Length=208\n")
                    .put(LOG, "ERROR PCI pass-through is not available for bhyve\n");
            }),
            ("iommu-disabled", "hw.vmm.iommu.enable=\"1\"", |fake| {
                fake.change("sysctl", "iommu.enable: 1", "iommu.enable: 0");
            }),
            ("vmm-not-loaded", "kldload vmm", |fake| {
                fake.change("kldstat", "vmm.ko", "pf.ko").change(
                    "sysctl",
                    "hw.vmm.maxcpu: 8\n",
                    "",
                );
            }),
            ("vmm-not-loadable", "freebsd-update", |fake| {
                fake.change("kldstat", "vmm.ko", "pf.ko")
                    .change("sysctl", "hw.vmm.maxcpu: 8\n", "")
                    .put(
                        "dmesg",
                        "KLD vmm.ko: depends on kernel - not available or version mismatch\n",
                    );
            }),
            ("securelevel", "vmm_load=\"YES\"", |fake| {
                fake.change("kldstat", "vmm.ko", "pf.ko")
                    .change("sysctl", "hw.vmm.maxcpu: 8\n", "")
                    .change("sysctl", "kern.securelevel: -1", "kern.securelevel: 2");
            }),
            ("no-virtio-9p", "freebsd-update", |fake| {
                fake.put("bhyve-devices", "ahci\nvirtio-blk\npassthru\n");
            }),
            ("too-many-processors", "cpus=\"1\"", |fake| {
                fake.change(BHYVE_CONF, "cpus=1", "cpus=64");
            }),
        ],
    );
}

#[test]
pub(in crate::doctor::tests) fn what_is_missing_on_the_disk() {
    named(
        stopped,
        Severity::Guest,
        &[
            ("no-wifibox-core", "pkg install wifibox-core", |fake| {
                fake.lacks("/usr/local/sbin/wifibox");
            }),
            ("no-bootrom", "bhyve-firmware", |fake| {
                fake.lacks("/usr/local/share/uefi-firmware/BHYVE_UEFI.fd");
            }),
            ("no-image", "wifibox-build install", |fake| {
                fake.lacks("/usr/local/share/wifibox/root.img");
            }),
            ("no-image", "wifibox-build install", |fake| {
                let path = "/usr/local/share/wifibox/esp.img";
                fake.place(path, &format!("file\t{path}\t0"));
            }),
            ("no-bhyve-conf", "bhyve.conf.sample", |fake| {
                fake.lacks(BHYVE_CONF);
            }),
            ("no-core-conf", "core.conf.sample", |fake| {
                fake.lacks("/usr/local/etc/wifibox/core.conf");
            }),
            ("no-share-var", "mkdir -p /var/run/wifibox/appliance", |fake| {
                fake.lacks("/var/run/wifibox/appliance")
                    .put("mount", "tmpfs on /var (tmpfs, local)\n")
                    .put(
                        LOG,
                        "DEBUG [bhyve] virtio-9p: failed to open '/var/run/wifibox/appliance'\n",
                    );
            }),
            ("no-share-config", "wifibox-build install", |fake| {
                fake.lacks("/usr/local/etc/wifibox/appliance");
            }),
            ("app-config-file", "ln -s wpa_supplicant", |fake| {
                let path = "/usr/local/etc/wifibox/app_config";
                fake.place(path, &format!("file\t{path}\t15")).put(
                    LOG,
                    "DEBUG [bhyve] virtio-9p: failed to open '/usr/local/etc/wifibox/app_config'\n",
                );
            }),
            ("app-config-dangling", "ln -s wpa_supplicant", |fake| {
                let path = "/usr/local/etc/wifibox/app_config";
                fake.place(path, &format!("link\t{path}\tnosuch\tnone"));
            }),
            ("app-config-other", "ln -s hostapd", |fake| {
                fake.change(MANIFEST, "\"wpa_supplicant\"", "\"hostapd\"");
            }),
        ],
    );
}

#[test]
pub(in crate::doctor::tests) fn settings_and_the_card() {
    named(
        stopped,
        Severity::Guest,
        &[
            ("memory-too-small", "memory=\"160M\"", |fake| {
                fake.change(BHYVE_CONF, "160M", "128M");
            }),
            ("memory-too-large", "memory=\"160M\"", |fake| {
                fake.change(BHYVE_CONF, "160M", "6G");
            }),
            ("configuration", "ee /usr/local/etc/wifibox/bhyve.conf", |fake| {
                fake.change(BHYVE_CONF, "\"3/0/0\"", "pci0:3:0:0");
            }),
            ("configuration", "ee /boot/loader.conf", |fake| {
                fake.change("/boot/loader.conf", "pptdevs=\"3/0/0\"", "pptdevs=\"3/0/0");
            }),
            ("no-card-named", "passthru=\"3/0/0\"", |fake| {
                fake.change(BHYVE_CONF, "passthru=\"3/0/0\"", "passthru=");
            }),
            ("card-not-there", "passthru=\"4/0/0\"", |fake| {
                fake.change("pciconf", "ppt0@pci0:3:0:0", "none1@pci0:4:0:0").change(
                    "pciconf-caps",
                    "ppt0@pci0:3:0:0",
                    "none1@pci0:4:0:0",
                );
            }),
            ("native-driver", "devmatch_blocklist+=\" if_iwlwifi\"", |fake| {
                fake.change("pciconf", "ppt0@", "iwlwifi0@")
                    .put("/boot/loader.conf", "vmm_load=\"YES\"\n")
                    .put(
                        LOG,
                        "DEBUG [bhyve] bhyve: PCI device at 3/0/0 is not using the ppt(4) driver\n",
                    );
            }),
            ("no-msi", "pciconf -lc", |fake| {
                fake.put(
                    "pciconf-caps",
                    "ppt0@pci0:3:0:0:\tclass=0x028000\n    cap 01[c8] = powerspec 3\n",
                );
            }),
            ("several-functions", "passthru=\"3/0/0 3/0/1\"", |fake| {
                let text = fake.files["pciconf"].clone()
                    + "ichsmb0@pci0:3:0:1:\tclass=0x0c0500 rev=0x78 hdr=0x00 vendor=0x8086 device=0x24fe subvendor=0x8086 subdevice=0x0010\n";
                fake.put("pciconf", &text);
            }),
        ],
    );
}

#[test]
pub(in crate::doctor::tests) fn what_only_the_log_tells_is_named() {
    let cases: [(&str, &str, &str); 10] = [
        (
            "vmm-other-location",
            "kern.module_path",
            "ERROR vmm.ko is loaded from a different location, but cannot be replaced\n",
        ),
        (
            "vmm-in-use",
            "/dev/vmm",
            "ERROR Some other bhyve guests might be running, vmm.ko could not be unloaded\n",
        ),
        ("iommu-off", "sysctl hw.vmm", "ERROR PCI pass-through is not available for bhyve\n"),
        (
            "share-not-opened",
            "ls -ld",
            "DEBUG [bhyve] virtio-9p: failed to open '/media/x': No such file\n",
        ),
        (
            "host-memory",
            "vm.max_user_wired",
            "DEBUG [bhyve] Unable to setup memory (12): Cannot allocate memory\n",
        ),
        ("no-tap", "if_bridge", "ERROR No tap interface is available, cannot proceed\n"),
        (
            "bhyve-ends",
            "loglevel=\"debug\"",
            "INFO  VM manager: guest crashed, signaling restart after 5 seconds\n",
        ),
        (
            "bhyve-ends",
            "loglevel=\"debug\"",
            "WARN  PPT device pci3:0:0 could not be destroyed\nWARN  PPT device pci3:0:0 could not be destroyed\n\
             WARN  PPT device pci3:0:0 could not be destroyed\n",
        ),
        // As a stop leaves it.
        (
            "not-running",
            "service wifibox start",
            "WARN  PPT device pci3:0:0 could not be destroyed\n",
        ),
        ("not-running", "service wifibox start", "INFO  End: wifibox start\n"),
    ];
    for (cause, cure, line) in cases {
        let mut fake = stopped();
        fake.put(LOG, line);
        expect(&fake, cause, Severity::Guest, cure);
    }
    let mut fake = stopped();
    fake.change("/etc/rc.conf", "wifibox_enable=\"YES\"\n", "");
    expect(&fake, "service-off", Severity::Guest, "sysrc wifibox_enable=\"YES\"");
    // What was before the last good start is over.
    let mut fake = sound();
    fake.put(
        LOG,
        "ERROR No tap interface is available\nINFO  Guest wifibox has started as PID 830\n",
    );
    is_sound(&fake);
}

#[test]
pub(in crate::doctor::tests) fn a_guest_that_runs_without_its_card_or_says_nothing_is_named() {
    let mut fake = sound();
    fake.change("pciconf", "ppt0@", "none1@").change("pciconf-caps", "ppt0@", "none1@");
    expect(&fake, "ppt-not-attached", Severity::Guest, "devctl set driver -f pci0:3:0:0 ppt");
    let mut fake = sound();
    fake.files.remove(STATUS);
    expect(&fake, "guest-silent", Severity::Guest, "wifibox console");
    let mut fake = sound();
    fake.change("sysctl", "initialized: 1", "initialized: 0");
    expect(&fake, "iommu-not-initialized", Severity::Guest, "dmesg");
}
