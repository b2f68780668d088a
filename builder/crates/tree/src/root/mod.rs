//! From fetched packages to the guest's root, kernel and firmware not yet chosen.

mod accounts;
mod calls;
mod effects;
mod error;
mod generated;
mod openrc;
mod procd;
mod prune;
mod replaces;
mod scripts;
mod times;
mod transport;

use globset::{GlobSet, GlobSetBuilder};
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::entry::Entry;
use wifibox_ground::path::GuestPath;
use wifibox_ground::progress::Stage;
use wifibox_recipe::{
    AccountsFrom, AppletLinks, Composed, Directory, EfiStub, InitSystem, KernelChoice, Own,
    PathFilter, Recipe, Sourced,
};

use self::effects::{Declared, declare};
use crate::accounts::Accounts;
use crate::applets::{link_applets, link_listed};
use crate::openwrt::owned_by_root;
use crate::packages::licences::Collector;
use crate::packages::{self, ChosenPackage, Claim, read_data, unpack_ahead};
use crate::scripts::ScriptReport;
use crate::unpack::Unpacker;
use crate::{Context, Kind, Meta, Origin, PlaceError, Tree, append, overlay_mode, put};

pub use calls::{CallsError, MissingCall, MissingCalls, Want, check_calls};
pub use error::Error;
pub use procd::finish;
pub use prune::{folders, prune};
pub use times::{newest_time, seal};

/// The root that packages, recipe and overlays make together.
pub struct Root {
    /// The tree, with all that packages offer of kernel and firmware still in it.
    pub tree: Tree,
    /// The licence files of the packages.
    pub licences: Collector,
    /// Reports on the packages' maintainer scripts.
    pub scripts: Vec<ScriptReport>,
}

/// Reads all packages and lays them, the recipe and the overlays into a tree.
///
/// # Errors
/// [`Error`]: a package is damaged, a script is not understood and has no rule, two files clash.
pub fn assemble(
    composed: &Composed<'_>,
    packages: &[ChosenPackage],
    spool: &Spool,
    context: &Context<'_>,
) -> Result<Root, Error> {
    let recipe = &composed.recipe;
    let what = format!("{} packages", packages.len());
    context.work.progress.stage(&Stage::new("Unpacking", &what));
    let mut licences = Collector::new();
    let controls = packages::read(packages, &mut licences, context)?;
    let (declared, verdicts) = declare(recipe, &controls);
    unpack_ahead(packages, context)?;
    let accounts = match recipe.accounts_from.value {
        AccountsFrom::Recipes => accounts::of_recipes(&declared)?,
        AccountsFrom::Packages => accounts::of_packages(packages, &declared, context)?,
    };
    let outcome = scripts::run(&scripts::Job {
        recipe,
        packages,
        controls: &controls,
        verdicts: &verdicts,
        accounts: &accounts.texts,
        context,
    })?;
    let accounts = accounts.after(outcome.accounts())?;
    let mut tree = Tree::new();
    for (path, target) in &recipe.links {
        let origin = recipe_origin(target);
        put(&mut tree, path, Kind::Symlink(target.value.clone().into_bytes()), 0o777, origin)?;
    }
    for directory in &recipe.directories {
        let origin = recipe_origin(directory);
        make_directory(&mut tree, &directory.value, &accounts.all, origin)?;
    }
    let facts = controls.iter().filter_map(|control| control.openwrt.clone()).collect();
    let claims: Vec<Claim> = controls.into_iter().map(|control| control.claim).collect();
    let replaces = replaces::resolve(packages, &claims)?;
    let bringer = accounts.packaged.as_ref().map(|packaged| packaged.package.clone());
    let admission = Admission::new(recipe)?;
    let mut unpacker = Unpacker::new(&mut tree, spool, &accounts.all, &replaces)
        .keep_empty_directories(recipe.keep_empty_directories.value)
        .owners_by_number(bringer);
    unpack((recipe, &admission), packages, &mut unpacker, &mut licences, context)?;
    unpacker.finish()?;
    for stage in &outcome.stages {
        scripts::carry(stage, &mut tree, &|place, path| {
            packages.get(place).is_some_and(|package| admission.admits(package, path))
        })?;
    }
    apply(&declared, &mut tree, &accounts.all)?;
    accounts::add_to_files(&accounts, &mut tree)?;
    for (path, file) in &recipe.files {
        let content = Kind::File(Content::from_bytes(file.value.text.clone()));
        put(&mut tree, path, content, file.value.mode.0, recipe_origin(file))?;
    }
    for overlay in &recipe.overlays {
        lay(composed, &overlay.value, &mut tree)?;
    }
    lay_own(composed, &mut tree)?;
    generated::write(recipe, &accounts.all, &mut tree)?;
    for applets in &recipe.applets {
        let origin = recipe_origin(applets);
        let program = &applets.value.program;
        match &applets.value.links {
            AppletLinks::Directory(directory) => {
                link_applets(&mut tree, program, directory, &origin)?;
            }
            AppletLinks::Paths(list) => drop(link_listed(&mut tree, program, list, &origin)?),
        }
    }
    if recipe.init_system.value == InitSystem::Procd {
        procd::configure(recipe, facts, &mut tree, context)?;
    }
    check_calls(recipe, &tree, context)?;
    Ok(Root { tree, licences, scripts: outcome.reports })
}

