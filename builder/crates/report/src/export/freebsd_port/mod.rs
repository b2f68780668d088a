//! The generated files of the FreeBSD port: what `ci/freebsd-port/net/wifibox-guest` includes.
//!
//! A port fetches what its Makefile lists and builds with the network cut. Which files a guest needs
//! depends on flavor and options, so the lists are made from the recipes and the lock:
//!
//! | file | what it is |
//! | --- | --- |
//! | `Makefile.options.BASE` | FLAVORS and OPTIONS |
//! | `Makefile.distfiles.BASE` | MASTER_SITES and DISTFILES, and what the builder is told |
//! | `distinfo.BASE` | SHA256 and SIZE of each |
//! | `pkg-plist.BASE` | what is installed |
//! | `files/*.lock` | the locks that `wifibox-build --frozen` builds from |

mod cover;
mod distfiles;
mod names;
mod options;
mod parts;
mod plist;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use wifibox_resolve::Variants;

/// The folder below DISTDIR.
const DIST_SUBDIR: &str = "wifibox-guest";

/// Why a port cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file whose name ports cannot fetch.
    #[error(
        "repository {repository}: the path {path:?} cannot be a distfile of a FreeBSD port: letters, \
         digits and +-._~/%@,= are expected"
    )]
    Name {
        /// The repository.
        repository: String,
        /// The path.
        path: String,
    },
    /// Packing lists know options only.
    #[error(
        "{path} depends on the flavor or the kernel, which a packing list cannot tell apart: move it \
         to an overlay of a role or a feature"
    )]
    Flavored {
        /// The file of the host's side.
        path: String,
    },
}

/// The version of a guest whose newest package is of this time, in seconds since 1970: the day.
#[must_use]
pub fn day(time: u64) -> String {
    let time = i64::try_from(time).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    time.unwrap_or_default().strftime("%Y%m%d").to_string()
}

/// What FreeBSD calls a machine, by one of the names that distributions have for it.
#[must_use]
pub fn machine(architecture: &str) -> &str {
    match wifibox_recipe::machine(architecture) {
        "x86_64" => "amd64",
        other => other,
    }
}

/// The port's generated files, by their paths in its folder.
///
/// # Errors
/// [`ExportError`].
pub fn files(variants: &Variants) -> Result<BTreeMap<String, String>, ExportError> {
    let names = names::Names::of(variants);
    let base = &variants.target.base;
    let header = |what: &str| {
        format!(
            "# {what} of {}.\n# Written by 'wifibox-build export freebsd-port', not by hand: each \
             run makes it anew.\n",
            variants.target
        )
    };
    let mut files = BTreeMap::new();
    files.insert(
        format!("Makefile.options.{base}"),
        options::makefile(variants, &names, &header("Flavors and options")),
    );
    files.insert(
        format!("Makefile.distfiles.{base}"),
        distfiles::makefile(variants, &names, &header("Distfiles"))?,
    );
    files.insert(format!("distinfo.{base}"), distfiles::distinfo(variants)?);
    files.insert(format!("pkg-plist.{base}"), plist::plist(variants, &names)?);
    for (name, text) in &variants.locks {
        files.insert(format!("files/{name}"), text.clone());
    }
    Ok(files)
}
