//! Alternatives: several packages offer a program under one path, the highest priority gets the link.
//!
//! As opkg's `pkg_alternatives.c` and, in later releases, `update_alternatives` of base-files do it. Of
//! two with the same priority the one of the package that comes first by name is taken: opkg itself
//! takes the one that it happens to come to first.

use std::collections::BTreeMap;

use super::{OpenWrtError, PackageFacts};
use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_ground::path::GuestPath;

/// The alternative that was chosen for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its priority; the highest wins.
    pub priority: i32,
    /// The link's target, as written.
    pub target: String,
    /// The package that offers it.
    pub package: String,
}

/// The alternative of the highest priority for each path.
///
/// # Errors
/// [`OpenWrtError::Alternative`] for one that cannot be read.
pub fn choose(packages: &[PackageFacts]) -> Result<BTreeMap<GuestPath, Chosen>, OpenWrtError> {
    let mut sorted: Vec<&PackageFacts> = packages.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut chosen: BTreeMap<GuestPath, Chosen> = BTreeMap::new();
    for package in sorted {
        for text in &package.alternatives {
            let bad =
                || OpenWrtError::Alternative { package: package.name.clone(), text: text.clone() };
            let mut parts = text.splitn(3, ':');
            let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or_else(bad);
            let (priority, path, target) = (next()?, next()?, next()?);
            let priority: i32 = priority.parse().map_err(|_| bad())?;
            if !path.starts_with('/') || target.contains([':', '\0']) {
                return Err(bad());
            }
            let path = GuestPath::new(path).map_err(|_| bad())?;
            if path.is_root() {
                return Err(bad());
            }
            let higher = chosen.get(&path).is_none_or(|other| other.priority < priority);
            if higher {
                let (target, package) = (target.to_owned(), package.name.clone());
                chosen.insert(path, Chosen { priority, target, package });
            }
        }
    }
    Ok(chosen)
}

/// Makes the links of the chosen alternatives, in the place of other links (BusyBox's applets).
///
/// # Errors
/// [`OpenWrtError::AlternativeTaken`] where something other than a link is.
pub fn link(tree: &mut Tree, packages: &[PackageFacts]) -> Result<(), OpenWrtError> {
    for (path, Chosen { target, package, .. }) in choose(packages)? {
        let real = tree.resolve(&path, false)?;
        if let Some(old) = tree.get(&real)
            && !matches!(old.kind, Kind::Symlink(_))
        {
            let (kind, owner) = (old.kind.describe(), old.origin.clone());
            return Err(OpenWrtError::AlternativeTaken { path, package, kind, owner });
        }
        let kind = Kind::Symlink(target.into_bytes());
        let node = Node { meta: Meta::with_mode(0o777), kind, origin: Origin::Package(package) };
        tree.replace(&real, node)?;
    }
    Ok(())
}
