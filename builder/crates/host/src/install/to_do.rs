//! What an installation leaves to the host's owner: the commands that are still to be typed, as far as what is
//! there tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::layout::{Layout, below};
use super::plan::{Action, Plan};
use super::wanted::{Source, Wanted};
use crate::{Hypervisor, lint};
use wifibox_ground::guest::{AppConfig, Guest};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Task {
    /// Why, in one line.
    pub why: String,
    /// What to type.
    pub commands: Vec<String>,
}

impl Task {
    fn new(why: impl Into<String>, commands: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Task { why: why.into(), commands: commands.into_iter().map(Into::into).collect() }
    }
}

/// After images were changed and nothing else.
pub(super) fn after_images(layout: &Layout) -> Vec<Task> {
    let commands = match layout.hypervisor {
        Hypervisor::Xen => vec!["xl shutdown -w wifibox", "xl create /etc/xen/wifibox.cfg"],
        Hypervisor::Libvirt => vec!["virsh shutdown wifibox", "virsh start wifibox"],
        _ => vec!["service wifibox restart"],
    };
    vec![Task::new("A guest that runs still runs from the images before.", commands)]
}

/// After everything was taken away.
pub(super) fn after_removal(root: &Path, layout: &Layout) -> Vec<Task> {
    match layout.hypervisor {
        Hypervisor::Xen => vec![Task::new(
            "A domain that runs keeps its images until it ends.",
            ["xl shutdown -w wifibox"],
        )],
        Hypervisor::Libvirt => vec![Task::new(
            "libvirt still knows the guest and its network.",
            [
                "virsh shutdown wifibox",
                "virsh undefine wifibox --nvram",
                "virsh net-undefine wifibox",
            ],
        )],
        _ => {
            let set = rc_conf(root);
            let names: Vec<&str> =
                set.keys().filter(|name| name.contains("wifibox")).map(String::as_str).collect();
            let mut list = vec![Task::new(
                "A guest that runs keeps its images until it ends.",
                ["service wifibox onestop"],
            )];
            if !names.is_empty() {
                let commands = [format!("sysrc -x {}", names.join(" "))];
                list.push(Task::new("rc.conf still asks for the guest.", commands));
            }
            if exists(root, &format!("{}/sbin/wifibox", layout.prefix)) {
                let why = "The program that started it is a package of its own.";
                list.push(Task::new(why, ["pkg delete wifibox-core"]));
            }
            let why = "The host's own driver takes the card with the next boot.";
            list.push(Task::new(why, ["shutdown -r now"]));
            list
        }
    }
}

/// After an installation: `files` are all that the output brought.
pub(super) fn after_install(
    root: &Path,
    layout: &Layout,
    guest: &Guest,
    files: &[Wanted],
    plan: &Plan,
) -> Vec<Task> {
    let mut list = Vec::new();
    app_config(layout, guest, plan, &mut list);
    network(root, layout, guest, plan, &mut list);
    match layout.hypervisor {
        Hypervisor::Xen => xen(root, &mut list),
        Hypervisor::Libvirt => {
            let folder = format!("{}/libvirt", layout.examples());
            let commands = [
                format!("virsh net-define {folder}/network.xml"),
                "virsh net-start wifibox".to_owned(),
                format!("virsh define {folder}/wifibox.xml"),
                "virsh start wifibox".to_owned(),
            ];
            list.push(Task::new("libvirt must be told of the guest and its network.", commands));
        }
        _ => freebsd(root, layout, guest, files, plan, &mut list),
    }
    list
}

fn freebsd(
    root: &Path,
    layout: &Layout,
    guest: &Guest,
    files: &[Wanted],
    plan: &Plan,
    list: &mut Vec<Task>,
) {
    if !exists(root, &format!("{}/sbin/wifibox", layout.prefix)) {
        let why = "The program that starts the guest is not there.";
        list.insert(0, Task::new(why, ["pkg install wifibox-core"]));
    } else if !exists(root, crate::bhyve::FIRMWARE) {
        let why = "The UEFI firmware for bhyve is not there.";
        list.insert(0, Task::new(why, ["pkg install bhyve-firmware"]));
    }
    let path = format!("{}/bhyve.conf", layout.configuration);
    let text = planned(root, plan, &path);
    let settings = lint::values(&text);
    let set = |name: &str, value: &str| format!("sysrc -f {path} {name}=\"{value}\"");
    if !text.is_empty() {
        let memory = settings.get("memory").map(String::as_str);
        let needed = guest.smallest_memory.unwrap_or(guest.memory);
        if let Some(found) = memory.and_then(mebibytes).filter(|found| *found < needed.into()) {
            list.push(Task::new(
                format!("bhyve.conf gives the guest {found} MiB, and it needs {needed}."),
                [set("memory", &format!("{}M", guest.memory))],
            ));
        }
        if settings.get("passthru").is_none_or(|cards| cards.trim().is_empty()) {
            list.push(Task::new(
                "No card is named yet: take its address from detect, here 3/0/0.",
                [
                    "pciconf -lv | wifibox-build detect -".to_owned(),
                    set("passthru", "3/0/0"),
                    "sysrc -f /boot/loader.conf.d/wifibox.conf pptdevs=\"3/0/0\"".to_owned(),
                ],
            ));
        }
    }
    let missing = missing_settings(root, files);
    if !missing.is_empty() {
        list.push(Task::new("rc.conf does not start the guest and its network yet.", missing));
    }
    let boots = |path: &str| path.starts_with("/boot/");
    let loader = plan.writes.iter().any(|file| boots(&file.path));
    if loader {
        let why = "Settings of the loader count from the next boot on.";
        list.push(Task::new(why, ["shutdown -r now"]));
    } else if !plan.moves.is_empty() {
        list.extend(after_images(layout));
    } else if !plan.writes.is_empty() {
        list.push(Task::new("The guest can be started.", ["service wifibox start"]));
    }
}

