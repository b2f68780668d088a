//! `modules.list`: the boot modules of the scenario, for L4Re's build system.

use super::{DirectBoot, Machine};

/// The modules that L4Re's build makes.
const OF_L4RE: [&str; 6] = ["l4re", "ned", "cons", "io", "uvmm", "l4vio_net_p2p"];
/// The modules that lie beside this file, besides the guest's own.
const OURS: [&str; 5] = ["wifibox.ned", "wifi.vbus", "storage.vbus", "io.cfg", "wifibox.dtb"];

/// The text.
pub fn text(machine: Machine, direct: &DirectBoot, title: &str) -> String {
    let base = |file: &str| file.rsplit('/').next().unwrap_or(file).to_owned();
    let mut text = format!(
        "# modules.list: the boot modules of {title} under uvmm.\n\
         # Append it to conf/modules.list of L4Re, and name this folder and that of the guest's vmlinuz and\n\
         # initramfs.img in MODULE_SEARCH_PATH (conf/Makeconf.boot). First: dtc -O dtb -o wifibox.dtb wifibox.dts\n\
         # Then: make E=wifibox qemu, or grub2iso, uimage, ...\n\
         entry wifibox\n\
         kernel fiasco -serial_esc\n\
         roottask moe rom/wifibox.ned\n"
    );
    for module in OF_L4RE.into_iter().chain([machine.disk_server()]) {
        text += &format!("module {module}\n");
    }
    text += "module[shell] echo $SRC_BASE_ABS/pkg/uvmm/configs/vmm.lua\n";
    for module in OURS {
        text += &format!("module {module}\n");
    }
    // uvmm reads a plain Image; a PC's image unpacks itself.
    let kernel = if machine == Machine::Pc { "module" } else { "module[uncompress]" };
    text += &format!("{kernel} {}\n", base(&direct.kernel));
    if let Some(initramfs) = &direct.initramfs {
        text += &format!("module {}\n", base(initramfs));
    }
    text
}
