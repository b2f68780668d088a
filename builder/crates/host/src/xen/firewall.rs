//! A firewall behind the driver domain: OPNsense or pfSense, whose way out is the guest.

use super::{comment, domain::list};
use wifibox_ground::guest::AppConfig;
use wifibox_ground::guest::Guest;

/// The text of `firewall.cfg`.
pub(super) fn text(guest: &Guest) -> String {
    let (first, way) = match guest.application {
        AppConfig::WpaSupplicant => (
            "is the uplink (WAN)",
            "which gives an address by DHCP (10.0.0.2 to 254, gateway 10.0.0.1)",
        ),
        AppConfig::Hostapd => (
            "is the network of the access point (OPT)",
            "whose way out the firewall is as 10.0.0.1/24",
        ),
    };
    let (other, cable) = match &guest.firewall_backend {
        Some(domain) => (
            format!("ends in the driver domain {domain}. Both start before it"),
            format!("backend={domain},type=vif"),
        ),
        None => (
            "is the local network\n(LAN) on a bridge of dom0".to_owned(),
            "bridge=xenbr1,type=vif".to_owned(),
        ),
    };
    let head = comment(&format!(
        "firewall.cfg: OPNsense or pfSense behind the driver domain {name} ({title}).\n\
         It goes to /etc/xen in dom0; start it after {name}: xl create /etc/xen/firewall.cfg\n\
         \n\
         FreeBSD has Xen's disk and network drivers in its kernel. The first cable, xn0,\n\
         {first}: it ends in {name},\n\
         {way}. The other, xn1, {other}. Both cables are `type=vif`: without it xl would add an emulated card beside each, which\n\
         a driver domain cannot serve and which is slow. In the firewall: let private addresses in where the guest\n\
         is WAN, and switch off hardware checksums (Interfaces: Settings in OPNsense), as Xen's cables carry\n\
         packets without.",
        name = guest.name,
        title = guest.title()
    ));
    let disk = list(
        "disk",
        &["format=raw,vdev=xvda,access=rw,target=/var/lib/xen/images/firewall/disk.img".to_owned()],
    );
    let vif = list("vif", &[format!("backend={},type=vif", guest.name), cable]);
    format!(
        "{head}\n\
         name = \"firewall\"\n\
         type = \"hvm\"\n\
         memory = 2048\n\
         vcpus = 2\n\n\
         # Its own disk. To install, add the image of the installer as a second one:\n\
         #   \"format=raw,vdev=xvdc,access=ro,devtype=cdrom,target=/var/lib/xen/images/firewall/installer.iso\"\n\
         # and let it boot first: boot = \"dc\".\n\
         {disk}\n\
         boot = \"c\"\n\n\
         {vif}\n\n\
         # The console is a serial port: xl console firewall.\n\
         serial = \"pty\"\n\
         vga = \"stdvga\"\n\
         vnc = 1\n\
         vnclisten = \"127.0.0.1\"\n\n\
         on_poweroff = \"destroy\"\n\
         on_reboot = \"restart\"\n\
         on_crash = \"restart\"\n"
    )
}
