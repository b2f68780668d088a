//! FreeBSD with bhyve, and wifibox-core: what its program `wifibox` checks and what it does not, in the order
//! of causes and effects: machine, card, files, network, what the log says, the guest.

mod card;
mod files;
mod log;
mod machine;
mod network;

use std::collections::BTreeMap;

use super::capture::Capture;
use super::configuration;
use super::finding::{Finding, Severity};
use super::guest::{self, Ways};
use crate::bhyve::{CONFIGURATION, IMAGES, VAR};
use crate::lint::{self, Kind};

/// The file that people are told to change.
const LOADER: &str = "/boot/loader.conf";
/// What the guest is given.
const BHYVE_CONF: &str = "/usr/local/etc/wifibox/bhyve.conf";

/// What several checks ask.
struct Host<'a> {
    capture: &'a Capture,
    /// bhyve.conf.
    settings: BTreeMap<String, String>,
    /// loader.conf(5), all of its files.
    loader: BTreeMap<String, String>,
    /// rc.conf(5).
    rc: BTreeMap<String, String>,
    /// The end of the log of `wifibox`.
    log: Vec<String>,
    /// Whether the guest runs.
    running: bool,
}

/// The lines of the log that are of interest: those of the last attempts.
const LOG_LINES: usize = 80;

impl<'a> Host<'a> {
    fn new(capture: &'a Capture) -> Self {
        let values = |paths: &[&str]| {
            let texts = paths.iter().filter_map(|path| capture.file(path));
            texts.flat_map(|text| lint::values(&text)).collect()
        };
        let log = capture.file("/var/log/wifibox.log").unwrap_or_default();
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        // What was before the last good start is over.
        let mut begin = lines.len().saturating_sub(LOG_LINES);
        let started = |line: &String| line.contains("has started as PID");
        let running = capture.runs("bhyve: wifibox");
        if let Some(last) = lines.iter().rposition(started).filter(|_| running) {
            begin = begin.max(last);
        }
        Self {
            capture,
            settings: values(&[BHYVE_CONF]),
            loader: values(&[
                LOADER,
                "/boot/loader.conf.d/wifibox.conf",
                "/boot/loader.conf.local",
            ]),
            rc: values(&["/etc/rc.conf", "/etc/rc.conf.local"]),
            log: lines.get(begin..).unwrap_or_default().to_vec(),
            running,
        }
    }

    /// The cards that bhyve.conf names.
    fn cards(&self) -> &str {
        self.settings.get("passthru").map_or("", |cards| cards.trim())
    }

    /// The newest line of the log with all of these words.
    fn logged(&self, words: &[&str]) -> Option<&String> {
        self.log.iter().rev().find(|line| words.iter().all(|word| line.contains(word)))
    }

    /// What the images say of themselves.
    fn manifest(&self) -> Option<serde_json::Value> {
        let text = self.capture.file(&format!("{IMAGES}/manifest.json"))?;
        serde_json::from_str(&text).ok()
    }

    fn has_module(&self, name: &str) -> bool {
        let file = format!("{name}.ko");
        let loaded = self.capture.output("kldstat");
        loaded.lines().any(|line| line.split_whitespace().last() == Some(&file))
    }
}

/// `sysrc` for a setting of the loader.
fn set_loader(name: &str, value: &str) -> String {
    format!("sysrc -f {LOADER} {name}=\"{value}\"")
}

/// `sysrc` for a setting of bhyve.conf.
fn set_guest(name: &str, value: &str) -> String {
    format!("sysrc -f {BHYVE_CONF} {name}=\"{value}\"")
}

const REBOOT: &str = "shutdown -r now";
const RESTART: &str = "service wifibox restart";

/// What is wrong on a FreeBSD host.
pub(super) fn examine(capture: &Capture) -> Vec<Finding> {
    let host = Host::new(capture);
    let mut list = Vec::new();
    machine::examine(&host, &mut list);
    files::examine(&host, &mut list);
    configuration::examine(
        capture,
        &[
            ("/usr/local/etc/wifibox/core.conf", Kind::WifiboxCore, Severity::Guest),
            (BHYVE_CONF, Kind::WifiboxBhyve, Severity::Guest),
            (LOADER, Kind::Loader, Severity::Guest),
            ("/boot/loader.conf.d/wifibox.conf", Kind::Loader, Severity::Guest),
            ("/etc/rc.conf", Kind::Rc, Severity::Network),
            ("/usr/local/etc/devd/wifibox.conf", Kind::Devd, Severity::Advice),
        ],
        &mut list,
    );
    card::examine(&host, &mut list);
    network::examine(&host, &mut list);
    log::examine(&host, &mut list);
    let restart = RESTART;
    let ways = Ways { var: VAR, configuration: CONFIGURATION, restart, editor: "ee" };
    guest::examine(capture, &ways, host.running, &mut list);
    list
}
