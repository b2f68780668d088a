//! What `/var/log/wifibox.log` has of `wifibox` and bhyve, as far as nothing else has told it.

use super::{Finding, Host, REBOOT, RESTART, Severity, set_guest};
use crate::bhyve::CONFIGURATION;

/// Words of a line; the cause, and causes of which it is an effect.
struct Rule {
    words: &'static [&'static str],
    cause: &'static str,
    of: &'static [&'static str],
    what: &'static str,
    cure: &'static [&'static str],
}

const RULES: [Rule; 9] = [
    Rule {
        words: &["loaded from a different location"],
        cause: "vmm-other-location",
        of: &[],
        what: "vmm(4) was loaded from another place than the kernel's, and cannot be replaced while it is used.",
        cure: &["sysctl kern.module_path", "kldstat -v -n vmm", REBOOT],
    },
    Rule {
        words: &["vmm.ko could not be unloaded"],
        cause: "vmm-in-use",
        of: &[],
        what: "vmm(4) cannot be reloaded after the machine slept: other guests of bhyve use it. Choose a way that \
               leaves it alone.",
        cure: &["ls /dev/vmm", "make -C /usr/ports/net/wifibox-core config"],
    },
    Rule {
        words: &["PCI pass-through is not available"],
        cause: "iommu-off",
        of: &[
            "amdvi-off",
            "iommu-disabled",
            "virtualization-off",
            "vmm-not-loaded",
            "vmm-not-loadable",
        ],
        what: "wifibox finds no IOMMU: switch on VT-d or AMD-Vi in the setup of the firmware.",
        cure: &["sysctl hw.vmm", REBOOT],
    },
    Rule {
        words: &["virtio-9p", "failed to open"],
        cause: "share-not-opened",
        of: &["no-share-var", "no-share-config", "app-config-file"],
        what: "bhyve cannot open a folder that it shares with the guest: it must be there, and be a folder.",
        cure: &[
            "ls -ld /usr/local/etc/wifibox/app_config/ /usr/local/etc/wifibox/appliance /var/run/wifibox/appliance",
        ],
    },
    Rule {
        words: &["not using the ppt"],
        cause: "ppt-not-attached",
        of: &["native-driver", "card-not-there", "vmm-not-loaded"],
        what: "ppt(4) does not have the card that bhyve is to hand over.",
        cure: &["pciconf -l", "service wifibox restart"],
    },
    Rule {
        words: &["annot allocate memory"],
        cause: "host-memory",
        of: &["memory-too-large"],
        what: "bhyve cannot wire the guest's memory: too little is free, or the limit is too low.",
        cure: &["sysctl vm.max_user_wired vm.stats.vm.v_free_count", "sysctl vm.max_user_wired=-1"],
    },
    Rule {
        words: &["No tap interface is available"],
        cause: "no-tap",
        of: &["no-bridge"],
        what: "wifibox was started without its bridge and tap interface.",
        cure: &["kldload -n if_bridge if_tuntap", "wifibox stop netif", "wifibox start netif"],
    },
    Rule {
        words: &["Socat binary could not be found"],
        cause: "no-socat",
        of: &[],
        what: "uds_passthru.conf asks for the guest's control sockets, and there is no socat for them.",
        cure: &["pkg install socat", RESTART],
    },
    Rule {
        words: &["forcing shutdown of guest"],
        cause: "slow-shutdown",
        of: &[],
        what: "The guest was cut off because it had not ended in time; a card may hang after that.",
        cure: &["sysrc -f /usr/local/etc/wifibox/bhyve.conf stop_wait_max=\"60\""],
    },
];

pub(super) fn examine(host: &Host<'_>, list: &mut Vec<Finding>) {
    for rule in &RULES {
        let known = |cause: &str| list.iter().any(|finding| finding.cause == cause);
        if known(rule.cause) || rule.of.iter().any(|cause| known(cause)) {
            continue;
        }
        if let Some(line) = host.logged(rule.words) {
            let advice = host.running || rule.cause == "no-socat";
            let severity = if advice { Severity::Advice } else { Severity::Guest };
            let cure = rule.cure.iter().copied();
            list.push(Finding::new(severity, rule.cause, rule.what).because(line).cure(cure));
        }
    }
    let crashed = host
        .logged(&["guest crashed"])
        .or_else(|| host.logged(&["exit_code="]))
        .or_else(|| restarts(host));
    if let Some(line) = crashed.filter(|_| !host.running && list.is_empty()) {
        let what =
            "bhyve ends as soon as it is started; with loglevel=debug the log has its own words.";
        list.push(Finding::guest("bhyve-ends", what).because(line).cure([
            format!("sysrc -f {CONFIGURATION}/core.conf loglevel=\"debug\""),
            RESTART.to_owned(),
            "grep bhyve /var/log/wifibox.log | tail".to_owned(),
        ]));
    }
    let console = host.settings.get("console").map(String::as_str);
    if !host.running && list.is_empty() {
        let what = "Nothing is wrong that can be seen, and the guest does not run.";
        let mut cure =
            vec!["service wifibox start".to_owned(), "tail /var/log/wifibox.log".to_owned()];
        if console != Some("yes") {
            cure.insert(0, set_guest("console", "yes"));
        }
        list.push(Finding::guest("not-running", what).cure(cure));
    }
}

/// With loglevel=warn, a guest that ends and is started again leaves nothing but this line each time; a stop leaves one.
fn restarts<'a>(host: &'a Host<'_>) -> Option<&'a String> {
    const ENDED: &str = "PPT device";
    let ends = || {
        host.log
            .iter()
            .filter(|line| line.contains(ENDED) && line.contains("could not be destroyed"))
    };
    ends().nth(2).and_then(|_| ends().next_back())
}
