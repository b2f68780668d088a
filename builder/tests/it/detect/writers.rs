//! Cards as each tool would list them: a writer for each format, modelled on what the tools print.

use super::cards::Sample;

/// A writer of listings.
pub type Writer = fn(&[Sample]) -> String;

/// All formats, by what prints them.
pub const ALL: [(&str, Writer); 16] = [
    ("pciconf -lv", pciconf_lv),
    ("pciconf -l of FreeBSD 12", pciconf_chip),
    ("pciconf -l of FreeBSD 6", pciconf_old),
    ("lspci -n", lspci_n),
    ("lspci -nn", lspci_nn),
    ("lspci -nnk", lspci_nnk),
    ("lspci -nnv", lspci_nnv),
    ("lspci -mmnn", lspci_mm),
    ("lspci -D -vmmnn", lspci_vmm),
    ("lshw -json -numeric", lshw),
    ("dmesg of Linux", dmesg_linux),
    ("dmesg of a verbose boot of FreeBSD", dmesg_freebsd),
    ("modaliases", modaliases),
    ("Windows' hardware ids", windows),
    ("a list of ids", ids),
    ("JSON of other tools", other_json),
];

/// The card's name, with brackets, as names have them.
const NAME: &str = "802.11 Wireless [Some Peak]";

/// Puts each card through `write`, with a bridge before and an Ethernet card behind all of them.
fn each(samples: &[Sample], first: &str, last: &str, write: impl Fn(&Numbers) -> String) -> String {
    let cards: String = samples.iter().map(|sample| write(&Numbers::of(sample))).collect();
    format!("{first}{cards}{last}")
}

/// The numbers of a card, ready to be written.
struct Numbers {
    vendor: u16,
    device: u16,
    subvendor: u16,
    subdevice: u16,
    bus: u8,
    slot: u8,
    function: u8,
}

impl Numbers {
    fn of(sample: &Sample) -> Self {
        let (subvendor, subdevice) = sample.id.subsystem.unwrap();
        let (vendor, device) = (sample.id.vendor, sample.id.device);
        let (bus, slot, function) =
            (sample.address.bus, sample.address.slot, sample.address.function);
        Numbers { vendor, device, subvendor, subdevice, bus, slot, function }
    }
    fn slot(&self) -> String {
        format!("{:02x}:{:02x}.{:x}", self.bus, self.slot, self.function)
    }
    fn freebsd(&self) -> String {
        format!("{}:{}:{}", self.bus, self.slot, self.function)
    }
    fn pair(&self) -> String {
        format!("{:04x}:{:04x}", self.vendor, self.device)
    }
    fn sub(&self) -> String {
        format!("{:04x}:{:04x}", self.subvendor, self.subdevice)
    }
}

fn pciconf_lv(samples: &[Sample]) -> String {
    let first = "hostb0@pci0:0:0:0:\tclass=0x060000 rev=0x05 hdr=0x00 vendor=0x8086 device=0x9b61 \
                 subvendor=0x17aa subdevice=0x2292\n    vendor     = 'Intel Corporation'\n    \
                 class      = bridge\n    subclass   = HOST-PCI\n";
    let last = "em0@pci0:0:31:6:\tclass=0x020000 rev=0x00 hdr=0x00 vendor=0x8086 device=0x0d4f \
                subvendor=0x17aa subdevice=0x2292\n    vendor     = 'Intel Corporation'\n    \
                device     = 'Ethernet Connection (10) I219-V'\n    class      = network\n";
    each(samples, first, last, |n| {
        format!(
            "none7@pci0:{}:\tclass=0x028000 rev=0x1a hdr=0x00 vendor=0x{:04x} device=0x{:04x} \
             subvendor=0x{:04x} subdevice=0x{:04x}\n    vendor     = 'Some Corporation'\n    \
             device     = '{NAME}'\n    class      = network\n",
            n.freebsd(),
            n.vendor,
            n.device,
            n.subvendor,
            n.subdevice
        )
    })
}

fn chips(samples: &[Sample], domain: &str) -> String {
    let last = format!(
        "em0@pci{domain}0:31:6:\tclass=0x020000 card=0x229217aa chip=0x0d4f8086 rev=0x00 hdr=0x00\n"
    );
    each(samples, "", &last, |n| {
        format!(
            "ath0@pci{domain}{}:\tclass=0x028000 card=0x{:04x}{:04x} chip=0x{:04x}{:04x} rev=0x01 hdr=0x00\n",
            n.freebsd(),
            n.subdevice,
            n.subvendor,
            n.device,
            n.vendor
        )
    })
}

