//! The release of the guest's kernel, which scripts ask for (`uname -r`).

use super::{Error, Job};
use crate::packages::{ChosenPackage, read_data};
use crate::scripts::kernel_release;

/// Where kernels have their modules, each in a folder by its release.
const MODULES: [&str; 2] = ["lib/modules/", "usr/lib/modules/"];

/// The release: by the name of its package, as Debian calls it, else by the folder of its modules.
///
/// # Errors
/// [`Error`]: the kernel's package is damaged.
pub(super) fn release(job: &Job<'_>) -> Result<Option<String>, Error> {
    if let Some(release) = job.packages.iter().find_map(|package| kernel_release(&package.name)) {
        return Ok(Some(release.to_owned()));
    }
    let mut of_kernel = job.packages.iter().filter(|package| package.of_kernel);
    of_kernel.find_map(|package| of_modules(package, job).transpose()).transpose()
}

fn of_modules(package: &ChosenPackage, job: &Job<'_>) -> Result<Option<String>, Error> {
    let mut release = None;
    read_data(package, job.context, &mut |entry| {
        let path = entry.path.as_str().unwrap_or_default().trim_start_matches('/');
        let below = MODULES.iter().find_map(|folder| path.strip_prefix(folder));
        if let Some((folder, _)) = below.and_then(|below| below.split_once('/')) {
            release.get_or_insert_with(|| folder.to_owned());
        }
        Ok::<(), Error>(())
    })?;
    Ok(release)
}