fn xen(root: &Path, list: &mut Vec<Task>) {
    let path = "/etc/xen/wifibox.cfg";
    let text = fs::read_to_string(below(root, path)).unwrap_or_default();
    if !text.lines().any(|line| line.trim_start().starts_with("pci")) {
        let why = "No card is named yet: write pci = [ \"0000:03:00.0\" ] with its address.";
        list.push(Task::new(why, ["lspci -nn | wifibox-build detect -", &format!("vi {path}")]));
    }
    list.push(Task::new("The guest can be started.", [format!("xl create {path}")]));
}

/// Where `app_config` is not the guest's.
fn app_config(layout: &Layout, guest: &Guest, plan: &Plan, list: &mut Vec<Task>) {
    let path = format!("{}/app_config", layout.configuration);
    let kept = plan.steps.iter().find(|step| step.path == path && step.action == Action::Keep);
    if let Some(note) = kept.and_then(|step| step.note.as_deref()) {
        let daemon = guest.application.name();
        let why = format!("{path} must be a link to {daemon} for this guest, and {note}.");
        list.push(Task::new(why, [format!("rm {path}"), format!("ln -s {daemon} {path}")]));
    }
}

/// Where the wireless network is still the sample's.
fn network(root: &Path, layout: &Layout, guest: &Guest, plan: &Plan, list: &mut Vec<Task>) {
    let (daemon, what) = match guest.application {
        AppConfig::WpaSupplicant => ("wpa_supplicant", "your wireless network"),
        AppConfig::Hostapd => ("hostapd", "the wireless network that the guest opens"),
    };
    let path = format!("{}/{daemon}/{daemon}.conf", layout.configuration);
    let live = planned(root, plan, &path);
    if !live.is_empty() && live == planned(root, plan, &format!("{path}.sample")) {
        let why = format!("{daemon}.conf is the sample still: write {what} into it.");
        let editor = if layout.hypervisor == Hypervisor::Bhyve { "ee" } else { "vi" };
        list.push(Task::new(why, [format!("{editor} {path}")]));
    }
}

/// Commands for the lines of the output's rc.conf that the host does not have.
fn missing_settings(root: &Path, files: &[Wanted]) -> Vec<String> {
    let file = files.iter().find(|file| file.path.ends_with("/bhyve/rc.conf"));
    let Some(Wanted { source: Source::File(source), .. }) = file else { return Vec::new() };
    let wanted = lint::values(&fs::read_to_string(source).unwrap_or_default());
    let set = rc_conf(root);
    // What the host sets otherwise is its owner's choice, but for the switch.
    let missing = wanted.iter().filter(|(name, value)| match set.get(*name) {
        None => true,
        Some(found) => *name == "wifibox_enable" && !found.eq_ignore_ascii_case(value),
    });
    missing.map(|(name, value)| format!("sysrc {name}=\"{value}\"")).collect()
}

/// What rc.conf(5) of the host sets.
fn rc_conf(root: &Path) -> BTreeMap<String, String> {
    let files = ["/etc/rc.conf", "/etc/rc.conf.local"];
    let texts = files.iter().filter_map(|path| fs::read_to_string(below(root, path)).ok());
    texts.flat_map(|text| lint::values(&text)).collect()
}

/// The text of a file of the host, as it is when all was done.
fn planned(root: &Path, plan: &Plan, path: &str) -> String {
    let source = plan.writes.iter().find(|file| file.path == path).map(|file| &file.source);
    let text = match source {
        Some(Source::File(source)) => fs::read_to_string(source),
        Some(Source::Bytes(bytes)) => return String::from_utf8_lossy(bytes).into_owned(),
        None => fs::read_to_string(below(root, path)),
    };
    text.unwrap_or_default()
}

fn exists(root: &Path, path: &str) -> bool {
    below(root, path).exists()
}

/// Memory as bhyve takes it, in MiB: a number alone is in MiB, or in bytes where it is too large for that.
pub(crate) fn mebibytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = text.chars().last()?.to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match unit {
        'k' => Some(number >> 10),
        'm' => Some(number),
        'g' => number.checked_mul(1 << 10),
        't' => number.checked_mul(1 << 20),
        '0'..='9' if number >= 1 << 20 => Some(number >> 20),
        '0'..='9' => Some(number),
        _ => None,
    }
}
