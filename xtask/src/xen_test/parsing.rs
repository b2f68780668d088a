//! Configurations for the real xl: all that are written for Xen, which it must take without a word, and
//! wrong ones, which it must refuse or complain about.

use std::path::{Path, PathBuf};

use wifibox_ground::address::Address;
use wifibox_host::lint::xl;
use wifibox_host::{HostFile, Hypervisor, Overrides};

use super::machine::CARD;
use super::read_image;

/// A configuration, and what xl has to think of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name: one word.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether xl takes it.
    pub good: bool,
}

impl Case {
    /// Checks what dom0 said: `test: parsed NAME status N: WORDS`.
    pub fn judge(&self, said: &str) -> Result<(), String> {
        let (_, rest) = said.split_once(" status ").unwrap_or(("", said));
        let (status, words) = rest.split_once(':').unwrap_or((rest, ""));
        let taken = status.trim() == "0" && words.trim().is_empty();
        match (self.good, taken) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err(format!("xl does not like {}: {said}\n{}", self.name, self.text)),
            (false, true) => Err(format!("xl takes {}, which is wrong:\n{}", self.name, self.text)),
        }
    }
}

/// The guest in different forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// As it was built.
    Plain,
    /// With cards, a configuration disk and a disk of its own.
    Everything,
    /// With the card of the test, and a configuration disk.
    Started,
}

/// The files for Xen of an output folder, made anew.
pub fn files(output: &Path, variant: Variant) -> Result<Vec<HostFile>, String> {
    let card = |text: &str| Address::parse_linux(text).into_iter();
    let overrides = match variant {
        Variant::Plain => Overrides::default(),
        Variant::Everything => Overrides {
            passthru: card("0000:0a:00.0").chain(card("0000:0a:00.1")).collect(),
            configuration_disk: true,
            persistent: true,
            vcpus: Some(2),
            ..Overrides::default()
        },
        Variant::Started => Overrides {
            passthru: card(CARD).collect(),
            configuration_disk: true,
            ..Overrides::default()
        },
    };
    files_with(output, &overrides)
}

/// The files for Xen of an output folder, as `wifibox-build host` writes them with such options.
pub fn files_with(output: &Path, overrides: &Overrides) -> Result<Vec<HostFile>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", output.display());
    let guest = wifibox_host::of_output(output).map_err(|error| wrong(&error))?;
    let guest = overrides.apply(&guest).map_err(|error| wrong(&error))?;
    Hypervisor::Xen.files(&guest).map_err(|error| wrong(&error))
}

/// Changes of a good configuration that xl itself refuses: name, the text to replace, its replacement.
const WRONG: [(&str, &str, &str); 5] = [
    ("no-name", "name = \"wifibox\"", ""),
    ("no-bracket", "driver_domain = 1", "vfb = [ \"vnc=1\""),
    ("disk-option", "format=raw", "fromat=raw"),
    ("vif-option", "bridge=xenbr0", "brigde=xenbr0"),
    ("type", "type = \"pv\"", "type = \"pvm\""),
];

/// All cases: the configurations of these outputs in all variants, and the wrong ones.
pub fn cases(output: &Path, more: &[PathBuf]) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut first = None;
    for (index, output) in
        std::iter::once(output).chain(more.iter().map(PathBuf::as_path)).enumerate()
    {
        for variant in [Variant::Plain, Variant::Everything] {
            for file in files(output, variant)? {
                let Some(name) = file.path.strip_suffix(".cfg") else { continue };
                let name = name.rsplit('/').next().unwrap_or(name);
                let text = String::from_utf8(file.contents).map_err(|error| error.to_string())?;
                if name == "wifibox" && variant == Variant::Plain {
                    first.get_or_insert_with(|| text.clone());
                }
                let name = format!("{index}-{variant:?}-{name}").to_lowercase();
                cases.push(Case { name, text, good: true });
            }
        }
    }
    let first = first.ok_or("there is no host/xen/wifibox.cfg")?;
    for (name, old, new) in WRONG {
        let text = first.replacen(old, new, 1);
        if text == first {
            return Err(format!("the wrong case {name} changes nothing: {old:?} is not there"));
        }
        cases.push(Case { name: format!("wrong-{name}"), text, good: false });
    }
    Ok(cases)
}

/// Whether dom0's xl looks every key of the linter up; gives back how many there are.
pub fn keys_are_known(dom0: &Path) -> Result<usize, String> {
    let image = dom0.join("root.img");
    let is_xl = |path: &str| path.starts_with("usr/lib/xen-") && path.ends_with("/bin/xl");
    let found = read_image(&image, is_xl)?;
    let (_, xl) = found.first().ok_or_else(|| format!("{} holds no xl", image.display()))?;
    let mut count = 0;
    for key in xl::keys() {
        // The compiler lets a string share the end of a longer one, so that only its end is sure.
        let wanted = [key.as_bytes(), b"\0"].concat();
        if !xl.windows(wanted.len()).any(|part| part == wanted) {
            return Err(format!("xl does not know the key {key:?}, which the linter lets through"));
        }
        count += 1;
    }
    Ok(count)
}
