//! What people paste and hosts have: listings of hardware, configurations, accounts.

use wifibox_host::detect::{read, tidy};
use wifibox_host::lint::{Kind, lint as check};
use wifibox_tree::accounts::Accounts;

/// Devices in every format that is read.
pub fn listings() -> Vec<Vec<u8>> {
    let utf16: Vec<u8> =
        "\u{feff}8086:2725\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let texts = [
        "iwm0@pci0:0:20:3:\tclass=0x028000 rev=0x30 hdr=0x00 vendor=0x8086 device=0x02f0 subvendor=0x8086 subdevice=0x0074\n    \
         vendor     = 'Intel Corporation'\n    device     = 'Comet Lake PCH-LP CNVi WiFi'\n    class      = network\n",
        "03:00.0 Network controller [0280]: Intel Corporation Wi-Fi 6 AX200 [8086:2723] (rev 1a)\n\
         \tSubsystem: Intel Corporation Device [8086:0084]\n\tKernel driver in use: iwlwifi\n\tKernel modules: iwlwifi\n",
        "Slot:\t03:00.0\nClass:\tNetwork controller [0280]\nVendor:\tIntel Corporation [8086]\nDevice:\tAX200 [8086:2723]\nRev:\t1a\n",
        "{\"id\":\"network\",\"class\":\"network\",\"businfo\":\"pci@0000:03:00.0\",\"configuration\":{\"driver\":\"iwlwifi\"},\
         \"vendor\":\"Intel [8086]\",\"product\":\"AX200 [8086:2723]\"}",
        "  *-network\n       description: Wireless interface\n       product: Wi-Fi 6 AX200 [8086:2723]\n       vendor: Intel [8086]\n       \
         bus info: pci@0000:03:00.0\n",
        "pci 0000:03:00.0: [8086:2723] type 00 class 0x028000\n",
        "8086:2725\n> 14c3:0616 rev 0\n",
        "unknown pnpinfo vendor=0x8086 device=0x2723 subvendor=0x8086 subdevice=0x0084 class=0x028000 at slot=0 function=0\n",
        "Network:\n  Device-1: Intel Wi-Fi 6 AX200 driver: iwlwifi v: kernel bus-ID: 03:00.0 chip-ID: 8086:2723\n",
        "PCI\\VEN_8086&DEV_2723&SUBSYS_00848086&REV_1A\\4&1\n",
    ];
    let mut seeds: Vec<Vec<u8>> = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    seeds.push(utf16);
    seeds
}

pub fn listing(bytes: &[u8]) -> bool {
    let cards = read(&tidy::decode(bytes));
    assert!(cards.as_ref().map_or(true, |cards| !cards.is_empty()), "cards, or an error");
    cards.is_ok()
}

/// One of each kind.
pub fn configurations() -> Vec<Vec<u8>> {
    let texts = [
        "cpus=1\nmemory.size=256M\npci.0.0.0.device=hostbridge\npci.0.31.0.device=lpc\nlpc.com1.path=/dev/nmdm0A\n\
         lpc.bootrom=/BHYVE_UEFI.fd\npci.0.4.0.device=virtio-blk\npci.0.4.0.path=/vm/%(name).img\npci.0.5.0.device=passthru\n\
         pci.0.5.0.bus=3\npci.0.5.0.slot=0\npci.0.5.0.func=0\n",
        "cpus=\"1\"\nmemory=128M\npassthru=\"3/0/0\"\nbhyve_options=\"-A -H\"\nconsole=yes\n# a comment\nconsole_kb=be\n",
        "config=\"/usr/local/etc/wifibox\"\nwireless_iface=wlan0\n",
        "loader=\"uefi\"\nxhci_mouse=\"yes\"\ncpu=2\nmemory=2G\nlimit_pcpu=\"200\"\ndisk0_type=\"ahci-hd\"\ndisk0_name=\"disk0.img\"\n\
         network0_type=\"virtio-net\"\nnetwork0_switch=public\npassthru0=\"3/0/0=0:5\"\n",
        "vmm_load=\"YES\"\npptdevs=\"3/0/0 4/0/0\"\nhw.pci.x=\"1\" # why\nexec=\"echo\"\n",
        "wifibox_enable=\"YES\"\nifconfig_tap0=\"inet 10.0.0.2/24\"\nkld_list=\"${kld_list} vmm\"\ncloned_interfaces=\"tap0 bridge0\"\n",
        "notify 100 {\n\tmatch \"system\" \"ACPI\";\n\tmatch \"notify\" \"0x01\";\n\taction \"service wifibox restart\";\n};\n\
         options {\n\tdirectory \"/etc/devd\";\n\tset x \"a\";\n};\n",
        "name = \"g\"\ntype = \"hvm\"\nmemory = 512; vcpus = 2\nvif = [ \"bridge=xenbr0\", 'script=x' ]\ndisk = [ 'phy:/dev/vg0/n,xvda,w' ]\n\
         pci = [ '03:00.0,permissive=1' ]\non_crash = \"restart\"\n",
        "modaddr 0x01100000\nentry wifibox\nkernel fiasco -serial_esc\nroottask moe rom/wifibox.lua\nmodule l4re\nmodule[nostrip] a.img\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// As every kind: each problem is of a line that is there.
pub fn lint(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let _ = Kind::guess("fuzz", bytes);
    let mut sound = false;
    for kind in Kind::ALL {
        let problems = check(kind, bytes);
        for problem in &problems {
            assert!(problem.line <= lines, "{kind}: {problem}, and there are {lines} lines");
        }
        sound |= problems.is_empty();
    }
    sound
}

/// passwd(5), and behind an empty line group(5).
pub fn accounts() -> Vec<Vec<u8>> {
    let text = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:a,b:/:/sbin/nologin\n\n\
        root:x:0:\nnobody:x:65534:root,nobody\n";
    vec![text.into()]
}

pub fn account(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (passwd, group) = text.split_once("\n\n").unwrap_or((&text, ""));
    Accounts::parse(passwd, group).is_ok() | Accounts::of_files(passwd, group, passwd).is_ok()
}
