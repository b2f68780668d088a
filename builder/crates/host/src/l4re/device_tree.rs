//! `wifibox.dts`: the machine that uvmm makes, as a source of a flattened device tree.
//!
//! uvmm makes a device of each node whose `compatible` it knows; `l4vmm,` properties say which
//! capability is behind it. The addresses are those of uvmm's own trees for machines without hardware.

use std::fmt::Write as _;

use super::{Guest, Machine, Volume};

/// The text.
pub fn text(guest: &Guest, machine: Machine, volumes: &[Volume<'_>]) -> String {
    let head = format!(
        "/*\n * wifibox.dts: the machine of {title} under uvmm.\n \
         * Goes beside wifibox.ned, translated: dtc -O dtb -o wifibox.dtb wifibox.dts\n */\n/dts-v1/;\n\n",
        title = guest.title()
    );
    let body = match machine {
        Machine::Pc => pc(guest, volumes),
        Machine::Arm64 => arm64(guest, volumes),
        Machine::Mips => mips(guest, volumes),
    };
    head + &body
}

/// One device that a server is behind: its node's name, the capability, which of uvmm's devices it is.
struct Device {
    name: &'static str,
    kind: &'static str,
    property: &'static str,
    capability: &'static str,
}

/// The virtio devices, in the order in which the guest meets them: disks have their names by it.
fn devices(volumes: &[Volume<'_>]) -> Vec<Device> {
    let disk = |volume: &Volume<'_>| Device {
        name: "virtio_blk",
        kind: "proxy",
        property: "l4vmm,virtiocap",
        capability: volume.capability,
    };
    let mut devices: Vec<Device> = volumes.iter().map(disk).collect();
    devices.push(Device {
        name: "virtio_net",
        kind: "proxy",
        property: "l4vmm,virtiocap",
        capability: "net",
    });
    devices.push(Device {
        name: "virtio_input",
        kind: "input-power",
        property: "l4vmm,vcon_cap",
        capability: "power",
    });
    devices
}

fn pc_cpus(guest: &Guest) -> String {
    let mut cpus = String::new();
    for number in 0..guest.vcpus {
        let _ = write!(
            cpus,
            "\n\t\tcpu@{number:x} {{\n\t\t\tdevice_type = \"cpu\";\n\t\t\tcompatible = \"virt-intel\";\n\t\t\t\
             reg = <{number}>;\n\t\t}};\n"
        );
    }
    cpus
}

/// The virtio devices on the virtual PCI bus, each in its own slot.
fn pc_slots(volumes: &[Volume<'_>]) -> String {
    let mut slots = String::new();
    for (index, device) in devices(volumes).iter().enumerate() {
        // Device number in bits 11 to 15; BAR 0 for MSI-X, BAR 1 for the device's ports.
        let (slot, address) = (index + 1, (index + 1) << 11);
        let (memory, ports) = (0x0200_0010 | address, 0x0100_0014 | address);
        let Device { name, kind, property, capability } = device;
        let _ = write!(
            slots,
            "\n\t\t{name}@{slot:x} {{\n\t\t\tcompatible = \"virtio,pci\";\n\t\t\t\
             reg = <0x{address:08x} 0x0 0x0 0x0 0x0>,\n\t\t\t      <0x{memory:08x} 0x0 0x0 0x0 0x2000>,\n\t\t\t      \
             <0x{ports:08x} 0x0 0x0 0x0 0x80>;\n\t\t\tmsi-parent = <&msi>;\n\t\t\t\
             l4vmm,vdev = \"{kind}\";\n\t\t\t{property} = \"{capability}\";\n\t\t}};\n"
        );
    }
    slots
}

fn pc(guest: &Guest, volumes: &[Volume<'_>]) -> String {
    let (cpus, slots) = (pc_cpus(guest), pc_slots(volumes));
    format!(
        r#"/ {{
	#address-cells = <2>;
	#size-cells = <2>;
	model = "L4 VM";
	compatible = "l4,virt", "linux,dummy-virt";

	chosen {{ }};
	aliases {{ }};

	/* Below the devices, and above 4 GiB; uvmm makes it as large as the guest's memory is. */
	memory@0 {{
		device_type = "memory";
		reg = <0x0 0x0 0x0 0x80000000>, <0x1 0x0 0xffffffff 0x0>;
		l4vmm,dscap = "ram";
	}};

	cpus {{
		#address-cells = <1>;
		#size-cells = <0>;
{cpus}	}};

	ioapic: ioapic {{
		compatible = "intel,ioapic";
		interrupt-controller;
		#address-cells = <0>;
		#interrupt-cells = <1>;
	}};

	msi: msictrl {{
		compatible = "intel,msi-controller";
		msi-controller;
		#msi-cells = <0>;
	}};

	pic: pic {{
		compatible = "virt-i8259-pic";
		reg = <0x0 0x0 0x0 0x0>;
		msi-parent = <&msi>;
		interrupt-controller;
		#address-cells = <0>;
		#interrupt-cells = <1>;
	}};

	pit {{
		compatible = "virt-pit";
		reg = <0x0 0x0 0x0 0x0>;
		interrupt-parent = <&pic>;
		interrupts = <0>;
	}};

	acpi_platform {{
		compatible = "virt-acpi";
		interrupt-parent = <&pic>;
		interrupts = <9>;
	}};

	acpi_timer {{
		compatible = "acpi-timer";
	}};

	rtc {{
		compatible = "virt-rtc";
		reg = <0x0 0x0 0x0 0x0>;
	}};

	kvm_clock {{
		compatible = "kvm-clock";
		reg = <0x0 0x0 0x0 0x0>;
	}};

	/* ttyS0: the guest's log. */
	uart8250 {{
		compatible = "ns8250", "uart,8250";
		reg = <0x0 0x0 0x0 0x0>;
		interrupt-parent = <&pic>;
		interrupts = <4>;
	}};

	/* Cards of wifi.vbus appear behind the devices of this bus. */
	pci@aa000000 {{
		compatible = "virt-pci-bridge";
		device_type = "pci";
		interrupt-parent = <&ioapic>;
		msi-parent = <&msi>;
		bus-range = <0x0 0xff>;
		#address-cells = <3>;
		#size-cells = <2>;
		#interrupt-cells = <1>;
		ranges = <0x01000000 0x0 0x00006000 0x0 0x00006000 0x0 0x0000a000>,
			 <0x02000000 0x0 0xaa000000 0x0 0xaa000000 0x0 0x01000000>;
{slots}	}};
}};
"#
    )
}

/// Devices at fixed addresses, from `first` on, with interrupts from `interrupt` on.
fn mapped(volumes: &[Volume<'_>], first: usize, interrupt: usize) -> String {
    let mut text = String::new();
    for (index, device) in devices(volumes).iter().enumerate() {
        let (address, interrupt) = (first + index * 0x1000, interrupt + index);
        let Device { name, kind, property, capability } = device;
        let _ = write!(
            text,
            "\n\t\t{name}@{address:x} {{\n\t\t\tcompatible = \"virtio,mmio\";\n\t\t\t\
             reg = <0x{address:x} 0x200>;\n\t\t\tinterrupt-parent = <&gic>;\n\t\t\t\
             interrupts = <0 {interrupt} 4>;\n\t\t\tl4vmm,vdev = \"{kind}\";\n\t\t\t\
             {property} = \"{capability}\";\n\t\t}};\n"
        );
    }
    text
}

fn arm64(guest: &Guest, volumes: &[Volume<'_>]) -> String {
    let mut cpus = String::new();
    for number in 0..guest.vcpus {
        let _ = write!(
            cpus,
            "\n\t\tcpu@{number:x} {{\n\t\t\tdevice_type = \"cpu\";\n\t\t\tcompatible = \"arm,armv8\";\n\t\t\t\
             reg = <0x0 0x{number:x}>;\n\t\t\tenable-method = \"psci\";\n\t\t}};\n"
        );
    }
    let redistributors = 0x20000 * u32::from(guest.vcpus);
    let devices = mapped(volumes, 0x10000, 123);
    format!(
        r#"/ {{
	#address-cells = <2>;
	#size-cells = <2>;
	model = "L4 VM";
	compatible = "l4,virt", "linux,dummy-virt";
	interrupt-parent = <&gic>;

	chosen {{ }};
	aliases {{ }};

	memory@0 {{
		device_type = "memory";
		reg = <0x0 0x0 0x0 0x0>;
		l4vmm,dscap = "ram";
	}};

	cpus {{
		#address-cells = <2>;
		#size-cells = <0>;
{cpus}	}};

	psci {{
		compatible = "arm,psci-1.0";
		method = "hvc";
	}};

	timer {{
		compatible = "arm,armv8-timer";
		interrupts = <1 13 0xf08>, <1 14 0xf08>, <1 11 0xf08>, <1 10 0xf08>;
		always-on;
	}};

	clock: clock {{
		compatible = "fixed-clock";
		#clock-cells = <0>;
		clock-frequency = <1000000>;
	}};

	icsoc {{
		compatible = "simple-bus";
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;

		/* uvmm makes it a GICv2 or GICv3, as the machine has. */
		gic: interrupt-controller@f1040000 {{
			compatible = "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a9-gic";
			#interrupt-cells = <3>;
			#address-cells = <0>;
			interrupt-controller;
			reg = <0x0 0xf1040000 0x0 0x10000>, <0x0 0xf1060000 0x0 0x{redistributors:x}>;
		}};
	}};

	/*
	 * The card: what wifi.vbus has of PCI appears on a bridge of the kind pci-host-ecam-generic, whose windows
	 * and interrupts depend on the board; add its node here (uvmm: configs/dts, doc/uvmm.dox).
	 */

	l4vmm {{
		compatible = "simple-bus";
		#address-cells = <1>;
		#size-cells = <1>;
		ranges = <0x0 0x0 0xf1100000 0x41000>;

		/* ttyAMA0: the guest's log. */
		uart@2000 {{
			compatible = "arm,primecell", "arm,pl011";
			reg = <0x2000 0x1000>;
			interrupt-parent = <&gic>;
			interrupts = <0 121 4>;
			clocks = <&clock>;
			clock-names = "apb_pclk";
		}};
{devices}	}};
}};
"#
    )
}

fn mips(guest: &Guest, volumes: &[Volume<'_>]) -> String {
    let mut cpus = String::new();
    for number in 0..guest.vcpus {
        let _ = write!(
            cpus,
            "\n\t\tcpu@{number:x} {{\n\t\t\tdevice_type = \"cpu\";\n\t\t\tcompatible = \"mips,p5600\";\n\t\t\t\
             reg = <0x{number:x}>;\n\t\t}};\n"
        );
    }
    let devices = mapped(volumes, 0x10000, 4);
    format!(
        r#"/ {{
	#address-cells = <1>;
	#size-cells = <1>;
	model = "L4 VM";
	compatible = "l4,virt", "linux,dummy-virt";

	chosen {{ }};
	aliases {{ }};

	memory@0 {{
		device_type = "memory";
		reg = <0x0 0x0>;
	}};

	cpus {{
		#address-cells = <1>;
		#size-cells = <0>;
{cpus}	}};

	cpu_intc {{
		compatible = "mti,cpu-interrupt-controller";
		interrupt-controller;
		#address-cells = <0>;
		#interrupt-cells = <1>;
	}};

	soc {{
		compatible = "simple-bus";
		#address-cells = <1>;
		#size-cells = <1>;
		ranges;

		gic: interrupt-controller@1bdc0000 {{
			compatible = "mti,gic";
			reg = <0x1bdc0000 0x20000>;
			mti,reserved-cpu-vectors = <7>;
			interrupt-controller;
			#address-cells = <0>;
			#interrupt-cells = <3>;
		}};

		l4syscon: syscon@30030000 {{
			compatible = "syscon", "syscon-l4vmm";
			reg = <0x30030000 0x4>;
			little-endian;
		}};
	}};

	reboot {{
		compatible = "syscon-reboot";
		regmap = <&l4syscon>;
		offset = <0x0>;
		mask = <0x66>;
	}};

	poweroff {{
		compatible = "syscon-poweroff";
		regmap = <&l4syscon>;
		offset = <0x0>;
		mask = <0x0>;
	}};

	l4vmm {{
		compatible = "simple-bus";
		#address-cells = <1>;
		#size-cells = <1>;
		ranges = <0x0 0x30000000 0x30000>;

		/* hvc0: the guest's log. */
		virtio_console@8000 {{
			compatible = "virtio,mmio";
			reg = <0x8000 0x200>;
			interrupt-parent = <&gic>;
			interrupts = <0 3 4>;
			l4vmm,vdev = "console";
		}};
{devices}	}};
}};
"#
    )
}
