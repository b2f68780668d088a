//! The same resolution by apk-tools, where it is installed: as a process, from reading the index to the
//! list of packages.

use std::error::Error;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::measure::Measure;

/// apk-tools.
pub struct Apk {
    program: PathBuf,
    /// `apk-tools 3.0.6`.
    version: String,
}

/// Indexes as folders that apk takes as repositories.
pub struct Repositories {
    folder: tempfile::TempDir,
    /// The indexes, as `APKINDEX.tar.gz`.
    pub files: Vec<PathBuf>,
}

impl Repositories {
    /// Writes these indexes.
    pub fn write(texts: &[String]) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let mut files = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let place = folder.path().join(number.to_string()).join("x86_64");
            fs::create_dir_all(&place)?;
            let file = place.join("APKINDEX.tar.gz");
            let gzip =
                flate2::write::GzEncoder::new(File::create(&file)?, flate2::Compression::new(6));
            let mut archive = tar::Builder::new(gzip);
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            // apk knows a file by the type that is written out only, and numbers that are.
            header.set_entry_type(tar::EntryType::Regular);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_device_major(0)?;
            header.set_device_minor(0)?;
            archive.append_data(&mut header, "APKINDEX", text.as_bytes())?;
            archive.into_inner()?.finish()?;
            files.push(file);
        }
        Ok(Repositories { folder, files })
    }
}

impl Apk {
    /// The program that was named, or that of the search path, if there is one.
    pub fn find(named: Option<&Path>) -> Result<Option<Self>, Box<dyn Error>> {
        let program = named.unwrap_or(Path::new("apk")).to_owned();
        match Command::new(&program).arg("--version").output() {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let version = text.split(',').next().unwrap_or_default().trim().to_owned();
                Ok(Some(Apk { program, version }))
            }
            Err(_) if named.is_none() => Ok(None),
            Ok(output) => Err(format!("{}: {}", program.display(), output.status).into()),
            Err(error) => Err(format!("{}: {error}", program.display()).into()),
        }
    }

    /// Resolves `world` over these repositories, `runs` times; nothing is installed.
    pub fn measure(
        &self,
        what: &str,
        repositories: &Repositories,
        world: &[String],
        runs: usize,
    ) -> Result<Measure, Box<dyn Error>> {
        let root = repositories.folder.path().join("root");
        self.run(&root, |command| command.arg("--initdb"))?;
        let name = format!("{}, as a process: {what}", self.version);
        Measure::take(name, runs, || {
            self.run(&root, |command| {
                for file in &repositories.files {
                    // The folder above that of the architecture.
                    let folder = file.parent().and_then(Path::parent);
                    command.arg("--repository").args(folder);
                }
                command.arg("--simulate").args(world)
            })
        })
    }

    fn run(
        &self,
        root: &Path,
        more: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<(), Box<dyn Error>> {
        let mut command = Command::new(&self.program);
        command.args([
            "add",
            "--arch",
            "x86_64",
            "--allow-untrusted",
            "--no-network",
            "--no-cache",
        ]);
        command.arg("--root").arg(root);
        if fs::metadata("/proc/self")?.uid() != 0 {
            command.arg("--usermode");
        }
        more(&mut command).stdin(Stdio::null());
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{command:?} ended with {}: {}", output.status, said.trim()).into())
    }
}
