//! The work of OpenWrt's image builder after the packages are unpacked, declared instead of run.
//!
//! There, the packages' `postinst` run on the build host with `IPKG_INSTROOT` set, and the image's
//! preparation follows (OpenWrt's `include/rootfs.mk` and `include/image.mk`, and `default_postinst` in
//! base-files' `/lib/functions.sh`). All but a handful of packages have OpenWrt's standard script and
//! nothing else, so this is what a root file system is made of:
//!
//! 1. [`overlay`]: `/rootfs-overlay` of any package is merged into the root;
//! 2. [`accounts`]: users and groups that packages require;
//! 3. [`alternatives`]: one link per path, to the alternative of the highest priority;
//! 4. the effects of scripts that a recipe knows by hash; [`scripts`] says which those are;
//! 5. [`services`]: links in `/etc/rc.d` for what `/etc/init.d` says;
//! 6. [`finish`]: what must not be in an image goes, what the kernel needs comes.
//!
//! Kernel modules, sysctl and `/etc/uci-defaults` need nothing: they are read at (first) boot. So do
//! `conffiles`: they only tell upgrades what to keep.

pub mod accounts;
pub mod alternatives;
pub mod finish;
pub mod overlay;
pub mod scripts;
pub mod services;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{Kind, Node, Origin, Tree, TreeError};
use wifibox_formats::opkg::Control;
use wifibox_ground::content::Content;
use wifibox_ground::entry::Entry;
use wifibox_ground::path::GuestPath;

pub use accounts::AccountsAdded;
pub use services::Services;

/// The metadata of one package from which accounts and alternatives follow.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PackageFacts {
    /// The package's name.
    pub name: String,
    /// The name of its script file in the image builder, as far as it decides the order in which
    /// packages are gone through: `NAME.postinst`, or `NAME-0` for v3 packages (`NAME-VERSION...`).
    pub order: String,
    /// The accounts it requires: `user=uid:group=gid:more,groups=gid`, one word each.
    pub users: Vec<String>,
    /// Its alternatives: `priority:path:target`.
    pub alternatives: Vec<String>,
}

impl PackageFacts {
    /// The facts from the control file of an `.ipk`.
    pub fn of_ipk(control: &Control) -> Self {
        PackageFacts {
            name: control.name().to_owned(),
            order: format!("{}.postinst", control.name()),
            users: control.required_users().map(str::to_owned).collect(),
            alternatives: control.alternatives().map(str::to_owned).collect(),
        }
    }
}

/// Where the packages of 25.12 and later keep what `.ipk` has in its control file.
const SIDECARS: &str = "lib/apk/packages";

/// The facts that the packages of a tree state in their files `lib/apk/packages/NAME.rusers` and `NAME.alternatives`
/// (25.12 and later), by name; packages without either are left out.
///
/// # Errors
/// [`OpenWrtError`] when such a file cannot be read or is not text.
pub fn sidecars(tree: &Tree) -> Result<Vec<PackageFacts>, OpenWrtError> {
    let folder = guest(SIDECARS)?;
    let mut facts = std::collections::BTreeMap::<String, PackageFacts>::new();
    for (path, _) in tree.below(&folder) {
        let name = String::from_utf8_lossy(path.name()).into_owned();
        let Some((package, kind)) = name.rsplit_once('.') else { continue };
        if !matches!(kind, "rusers" | "alternatives") {
            continue;
        }
        let text = read_text(tree, path)?.unwrap_or_default();
        let words = text.split_ascii_whitespace().map(str::to_owned);
        let entry = facts.entry(package.to_owned()).or_default();
        entry.name = package.to_owned();
        entry.order = format!("{package}-0");
        if kind == "rusers" { entry.users.extend(words) } else { entry.alternatives.extend(words) }
    }
    Ok(facts.into_values().collect())
}

/// An entry of a package as it belongs into OpenWrt's images: everything is root's there, whatever
/// the package says (`mksquashfs -root-owned`).
pub fn owned_by_root(entry: Entry<'_>) -> Entry<'_> {
    Entry { uid: 0, gid: 0, uname: Vec::new(), gname: Vec::new(), ..entry }
}

/// The changes that were made to a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completed {
    /// Users and groups that were added.
    pub accounts: AccountsAdded,
    /// The services of the guest.
    pub services: Services,
}

