//! dpkg itself, in a root of its own: an overlay over the base, thrown away afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Failure;

/// How long one installation may take, in seconds.
const LIMIT: &str = "120";

/// A memory file system for the overlays; unmounted when dropped.
pub struct Work {
    folder: PathBuf,
    base: PathBuf,
    roots: AtomicU32,
}

impl Work {
    /// Mounts it at `folder`.
    ///
    /// # Errors
    /// It cannot be mounted: who is not root may not.
    pub fn mount(folder: &Path, base: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let (folder, base) = (fs::canonicalize(folder)?, fs::canonicalize(base)?);
        let options = ["-t", "tmpfs", "-o", "mode=0755", "dpkg-compare"];
        run(Command::new("mount").args(options).arg(&folder))?;
        Ok(Work { folder, base, roots: AtomicU32::new(0) })
    }

    /// A fresh root.
    ///
    /// # Errors
    /// It cannot be mounted.
    pub fn root(&self) -> Result<Root, Failure> {
        // Never the folder of an earlier one, which may still be in use.
        let folder = self.folder.join(self.roots.fetch_add(1, Ordering::Relaxed).to_string());
        for part in ["upper", "work", "root"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            self.base.display(),
            folder.join("upper").display(),
            folder.join("work").display()
        );
        let path = folder.join("root");
        let mount = ["-t", "overlay", "overlay", "-o", &options];
        run(Command::new("mount").args(mount).arg(&path))?;
        Ok(Root { path, folder })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Nothing of it is kept, whether or not somebody still looks at it.
        let _ = run(Command::new("umount").arg("--lazy").arg(&self.folder));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// A root; gone when dropped.
pub struct Root {
    path: PathBuf,
    folder: PathBuf,
}

impl Root {
    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Installs a package with dpkg, without triggers and without what it depends on. `None` when all went well;
    /// otherwise dpkg's last words.
    ///
    /// # Errors
    /// dpkg cannot be started.
    pub fn install(&self, package: &Path) -> Result<Option<String>, Failure> {
        fs::copy(package, self.path.join("package.deb"))?;
        let proc = format!("--mount-proc={}", self.path.join("proc").display());
        let output = Command::new("timeout")
            .args(["--kill-after=5", LIMIT, "unshare"])
            .args(["--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc", &proc])
            .arg("chroot")
            .arg(&self.path)
            .args(["dpkg", "--force-depends", "--force-conflicts", "--force-unsafe-io"])
            .args(["--no-triggers", "--install", "/package.deb"])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()?;
        fs::remove_file(self.path.join("package.deb"))?;
        if output.status.success() {
            return Ok(None);
        }
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        Ok(Some(lines[lines.len().saturating_sub(6)..].join(" | ")))
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // Only what is not mounted any more is removed.
        if run(Command::new("umount").arg("--lazy").arg(&self.path)).is_ok() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("{}: {said}", command.get_program().display()).into())
}
