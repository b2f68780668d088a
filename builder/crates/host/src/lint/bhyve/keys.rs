//! The variables that bhyve knows: the tables of bhyve_config(5), and what its source reads besides
//! (FreeBSD 13 to 15).

use super::values::Form;
use super::values::Form::{
    Boolean, CpuSet, Host, Integer, Mac, Memory, OneOf, Path, Sector, Serial, Text, Uuid,
};

/// Variables outside of devices.
pub(super) const GLOBAL: &[(&str, Form)] = &[
    ("name", Text(255)),
    ("cpus", Integer(1, 65535)),
    ("cores", Integer(1, 65535)),
    ("threads", Integer(1, 65535)),
    ("sockets", Integer(1, 65535)),
    ("memory.guest_in_core", Boolean),
    ("memory.size", Memory),
    ("memory.wired", Boolean),
    ("acpi_tables", Boolean),
    ("acpi_tables_in_memory", Boolean),
    ("destroy_on_poweroff", Boolean),
    ("gdb.address", Text(255)),
    ("gdb.port", Integer(0, 65535)),
    ("gdb.wait", Boolean),
    ("keyboard.layout", Text(255)),
    ("rtc.use_localtime", Boolean),
    ("uuid", Uuid),
    ("virtio_msix", Boolean),
    ("virtio.msix", Boolean),
    ("config.dump", Boolean),
    ("monitor", Boolean),
    ("rundir", Path),
    // The device tree of Arm and RISC-V (aarch64/fdt.c).
    ("fdt.bootargs", Text(1023)),
    ("bios.vendor", Text(255)),
    ("bios.version", Text(255)),
    ("bios.release_date", Text(255)),
    ("system.family_name", Text(255)),
    ("system.manufacturer", Text(255)),
    ("system.product_name", Text(255)),
    ("system.serial_number", Text(255)),
    ("system.sku", Text(255)),
    ("system.version", Text(255)),
    ("board.manufacturer", Text(255)),
    ("board.product_name", Text(255)),
    ("board.version", Text(255)),
    ("board.serial_number", Text(255)),
    ("board.asset_tag", Text(255)),
    ("board.location", Text(255)),
    ("chassis.manufacturer", Text(255)),
    ("chassis.version", Text(255)),
    ("chassis.serial_number", Text(255)),
    ("chassis.asset_tag", Text(255)),
    ("chassis.sku", Text(255)),
    ("x86.mptable", Boolean),
    ("x86.x2apic", Boolean),
    ("x86.strictio", Boolean),
    ("x86.strictmsr", Boolean),
    ("x86.vmexit_on_hlt", Boolean),
    ("x86.vmexit_on_pause", Boolean),
    ("x86.verbosemsr", Boolean),
    ("lpc.bootrom", Path),
    ("lpc.bootvars", Path),
    ("lpc.fwcfg", OneOf(&["bhyve", "qemu"])),
    ("lpc.pc-testdev", Boolean),
    ("lpc.com1.path", Serial),
    ("lpc.com2.path", Serial),
    ("lpc.com3.path", Serial),
    ("lpc.com4.path", Serial),
    ("lpc.pcireg.vendor", Host),
    ("lpc.pcireg.device", Host),
    ("lpc.pcireg.revid", Host),
    ("lpc.pcireg.subvendor", Host),
    ("lpc.pcireg.subdevice", Host),
    ("tpm.type", OneOf(&["passthru", "swtpm"])),
    ("tpm.path", Path),
    ("tpm.version", OneOf(&["2.0"])),
    // Of every machine since FreeBSD 15, where those of lpc are called deprecated.
    ("bootrom", Path),
    ("bootvars", Path),
    ("pci.enable_bars", Boolean),
    ("console", Serial),
];

/// Block devices.
const BLOCK: &[(&str, Form)] = &[
    ("path", Path),
    ("nocache", Boolean),
    ("nodelete", Boolean),
    ("sync", Boolean),
    ("direct", Boolean),
    ("ro", Boolean),
    ("sectorsize", Sector),
    ("bootindex", Integer(0, 65535)),
];

/// Backends of network cards.
const NETWORK: &[(&str, Form)] = &[
    ("backend", Text(255)),
    ("type", OneOf(&["tap", "netgraph", "netmap", "slirp"])),
    ("mac", Mac),
    ("path", Text(255)),
    ("peerhook", Text(255)),
    ("socket", Text(255)),
    ("hook", Text(255)),
    ("hostfwd", Text(1023)),
    ("open", Boolean),
    ("bootindex", Integer(0, 65535)),
];

