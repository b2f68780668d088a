//! FreeBSD with wifibox-core.

use super::*;

const BHYVE_CONF: &str = "/usr/local/etc/wifibox/bhyve.conf";
const MANIFEST: &str = "/usr/local/share/wifibox/manifest.json";
const STATUS: &str = "/var/run/wifibox/appliance/log/status.json";
const LOG: &str = "/var/log/wifibox.log";

/// A laptop with an Intel card, which the guest has joined to a network.
fn sound() -> Fake {
    let mut fake = Fake { files: BTreeMap::new() };
    let etc = "/usr/local/etc/wifibox";
    fake.put("system", "FreeBSD\n")
        .put("dmesg", "CPU: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz\nppt0 mem 0xdc200000 at device 0.0 on pci3\n")
        .put("ps", "  PID COMMAND\n  801 daemon: wifibox-vm-manager[802]\n  830 bhyve: wifibox (bhyve)\n")
        .put(
            "sysctl",
            "hw.model: Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz\nhw.physmem: 8468340736\nhw.vmm.maxcpu: 8\n\
             hw.vmm.iommu.enable: 1\nhw.vmm.iommu.initialized: 1\nhw.vmm.amdvi.enable: 0\nkern.securelevel: -1\n",
        )
        .put(
            "kldstat",
            "Id Refs Address Size Name\n 1 90 0xffffffff80200000 2168d40 kernel\n \
             5 1 0xffffffff83a00000 30f000 vmm.ko\n 6 1 0xffffffff83b00000 3000 nmdm.ko\n",
        )
        .put(
            "pciconf",
            "hostb0@pci0:0:0:0:\tclass=0x060000 rev=0x08 hdr=0x00 vendor=0x8086 device=0x5914 subvendor=0x17aa subdevice=0x506f\n\
             ppt0@pci0:3:0:0:\tclass=0x028000 rev=0x78 hdr=0x00 vendor=0x8086 device=0x24fd subvendor=0x8086 subdevice=0x0010\n    \
             vendor     = 'Intel Corporation'\n    device     = 'Wireless 8265 / 8275'\n    class      = network\n",
        )
        .put(
            "pciconf-caps",
            "ppt0@pci0:3:0:0:\tclass=0x028000 rev=0x78\n    cap 01[c8] = powerspec 3\n    cap 05[d0] = MSI supports 1 message, 64 bit\n",
        )
        .put("acpi-tables", "  RSD PTR: OEM=LENOVO, ACPI_Rev=2.0x\n  DMAR: Length=168, Revision=1\n")
        .put("bhyve-devices", "ahci\ne1000\nvirtio-9p\nvirtio-blk\npassthru\n")
        .put(
            "ifconfig",
            "lo0: flags=1008049<UP> metric 0 mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\
             wifibox0: flags=1008843<UP> metric 0 mtu 1500\n\tinet 10.0.0.2 netmask 0xffffff00 broadcast 10.0.0.255\n\
             \tmember: tap0 flags=143<LEARNING>\n\tgroups: bridge\ntap0: flags=1008943<UP> metric 0 mtu 1500\n",
        )
        .put(
            "routes",
            "Routing tables\n\nInternet:\nDestination Gateway Flags Netif Expire\ndefault 10.0.0.1 UGS wifibox0\n\
             10.0.0.0/24 link#3 U wifibox0\n127.0.0.1 link#1 UH lo0\n",
        )
        .put("mount", "zroot/ROOT/default on / (zfs, local)\n")
        .put("/boot/loader.conf", "vmm_load=\"YES\"\nnmdm_load=\"YES\"\npptdevs=\"3/0/0\"\n")
        .put("/etc/rc.conf", "wifibox_enable=\"YES\"\nifconfig_wifibox0=\"SYNCDHCP\"\n")
        .put("/etc/resolv.conf", "# by resolvconf\nnameserver 10.0.0.1\n")
        .put(BHYVE_CONF, "cpus=1\nmemory=160M\nconsole=no\npassthru=\"3/0/0\"\npriority=50\nstop_wait_max=30\n")
        .put(&format!("{etc}/core.conf"), "loglevel=warn\n")
        .put(&format!("{etc}/appliance/interfaces.conf"), "auto eth0\niface eth0 inet static\n  address 10.0.0.1/24\n")
        .put(&format!("{etc}/appliance/uds_passthru.conf"), "sockets=\"\"\n")
        .put(LOG, "2026-01-01T10:00:00+0100 WARN  Bridge interface already exists: wifibox0, skipping creation\n")
        .put(
            MANIFEST,
            "{\"build_id\":\"0123456789abcdef\",\"guest\":{\"role\":\"station\",\"application\":\"wpa_supplicant\",\
             \"memory\":160,\"smallest_memory\":140}}\n",
        )
        .put(
            STATUS,
            r#"{"version": 1, "build_id": "0123456789abcdef", "role": "station",
                "radio": {"device": "0000:00:06.0", "driver": "iwlwifi", "firmware": "36", "blocked": null,
                "firmware_missing": []}, "cards_without_driver": null, "regulatory_domain": "DE",
                "network": {"state": "COMPLETED", "ssid": "home", "reason": null},
                "addresses": [{"interface": "eth0", "address": "10.0.0.1/24"},
                {"interface": "wlan0", "address": "192.168.1.20/24"}], "name_servers": ["192.168.1.1"],
                "clients": ["10.0.0.2"], "daemons": [{"name": "wpa_supplicant", "running": true,
                "restarts": 0}], "problems": []}"#,
        )
        .put("paths", "");
    for (kind, path) in [
        ("file", "/usr/local/sbin/wifibox"),
        ("file", "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"),
        ("file", "/usr/local/bin/socat"),
        ("file", BHYVE_CONF),
        ("file", "/usr/local/etc/wifibox/core.conf"),
        ("file", "/usr/local/share/wifibox/root.img"),
        ("file", "/usr/local/share/wifibox/esp.img"),
        ("file", "/boot/kernel/vmm.ko"),
        ("file", LOG),
        ("folder", "/usr/local/etc/wifibox/appliance"),
        ("folder", "/var/run/wifibox/appliance"),
    ] {
        fake.place(path, &format!("{kind}\t{path}\t1234"));
    }
    let link = "/usr/local/etc/wifibox/app_config";
    fake.place(link, &format!("link\t{link}\twpa_supplicant\tfolder"));
    fake
}