/// Lays the user's own files and links over everything else.
fn lay_own(composed: &Composed<'_>, tree: &mut Tree) -> Result<(), Error> {
    for (path, own) in &composed.recipe.own {
        let (kind, mode) = match &own.value {
            Own::Link(target) => (Kind::Symlink(target.clone().into_bytes()), 0o777),
            Own::File(file) => {
                let bytes = file.read(composed.sources)?;
                (Kind::File(Content::from_bytes(bytes)), file.mode.0)
            }
        };
        put(tree, path, kind, mode, recipe_origin(own))?;
    }
    Ok(())
}

fn recipe_origin<T>(value: &Sourced<T>) -> Origin {
    Origin::Recipe(value.origin.file.to_string())
}

/// Which files of packages come into the guest.
struct Admission<'a> {
    filter: PathFilter,
    kernel: GlobSet,
    stub: Option<&'a EfiStub>,
}

impl<'a> Admission<'a> {
    fn new(recipe: &'a Recipe) -> Result<Self, Error> {
        let stub = recipe.kernel.efi_stub.as_ref().map(|stub| &stub.value);
        let (filter, kernel) = (recipe.path_filter()?, kernel_files(&recipe.kernel)?);
        Ok(Admission { filter, kernel, stub })
    }

    fn admits(&self, package: &ChosenPackage, path: &GuestPath) -> bool {
        match self.stub {
            // Of the package that holds the stub nothing else comes along.
            Some(stub) if stub.package == package.name => *path == stub.path,
            _ => {
                let of_kernel = || path.as_str().is_some_and(|path| self.kernel.is_match(path));
                (!package.of_kernel && self.filter.admits(path)) || of_kernel()
            }
        }
    }
}

fn unpack(
    (recipe, admission): (&Recipe, &Admission<'_>),
    packages: &[ChosenPackage],
    unpacker: &mut Unpacker<'_>,
    licences: &mut Collector,
    context: &Context<'_>,
) -> Result<(), Error> {
    let procd = recipe.init_system.value == InitSystem::Procd;
    let total = packages.iter().map(|package| package.file.size).sum();
    let task = context.work.progress.begin("unpacking packages", Some(total));
    for package in packages {
        context.work.check()?;
        let mut take = |entry: Entry<'_>| {
            if admission.admits(package, &entry.path) {
                let entry = if procd { owned_by_root(entry) } else { entry };
                unpacker.take(&package.name, entry)?;
            }
            Ok::<(), Error>(())
        };
        read_data(package, context, &mut |entry| licences.pass(&package.name, entry, &mut take))?;
        task.advance(package.file.size);
    }
    Ok(())
}

/// The files that the kernel's descriptor names: they come along whatever the recipe leaves out.
fn kernel_files(kernel: &KernelChoice) -> Result<GlobSet, Error> {
    let bad = |error: globset::Error| Error::Pattern {
        origin: kernel.name.origin.to_string(),
        why: error.to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in [Some(&kernel.image), kernel.config.as_ref()].into_iter().flatten() {
        set.add(pattern.value.glob().map_err(bad)?);
    }
    let modules = &kernel.modules.value;
    set.add(modules.with(&format!("{modules}/**")).glob().map_err(bad)?);
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
    for (_, path, text) in &declared.appended {
        append(tree, &path.to_string(), text)?;
    }
    Ok(())
}

fn make_directory(
    tree: &mut Tree,
    directory: &Directory,
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
        tree.make_directory(&directory.path, meta.clone(), origin).map_err(PlaceError::of(what))?;
    if let Some(node) = tree.get_mut(&real) {
        node.meta = meta;
    }
    Ok(())
}

/// Lays the files of `overlays/NAME/all` over the tree, and then those for the guest's init system:
/// `root`, or `openrc` and `procd`.
fn lay(composed: &Composed<'_>, name: &str, tree: &mut Tree) -> Result<(), Error> {
    let own = match composed.recipe.init_system.value {
        InitSystem::Supervised => "root",
        InitSystem::Openrc => "openrc",
        InitSystem::Procd => "procd",
    };
    for part in ["all", own] {
        let folder = format!("overlays/{name}/{part}");
        for file in composed.sources.files_below(&folder)? {
            let bytes = composed.sources.read(&format!("{folder}/{file}"))?.into_owned();
            let origin = Origin::Recipe(format!("overlays/{name}"));
            let path = GuestPath::new(&file).map_err(PlaceError::of(format!("overlay {name}")))?;
            let mode = overlay_mode(&bytes);
            put(tree, &path, Kind::File(Content::from_bytes(bytes)), mode, origin)?;
        }
    }
    Ok(())
}