/// A device model: its own variables, and those that it cannot be without.
pub(super) struct Model {
    pub name: &'static str,
    pub variables: &'static [&'static [(&'static str, Form)]],
    pub required: &'static [&'static str],
}

/// The device models on PCI.
pub(super) const MODELS: &[Model] = &[
    Model {
        name: "hostbridge",
        variables: &[&[("pcireg.vendor", Integer(0, 65535)), ("pcireg.device", Integer(0, 65535))]],
        required: &[],
    },
    Model {
        name: "amd_hostbridge",
        variables: &[&[("pcireg.vendor", Integer(0, 65535)), ("pcireg.device", Integer(0, 65535))]],
        required: &[],
    },
    Model { name: "lpc", variables: &[], required: &[] },
    Model { name: "ahci", variables: &[], required: &["port.0.type", "port.0.path"] },
    Model { name: "e1000", variables: &[NETWORK], required: &["backend"] },
    Model {
        name: "virtio-net",
        variables: &[NETWORK, &[("mtu", Integer(68, 65535))]],
        required: &["backend"],
    },
    Model {
        name: "fbuf",
        variables: &[&[
            ("wait", Boolean),
            ("rfb", Text(255)),
            // Read where there is no rfb (pci_fbuf.c): what `-s fbuf,tcp=` makes.
            ("tcp", Text(255)),
            ("vga", OneOf(&["on", "off", "io"])),
            ("w", Integer(640, 3840)),
            ("h", Integer(480, 2160)),
            ("password", Text(8)),
        ]],
        required: &[],
    },
    Model { name: "hda", variables: &[&[("play", Path), ("rec", Path)]], required: &[] },
    Model {
        name: "nvme",
        variables: &[
            BLOCK,
            &[
                ("maxq", Integer(1, 65535)),
                ("qsz", Integer(1, 65535)),
                ("ioslots", Integer(1, 65535)),
                ("sectsz", Integer(512, 8192)),
                ("ser", Text(20)),
                ("eui64", Text(255)),
                ("dsm", OneOf(&["auto", "enable", "disable"])),
                ("ram", Integer(1, 1 << 20)),
            ],
        ],
        required: &[],
    },
    Model {
        name: "passthru",
        variables: &[&[
            ("bus", Integer(0, 255)),
            ("slot", Integer(0, 31)),
            ("func", Integer(0, 7)),
            ("pptdev", Text(31)),
            ("rom", Path),
            ("bootindex", Integer(0, 65535)),
        ]],
        required: &[],
    },
    Model { name: "uart", variables: &[&[("path", Serial)]], required: &[] },
    Model {
        name: "virtio-9p",
        variables: &[&[("sharename", Text(255)), ("path", Path), ("ro", Boolean)]],
        required: &["sharename", "path"],
    },
    Model { name: "virtio-blk", variables: &[BLOCK, &[("ser", Text(20))]], required: &["path"] },
    Model { name: "virtio-console", variables: &[], required: &[] },
    Model { name: "virtio-input", variables: &[&[("path", Path)]], required: &["path"] },
    Model { name: "virtio-rnd", variables: &[], required: &[] },
    Model {
        name: "virtio-scsi",
        variables: &[&[
            ("dev", Path),
            ("iid", Integer(0, 65535)),
            ("bootindex", Integer(0, 65535)),
        ]],
        required: &[],
    },
    Model { name: "xhci", variables: &[], required: &[] },
];

/// The form of a model's variable, nodes with numbers in their names included.
pub(super) fn form(model: &Model, variable: &str) -> Option<Form> {
    let own = model.variables.iter().flat_map(|table| table.iter());
    if let Some((_, form)) = own.into_iter().find(|(name, _)| *name == variable) {
        return Some(*form);
    }
    let (node, rest) = variable.split_once('.')?;
    let (number, rest) = match node {
        // port.N.NAME, slot.N.NAME
        "port" | "slot" => rest.split_once('.')?,
        _ => return None,
    };
    let number: u32 = number.parse().ok().filter(|n: &u32| n.to_string() == number)?;
    match (model.name, node, rest) {
        ("ahci", "port", "type") if number < 32 => Some(OneOf(&["cd", "hd"])),
        ("ahci", "port", "nmrr") if number < 32 => Some(Integer(0, 65535)),
        ("ahci", "port", "ser") if number < 32 => Some(Text(20)),
        ("ahci", "port", "rev") if number < 32 => Some(Text(8)),
        ("ahci", "port", "model") if number < 32 => Some(Text(40)),
        ("ahci", "port", name) if number < 32 => {
            BLOCK.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
        }
        ("virtio-console", "port", "name") if number < 16 => Some(Text(255)),
        ("virtio-console", "port", "path") if number < 16 => Some(Path),
        ("xhci", "slot", "device") if number > 0 => Some(OneOf(&["tablet"])),
        _ => None,
    }
}

/// The form of a global variable.
pub(super) fn global(key: &str) -> Option<Form> {
    if let Some((_, form)) = GLOBAL.iter().find(|(name, _)| *name == key) {
        return Some(*form);
    }
    let number = key.strip_prefix("vcpu.")?.strip_suffix(".cpuset")?;
    let known = number.parse::<u16>().ok()?.to_string() == number;
    known.then_some(CpuSet)
}