/// The same, and the guest does not run: nobody has heard of it since.
fn stopped() -> Fake {
    let mut fake = sound();
    fake.put("ps", "  PID COMMAND\n  801 cron\n").put("ifconfig", "lo0: flags=8049<UP>\n");
    fake.files.remove(STATUS);
    fake
}

#[test]
pub(super) fn nothing_is_found_in_sound_hosts() {
    is_sound(&sound());
    // An AMD machine whose loader has a file of its own for the guest, with the console on.
    let mut amd = sound();
    amd.change("sysctl", "Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz", "AMD Ryzen 7 PRO 5850U")
        .change("sysctl", "hw.vmm.amdvi.enable: 0", "hw.vmm.amdvi.enable: 1")
        .put("acpi-tables", "  RSD PTR: OEM=HP\n  IVRS: Length=208\n")
        .put("/boot/loader.conf", "zfs_load=\"YES\"\n")
        .put(
            "/boot/loader.conf.d/wifibox.conf",
            "vmm_load=\"YES\"\nhw.vmm.amdvi.enable=\"1\"\npptdevs=\"3/0/0\"\n",
        )
        .change(BHYVE_CONF, "console=no", "console=yes")
        .put("/etc/resolv.conf", "search lan\nnameserver 127.0.0.1\noptions edns0\n");
    is_sound(&amd);
    // A card of the chipset, beside functions that are the host's; an older guest without status files, whose
    // kernel says what it does; a second network by cable that does not clash.
    let mut chipset = sound();
    chipset.files.remove(STATUS);
    chipset
        .change("pciconf", "pci0:3:0:0", "pci0:0:20:3")
        .change("pciconf-caps", "pci0:3:0:0", "pci0:0:20:3")
        .change("/boot/loader.conf", "3/0/0", "0/20/3")
        .change(BHYVE_CONF, "3/0/0", "0/20/3")
        .put(
            "/var/run/wifibox/appliance/log/dmesg",
            "[ 1.0] iwlwifi 0000:00:06.0: loaded firmware version 36\n",
        );
    let text = chipset.files["pciconf"].clone()
        + "xhci0@pci0:0:20:0:\tclass=0x0c0330 rev=0x21 hdr=0x00 vendor=0x8086 device=0x9d2f subvendor=0x17aa subdevice=0x506f\n";
    chipset.put("pciconf", &text);
    let text = chipset.files["ifconfig"].clone()
        + "em0: flags=8843<UP>\n\tinet 10.0.1.7 netmask 0xffffff00\n";
    chipset.put("ifconfig", &text);
    is_sound(&chipset);
}

pub(super) mod network;
pub(super) mod starting;

type Break = fn(&mut Fake);

/// Each of these, broken in one way, is named by its cause.
fn named(base: fn() -> Fake, severity: Severity, cases: &[(&str, &str, Break)]) {
    for (cause, cure, wrong) in cases {
        let mut fake = base();
        wrong(&mut fake);
        expect(&fake, cause, severity, cure);
    }
}

#[test]
pub(super) fn what_works_but_not_well_is_advice() {
    named(
        sound,
        Severity::Advice,
        &[
            ("native-module-loaded", "kldunload if_iwlwifi", |fake| {
                fake.change("kldstat", "nmdm.ko", "if_iwlwifi.ko");
            }),
            ("no-socat", "pkg install socat", |fake| {
                fake.lacks("/usr/local/bin/socat");
            }),
            ("no-log", "touch /var/log/wifibox.log", |fake| {
                fake.lacks(LOG);
            }),
            ("console-off", "console=\"yes\"", |fake| {
                fake.put(LOG, "ERROR No null-modem device is configured\n");
            }),
            ("nmdm-not-loaded", "kldload -n nmdm", |fake| {
                fake.change(BHYVE_CONF, "console=no", "console=yes").lacks("/dev/nmdm-wifibox.1A");
            }),
            ("older-guest-runs", "service wifibox restart", |fake| {
                fake.change(MANIFEST, "0123456789abcdef", "fedcba9876543210");
            }),
            ("slow-shutdown", "stop_wait_max", |fake| {
                fake.put(LOG, "INFO  Grace period is over, forcing shutdown of guest wifibox\n");
            }),
        ],
    );
}
