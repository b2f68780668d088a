//! Says what keeps a guest from working, from a capture of its host: each cause with the line that tells it and
//! the commands that cure it, the worst first.
//!
//! `capture.sh` collects what is looked at, on the host itself; [`examine`] reads the folder that it made, on
//! whatever machine. Causes are those of wifibox-core's own checks (its program `wifibox`), of bhyve(8), and of
//! public reports about net/wifibox. Nothing here runs anything or changes the host.

mod capture;
mod configuration;
mod finding;
mod freebsd;
mod guest;
mod linux;
mod pack;
#[cfg(test)]
mod tests;
mod xen;

pub use capture::{Capture, CaptureError};
pub use finding::{Finding, Severity};
pub use pack::pack;

use capture::System;

/// The script that makes a capture.
pub const SCRIPT: &str = include_str!("capture.sh");

/// What is wrong, the worst first; nothing where nothing is.
#[must_use]
pub fn examine(capture: &Capture) -> Vec<Finding> {
    let mut list = match capture.system {
        System::FreeBsd => freebsd::examine(capture),
        System::Linux => linux::examine(capture),
        System::Xen => xen::examine(capture),
    };
    // The order of the checks is that of causes and effects.
    list.sort_by_key(|finding| finding.severity);
    list
}
