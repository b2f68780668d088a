//! From fetched packages to the guest's tree, kernel and firmware not yet chosen.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::effects::{Declared, declare};
use super::generated;
use super::packages::ChosenPackage;
use super::{Composed, Environment, Error};
use crate::path::GuestPath;
use crate::recipe::{Format, KernelChoice, Sourced};
use crate::repo::apk::{Apk, ApkLimits};
use crate::repo::deb::{Deb, DebLimits};
use crate::repo::entry::Entry;
use crate::report::licences::Collector;
use crate::tree::accounts::Accounts;
use crate::tree::applets::link_applets;
use crate::tree::scripts::Script;
use crate::tree::unpack::{Replaces, Unpacker};
use crate::tree::{Content, Kind, Meta, Node, Origin, Spool, Tree};

/// Scripts that do not run when a package is installed on an empty system.
const OTHER_SCRIPTS: [&str; 6] =
    ["prerm", "postrm", "pre-upgrade", "post-upgrade", "pre-deinstall", "post-deinstall"];

/// What packages, recipe and overlays make together.
pub struct Assembled {
    /// The tree, with all that packages offer of kernel and firmware still in it.
    pub tree: Tree,
}

/// Reads all packages and lays them, the recipe and the overlays into a tree.
///
/// # Errors
/// [`Error`]: a package is damaged, a script has no rule, two files clash.
pub fn assemble(
    composed: &Composed<'_>,
    packages: &[ChosenPackage],
    spool: &Spool,
    licences: &mut Collector,
    environment: &Environment<'_>,
) -> Result<Assembled, Error> {
    let recipe = &composed.recipe;
    let declared = declare(recipe, &scripts(packages)?)?;
    let accounts = declared.accounts()?;
    let mut tree = Tree::new();
    for (path, target) in &recipe.links {
        let origin = recipe_origin(target);
        put(&mut tree, path, Kind::Symlink(target.value.clone().into_bytes()), 0o777, origin)?;
    }
    for directory in &recipe.directories {
        let origin = recipe_origin(directory);
        make_directory(&mut tree, &directory.value, &accounts, origin)?;
    }
    unpack(composed, packages, &mut tree, spool, &accounts, licences, environment)?;
    apply(&declared, &mut tree, &accounts)?;
    for (path, file) in &recipe.files {
        let content = Kind::File(Content::from_bytes(file.value.text.clone()));
        put(&mut tree, path, content, file.value.mode.0, recipe_origin(file))?;
    }
    for overlay in &recipe.overlays {
        lay(composed, &overlay.value, &mut tree)?;
    }
    generated::write(recipe, &accounts, &mut tree)?;
    for applets in &recipe.applets {
        let origin = recipe_origin(applets);
        link_applets(&mut tree, &applets.value.program, &applets.value.directory, &origin)?;
    }
    Ok(Assembled { tree })
}

fn recipe_origin<T>(value: &Sourced<T>) -> Origin {
    Origin::Recipe(value.origin.file.to_string())
}

/// Opens a package file for reading from begin to end.
fn open(package: &ChosenPackage) -> Result<BufReader<File>, Error> {
    Ok(BufReader::with_capacity(1 << 16, package.file.open()?))
}

fn scripts(packages: &[ChosenPackage]) -> Result<Vec<Script>, Error> {
    let mut scripts = Vec::new();
    for package in packages {
        let own = match package.format {
            Format::Dpkg => {
                let deb = Deb::open(&package.name, open(package)?, DebLimits::default())?;
                deb.control().scripts.clone()
            }
            Format::Apk => {
                let apk = Apk::open(&package.name, open(package)?, ApkLimits::default())?;
                apk.control().scripts.clone()
            }
            other @ Format::Opkg => return Err(unsupported(other)),
        };
        let wanted = own.into_iter().filter(|(name, _)| !OTHER_SCRIPTS.contains(&name.as_str()));
        let of = |(name, text)| Script { package: package.name.clone(), name, text };
        scripts.extend(wanted.map(of));
    }
    Ok(scripts)
}

fn unsupported(format: Format) -> Error {
    Error::Unsupported(format!("packages of the format {format:?} cannot be read yet"))
}

