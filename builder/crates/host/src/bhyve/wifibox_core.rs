//! `bhyve.conf` and `core.conf` of wifibox-core, which its program `wifibox` sources as shell.

use super::comment;
use super::machine::Machine;
use wifibox_ground::guest::Guest;

/// `bhyve.conf`.
pub(super) fn bhyve_conf(guest: &Guest, machine: &Machine) -> String {
    let mut text = comment(&format!(
        "For wifibox-core of FreeBSD: {}.\n\
         It goes to /usr/local/etc/wifibox/bhyve.conf; then: service wifibox restart.\n\
         The program 'wifibox' reads it as shell: no blank goes round a '='.",
        guest.title()
    ));
    text.push('\n');
    text.push_str("# Virtual processors.\n");
    text.push_str(&format!("cpus={}\n\n", guest.vcpus));
    if let Some(smallest) = guest.smallest_memory {
        text.push_str(&format!(
            "# Memory. This guest does not come up with less than {smallest}M.\n"
        ));
    } else {
        text.push_str("# Memory.\n");
    }
    text.push_str(&format!("memory={}M\n\n", guest.memory));
    text.push_str(
        "# yes: 'wifibox console' reaches the guest, where root logs in without a password.\n\
         console=no\n\n\
         # The cards that become the guest's, as bus/slot/function, with blanks between them; pciconf -l\n\
         # shows pci0:3:0:0 for 3/0/0.\n",
    );
    text.push_str(&format!("passthru=\"{}\"\n\n", machine.cards().join(" ")));
    text.push_str(
        "# 0 (first) to 99 (last).\n\
         priority=50\n\n\
         # Seconds that the guest has to power off: 1 to 60.\n\
         stop_wait_max=30\n",
    );
    text
}

/// `core.conf`.
pub(super) fn core_conf(guest: &Guest) -> String {
    comment(&format!(
        "For wifibox-core of FreeBSD: {}.\n\
         It goes to /usr/local/etc/wifibox/core.conf.\n\
         What is written to /var/log/wifibox.log: none, error, warn, info or debug.",
        guest.title()
    )) + "loglevel=warn\n"
}
