//! What comes with kernels: modules, images, configurations, lists; and the list of firmware.

use wifibox_ground::path::GuestPath;
use wifibox_linux::firmware::Whence;
use wifibox_linux::kernel::builtin::Builtin;
use wifibox_linux::kernel::config::KernelConfig;
use wifibox_linux::kernel::depmod::{self, KernelFiles, Source};
use wifibox_linux::kernel::image::{KernelImage, unpacked};
use wifibox_linux::kernel::modinfo::{Modinfo, Module};
use wifibox_linux::kernel::{ModuleName, pattern};
use wifibox_testkit::kernel::{BUILT_IN, arm64_image, kernel_image, zboot_image};
use wifibox_testkit::module::{Spec, elf};
use wifibox_testkit::rawtar::gzip;

/// `.modinfo` of a driver.
const MODINFO: [&str; 14] = [
    "name=wifi_drv",
    "license=GPL",
    "author=J\u{f6}rg",
    "description=a driver",
    "depends=cfg80211,mac80211",
    "softdep=pre: crypto-crc32c post: other",
    "weakdep=third",
    "alias=pci:v00008086d00002725sv*sd*bc02sc80i*",
    "alias=char-major-10-[0-9]*",
    "alias=devname:net/tun",
    "firmware=wifi/card-*.bin",
    "import_ns=NS",
    "vermagic=6.12.57 SMP mod_unload ",
    "parm=debug:a level (int)",
];

fn spec() -> Spec {
    Spec {
        versions: vec!["module_layout".into(), "printk".into()],
        ..Spec::new(&MODINFO).exports(&["wifi_start", "wifi_stop"]).imports(&["printk", "netif_rx"])
    }
}

pub fn modules() -> Vec<Vec<u8>> {
    let forms = [(true, false), (true, true), (false, false), (false, true)];
    let of = |(wide, big)| elf(&Spec { wide, big, ..spec() });
    let mut seeds = forms.map(of).to_vec();
    let signed = [
        &elf(&spec())[..],
        &[0x30; 400],
        b"\0\0\x02\0\0\0\0\0\0\0\x01\x90~Module signature appended~\n",
    ];
    seeds.push(signed.concat());
    seeds
}

pub fn module(bytes: &[u8]) -> bool {
    let (module, info) = (Module::parse(bytes), Modinfo::parse(bytes));
    let Ok(module) = module else { return false };
    assert!(info.is_ok_and(|info| info == module.info), "the same section is the same");
    let _ = (module.info.soft(), module.info.weak().count());
    index(&[("drv", &module)], KernelFiles::default());
    true
}

/// depmod's files of modules, if they can be had.
fn index(modules: &[(&str, &Module)], files: KernelFiles<'_>) -> bool {
    let source = |&(name, module): &(&str, _)| {
        let path = GuestPath::new(format!("kernel/{name}.ko")).ok()?;
        Some(Source { name: ModuleName::new(name).ok()?, path, module })
    };
    let sources: Vec<Source<'_>> = modules.iter().filter_map(source).collect();
    depmod::index(&sources, files).is_ok()
}

pub fn images() -> Vec<Vec<u8>> {
    let (pc, arm) = (kernel_image("6.12.57+deb13-amd64"), arm64_image("6.12.57"));
    vec![gzip(&arm), zboot_image(&arm), elf(&spec()), pc, arm]
}

pub fn image(bytes: &[u8]) -> bool {
    let parsed = KernelImage::parse(bytes).is_ok();
    unpacked(bytes).is_ok() && parsed
}

pub fn configs() -> Vec<Vec<u8>> {
    let text = "#\n# Linux/x86 6.12.57 Kernel Configuration\n#\nCONFIG_CC_VERSION_TEXT=\"gcc \\\"14\\\"\"\n\
        CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_XZ=y\n# CONFIG_SQUASHFS_LZO is not set\nCONFIG_HZ=250\n\
        CONFIG_PHYSICAL_START=0x1000000\nCONFIG_NR=-1\nCONFIG_X=n\n";
    vec![text.into(), gzip(text.as_bytes())]
}

