//! What packages say of themselves, beside their files: scripts, and whose files they may take.

use super::Error;
use super::assemble::{open, unsupported};
use super::packages::ChosenPackage;
use super::replaces::Claim;
use crate::recipe::Format;
use crate::repo::apk::{Apk, ApkLimits};
use crate::repo::deb::{Deb, DebLimits};
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
}

/// Reads what `packages` say, in their order.
///
/// # Errors
/// [`Error`]: a package is damaged.
pub fn read(packages: &[ChosenPackage]) -> Result<Vec<Control>, Error> {
    packages.iter().map(read_one).collect()
}

fn read_one(package: &ChosenPackage) -> Result<Control, Error> {
    let record = &package.record;
    let (all, claim) = match package.format {
        Format::Dpkg => {
            let deb = Deb::open(&package.name, open(package)?, DebLimits::default())?;
            let claim = Claim { replaces: record.replaces.clone(), ..Claim::default() };
            (deb.control().scripts.clone(), claim)
        }
        Format::Apk => {
            let apk = Apk::open(&package.name, open(package)?, ApkLimits::default())?;
            // An index does not say what its packages replace; they themselves do.
            let own = apk.control().to_package();
            let claim = Claim {
                replaces: own.replaces,
                priority: own.replaces_priority,
                origin: own.origin,
            };
            (apk.control().scripts.clone(), claim)
        }
        other @ Format::Opkg => return Err(unsupported(other)),
    };
    let wanted = all.into_iter().filter(|(name, _)| !OTHER_SCRIPTS.contains(&name.as_str()));
    let of = |(name, text)| Script { package: package.name.clone(), name, text };
    Ok(Control { scripts: wanted.map(of).collect(), claim })
}
