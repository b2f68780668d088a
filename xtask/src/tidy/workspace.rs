//! The packages of the workspace, their targets and how they depend on each other, as Cargo tells it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The members of a workspace.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    pub packages: Vec<Package>,
}

/// A member.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    manifest_path: PathBuf,
    pub targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

/// One crate of a package: its library, a program, a test.
#[derive(Debug, Deserialize)]
pub struct Target {
    pub name: String,
    /// `lib`, `bin`, `test`, `example`, `bench`, `custom-build`.
    kind: Vec<String>,
    /// The file that its modules begin with.
    pub src_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// `dev` or `build`; none for those that the crate itself uses.
    kind: Option<String>,
    /// The folder, where it comes from no registry.
    path: Option<PathBuf>,
}

impl Workspace {
    /// Asks Cargo about the workspace in `root`. Only its own manifests are read.
    pub fn load(root: &Path) -> Result<Self, Box<dyn Error>> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(&cargo)
            .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
            .arg(root.join("Cargo.toml"))
            .output()
            .map_err(|error| format!("cannot run {}: {error}", cargo.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo metadata failed: {}", said.trim_end()).into());
        }
        let mut workspace: Workspace = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cannot read the answer of cargo metadata: {error}"))?;
        workspace.packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(workspace)
    }

    /// The members that `package` itself uses, by name: neither its tests nor its build script.
    pub fn used_by<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a str> {
        let used = |member: &&Package| {
            package.dependencies.iter().any(|dependency| {
                dependency.kind.is_none() && dependency.path.as_deref() == Some(member.folder())
            })
        };
        self.packages.iter().filter(used).map(|member| member.name.as_str())
    }

    /// The library that the file `path` (relative to the workspace) is part of, by its folder.
    pub fn library_of(&self, path: &Path) -> Option<&Path> {
        let path = self.root.join(path);
        let targets = &self.owner(&path)?.targets;
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib");
        let (libraries, others): (Vec<_>, Vec<_>) = targets.iter().partition(is_library);
        // A program may have its file among those of the library.
        let folder = libraries.first()?.src_path.parent()?;
        let is_other = others.iter().any(|target| target.src_path == path);
        (path.starts_with(folder) && !is_other).then_some(folder)
    }

    /// The member whose file `path` is (relative to the workspace).
    pub fn owner(&self, path: &Path) -> Option<&Package> {
        let path = self.root.join(path);
        self.packages
            .iter()
            .filter(|package| path.starts_with(package.folder()))
            .max_by_key(|package| package.folder().components().count())
    }
}

impl Package {
    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}