fn unpack(
    composed: &Composed<'_>,
    packages: &[ChosenPackage],
    tree: &mut Tree,
    spool: &Spool,
    accounts: &Accounts,
    licences: &mut Collector,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    let recipe = &composed.recipe;
    let filter = recipe.path_filter()?;
    let replaces: BTreeMap<String, Replaces> = packages
        .iter()
        .map(|package| (package.name.clone(), package.replaces.clone()))
        .filter(|(_, replaces)| !replaces.names.is_empty())
        .collect();
    let kernel = kernel_files(&recipe.kernel)?;
    let stub = recipe.kernel.efi_stub.as_ref().map(|stub| &stub.value);
    let admits = |package: &ChosenPackage, path: &GuestPath| match stub {
        // Of the package that holds the stub nothing else comes along.
        Some(stub) if stub.package == package.name => *path == stub.path,
        _ => {
            let of_kernel = || path.as_str().is_some_and(|path| kernel.is_match(path));
            (!package.of_kernel && filter.admits(path)) || of_kernel()
        }
    };
    let total = packages.iter().map(|package| package.file.size).sum();
    let task = environment.progress.begin("unpacking packages", Some(total));
    let mut unpacker = Unpacker::new(tree, spool, accounts, &replaces);
    for package in packages {
        environment.check_cancelled()?;
        let mut take = |entry: Entry<'_>| {
            if admits(package, &entry.path) {
                unpacker.take(&package.name, entry)?;
            }
            Ok::<(), Error>(())
        };
        match package.format {
            Format::Dpkg => {
                let deb = Deb::open(&package.name, open(package)?, DebLimits::default())?;
                licences.control(&package.name, &deb.control().fields);
                deb.read_data(&mut |entry| licences.pass(&package.name, entry, &mut take))?;
            }
            Format::Apk => {
                let apk = Apk::open(&package.name, open(package)?, ApkLimits::default())?;
                licences.info(&package.name, &apk.control().info);
                apk.read_data(&mut |entry| licences.pass(&package.name, entry, &mut take))?;
            }
            other @ Format::Opkg => return Err(unsupported(other)),
        }
        task.advance(package.file.size);
    }
    Ok(unpacker.finish()?)
}

/// What the kernel's descriptor names comes along whatever the recipe leaves out.
fn kernel_files(kernel: &KernelChoice) -> Result<GlobSet, Error> {
    let bad = |error: globset::Error| Error::Kernel(format!("{}: {error}", kernel.name.origin));
    let mut set = GlobSetBuilder::new();
    for pattern in [Some(&kernel.image), kernel.config.as_ref()].into_iter().flatten() {
        set.add(pattern.value.glob().map_err(bad)?);
    }
    set.add(Glob::new(&format!("{}/**", kernel.modules.value)).map_err(bad)?);
    set.build().map_err(bad)
}

fn apply(declared: &Declared, tree: &mut Tree, accounts: &Accounts) -> Result<(), Error> {
    for (from, directory) in &declared.directories {
        make_directory(tree, directory, accounts, Origin::Recipe(from.clone()))?;
    }
    for (from, path, target) in &declared.links {
        let kind = Kind::Symlink(target.clone().into_bytes());
        put(tree, path, kind, 0o777, Origin::Recipe(from.clone()))?;
    }
    for (from, path, file) in &declared.files {
        let kind = Kind::File(Content::from_bytes(file.text.clone()));
        put(tree, path, kind, file.mode.0, Origin::Recipe(from.clone()))?;
    }
    Ok(())
}

fn make_directory(
    tree: &mut Tree,
    directory: &crate::recipe::Directory,
    accounts: &Accounts,
    origin: Origin,
) -> Result<(), Error> {
    let meta = Meta {
        uid: accounts.uid(&directory.user)?,
        gid: accounts.gid(&directory.group)?,
        ..Meta::with_mode(directory.mode.0)
    };
    let what = origin.to_string();
    let real =
        tree.make_directory(&directory.path, meta.clone(), origin).map_err(Error::tree(what))?;
    if let Some(node) = tree.get_mut(&real) {
        node.meta = meta;
    }
    Ok(())
}

/// Puts a root-owned node where it is declared; recipes and overlays win over packages.
pub(super) fn put(
    tree: &mut Tree,
    path: &GuestPath,
    kind: Kind,
    mode: u16,
    origin: Origin,
) -> Result<(), Error> {
    let what = origin.to_string();
    let node = Node { meta: Meta::with_mode(mode), kind, origin };
    tree.replace(path, node).map_err(Error::tree(what)).map(drop)
}

/// Lays the files of `overlays/NAME/root` over the tree.
fn lay(composed: &Composed<'_>, name: &str, tree: &mut Tree) -> Result<(), Error> {
    let folder = format!("overlays/{name}/root");
    for file in composed.sources.files_below(&folder)? {
        let bytes = composed.sources.read(&format!("{folder}/{file}"))?.into_owned();
        let origin = Origin::Recipe(format!("overlays/{name}"));
        let path = GuestPath::new(&file)
            .map_err(|error| Error::tree(format!("overlay {name}"))(error.into()))?;
        let mode = overlay_mode(&bytes);
        put(tree, &path, Kind::File(Content::from_bytes(bytes)), mode, origin)?;
    }
    Ok(())
}

/// Overlays are embedded, and embedded files have no modes: what begins with `#!` is a program.
pub(super) fn overlay_mode(bytes: &[u8]) -> u16 {
    if bytes.starts_with(b"#!") { 0o755 } else { 0o644 }
}
