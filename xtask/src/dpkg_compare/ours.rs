//! The same installation in memory: the scripts evaluated, the files unpacked as dpkg does.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use wifibox_formats::PackageLimits;
use wifibox_formats::deb::DebError;
use wifibox_ground::entry::{Entry as Member, EntryKind};
use wifibox_packages::deb::{Control, Deb};
use wifibox_script::{
    Ecosystem, Entry, Files as _, Installed, Kind, MemoryFiles, Meta, Refused, Script, World,
    understand,
};

use super::Failure;
use super::contents::{LARGE, content};
use super::tree::Tree;

/// Links that are followed on the way to one file.
const LINK_LIMIT: usize = 40;

/// The root before the installation.
pub struct Base {
    files: MemoryFiles,
    world: World,
    tree: Tree,
}

impl Base {
    /// Reads a root on the disk, with dpkg's list of packages.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let mut files = MemoryFiles::new();
        import(&mut files, root, root)?;
        let mut world = World::new(Ecosystem::Debian, "amd64");
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        world.day = u32::try_from(now.as_secs() / 86_400)?;
        world.packages = installed(root)?;
        let tree = Tree::of_memory(&files)?;
        Ok(Base { files, world, tree })
    }

    /// As it is compared.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

fn import(files: &mut MemoryFiles, root: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Ok(inside) = path.strip_prefix(root) else { continue };
        let inside = format!("/{}", inside.to_string_lossy());
        let data = fs::symlink_metadata(&path)?;
        let mode = u16::try_from(data.permissions().mode() & 0o7777).unwrap_or(0);
        let meta = Meta { mode, uid: data.uid(), gid: data.gid() };
        if data.is_dir() {
            files.insert(&inside, Entry { kind: Kind::Directory, meta });
            import(files, root, &path)?;
        } else if data.is_symlink() {
            let target = fs::read_link(&path)?.to_string_lossy().into_owned();
            files.insert(&inside, Entry { kind: Kind::Link(target), meta });
        } else if data.is_file() {
            files.write(&inside, content(data.len(), || fs::read(&path))?, meta)?;
        } else {
            files.insert(&inside, Entry { kind: Kind::Special, meta });
        }
    }
    Ok(())
}

/// dpkg's list of packages in a root.
fn installed(root: &Path) -> io::Result<BTreeMap<String, Installed>> {
    let text = fs::read_to_string(root.join("var/lib/dpkg/status"))?;
    let mut packages = BTreeMap::new();
    for block in text.split("\n\n") {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let (Some(name), Some(version)) = (field("Package"), field("Version")) else { continue };
        let configured = field("Status") == Some("install ok installed");
        let info = root.join("var/lib/dpkg/info");
        let list = [format!("{name}.list"), format!("{name}:amd64.list")];
        let list = list.iter().find_map(|file| fs::read_to_string(info.join(file)).ok());
        let files = list.unwrap_or_default().lines().map(str::to_owned).collect();
        let version = version.to_owned();
        packages.insert(name.to_owned(), Installed { version, configured, files });
    }
    Ok(packages)
}

/// A package to be installed.
pub struct Package {
    /// Its name.
    pub name: String,
    file: PathBuf,
    version: String,
    control: Control,
}

impl Package {
    /// Reads its control files.
    ///
    /// # Errors
    /// It is damaged.
    pub fn open(file: &Path) -> Result<Self, Failure> {
        let control = deb(file)?.control().clone();
        let field = |name: &str| control.field(name).unwrap_or_default();
        let (name, version) = (field("Package"), field("Version"));
        Ok(Package { name, version, control, file: file.to_owned() })
    }

    fn script(&self, name: &str) -> Option<(String, &[u8])> {
        Some((name.to_owned(), self.control.scripts.get(name)?.as_slice()))
    }
}

fn deb(file: &Path) -> Result<Deb<BufReader<fs::File>>, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Deb::open(&name, BufReader::new(fs::File::open(file)?), PackageLimits::default())?)
}

