//! The report of a boot test: a line for each step as it happens, and a summary at the end.

use std::path::Path;

use serde::Serialize;
use wifibox_report::html::{self, BootStep};

use super::qemu::Moment;
use super::transfer::Transfer;

/// A step that was passed.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The statement that it shows to be true.
    pub name: String,
    /// Seconds since QEMU's start.
    pub seconds: f64,
    /// Seconds of processor time that QEMU had used by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processor: Option<f64>,
    /// The evidence, in short.
    pub detail: String,
}

/// One run of a guest.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this summary's form.
    pub version: u32,
    /// `station` or `access-point`.
    pub role: &'static str,
    /// `direct` or `uefi`.
    pub firmware: &'static str,
    /// Memory of the guest in MiB.
    pub memory: u32,
    /// `kvm` or `tcg`.
    pub acceleration: &'static str,
    /// The steps passed, in order.
    pub steps: Vec<Step>,
    /// Seconds from QEMU's start to the first packet that came back through the guest.
    pub first_packet: Option<f64>,
    /// How each module loaded, with `--load-modules`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<ModuleLoad>,
    /// What was measured, with `--throughput`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub throughput: Vec<Transfer>,
    /// Why the run failed, if it did.
    pub failure: Option<String>,
    /// Whether to print steps as they happen.
    #[serde(skip)]
    pub quiet: bool,
}

impl Report {
    /// Notes a step and prints it.
    pub fn step(&mut self, name: &str, at: Moment, detail: &str) {
        let Moment { seconds, processor } = at;
        if !self.quiet {
            let used = processor.map_or_else(String::new, |used| format!("{used:.2}"));
            let colon = if detail.is_empty() { "" } else { ": " };
            println!("{seconds:8.2} {used:>7}  {name}{colon}{detail}");
        }
        let (name, detail) = (name.to_owned(), detail.to_owned());
        self.steps.push(Step { name, seconds: hundredths(seconds), processor, detail });
    }

    /// The steps over time, as a page for a browser.
    pub fn page(&self, guest: &Path) -> String {
        let step = |Step { name, seconds, detail, .. }: &Step| BootStep {
            name: name.clone(),
            seconds: *seconds,
            detail: detail.clone(),
        };
        let steps: Vec<BootStep> = self.steps.iter().map(step).collect();
        let facts = [
            ("role", self.role.to_owned()),
            ("started by", self.firmware.to_owned()),
            ("memory", format!("{} MiB", self.memory)),
            ("processor", self.acceleration.to_owned()),
            ("first packet", self.first_packet.map_or("none".to_owned(), |s| format!("{s:.2} s"))),
        ];
        let what = guest.file_name().unwrap_or_default().to_string_lossy();
        html::boot(&what, &facts, &steps, self.failure.as_deref())
    }

    /// Whether everything was shown.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Seconds, rounded to hundredths.
pub fn hundredths(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// How one module loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleLoad {
    /// Its name.
    pub name: String,
    /// `loaded`, `no device` or `failed`.
    pub state: &'static str,
    /// The last messages about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}
