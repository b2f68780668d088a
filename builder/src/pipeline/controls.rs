//! What packages say of themselves, beside their files: scripts, and whose files they may take.

use std::collections::BTreeMap;

use super::Error;
use super::archive::{Kind, kind, open};
use super::index::v3;
use super::packages::ChosenPackage;
use super::replaces::Claim;
use crate::recipe::Format;
use crate::repo::apk::{Apk, ApkLimits};
use crate::repo::deb::{Deb, DebLimits};
use crate::repo::opkg::{Ipk, IpkLimits};
use crate::report::licences::Collector;
use crate::tree::openwrt::{self, PackageFacts};
use crate::tree::scripts::Script;

/// Scripts that do not run when a package is installed on an empty system.
const OTHER_SCRIPTS: [&str; 6] =
    ["prerm", "postrm", "pre-upgrade", "post-upgrade", "pre-deinstall", "post-deinstall"];

/// What one package says.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// The scripts that would run when it is installed on an empty system.
    pub scripts: Vec<Script>,
    /// Whose files it may take.
    pub claim: Claim,
    /// What the control file of an `.ipk` says.
    pub openwrt: Option<PackageFacts>,
}

/// Reads what `packages` say, in their order; `licences` hears of their sources.
///
/// # Errors
/// [`Error`]: a package is damaged.
pub fn read(packages: &[ChosenPackage], licences: &mut Collector) -> Result<Vec<Control>, Error> {
    packages.iter().map(|package| read_one(package, licences)).collect()
}

fn read_one(package: &ChosenPackage, licences: &mut Collector) -> Result<Control, Error> {
    let record = &package.record;
    let name = &package.name;
    let mut control = Control::default();
    let mut scripts = Vec::new();
    match kind(package)? {
        Kind::Deb => {
            let deb = Deb::open(name, open(package)?, DebLimits::default())?;
            licences.control(name, &deb.control().fields);
            control.claim = Claim { replaces: record.replaces.clone(), ..Claim::default() };
            scripts.extend(plain(name, &deb.control().scripts));
        }
        Kind::Apk => {
            let apk = Apk::open(name, open(package)?, ApkLimits::default())?;
            licences.info(name, &apk.control().info);
            // An index does not say what its packages replace; they themselves do.
            let own = apk.control().to_package();
            control.claim = Claim {
                replaces: own.replaces,
                priority: own.replaces_priority,
                origin: own.origin,
            };
            scripts.extend(plain(name, &apk.control().scripts));
        }
        Kind::Apk3 => {
            let apk = v3::open(record, open(package)?)?;
            let own = apk.control();
            licences.v3_info(name, &own.info);
            control.claim = Claim {
                replaces: own.info.package.replaces.clone(),
                priority: own.replaces_priority.try_into().unwrap_or(u32::MAX),
                origin: own.info.package.origin.clone(),
            };
            scripts = match package.format {
                // OpenWrt's standard script is part of each.
                Format::Adb => openwrt::scripts::own(name, &own.scripts),
                _ => plain(name, &own.scripts),
            };
        }
        Kind::Ipk => {
            let ipk = Ipk::open(name, open(package)?, IpkLimits::default())?;
            let own = ipk.control();
            let fields: Vec<String> =
                own.fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
            licences.control(name, fields.concat().as_bytes());
            control.claim = Claim { replaces: own.to_package().replaces, ..Claim::default() };
            scripts = openwrt::scripts::own(name, &own.scripts);
            control.openwrt = Some(PackageFacts::of_ipk(own));
        }
        Kind::File => {}
    }
    control.scripts = scripts;
    Ok(control)
}

/// The scripts of a package that would run when it is installed on an empty system.
fn plain(package: &str, scripts: &BTreeMap<String, Vec<u8>>) -> Vec<Script> {
    let wanted = scripts.iter().filter(|(name, _)| !OTHER_SCRIPTS.contains(&name.as_str()));
    let of = |(name, text): (&String, &Vec<u8>)| Script {
        package: package.to_owned(),
        name: name.clone(),
        text: text.clone(),
    };
    wanted.map(of).collect()
}