pub fn config(bytes: &[u8]) -> bool {
    let Ok(config) = KernelConfig::parse(bytes) else { return false };
    let _ = (config.is_yes("SQUASHFS_XZ"), config.mentions("CONFIG_X"), config.text("HZ"));
    true
}

/// `modules.builtin` and `modules.builtin.modinfo`, one after the other.
pub fn lists() -> Vec<Vec<u8>> {
    let info = MODINFO.map(|entry| format!("virtio_net.{entry}\0")).concat();
    vec![BUILT_IN.into(), info.clone().into(), (BUILT_IN.to_owned() + &info).into()]
}

pub fn builtin(bytes: &[u8]) -> bool {
    let (list, info) = (Builtin::parse(bytes, None), Builtin::parse(b"", Some(bytes)));
    let files =
        KernelFiles { order: Some(bytes), builtin: Some(bytes), builtin_modinfo: Some(bytes) };
    let indexed = index(&[], files);
    let text = String::from_utf8_lossy(bytes);
    for builtin in list.iter().chain(&info) {
        let _ = builtin.names().filter_map(|name| builtin.info(name)).count();
    }
    let _ = pattern::normalize(&text).map(|normal| pattern::matches(&normal, &text));
    list.is_ok() | info.is_ok() | indexed
}

/// Entries of `.modinfo` and, behind `>` and `<`, symbols that are exported and needed, one to a line.
pub fn entries() -> Vec<Vec<u8>> {
    vec![(MODINFO.join("\n") + "\n>wifi_start\n>more\n<printk\n<cfg80211_x\n").into()]
}

/// Three modules that may need each other.
pub fn depmod(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut own = Spec::new(&[]);
    let mut entries = Vec::new();
    for line in text.split('\n').map(|line| line.replace('\0', "")).take(500) {
        match (line.strip_prefix('>'), line.strip_prefix('<')) {
            (Some(name), _) => own.exports.push(name.to_owned()),
            (_, Some(name)) => own.imports.push((name.to_owned(), name.len() % 2 == 1)),
            _ => entries.push(line),
        }
    }
    own.modinfo = Some(entries);
    let cfg = Spec::new(&["depends="]).exports(&["cfg80211_x"]).imports(&["wifi_stop", "other"]);
    let mac = Spec::new(&["alias=pci:v*"]).exports(&["printk"]).imports(&["cfg80211_x"]);
    let parsed = [own, cfg, mac].map(|spec| Module::parse(&elf(&spec)));
    let [Ok(own), Ok(cfg), Ok(mac)] = &parsed else { return false };
    let all = [("wifi_drv", own), ("cfg80211", cfg), ("mac80211", mac)];
    index(&all, KernelFiles { order: Some(bytes), ..KernelFiles::default() })
}

pub fn whences() -> Vec<Vec<u8>> {
    let text = "**********\n* WHENCE *\n**********\n\n--------------------------\n\nDriver: wifi -- a driver\n\n\
        File: wifi/card.bin\nFile: \"wifi/a card.bin\" -- revision 2\nRawFile: wifi/raw.bin\nLink: wifi/link.bin -> card.bin\n\
        Version: 1\nInfo: x\n\nLicence: Redistributable. See LICENCE.wifi for details.\n more\n\nFile: other\n\
        License: GPLv2. See GPL-2.\n\n--------------------------\n";
    vec![text.into(), text.repeat(3).into()]
}

pub fn whence(bytes: &[u8]) -> bool {
    let Ok(whence) = Whence::parse(&String::from_utf8_lossy(bytes)) else { return false };
    let names: Vec<&str> = whence.links().map(|(name, _)| name).collect();
    assert!(names.iter().all(|name| whence.section_of(name).is_some()), "a link has a section");
    let _ = whence.licence_files(names);
    true
}
