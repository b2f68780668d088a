//! What must be on the disk before `wifibox` can start the guest.

use super::super::capture::Place;
use super::{Finding, Host, RESTART, set_guest};
use crate::bhyve::{CONFIGURATION, FIRMWARE, IMAGES, VAR};
use crate::install::mebibytes;

pub(super) fn examine(host: &Host<'_>, list: &mut Vec<Finding>) {
    let capture = host.capture;
    if capture.lacks("/usr/local/sbin/wifibox") {
        let what = "The program that starts the guest is not installed.";
        list.push(Finding::guest("no-wifibox-core", what).cure(["pkg install wifibox-core"]));
    }
    if capture.lacks(FIRMWARE) {
        let what = "The UEFI firmware for bhyve is not there.";
        list.push(
            Finding::guest("no-bootrom", what)
                .because(FIRMWARE)
                .cure(["pkg install -f bhyve-firmware"]),
        );
    }
    images(host, list);
    for (name, cause) in [("bhyve.conf", "no-bhyve-conf"), ("core.conf", "no-core-conf")] {
        let path = format!("{CONFIGURATION}/{name}");
        if capture.lacks(&path) {
            let what = format!("{path} is not there, and wifibox does not start without it.");
            let cure = [format!("cp {path}.sample {path}"), "service wifibox start".to_owned()];
            list.push(Finding::guest(cause, what).cure(cure));
        }
    }
    shares(host, list);
    app_config(host, list);
    memory(host, list);
    control_sockets(host, list);
    if capture.lacks("/var/log/wifibox.log") {
        let what = "wifibox has no log to write to: it makes none.";
        let cure = ["touch /var/log/wifibox.log"];
        list.push(Finding::advice("no-log", what).cure(cure));
    }
}

fn images(host: &Host<'_>, list: &mut Vec<Finding>) {
    for name in ["esp.img", "root.img"] {
        let path = format!("{IMAGES}/{name}");
        let empty = matches!(host.capture.place(&path), Some(Place::File(0)));
        if host.capture.lacks(&path) || empty {
            let state = if empty { "is empty" } else { "is not there" };
            let what = format!("The guest's image {path} {state}.");
            list.push(
                Finding::guest("no-image", what).cure(["wifibox-build install out/alpine-iwlwifi"]),
            );
            return;
        }
    }
}

fn shares(host: &Host<'_>, list: &mut Vec<Finding>) {
    let folder = |path: &str| match host.capture.place(path) {
        Some(Place::Folder | Place::Link(_, _)) | None => true,
        Some(_) => false,
    };
    if !folder(VAR) {
        let what = "The folder that the guest writes its logs to is not there, and bhyve ends at once without it.";
        let mut finding = Finding::guest("no-share-var", what).because(VAR);
        let mounted = host.capture.output("mount");
        let volatile = |line: &&str| {
            line.starts_with("tmpfs on /var")
                || line.starts_with("/dev/md") && line.contains("on /var")
        };
        let mut cure = vec![format!("mkdir -p {VAR}/log {VAR}/lib/misc")];
        if let Some(line) = mounted.lines().find(volatile) {
            finding.what += " /var is in memory here, so that it must be made at each boot.";
            finding = finding.because(line);
            cure.push(format!(
                "echo 'mkdir -p {VAR}/log {VAR}/lib/misc' >> /etc/rc.conf.d/wifibox"
            ));
        }
        cure.push("service wifibox restart".to_owned());
        list.push(finding.cure(cure));
    }
    let appliance = format!("{CONFIGURATION}/appliance");
    if !folder(&appliance) {
        let what = "The folder of the guest's configuration is not there, and bhyve ends at once without it.";
        list.push(
            Finding::guest("no-share-config", what)
                .because(appliance)
                .cure(["wifibox-build install out/alpine-iwlwifi", "service wifibox start"]),
        );
    }
}

/// The link by which the guest gets the files of its daemon.
fn app_config(host: &Host<'_>, list: &mut Vec<Finding>) {
    let path = format!("{CONFIGURATION}/app_config");
    let Some(place) = host.capture.place(&path) else { return };
    let daemon =
        host.manifest().and_then(|value| value["guest"]["application"].as_str().map(str::to_owned));
    let daemon = daemon.as_deref().unwrap_or("wpa_supplicant");
    let cure = [format!("rm -f {path}"), format!("ln -s {daemon} {path}"), RESTART.to_owned()];
    let name =
        |target: &str| target.trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned();
    let (cause, what, evidence) = match place {
        Place::Link(target, leads) if **leads == Place::Folder => {
            if name(target) == daemon {
                return;
            }
            let what = format!(
                "app_config leads to the folder of another daemon than the guest's, which is {daemon}."
            );
            ("app-config-other", what, target.clone())
        }
        Place::Link(target, leads) if **leads == Place::None => {
            let what =
                "app_config leads nowhere: the guest starts without its networks.".to_owned();
            ("app-config-dangling", what, target.clone())
        }
        Place::None => {
            let what = "app_config is not there: the guest starts without its networks.".to_owned();
            ("app-config-missing", what, path.clone())
        }
        Place::Folder => return,
        _ => {
            let what = format!(
                "app_config must be a link to the folder {daemon}; bhyve ends at once where it is a file."
            );
            ("app-config-file", what, path.clone())
        }
    };
    list.push(Finding::guest(cause, what).because(evidence).cure(cure));
}

fn memory(host: &Host<'_>, list: &mut Vec<Finding>) {
    let Some(given) = host.settings.get("memory") else { return };
    let Some(found) = mebibytes(given) else { return };
    let manifest = host.manifest().unwrap_or_default();
    let guest = &manifest["guest"];
    let needed = guest["smallest_memory"].as_u64().or_else(|| guest["memory"].as_u64());
    if let Some(needed) = needed.filter(|needed| found < *needed) {
        let wanted = guest["memory"].as_u64().unwrap_or(needed);
        let what =
            format!("The guest gets {found} MiB, and does not come up with less than {needed}.");
        let cure = [set_guest("memory", &format!("{wanted}M")), RESTART.to_owned()];
        list.push(
            Finding::guest("memory-too-small", what).because(format!("memory={given}")).cure(cure),
        );
    }
    let all = host.capture.sysctl("hw.physmem").and_then(|value| value.parse::<u64>().ok());
    if let Some(all) = all.map(|bytes| bytes >> 20).filter(|all| found > all / 2) {
        let what = format!(
            "The guest's memory is wired: {found} MiB of the {all} MiB of this machine are gone for the host."
        );
        let cure = [set_guest("memory", "160M"), RESTART.to_owned()];
        list.push(
            Finding::guest("memory-too-large", what).because(format!("memory={given}")).cure(cure),
        );
    }
}

/// wpa_cli on the host reaches the guest's daemon by socat.
fn control_sockets(host: &Host<'_>, list: &mut Vec<Finding>) {
    let asked =
        host.capture.file(&format!("{CONFIGURATION}/appliance/uds_passthru.conf")).is_some();
    if asked && host.capture.lacks("/usr/local/bin/socat") {
        let what = "uds_passthru.conf asks for the guest's control sockets, and there is no socat for them.";
        list.push(Finding::advice("no-socat", what).cure(["pkg install socat", RESTART]));
    }
}
