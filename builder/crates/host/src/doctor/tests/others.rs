//! Linux with libvirt, and Xen's dom0.

use super::*;

fn linux() -> Fake {
    let mut fake = Fake { files: BTreeMap::new() };
    fake.put("system", "Linux\n")
        .put("dmesg", "DMAR: IOMMU enabled\n")
        .put("lspci", "0000:02:00.0 PCI bridge [0604]: Intel [8086:9d10]\n0000:03:00.0 Network controller [0280]: Intel [8086:24fd]\n\tKernel driver in use: vfio-pci\n")
        .put(
            "iommu-groups",
            "/sys/kernel/iommu_groups/7/devices/0000:02:00.0\n/sys/kernel/iommu_groups/7/devices/0000:03:00.0\n",
        )
        .put("virsh-list", " Id Name State\n 1 wifibox running\n")
        .put("virsh-net", " Name State Autostart\n wifibox active yes\n")
        .put(
            "virsh-domain",
            "<domain type='kvm'>\n<filesystem type='mount'>\n<interface type='network'>\n<source network='wifibox'/>\n\
             <hostdev mode='subsystem' type='pci' managed='yes'>\n<source>\n\
             <address domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>\n</source>\n</hostdev>\n</domain>\n",
        )
        .put("/proc/cpuinfo", "vendor_id : GenuineIntel\n")
        .put("/proc/cmdline", "root=/dev/sda1 quiet\n")
        .put("/var/lib/wifibox/log/status.json", "{\"version\":1,\"role\":\"station\",\"radio\":{\"driver\":\"iwlwifi\",\"blocked\":null},\"network\":{\"reason\":null}}")
        .put("paths", "other\t/dev/kvm\t\nfolder\t/etc/wifibox/appliance\t\nfolder\t/var/lib/wifibox\t\nfile\t/var/lib/libvirt/images/wifibox/root.img\t9\n");
    fake
}

fn xen() -> Fake {
    let mut fake = Fake { files: BTreeMap::new() };
    fake.put("system", "Xen\n")
        .put("xl-info", "virt_caps : pv hvm hap pv_directio hvm_directio\n")
        .put("xl-assignable", "0000:03:00.0\n")
        .put("xl-list", "Name ID Mem VCPUs State Time(s)\nDomain-0 0 2048 4 r----- 10.0\n")
        .put("bridges", "3: xenbr0: <BROADCAST,UP> mtu 1500\n")
        .put("lspci", "0000:03:00.0 Network controller [0280]: Intel [8086:24fd]\n")
        .put(
            "/etc/xen/wifibox.cfg",
            "name = \"wifibox\"\ntype = \"pv\"\nmemory = 160\nkernel = \"/var/lib/xen/images/wifibox/vmlinuz\"\n\
             pci = [\"0000:03:00.0\"]\nvif = [\"bridge=xenbr0\"]\n",
        )
        .put("paths", "file\t/var/lib/xen/images/wifibox/root.img\t9\nfile\t/var/lib/xen/images/wifibox/vmlinuz\t9\n");
    fake
}

type Break = fn(&mut Fake);

#[test]
pub(super) fn linux_with_vfio() {
    is_sound(&linux());
    let cases: [(&str, &str, Break); 9] = [
        ("virtualization-off", "modprobe", |fake| {
            fake.place("/dev/kvm", "none\t/dev/kvm\t");
        }),
        ("iommu-off", "reboot", |fake| {
            fake.put("iommu-groups", "").put("dmesg", "x\n");
        }),
        ("iommu-disabled", "intel_iommu=on", |fake| {
            fake.put("iommu-groups", "").put("dmesg", "ACPI: DMAR: reserving table\n");
        }),
        ("shared-group", "iommu_groups/7", |fake| {
            fake.change("lspci", "PCI bridge [0604]", "SATA controller [0106]");
        }),
        ("card-not-there", "virsh edit", |fake| {
            fake.change("lspci", "0000:03:00.0", "0000:04:00.0");
        }),
        ("native-driver", "nodedev-detach pci_0000_03_00_0", |fake| {
            fake.change("virsh-domain", "managed='yes'", "managed='no'")
                .change("lspci", "vfio-pci", "iwlwifi");
        }),
        ("no-card-named", "--passthru", |fake| {
            fake.change("virsh-domain", "<hostdev", "<other").change(
                "virsh-domain",
                "</hostdev",
                "</other",
            );
        }),
        ("no-bridge", "net-start", |fake| {
            fake.change("virsh-net", "active", "inactive");
        }),
        ("no-image", "install", |fake| {
            fake.lacks("/var/lib/libvirt/images/wifibox/root.img");
        }),
    ];
    for (cause, cure, wrong) in cases {
        let mut fake = linux();
        wrong(&mut fake);
        expect(&fake, cause, Severity::Guest, cure);
    }
}

#[test]
pub(super) fn dom0_of_xen() {
    is_sound(&xen());
    let cases: [(&str, &str, Break); 8] = [
        ("iommu-off", "xl dmesg", |fake| {
            fake.change("xl-info", " pv_directio hvm_directio", "");
        }),
        ("no-domain", "--hypervisor xen", |fake| {
            fake.files.remove("/etc/xen/wifibox.cfg");
        }),
        ("no-image", "--hypervisor xen", |fake| {
            fake.lacks("/var/lib/xen/images/wifibox/vmlinuz");
        }),
        ("native-driver", "xl pci-assignable-add 0000:03:00.0", |fake| {
            fake.put("xl-assignable", "");
        }),
        ("card-not-there", "detect", |fake| {
            fake.change("lspci", "03:00.0", "04:00.0");
        }),
        ("no-card-named", "vi /etc/xen/wifibox.cfg", |fake| {
            fake.change("/etc/xen/wifibox.cfg", "pci = [\"0000:03:00.0\"]\n", "");
        }),
        ("no-bridge", "ip link add xenbr0", |fake| {
            fake.put("bridges", "");
        }),
        ("configuration", "vi /etc/xen/wifibox.cfg", |fake| {
            fake.change("/etc/xen/wifibox.cfg", "memory = 160", "memory = 160M");
        }),
    ];
    for (cause, cure, wrong) in cases {
        let mut fake = xen();
        wrong(&mut fake);
        expect(&fake, cause, Severity::Guest, cure);
    }
}
