//! Checks configuration of hosts for what their own programs accept in silence: names that they do not
//! know, blanks that count, two devices in one place.
//!
//! [`lint`] checks a text as one [`Kind`] of file, [`Kind::guess`] says which kind a file is. Everything
//! that `wifibox-build` writes for a host is checked before it is written, and `wifibox-build lint`
//! checks files that people wrote. Each kind has a module that names the document of its format.

#[cfg(test)]
mod accepted_tests;
mod assignment;
mod assignments;
pub mod bhyve;
mod devd;
pub(crate) mod l4re_modules;
mod level;
mod loader;
mod shell;
mod vm_bhyve;
mod vm_bhyve_lines;
mod wifibox_core;
pub mod xl;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

pub use level::Level;

/// The largest file that is checked, in bytes.
pub const SIZE_LIMIT: usize = 1 << 20;

/// A problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Problem {
    /// The line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// Its severity.
    pub level: Level,
    /// The fault, and what was expected.
    pub what: String,
    /// The document or program that the rule is from.
    pub source: &'static str,
}

impl Problem {
    /// An error in a line.
    pub fn new(line: usize, what: impl Into<String>) -> Self {
        Problem { line, level: Level::Error, what: what.into(), source: "" }
    }

    pub(crate) fn warning(self) -> Self {
        Problem { level: Level::Warning, ..self }
    }

    pub(crate) fn hint(self) -> Self {
        Problem { level: Level::Hint, ..self }
    }

    pub(crate) fn from(self, source: &'static str) -> Self {
        Problem { source, ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A machine for `bhyve -k`.
    Bhyve,
    /// `bhyve.conf` of wifibox-core.
    WifiboxBhyve,
    /// `core.conf` of wifibox-core.
    WifiboxCore,
    /// A guest or template of vm-bhyve.
    VmBhyve,
    /// FreeBSD's loader.conf.
    Loader,
    /// FreeBSD's rc.conf.
    Rc,
    /// FreeBSD's devd.conf.
    Devd,
    /// A domain of Xen, for xl.
    Xl,
    /// L4Re's modules.list.
    L4reModules,
}

impl Kind {
    /// All kinds, by name.
    pub const ALL: [Kind; 9] = [
        Kind::Bhyve,
        Kind::Devd,
        Kind::L4reModules,
        Kind::Loader,
        Kind::Rc,
        Kind::VmBhyve,
        Kind::WifiboxBhyve,
        Kind::WifiboxCore,
        Kind::Xl,
    ];

    /// Its name, as in `--kind`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bhyve => "bhyve",
            Kind::WifiboxBhyve => "wifibox-bhyve",
            Kind::WifiboxCore => "wifibox-core",
            Kind::VmBhyve => "vm-bhyve",
            Kind::Loader => "loader",
            Kind::Rc => "rc",
            Kind::Devd => "devd",
            Kind::Xl => "xl",
            Kind::L4reModules => "l4re-modules",
        }
    }

