//! The files behind a machine's disks: what a build wrote must be there, and what the guest writes to is
//! a copy outside the output.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::machine::Machine;
use super::parts::Firmware;
use crate::config_disk::{self, Content};
use wifibox_ground::guest::{CONFIGURATION_FILE, Purpose};
use wifibox_ground::output::NewFile;
use wifibox_ground::regular;

/// Why a machine's disks are not ready.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A file of the output is missing.
    #[error(transparent)]
    Missing(Error),
    /// The guest's own disk cannot be copied.
    #[error("cannot copy {from} to {to}: {source}")]
    Copy {
        /// The image that the build wrote.
        from: PathBuf,
        /// The guest's own.
        to: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The configuration disk cannot be made.
    #[error(transparent)]
    Configuration(#[from] config_disk::Error),
    /// The configuration disk cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The image.
        path: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
}

impl Machine {
    /// Looks for the files that the machine starts from, and makes those that are the guest's own in
    /// `state`: the disk of its data as a copy of the output's, and the configuration disk, where
    /// `output` has none, of the output's samples. What is there already stays.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn lay_out_disks(&mut self, output: &Path, state: &Path) -> Result<(), DiskError> {
        if let Firmware::Direct { kernel, initramfs, .. } = &self.firmware {
            exists(kernel)?;
            initramfs.as_deref().map_or(Ok(()), exists)?;
        }
        for disk in &mut self.disks {
            match disk.purpose {
                Purpose::Efi | Purpose::Root => exists(&disk.image)?,
                Purpose::Persistent if disk.image.exists() => {}
                Purpose::Persistent => {
                    let name = disk.image.file_name().unwrap_or_default();
                    copy(&output.join(name), &disk.image)?;
                }
                Purpose::Configuration if disk.image.is_file() => {}
                Purpose::Configuration => {
                    disk.image = state.join(CONFIGURATION_FILE);
                    if !disk.image.exists() {
                        configuration(output, &disk.image)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn exists(path: &Path) -> Result<(), DiskError> {
    if path.is_file() {
        return Ok(());
    }
    Err(DiskError::Missing(Error::Missing { path: path.to_owned() }))
}

fn copy(from: &Path, to: &Path) -> Result<(), DiskError> {
    exists(from)?;
    let failed = |source| DiskError::Copy { from: from.to_owned(), to: to.to_owned(), source };
    let mut source = regular::open(from).map_err(failed)?;
    let mut file = beside(to).map_err(failed)?;
    io::copy(&mut source, file.file_mut()).map_err(failed)?;
    file.keep().map_err(failed)
}

/// Makes the configuration disk `image` of the samples in `output`.
fn configuration(output: &Path, image: &Path) -> Result<(), DiskError> {
    let failed = |source| DiskError::Write { path: image.to_owned(), source };
    let content = Content::find(output)?;
    let mut file = beside(image).map_err(failed)?;
    let mut writer = io::BufWriter::new(file.file_mut());
    content.write(None, &mut writer)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    file.keep().map_err(failed)
}

/// A file that only its owner may read and write, and that waits for the name `path`.
fn beside(path: &Path) -> io::Result<NewFile> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    NewFile::beside(path)
}
