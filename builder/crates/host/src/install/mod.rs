//! Puts a guest into the folders of its host, and takes it away again: images, samples and what is made of
//! them, the link `app_config`, the skeleton of the share `var`, settings, documents and the man page.
//!
//! [`Layout`] says where they go. What is there already decides with the [`Record`] of what was put there
//! before (`plan`): a file that somebody changed is never replaced. An upgrade keeps the images before it
//! for [`rollback`], and [`uninstall`] takes away what was put there and nothing else. Places and formats of
//! the files are those of wifibox-guest(5).

mod apply;
mod error;
mod layout;
mod plan;
mod record;
mod rollback;
#[cfg(test)]
mod tests;
mod to_do;
mod uninstall;
mod wanted;

use std::path::{Path, PathBuf};

use wifibox_report::output;

pub(crate) use apply::changed;
pub use error::InstallError;
pub(crate) use error::failed;
pub use layout::{Layout, below};
pub use plan::{Action, Step};
pub use record::{Build, Record};
pub use rollback::rollback;
pub use to_do::Task;
pub(crate) use to_do::mebibytes;
pub use uninstall::uninstall;
pub use wanted::Purposes;
pub(crate) use wanted::{Source, Wanted, brought};

/// What is to be installed, and how.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The output folder.
    pub output: &'a Path,
    /// The root folder of the host: `/`, or that of an image or a package.
    pub root: &'a Path,
    /// The host's folders.
    pub layout: &'a Layout,
    /// The guest's man page.
    pub man_page: &'a str,
    /// Whether licences and bills of materials are installed.
    pub documents: bool,
    /// For a host or for a package.
    pub purposes: Purposes,
    /// Whether files that something else put there make way.
    pub force: bool,
    /// Decide, and change nothing.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The guest that is installed, or was.
    pub guest: Build,
    /// The one that `--rollback` would bring back.
    pub previous: Option<Build>,
    /// What became of each file.
    pub steps: Vec<Step>,
    /// What is left to do.
    pub to_do: Vec<Task>,
}

/// Installs a guest.
///
/// # Errors
/// [`InstallError`]; what can fail fails before anything is changed.
pub fn install(request: &Request<'_>) -> Result<Outcome, InstallError> {
    let &Request { output, root, layout, purposes, .. } = request;
    let manifest = output::load(output)?;
    let Request { man_page, documents, .. } = *request;
    let brought = wanted::brought(output, &manifest, layout, man_page, documents, purposes)?;
    let old = match purposes {
        Purposes::Host => Record::load(root, layout)?,
        Purposes::Package => None,
    };
    let (guest, files) = (brought.guest.clone(), brought.files.clone());
    let plan = plan::plan(root, layout, brought, old, purposes, request.force)?;
    if !request.dry_run {
        apply::apply(root, layout, &plan, purposes)?;
    }
    let to_do = match purposes {
        Purposes::Host => to_do::after_install(root, layout, &guest, &files, &plan),
        Purposes::Package => Vec::new(),
    };
    let record = plan.record;
    Ok(Outcome { guest: record.guest, previous: record.previous, steps: plan.steps, to_do })
}

fn not_installed(root: &Path, layout: &Layout) -> InstallError {
    InstallError::NotInstalled { folder: PathBuf::from(root), record: layout.record() }
}