/// Why a tree cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum OpenWrtError {
    /// A node cannot be put where it belongs.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file of the tree cannot be read.
    #[error("{path} cannot be read: {source}")]
    Read {
        /// The file.
        path: GuestPath,
        /// The underlying I/O error.
        source: std::io::Error,
    },
    /// A file that is read as text is not UTF-8.
    #[error("{path} is not text")]
    NotText {
        /// The file.
        path: GuestPath,
    },
    /// A file that every OpenWrt root has is not there.
    #[error("there is no {path}: the package {package}, which brings it, is missing")]
    NoBase {
        /// The file.
        path: GuestPath,
        /// The package that has it.
        package: &'static str,
    },
    /// A package's accounts cannot be read.
    #[error(
        "package {package} requires the account {text:?}: {why}; expected is \
         \"user=uid:group=gid:more,groups\", ids and further groups optional"
    )]
    Account {
        /// The package.
        package: String,
        /// As written.
        text: String,
        /// The reason, for the message.
        why: &'static str,
    },
    /// A package's alternatives cannot be read.
    #[error(
        "package {package} has the alternative {text:?}; expected is \"priority:/path:target\""
    )]
    Alternative {
        /// The package.
        package: String,
        /// As written.
        text: String,
    },
    /// An alternative's path is taken by something other than a link.
    #[error(
        "{path} should be a link to the alternative of package {package}, but it is a {kind} of {owner}; \
         leave one of the two out"
    )]
    AlternativeTaken {
        /// The path.
        path: GuestPath,
        /// The package whose alternative was chosen.
        package: String,
        /// The type of the node that is there.
        kind: &'static str,
        /// Who put it there.
        owner: Origin,
    },
    /// An init script's START or STOP is not a literal number.
    #[error(
        "{path}, line {line}: {text:?}: when the service starts is not a plain number, so its link in \
         /etc/rc.d cannot be known without running the script; switch the service off, or lay a script \
         with a plain START= over it"
    )]
    ServiceOrder {
        /// The script.
        path: GuestPath,
        /// The line, from 1.
        line: usize,
        /// Its text.
        text: String,
    },
}

/// Everything but the effects of scripts that need a rule: those, and the recipe's own files, have to
/// be in `tree` already. `off` names the services that are not to start.
///
/// # Errors
/// [`OpenWrtError`].
pub fn complete(
    tree: &mut Tree,
    packages: &[PackageFacts],
    off: &BTreeSet<String>,
) -> Result<Completed, OpenWrtError> {
    let completed = configure(tree, packages, off)?;
    finish::finish(tree)?;
    Ok(completed)
}

/// The same without its last step, [`finish::finish`]: for a tree to which something is added.
///
/// # Errors
/// [`OpenWrtError`].
pub fn configure(
    tree: &mut Tree,
    packages: &[PackageFacts],
    off: &BTreeSet<String>,
) -> Result<Completed, OpenWrtError> {
    overlay::merge(tree)?;
    let accounts = accounts::add(tree, packages)?;
    alternatives::link(tree, packages)?;
    let services = services::link(tree, off)?;
    Ok(Completed { accounts, services })
}

/// A path that the builder itself writes.
fn guest(path: &str) -> Result<GuestPath, OpenWrtError> {
    GuestPath::new(path).map_err(|error| TreeError::from(error).into())
}

/// The bytes of the file that `path` leads to; `None` where there is no file.
fn read_bytes(tree: &Tree, path: &GuestPath) -> Result<Option<Vec<u8>>, OpenWrtError> {
    let Some((_, Node { kind: Kind::File(content), .. })) = tree.lookup(path) else {
        return Ok(None);
    };
    content.read().map(Some).map_err(|source| OpenWrtError::Read { path: path.clone(), source })
}

/// As [`read_bytes`], as text.
fn read_text(tree: &Tree, path: &GuestPath) -> Result<Option<String>, OpenWrtError> {
    let text = read_bytes(tree, path)?.map(String::from_utf8).transpose();
    text.map_err(|_| OpenWrtError::NotText { path: path.clone() })
}

/// Puts text into the file that `path` leads to, which stays what it is otherwise.
fn write_text(tree: &mut Tree, path: &GuestPath, text: String) -> Result<(), OpenWrtError> {
    let real = tree.resolve(path, true)?;
    if let Some(node) = tree.get_mut(&real) {
        node.kind = Kind::File(Content::from_bytes(text));
    }
    Ok(())
}
