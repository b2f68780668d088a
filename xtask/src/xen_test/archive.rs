//! The archive that dom0 unpacks: guests' outputs with their host files, other domains, cases for xl, and the program
//! that runs it all.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use wifibox_ground::guest::CONFIGURATION_FILE;
use wifibox_host::HostFile;
use wifibox_host::config_disk::Content;

use super::machine::CARD;
use super::payload;

/// An archive that is being written.
pub struct Archive {
    path: PathBuf,
    tar: tar::Builder<BufWriter<File>>,
}

impl Archive {
    /// Begins an archive.
    pub fn create(path: &Path) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Archive { path: path.to_owned(), tar: tar::Builder::new(BufWriter::new(file)) })
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> String + use<> {
        let path = self.path.clone();
        move |error| format!("{}: {error}", path.display())
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let failed = self.failed();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        self.tar.append_data(&mut header, name, bytes).map_err(failed)
    }

    /// Adds the script that dom0 runs, and what all of them source. `@CARD@` in it is the slot of the machine's card.
    pub fn add_run(&mut self, script: &str) -> Result<(), String> {
        self.add("dom0.sh", include_bytes!("dom0.sh"))?;
        self.add("run", script.replace("@CARD@", CARD).as_bytes())
    }

    /// Adds what starts the domain of an output folder.
    pub fn add_images(&mut self, folder: &str, output: &Path) -> Result<(), String> {
        for name in ["vmlinuz", "initramfs.img", "root.img"] {
            let source = output.join(name);
            if name == "initramfs.img" && !source.exists() {
                // The kernel mounts its root by itself.
                continue;
            }
            let mut bytes =
                std::fs::read(&source).map_err(|e| format!("{}: {e}", source.display()))?;
            if name == "vmlinuz" {
                // xl could unpack it itself, but emulated that takes longer than the rest of a start.
                bytes =
                    payload::vmlinux(&bytes).map_err(|e| format!("{}: {e}", source.display()))?;
            }
            self.add(&format!("{folder}/{name}"), &bytes)?;
        }
        Ok(())
    }

    /// Adds a guest as its user has it: images, files for dom0, and a configuration disk of what is in
    /// `configuration`.
    pub fn add_guest(
        &mut self,
        folder: &str,
        output: &Path,
        files: &[HostFile],
        configuration: &Path,
    ) -> Result<(), String> {
        self.add_images(folder, output)?;
        for file in files {
            self.add(&format!("{folder}/host/{}", file.path), &file.contents)?;
        }
        let content = Content::find(configuration).map_err(|error| error.to_string())?;
        let mut disk = Vec::new();
        content.write(None, &mut disk).map_err(|error| error.to_string())?;
        self.add(&format!("{folder}/{CONFIGURATION_FILE}"), &disk)
    }

    /// Ends the archive.
    pub fn finish(self) -> Result<(), String> {
        let failed = self.failed();
        let file = self.tar.into_inner().map_err(&failed)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        // Disks are read in sectors.
        let length = file.metadata().map_err(&failed)?.len();
        file.set_len(length.next_multiple_of(1 << 20)).map_err(&failed)
    }
}
