//! Which packages of a guest may take files of which others.

use std::collections::BTreeMap;

use super::Error;
use crate::packages::{ChosenPackage, Claim};
use crate::unpack::Replaces;
use wifibox_formats::dependency::parse_relations;
use wifibox_recipe::Format;
use wifibox_resolve::scheme;

/// Resolves the claims of `packages`, in the same order, against what else is in the guest.
///
/// # Errors
/// [`Error::Unsupported`] for a claim that cannot be read.
pub fn resolve(
    packages: &[ChosenPackage],
    claims: &[Claim],
) -> Result<BTreeMap<String, Replaces>, Error> {
    let mut resolved = BTreeMap::new();
    for (package, claim) in packages.iter().zip(claims) {
        let scheme = scheme(package.format);
        let relations = parse_relations(scheme, &claim.replaces).map_err(|error| {
            Error::Replaces { package: package.name.clone(), why: error.to_string() }
        })?;
        let named = |other: &&ChosenPackage| {
            relations.iter().filter(|relation| !relation.negated).any(|relation| {
                let mut alternatives = relation.alternatives.iter();
                alternatives.any(|constraint| {
                    constraint.name == other.name && constraint.accepts(Some(&other.record.version))
                })
            })
        };
        let others = packages.iter().filter(|other| other.name != package.name);
        let names: Vec<String> = others.filter(named).map(|other| other.name.clone()).collect();
        // apk: what was built together may overlap.
        let kin = matches!(package.format, Format::Apk | Format::Adb) && !claim.origin.is_empty();
        let together = packages
            .iter()
            .zip(claims)
            .filter(|(other, its)| kin && other.name != package.name && its.origin == claim.origin);
        let origin: Vec<String> = together.map(|(other, _)| other.name.clone()).collect();
        if !names.is_empty() || !origin.is_empty() {
            let replaces = Replaces { names, priority: claim.priority, same_origin: origin };
            resolved.insert(package.name.clone(), replaces);
        }
    }
    Ok(resolved)
}