/// The root after the installation, or why a script is not understood.
///
/// # Errors
/// The package is damaged.
pub fn install(base: &Base, package: &Package) -> Result<Result<Tree, Box<Refused>>, Failure> {
    let mut files = base.files.clone();
    let mut world = base.world.clone();
    let (version, list) = (package.version.clone(), Vec::new());
    let own = Installed { version, configured: false, files: list };
    world.packages.insert(package.name.clone(), own);
    let templates = package.control.others.get("templates");
    let templates = templates.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let run = |files: &mut MemoryFiles, world: &mut World, name: &str| {
        let Some((name, text)) = package.script(name) else { return Ok(()) };
        let mut script = Script::new(&package.name, &package.version, &name, text);
        script.templates = templates.as_deref();
        world.answers = understand(&script, world, files).map_err(Box::new)?.answers;
        Ok(())
    };
    if let Err(refused) = run(&mut files, &mut world, "preinst") {
        return Ok(Err(refused));
    }
    let list = unpack(&mut files, package)?;
    if let Some(own) = world.packages.get_mut(&package.name) {
        own.files = list;
    }
    // debconf asks the package's questions where a script reads it in.
    let uses = |text: &[u8]| {
        text.windows(11).any(|part| part == b"confmodule\n" || part == b"/confmodule")
    };
    let asks = package.script("postinst").is_some_and(|(_, text)| uses(text));
    for name in ["config", "postinst"] {
        if (name != "config" || asks)
            && let Err(refused) = run(&mut files, &mut world, name)
        {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(Tree::of_memory(&files)?))
}

/// Unpacks the package's files, and lists them. What is a directory already stays as it is.
fn unpack(files: &mut MemoryFiles, package: &Package) -> Result<Vec<String>, Failure> {
    let mut list = vec!["/.".to_owned()];
    deb(&package.file)?.read_data(&mut |member| put(files, member, &mut list))?;
    Ok(list)
}

fn put(
    files: &mut MemoryFiles,
    member: Member<'_>,
    list: &mut Vec<String>,
) -> Result<(), Unpacking> {
    if member.path.is_root() {
        return Ok(());
    }
    let path = format!("/{}", String::from_utf8_lossy(member.path.as_bytes()));
    list.push(path.clone());
    let real = parents(files, &path);
    let uid = owner(files, "/etc/passwd", &member.uname, member.uid);
    let gid = owner(files, "/etc/group", &member.gname, member.gid);
    let meta = Meta { mode: member.mode, uid, gid };
    let kind = match member.kind {
        EntryKind::Directory => {
            if !is_directory(files, &real) {
                files.insert(&real, Entry { kind: Kind::Directory, meta });
            }
            return Ok(());
        }
        EntryKind::File { size, content: reader } => {
            let bytes = content(size, || {
                let mut bytes = Vec::new();
                reader.take(LARGE).read_to_end(&mut bytes).map(|_| bytes)
            })?;
            files.write(&real, bytes, meta)?;
            return Ok(());
        }
        EntryKind::HardLink(target) => {
            let target = format!("/{}", String::from_utf8_lossy(target.as_bytes()));
            let bytes = files.read(&parents(files, &target))?;
            files.write(&real, bytes, meta)?;
            return Ok(());
        }
        EntryKind::Symlink(target) => Kind::Link(String::from_utf8_lossy(&target).into_owned()),
        EntryKind::CharDevice(..) | EntryKind::BlockDevice(..) | EntryKind::Fifo => Kind::Special,
    };
    // A link in the place of a directory: dpkg leaves the directory.
    if !matches!(files.lookup(&real), Some(Entry { kind: Kind::Directory, .. })) {
        files.insert(&real, Entry { kind, meta });
    }
    Ok(())
}

/// Whether there is a directory, or a link that leads to one.
fn is_directory(files: &MemoryFiles, path: &str) -> bool {
    let inside = parents(files, &format!("{path}/x"));
    let folder = inside.strip_suffix("/x").unwrap_or_default();
    matches!(files.lookup(folder), Some(Entry { kind: Kind::Directory, .. }))
}

/// The path with links on the way followed.
fn parents(files: &MemoryFiles, path: &str) -> String {
    let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let (mut done, mut links) = (String::new(), 0);
    while let Some(part) = todo.pop() {
        match part.as_str() {
            "" | "." => {}
            ".." => done.truncate(done.rfind('/').unwrap_or(0)),
            part => {
                let next = format!("{done}/{part}");
                match files.lookup(&next) {
                    Some(Entry { kind: Kind::Link(target), .. })
                        if !todo.is_empty() && links < LINK_LIMIT =>
                    {
                        links += 1;
                        if target.starts_with('/') {
                            done.clear();
                        }
                        todo.extend(target.split('/').rev().map(str::to_owned));
                    }
                    _ => done = next,
                }
            }
        }
    }
    done
}

/// The number of a name in a file of accounts; the archive's own where it has none.
fn owner(files: &MemoryFiles, file: &str, name: &[u8], number: u32) -> u32 {
    let (name, text) = (String::from_utf8_lossy(name), files.text(file).unwrap_or_default());
    let line = text.lines().find(|line| line.split(':').next() == Some(&name));
    line.and_then(|line| line.split(':').nth(2)?.parse().ok()).unwrap_or(number)
}

/// Why unpacking ends.
#[derive(Debug)]
enum Unpacking {
    Package(DebError),
    Files(io::Error),
}

impl From<DebError> for Unpacking {
    fn from(error: DebError) -> Self {
        Unpacking::Package(error)
    }
}

impl From<io::Error> for Unpacking {
    fn from(error: io::Error) -> Self {
        Unpacking::Files(error)
    }
}

impl std::fmt::Display for Unpacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unpacking::Package(error) => error.fmt(f),
            Unpacking::Files(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unpacking {}
