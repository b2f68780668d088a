//! `cargo xtask devices`: writes `firmware-blobs/devices.tsv`, the table of `wifibox-build detect`.
//!
//! Reads folders of modules as depmod left them. Debian's packages have no indexes yet:
//!
//! ```text
//! dpkg-deb -x linux-image-6.12.107+deb13-amd64_*.deb k && depmod -b k/usr 6.12.107+deb13-amd64
//! cargo xtask devices debian/bookworm=... debian/trixie=k/usr/lib/modules/6.12.107+deb13-amd64 \
//!     debian/trixie/backports=...
//! ```
//!
//! Wireless drivers are those below drivers/net/wireless; those of drivers/staging that need cfg80211 or lib80211; and
//! the bridges ssb and bcma.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use wifibox_ground::codec::read_unpacked;
use wifibox_host::detect::Bus;
use wifibox_host::detect::table::{BRIDGES, Kernels, Kind, KnownKernel, Table};
use wifibox_linux::kernel::modinfo::Modinfo;

/// Largest module that is read, in bytes once unpacked.
const MODULE_LIMIT: u64 = 64 << 20;

/// Write the table of wireless devices from the indexes of kernels.
#[derive(Parser)]
pub struct Arguments {
    /// Folders of modules, the oldest kernel first; BASE/RELEASE= in front of those that guests have, and
    /// BASE/RELEASE/KERNEL= of those that they have if they are asked for
    #[arg(required = true, value_name = "[BASE/RELEASE[/KERNEL]=]FOLDER")]
    kernels: Vec<String>,
    /// The table to write
    #[arg(long, default_value = "firmware-blobs/devices.tsv")]
    out: PathBuf,
}

/// Writes the table.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut table = Table::default();
    for (index, kernel) in arguments.kernels.iter().enumerate() {
        let (of, folder) = match kernel.split_once('=') {
            Some((of, folder)) => (Some(of.to_owned()), Path::new(folder)),
            None => (None, Path::new(kernel)),
        };
        let release = folder.file_name().and_then(|name| name.to_str());
        let release = release.ok_or_else(|| format!("{kernel}: no release in its name"))?;
        let version: Vec<&str> = release.split('.').take(2).collect();
        table.kernels.push(KnownKernel {
            version: version.join("."),
            release: release.to_owned(),
            of,
        });
        add(&mut table, folder, Kernels::one(index))?;
    }
    let text = table.to_string();
    // What is written is what `detect` reads.
    if Table::parse(&text)? != table {
        return Err("the table does not read back as it was written".into());
    }
    fs::write(&arguments.out, text).map_err(|e| format!("{}: {e}", arguments.out.display()))?;
    Ok(())
}

/// A module of modules.dep: its file below the folder, and the modules that it cannot do without.
struct Module {
    file: String,
    needs: Vec<String>,
}

fn add(table: &mut Table, folder: &Path, kernel: Kernels) -> Result<(), Box<dyn Error>> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let modules = wireless(&read("modules.dep")?);
    if modules.is_empty() {
        return Err(format!("{}: its modules.dep has no wireless driver", folder.display()).into());
    }
    for (name, module) in &modules {
        let path = module.file.split(".ko").next().unwrap_or(&module.file);
        table.add(Kind::Module, name, path, kernel);
        for need in module.needs.iter().filter(|need| modules.contains_key(*need)) {
            table.add(Kind::Need, name, need, kernel);
        }
        let file = folder.join(&module.file);
        let bytes = fs::File::open(&file).and_then(|file| read_unpacked(file, MODULE_LIMIT));
        let bytes = bytes.map_err(|error| format!("{}: {error}", file.display()))?;
        let info =
            Modinfo::parse(&bytes).map_err(|error| format!("{}: {error}", file.display()))?;
        for firmware in info.firmware.iter().collect::<BTreeSet<_>>() {
            table.add(Kind::Firmware, name, firmware, kernel);
        }
    }
    for line in read("modules.alias")?.lines() {
        let mut words = line.split_whitespace();
        if let (Some("alias"), Some(alias), Some(module)) =
            (words.next(), words.next(), words.next())
            && modules.contains_key(module)
            && alias.split_once(':').is_some_and(|(scheme, _)| {
                Bus::of_scheme(scheme).is_some() || BRIDGES.contains(&scheme)
            })
        {
            table.add(Kind::Alias, module, alias, kernel);
        }
    }
    Ok(())
}

/// The name of a module by its file.
fn name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name).replace('-', "_")
}

/// The wireless drivers of a modules.dep, by name.
fn wireless(text: &str) -> BTreeMap<String, Module> {
    let mut modules = BTreeMap::new();
    for line in text.lines() {
        let Some((file, needs)) = line.split_once(':') else { continue };
        let needs: Vec<String> = needs.split_whitespace().map(name).collect();
        let below = |folder: &str| file.contains(folder);
        let stack = |need: &String| need == "cfg80211" || need == "lib80211";
        let own = name(file);
        if below("/drivers/net/wireless/")
            || below("/drivers/staging/") && needs.iter().any(stack)
            || BRIDGES.contains(&own.as_str())
        {
            modules.insert(own, Module { file: file.to_owned(), needs });
        }
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wireless_drivers_are_told_from_others() {
        let text = "kernel/drivers/net/wireless/intel/iwlwifi/mvm/iwlmvm.ko.xz: \
                    kernel/drivers/net/wireless/intel/iwlwifi/iwlwifi.ko.xz kernel/net/wireless/cfg80211.ko.xz\n\
                    kernel/drivers/staging/rtl8192e/rtl8192e/r8192e_pci.ko: kernel/net/wireless/lib80211.ko\n\
                    kernel/drivers/staging/media/atomisp/atomisp.ko: kernel/drivers/media/mc/mc.ko\n\
                    kernel/drivers/bcma/bcma.ko:\n\
                    kernel/drivers/net/wireless/st/cw1200/cw1200-core.ko.zst:\n\
                    kernel/drivers/net/ethernet/intel/e1000/e1000.ko:\n";
        let modules = wireless(text);
        let names: Vec<&str> = modules.keys().map(String::as_str).collect();
        assert_eq!(names, ["bcma", "cw1200_core", "iwlmvm", "r8192e_pci"]);
        assert_eq!(modules["iwlmvm"].needs, ["iwlwifi", "cfg80211"]);
    }
}
