//! The files for dom0: a script that installs the domain, the card kept away from dom0's drivers, and a page that says
//! how things fit together.

use super::{comment, configuration, images, share, var};
use wifibox_ground::guest::AppConfig;
use wifibox_ground::guest::{DirectBoot, Guest, Purpose};

/// `setup.sh`, with gaps.
const SETUP: &str = include_str!("setup.sh.in");
/// `reconnect.sh`, and the unit that runs it.
pub(super) const RECONNECT: &str = include_str!("reconnect.sh");
pub(super) const SERVICE: &str = include_str!("wifibox-reconnect.service");
/// `README`, with gaps.
const README: &str = include_str!("README.in");

/// The text of `setup.sh`.
pub(super) fn setup(guest: &Guest, direct: &DirectBoot) -> String {
    let mut files = vec![direct.kernel.clone()];
    files.extend(direct.initramfs.clone());
    // The others are their owner's: config.img is made from the configuration, rootfs_data.img is data.
    let built = guest.disks.iter().filter(|disk| disk.purpose == Purpose::Root);
    files.extend(built.map(|disk| disk.file.clone()));
    let own: Vec<&str> = guest
        .disks
        .iter()
        .filter(|disk| matches!(disk.purpose, Purpose::Configuration | Purpose::Persistent))
        .map(|disk| disk.file.as_str())
        .collect();
    let mut layout = String::new();
    for one in &guest.shares {
        let folder = share(guest, &one.tag);
        layout.push_str(&match &one.samples {
            Some(samples) => format!("lay_out \"$here/{samples}\" \"$root{folder}\"\n"),
            None => format!("mkdir -p \"$root{folder}\"\n"),
        });
    }
    if !own.is_empty() {
        layout.push_str(&format!("for file in {}; do\n", own.join(" ")));
        layout.push_str(
            "\t[ ! -f \"$here/$file\" ] || [ -e \"$root$images/$file\" ] || cp \"$here/$file\" \"$root$images/$file\"\n\
             \t[ -e \"$root$images/$file\" ] || echo \"setup.sh: put $file into $images before the domain starts\"\n\
             done\n",
        );
    }
    SETUP
        .replace("@TITLE@", &guest.title())
        .replace("@IMAGES@", &images(guest))
        .replace("@CONFIGURATION@", &configuration(guest))
        .replace("@VAR@", &var(guest))
        .replace("@FILES@", &files.join(" "))
        .replace("@LAYOUT@", layout.trim_end())
        .replace("@NAME@", &guest.name)
}

/// The text of `xen-pciback.conf`.
pub(super) fn pciback(guest: &Guest) -> String {
    let mut text = comment(
        "xen-pciback.conf: keeps the card of the driver domain away from dom0's own drivers.\n\
         It goes to /etc/modprobe.d in dom0, for kernels that have xen-pciback as a module (Debian's); load it\n\
         early: echo xen-pciback >/etc/modules-load.d/xen-pciback.conf, then update-initramfs -u.\n\
         Where it is built in, the kernel's command line says the same: xen-pciback.hide=(0000:03:00.0)\n\
         For once, without a restart: xl pci-assignable-add 0000:03:00.0",
    );
    if guest.passthru.is_empty() {
        text.push_str("#options xen-pciback hide=(0000:03:00.0)\n");
    } else {
        let cards: String = guest.passthru.iter().map(|card| format!("({card})")).collect();
        text.push_str(&format!("options xen-pciback hide={cards}\n"));
    }
    text.push_str(&comment(
        "Name the card's driver in dom0 here, so that it does not come first:\n\
         softdep iwlwifi pre: xen-pciback",
    ));
    text
}

/// The text of `README`.
pub(super) fn readme(guest: &Guest) -> String {
    let (etc, var) = (configuration(guest), var(guest));
    let configuration = if guest.shares.is_empty() {
        format!(
            "It reads its configuration from the disk config.img, which is made of {etc} by\n\
             `wifibox-build config-disk` (see its --help): make it anew after changes, and restart the domain."
        )
    } else {
        let mut text = format!(
            "It mounts folders of dom0: {etc}/appliance (read-only in the guest, though Xen could not\n\
             keep a guest from writing), {etc}/{} and {var}.\n\
             QEMU serves them, also for a PV domain (Debian: qemu-system-xen).",
            guest.application.name()
        );
        text.push_str(
            "\nWhere dom0 has no QEMU, or the guest must not write to dom0's disk at all, take a configuration disk:\n\
             `wifibox-build host --hypervisor xen --config-disk OUTPUT`.",
        );
        text
    };
    let network = match guest.application {
        AppConfig::WpaSupplicant => {
            "There the guest is 10.0.0.1/24, with DHCP and address translation, unless @ETC@/appliance says\n\
             otherwise."
        }
        AppConfig::Hostapd => {
            "There the guest is 10.0.0.2/24, and its way out is 10.0.0.1, which dom0 or the firewall has to be, unless\n\
             @ETC@/appliance says otherwise. With bridge=eth0 in hostapd.conf the wireless network and eth0\n\
             become one, and the firewall serves wireless clients itself."
        }
    };
    README
        .replace("@NETWORK@", network)
        .replace("@ETC@", &etc)
        .replace("@TITLE@", &guest.title())
        .replace("@CONFIGURATION@", &configuration)
        .replace("@IMAGES@", &images(guest))
        .replace("@NAME@", &guest.name)
}