    /// The document or program whose rules are checked.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Kind::Bhyve => "bhyve_config(5)",
            Kind::WifiboxBhyve | Kind::WifiboxCore => "wifibox-core's program wifibox",
            Kind::VmBhyve => "vm-bhyve's lib/vm-config and lib/vm-run",
            Kind::Loader => "loader.conf(5)",
            Kind::Rc => "rc.conf(5), sh(1)",
            Kind::Devd => "devd.conf(5)",
            Kind::Xl => "xl.cfg(5)",
            Kind::L4reModules => "L4Re's conf/modules.list",
        }
    }

    /// The kind that a file of this name is, as builds name them.
    #[must_use]
    pub fn of_name(path: &str) -> Option<Kind> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name.strip_suffix(".sample").unwrap_or(name) {
            "bhyve.conf" => Kind::WifiboxBhyve,
            "core.conf" => Kind::WifiboxCore,
            "vm-bhyve.conf" => Kind::VmBhyve,
            "loader.conf" | "loader.conf.local" => Kind::Loader,
            "rc.conf" | "rc.conf.local" => Kind::Rc,
            "devd.conf" => Kind::Devd,
            "modules.list" => Kind::L4reModules,
            "wifibox.config" => Kind::Bhyve,
            // L4Re's list of devices is Lua.
            name if name.ends_with(".cfg") && name != "io.cfg" => Kind::Xl,
            _ => return None,
        })
    }

    /// The kind that a file is, by its contents and then by its name.
    #[must_use]
    pub fn guess(path: &str, contents: &[u8]) -> Option<Kind> {
        let text = String::from_utf8_lossy(contents);
        let any = |starts: &[&str]| {
            text.lines().any(|line| starts.iter().any(|start| line.starts_with(start)))
        };
        let assigned = |name: &str| {
            text.lines().any(|line| {
                line.trim_start()
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.trim_start().trim_start_matches('+').starts_with('='))
            })
        };
        let ends = |end: &str| {
            let mut names = text.lines().filter_map(|line| line.trim_start().split_once('='));
            names.any(|(name, _)| name.trim_end().ends_with(end))
        };
        if any(&["pci.", "lpc.", "memory.size=", "x86."]) {
            Some(Kind::Bhyve)
        } else if any(&["disk0_", "network0_", "bhyve_options="]) {
            Some(Kind::VmBhyve)
        } else if any(&["notify ", "attach ", "nomatch ", "detach "]) {
            Some(Kind::Devd)
        } else if let Some(kind) = Kind::of_name(path) {
            Some(kind)
        } else if ends("_load") || assigned("pptdevs") {
            Some(Kind::Loader)
        } else if ends("_enable") || any(&["ifconfig_", "kld_list="]) {
            Some(Kind::Rc)
        } else if assigned("name")
            // A script has names of its own.
            && !contents.starts_with(b"#!")
            && ["memory", "disk", "vif", "builder", "type", "kernel"].iter().any(|n| assigned(n))
        {
            Some(Kind::Xl)
        } else if assigned("loader") && assigned("memory") {
            Some(Kind::VmBhyve)
        } else {
            None
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

/// The problems of a file of this kind, by line; empty if it is sound.
#[must_use]
pub fn lint(kind: Kind, contents: &[u8]) -> Vec<Problem> {
    if contents.len() > SIZE_LIMIT {
        return vec![Problem::new(0, format!("it has more than {SIZE_LIMIT} bytes"))];
    }
    let text = match std::str::from_utf8(contents) {
        Ok(text) => text,
        Err(error) => {
            let before = contents.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            return vec![Problem::new(line, "it is not UTF-8")];
        }
    };
    let mut problems = match kind {
        Kind::Bhyve => bhyve::lint(text),
        Kind::WifiboxBhyve => wifibox_core::bhyve_conf(text),
        Kind::WifiboxCore => wifibox_core::core_conf(text),
        Kind::VmBhyve => vm_bhyve::lint(text),
        Kind::Loader => loader::lint(text),
        Kind::Rc => assignments::rc_conf(text),
        Kind::Devd => devd::lint(text),
        Kind::Xl => xl::lint(text),
        Kind::L4reModules => l4re_modules::lint(text),
    };
    for (number, line) in assignment::numbered(text) {
        if let Some(bad) = line.chars().find(|c| c.is_control() && *c != '\t') {
            let what = format!("it holds the control character {bad:?}");
            problems.push(Problem::new(number, what));
        }
    }
    for problem in problems.iter_mut().filter(|problem| problem.source.is_empty()) {
        problem.source = kind.source();
    }
    problems.sort();
    problems.dedup();
    problems
}

/// The variables of a file of assignments, the last of each name; lines that are none are passed over.
pub(crate) fn values(text: &str) -> BTreeMap<String, String> {
    let list = assignments::read(text, ".-", &mut Vec::new());
    list.into_iter().map(|one| (one.name, one.value)).collect()
}

/// The known name that is nearest to `found`, for a message.
fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match wifibox_ground::nearest::nearest(found, &known) {
        Some(name) => format!("; did you mean {name}?"),
        None => String::new(),
    }
}