fn pciconf_chip(samples: &[Sample]) -> String {
    chips(samples, "0:")
}

fn pciconf_old(samples: &[Sample]) -> String {
    chips(samples, "")
}

fn lspci_n(samples: &[Sample]) -> String {
    let last = "00:1f.6 0200: 8086:0d4f\n";
    each(samples, "00:00.0 0600: 8086:9b61 (rev 0c)\n", last, |n| {
        format!("{} 0280: {} (rev 1a)\n", n.slot(), n.pair())
            + &format!("\tSubsystem: {}\n", n.sub())
    })
}

const HOST: &str = "00:00.0 Host bridge [0600]: Intel Corporation Comet Lake-U v1 4c Host Bridge/DRAM \
                    Controller [8086:9b61] (rev 0c)\n";
const ETHERNET: &str = "00:1f.6 Ethernet controller [0200]: Intel Corporation Ethernet Connection (10) I219-V [8086:0d4f]\n";

fn lspci_nn(samples: &[Sample]) -> String {
    // Without -k or -v there are no subsystems.
    each(samples, HOST, ETHERNET, |n| {
        format!(
            "{} Network controller [0280]: Some Corporation {NAME} [{}] (rev 1a)\n",
            n.slot(),
            n.pair()
        )
    })
}

fn lspci_nnk(samples: &[Sample]) -> String {
    each(samples, HOST, ETHERNET, |n| {
        format!(
            "0000:{} Network controller [0280]: Some Corporation {NAME} [{}] (rev 1a)\n\
             \tSubsystem: Some Corporation Device [{}]\n\tKernel driver in use: vfio-pci\n\
             \tKernel modules: iwlwifi\n",
            n.slot(),
            n.pair(),
            n.sub()
        )
    })
}

fn lspci_nnv(samples: &[Sample]) -> String {
    each(samples, HOST, ETHERNET, |n| {
        format!(
            "{} Network controller [0280]: Some Corporation {NAME} [{}] (rev 1a)\n\
             \tSubsystem: Some Corporation Device [{}]\n\
             \tFlags: bus master, fast devsel, latency 0, IRQ 16, IOMMU group {}\n\
             \tMemory at ea238000 (64-bit, non-prefetchable) [size=16K]\n\
             \tCapabilities: <access denied>\n\n",
            n.slot(),
            n.pair(),
            n.sub(),
            n.bus
        )
    })
}

fn lspci_mm(samples: &[Sample]) -> String {
    let last = "00:1f.6 \"Ethernet controller [0200]\" \"Intel Corporation [8086]\" \"I219-V [0d4f]\" -p00 \
                \"Lenovo [17aa]\" \"Device [2292]\"\n";
    each(samples, "", last, |n| {
        format!(
            "{} \"Network controller [0280]\" \"Some Corporation [{:04x}]\" \"{NAME} [{:04x}]\" -r1a -p00 \
             \"Some Corporation [{:04x}]\" \"Device [{:04x}]\"\n",
            n.slot(),
            n.vendor,
            n.device,
            n.subvendor,
            n.subdevice
        )
    })
}

fn lspci_vmm(samples: &[Sample]) -> String {
    let last = "Slot:\t0000:00:1f.6\nClass:\tEthernet controller [0200]\nVendor:\tIntel Corporation [8086]\n\
                Device:\tEthernet Connection (10) I219-V [0d4f]\nDriver:\te1000e\n\n";
    each(samples, "", last, |n| {
        format!(
            "Slot:\t0000:{}\nClass:\tNetwork controller [0280]\nVendor:\tSome Corporation [{:04x}]\n\
             Device:\t{NAME} [{:04x}]\nSVendor:\tSome Corporation [{:04x}]\nSDevice:\tDevice [{:04x}]\n\
             Rev:\t1a\nProgIf:\t00\nDriver:\tiwlwifi\nModule:\tiwlwifi\n\n",
            n.slot(),
            n.vendor,
            n.device,
            n.subvendor,
            n.subdevice
        )
    })
}

fn lshw(samples: &[Sample]) -> String {
    let cards = each(samples, "", "", |n| {
        format!(
            ",{{\"id\":\"network\",\"class\":\"network\",\"description\":\"Wireless interface\",\
             \"product\":\"{NAME} [{:04X}:{:04X}]\",\"vendor\":\"Some Corporation [{:04X}]\",\
             \"businfo\":\"pci@0000:{}\",\"logicalname\":\"wlp0s20f3\",\
             \"configuration\":{{\"driver\":\"iwlwifi\",\"wireless\":\"IEEE 802.11\"}}}}",
            n.vendor,
            n.device,
            n.vendor,
            n.slot()
        )
    });
    format!(
        "{{\"id\":\"pc\",\"class\":\"system\",\"children\":[{{\"id\":\"pci\",\"class\":\"bridge\",\"children\":[\
         {{\"id\":\"network:0\",\"class\":\"network\",\"description\":\"Ethernet interface\",\
         \"product\":\"I219-V [8086:D4F]\",\"businfo\":\"pci@0000:00:1f.6\"}}{cards}]}}]}}"
    )
}

fn dmesg_linux(samples: &[Sample]) -> String {
    let last = "[    0.401234] pci 0000:00:1f.6: [8086:0d4f] type 00 class 0x020000 conventional PCI endpoint\n";
    each(samples, "[    0.000000] Linux version 6.12.0\n", last, |n| {
        format!(
            "[    0.312345] pci 0000:{0}: [{1}] type 00 class 0x028000 PCIe Endpoint\n\
             [    0.312399] pci 0000:{0}: BAR 0 [mem 0xea238000-0xea23bfff 64bit]\n",
            n.slot(),
            n.pair()
        )
    })
}

fn dmesg_freebsd(samples: &[Sample]) -> String {
    let last = "found->\tvendor=0x8086, dev=0x0d4f, revid=0x00\n\tdomain=0, bus=0, slot=31, func=6\n\
                \tclass=02-00-00, hdrtype=0x00, mfdev=0\n";
    each(samples, "FreeBSD 14.2-RELEASE GENERIC amd64\n", last, |n| {
        format!(
            "found->\tvendor=0x{:04x}, dev=0x{:04x}, revid=0x1a\n\tdomain=0, bus={}, slot={}, func={}\n\
             \tclass=02-80-00, hdrtype=0x00, mfdev=0\n\tcmdreg=0x0406, statreg=0x0010, cachelnsz=0 (dwords)\n\
             \tintpin=a, irq=255\n",
            n.vendor, n.device, n.bus, n.slot, n.function
        )
    })
}

fn modaliases(samples: &[Sample]) -> String {
    let last = "pci:v00008086d00000D4Fsv000017AAsd00002292bc02sc00i00\nusb:v1D6Bp0002d0612dc09dsc00dp01ic09isc00ip00in00\n";
    each(samples, "acpi:PNP0A08:PNP0A03:\n", last, |n| {
        format!(
            "pci:v{:08X}d{:08X}sv{:08X}sd{:08X}bc02sc80i00\n",
            n.vendor, n.device, n.subvendor, n.subdevice
        )
    })
}

fn windows(samples: &[Sample]) -> String {
    let last = "PCI\\VEN_8086&DEV_0D4F&SUBSYS_229217AA&REV_00\\3&11583659&0&FE\n";
    each(samples, "ROOT\\SYSTEM\\0000\n", last, |n| {
        format!(
            "PCI\\VEN_{:04X}&DEV_{:04X}&SUBSYS_{:04X}{:04X}&REV_1A\\4&15B0E9AF&0&00E1\n",
            n.vendor, n.device, n.subdevice, n.subvendor
        )
    })
}

fn ids(samples: &[Sample]) -> String {
    each(samples, "# cards in the box\n\n", "", |n| format!("{}:{} # one\n", n.pair(), n.sub()))
}

fn other_json(samples: &[Sample]) -> String {
    let cards = each(samples, "", "", |n| {
        format!(
            ",{{\"slot\":\"{}\",\"class_id\":\"0280\",\"vendor_id\":\"0x{:04x}\",\"device_id\":\"{:04x}\",\
             \"subsystem_vendor\":\"{:04x}\",\"subsystem_device\":\"{:04x}\"}}",
            n.slot(),
            n.vendor,
            n.device,
            n.subvendor,
            n.subdevice
        )
    });
    format!(
        "[{{\"slot\":\"00:1f.6\",\"class_id\":\"0200\",\"vendor_id\":\"8086\",\"device_id\":\"0d4f\"}}{cards}]"
    )
}
