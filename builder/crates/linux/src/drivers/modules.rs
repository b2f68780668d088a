//! The kernel of a guest: its image, the modules that the guest needs, and the initramfs.

use std::io::Read as _;

use globset::GlobMatcher;

use super::Error;
use super::device::{Focus, focus};
use crate::kernel::builtin::Builtin;
use crate::kernel::capability::Capabilities;
use crate::kernel::closure::{Closure, Want, close};
use crate::kernel::config::KernelConfig;
use crate::kernel::image::{self, ImageError, KernelImage};
use crate::kernel::modules::Modules;
use crate::kernel::{ModuleName, depmod, shared_devices};
use wifibox_ground::content::ReadBack;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::device::DeviceId;
use wifibox_ground::path::GuestPath;
use wifibox_recipe::{InitSystem, Module, Pattern, Recipe, Sourced, machine};
use wifibox_tree::{Context, PlaceError, put, write_file};
use wifibox_tree::{Kind, Node, Origin, Tree};

/// The kernel of a guest and its modules, taken out of their packages.
pub struct Kernel {
    /// `uname -r`.
    pub release: String,
    /// The package that the image came from.
    pub package: String,
    /// The image, as hypervisors load it.
    pub image: Content,
    /// The image, as UEFI firmware starts it.
    pub efi_image: Content,
    /// The stub that starts it under UEFI.
    pub efi_stub: Option<Content>,
    /// The facts by which it is checked against the rest of the guest.
    pub capabilities: Capabilities,
    /// Its modules.
    pub modules: Modules,
    /// Those that the guest needs.
    pub closure: Closure,
    /// In a guest for one card, the part of the flavor that it keeps.
    pub focus: Option<Focus>,
}

/// Takes the kernel's files out of the tree, and puts the modules that the guest needs back with
/// their indexes.
///
/// # Errors
/// [`Error`]: files that the descriptor names are missing, or a module is.
pub fn install(
    recipe: &Recipe,
    tree: &mut Tree,
    spool: &Spool,
    device: Option<DeviceId>,
    context: &Context<'_>,
) -> Result<Kernel, Error> {
    let name = &recipe.kernel.name.value;
    let missing = |why: String| Error::KernelFiles { kernel: name.clone(), why };
    let (image_path, image_node) = one(tree, &recipe.kernel.image, "kernel image", name)?;
    let (Kind::File(image), origin) = (image_node.kind, image_node.origin) else {
        return Err(missing(format!("{image_path} is not a file")));
    };
    let bytes = image_bytes(&image).map_err(|source| read_back(&image_path, source))?;
    let image_error = |error: ImageError| missing(format!("{image_path}: {error}"));
    let parsed = KernelImage::parse(&bytes).map_err(image_error)?;
    let architecture = &recipe.architecture.value;
    if !parsed.machine.is(machine(architecture)) {
        let found = parsed.machine;
        return Err(missing(format!(
            "{image_path} is for {found:?}, the guest for {architecture}"
        )));
    }
    let unpacked = image::unpacked(&bytes).map_err(image_error)?;
    let stored = |part: Option<Vec<u8>>| match part {
        Some(bytes) => store(&bytes, spool, &image_path),
        None => Ok(image.clone()),
    };
    let (efi_image, image) = (stored(unpacked.for_firmware)?, stored(unpacked.for_loaders)?);
    let config = config(recipe, tree)?;
    let efi_stub = efi_stub(recipe, tree)?;
    let (folder, _) = one(tree, &recipe.kernel.modules, "folder of modules", name)?;
    let release = String::from_utf8_lossy(folder.name()).into_owned();
    if let Some(found) = &parsed.release
        && !found.starts_with(&release)
    {
        return Err(missing(format!(
            "{image_path} is release {found:?}, but the modules are for {release:?}"
        )));
    }
    let cache = context.kept.unpacked();
    let mut modules = Modules::new(release.clone(), spool.clone()).kept_in(cache);
    if recipe.init_system.value == InitSystem::Procd {
        modules = modules.flattened();
    }
    for (path, node) in tree.below(&folder) {
        if let Kind::File(content) = &node.kind {
            modules.insert(path, content.clone());
        }
    }
    tree.remove(&folder);
    remove_with_empty_parents(tree, &folder);
    remove_boot(recipe, tree, &image_path.parent().unwrap_or_default())?;
    // Wherever the kernel's base has them: the guest's own programs look here.
    let folder =
        GuestPath::new(format!("lib/modules/{release}")).map_err(PlaceError::of(name.clone()))?;
    if let Some(stub) = &recipe.kernel.efi_stub {
        remove_with_empty_parents(tree, &stub.value.path);
    }
    let builtin = builtin(recipe, &modules)?;
    let capabilities = Capabilities {
        kernel: format!("{name} {release}"),
        config,
        builtin: Some(builtin.clone()),
        modules: modules.names().cloned().collect(),
    };
    super::check::check(recipe, &capabilities)?;
    if let Some(lost) = super::check::lost_under_uefi(recipe, &capabilities) {
        context.work.progress.warn(&lost);
    }
    let focus = match device {
        Some(device) => Some(focus(recipe, &modules, &builtin, device, context.work.jobs)?),
        None => None,
    };
    let keeps = |name: &str| focus.as_ref().is_none_or(|focus| focus.keeps(name));
    let closure = close(&modules, &builtin, &wants(recipe, keeps)?, context.work.jobs)?;
    for (alias, drivers) in shared_devices::shared(&depmod::sources(&modules, &closure)?) {
        let names: Vec<&str> = drivers.iter().map(|name| name.as_str()).collect();
        context.work.progress.warn(&format!(
            "several drivers claim one device ({alias}): {}; which of them gets it is a matter of luck",
            names.join(", ")
        ));
    }
    put_modules(recipe, tree, &folder, &modules, &closure, &origin)?;
    let package = match &origin {
        Origin::Package(package) => package.clone(),
        other => other.to_string(),
    };
    Ok(Kernel {
        release,
        package,
        image,
        efi_image,
        efi_stub,
        capabilities,
        modules,
        closure,
        focus,
    })
}

/// Keeps the unpacked image at `path`.
fn store(bytes: &[u8], spool: &Spool, path: &GuestPath) -> Result<Content, Error> {
    spool.store(bytes, u64::MAX - 1).map_err(|source| read_back(path, source))
}

/// The kernel's configuration, where its packages have it.
fn config(recipe: &Recipe, tree: &Tree) -> Result<Option<KernelConfig>, Error> {
    let name = &recipe.kernel.name.value;
    let Some(pattern) = &recipe.kernel.config else { return Ok(None) };
    let bytes = read_one(tree, pattern, "configuration", name)?;
    let config = KernelConfig::parse(&bytes).map_err(|error| Error::KernelFiles {
        kernel: name.clone(),
        why: format!("its configuration: {error}"),
    })?;
    Ok(Some(config))
}

/// The program that starts the kernel under UEFI, where one is needed.
fn efi_stub(recipe: &Recipe, tree: &Tree) -> Result<Option<Content>, Error> {
    let Some(stub) = &recipe.kernel.efi_stub else { return Ok(None) };
    match tree.lookup(&stub.value.path) {
        Some((_, Node { kind: Kind::File(content), .. })) => Ok(Some(content.clone())),
        _ => Err(Error::KernelFiles {
            kernel: recipe.kernel.name.value.clone(),
            why: format!("there is no {} for UEFI", stub.value.path),
        }),
    }
}

/// The modules built into the kernel, from its descriptor or else its packages.
fn builtin(recipe: &Recipe, modules: &Modules) -> Result<Builtin, Error> {
    let name = &recipe.kernel.name.value;
    let missing = |why: String| Error::KernelFiles { kernel: name.clone(), why };
    let mut builtin = Builtin::default();
    if recipe.kernel.built_in.is_empty() {
        let list = metadata(modules, "modules.builtin", name)?;
        let modinfo = metadata(modules, "modules.builtin.modinfo", name)?;
        builtin = Builtin::parse(&list, Some(&modinfo))
            .map_err(|error| missing(format!("its list of built-in modules: {error}")))?;
    }
    for module in &recipe.kernel.built_in {
        let known = ModuleName::new(&module.value.name);
        builtin.add(known.map_err(|error| missing(format!("{}: {error}", module.origin)))?);
    }
    Ok(builtin)
}

/// Puts the modules of the guest into its tree, with their indexes and the list of those that it loads.
fn put_modules(
    recipe: &Recipe,
    tree: &mut Tree,
    folder: &GuestPath,
    modules: &Modules,
    closure: &Closure,
    origin: &Origin,
) -> Result<(), Error> {
    let name = &recipe.kernel.name.value;
    for (module, member) in &closure.members {
        let (Some(path), Some(loaded)) = (modules.path(module), modules.loaded(module)) else {
            continue;
        };
        let at = folder.join(path.as_bytes()).map_err(PlaceError::of(name.clone()))?;
        debug_assert!(!member.why.is_empty(), "a module without a reason");
        let content = Kind::File(loaded.content.clone());
        put(tree, &at, content, 0o644, origin.clone())?;
    }
    for (file, bytes) in depmod::files(modules, closure)? {
        let at = folder.join(file).map_err(PlaceError::of(name.clone()))?;
        put(tree, &at, Kind::File(Content::from_bytes(bytes)), 0o644, Origin::Builder)?;
    }
    let list = match recipe.init_system.value {
        InitSystem::Supervised => "etc/wifibox/modules",
        InitSystem::Openrc => "etc/modules-load.d/wifibox.conf",
        InitSystem::Procd => "etc/modules.d/00-wifibox",
    };
    write_file(tree, list, load_list(&recipe.load_modules, closure)?, 0o644)?;
    if recipe.init_system.value == InitSystem::Procd && recipe.initramfs.is_none() {
        // What an initramfs would have loaded: procd does it before it looks for a place for settings.
        let early = load_list(&recipe.initramfs_modules, closure)?;
        write_file(tree, "etc/modules-boot.d/00-wifibox", early, 0o644)?;
    }
    Ok(())
}

/// The bytes of a kernel image, as far as they have to be looked at.
fn image_bytes(image: &Content) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    image.open().take(image::BZIMAGE_HEAD).read_to_end(&mut head)?;
    if image::is_bzimage(&head) { Ok(head) } else { image.read() }
}

fn read_back(path: &GuestPath, source: std::io::Error) -> Error {
    ReadBack { what: path.to_string(), source }.into()
}

fn metadata(modules: &Modules, file: &str, kernel: &str) -> Result<Vec<u8>, Error> {
    match modules.metadata(file) {
        Some(content) => Ok(content.read().map_err(ReadBack::of(file))?),
        None => {
            let why = format!("its packages hold no {file}");
            Err(Error::KernelFiles { kernel: kernel.to_owned(), why })
        }
    }
}

/// The only path of the tree that the descriptor's pattern matches.
fn one(
    tree: &Tree,
    pattern: &Sourced<Pattern>,
    what: &str,
    kernel: &str,
) -> Result<(GuestPath, Node), Error> {
    let error = |why| Error::KernelFiles { kernel: kernel.to_owned(), why };
    let glob: GlobMatcher = match pattern.value.glob() {
        Ok(glob) => glob.compile_matcher(),
        Err(problem) => return Err(error(format!("{}: {problem}", pattern.origin))),
    };
    let matches = |path: &GuestPath| path.as_str().is_some_and(|text| glob.is_match(text));
    let found: Vec<(&GuestPath, &Node)> = tree.iter().filter(|(path, _)| matches(path)).collect();
    match found.as_slice() {
        [(path, node)] => Ok(((*path).clone(), (*node).clone())),
        [] => Err(error(format!("its packages hold no {what} that matches {}", pattern.value))),
        many => {
            let names: Vec<String> = many.iter().map(|(path, _)| path.to_string()).collect();
            Err(error(format!("its packages hold more than one {what}: {}", names.join(", "))))
        }
    }
}

fn read_one(
    tree: &Tree,
    pattern: &Sourced<Pattern>,
    what: &str,
    kernel: &str,
) -> Result<Vec<u8>, Error> {
    match one(tree, pattern, what, kernel)? {
        (path, Node { kind: Kind::File(content), .. }) => {
            content.read().map_err(|source| read_back(&path, source))
        }
        (path, _) => {
            let why = format!("{path} is not a file");
            Err(Error::KernelFiles { kernel: kernel.to_owned(), why })
        }
    }
}

/// Removes the folder of the kernel image, but for what the recipe says to keep.
fn remove_boot(recipe: &Recipe, tree: &mut Tree, folder: &GuestPath) -> Result<(), Error> {
    let filter = recipe.path_filter()?;
    let files = tree.below(folder).filter(|(_, node)| !matches!(node.kind, Kind::Directory));
    let (kept, gone): (Vec<GuestPath>, Vec<GuestPath>) =
        files.map(|(path, _)| path.clone()).partition(|path| filter.keeps(path));
    if kept.is_empty() {
        tree.remove(folder);
    }
    for path in gone {
        tree.remove(&path);
    }
    Ok(())
}

fn remove_with_empty_parents(tree: &mut Tree, path: &GuestPath) {
    let mut at = Some(path.clone());
    while let Some(path) = at {
        if path != GuestPath::root() && tree.below(&path).count() <= 1 {
            tree.remove(&path);
            at = path.parent();
        } else {
            break;
        }
    }
}

fn wants(recipe: &Recipe, keeps: impl Fn(&str) -> bool) -> Result<Vec<Want>, Error> {
    let all = recipe.initramfs_modules.iter().chain(&recipe.load_modules).chain(&recipe.modules);
    all.filter(|module| keeps(&module.value.name))
        .map(|module| {
            Want::parse(&module.value.to_string(), module.origin.to_string())
                .map_err(|error| Error::Unsupported(format!("{}: {error}", module.origin)))
        })
        .collect()
}

fn module_name(module: &Sourced<Module>) -> Result<ModuleName, Error> {
    ModuleName::new(&module.value.name)
        .map_err(|error| Error::Unsupported(format!("{}: {error}", module.origin)))
}

/// Names of these modules that are files: what is built in needs no loading.
pub(super) fn files_of(
    modules: &[Sourced<Module>],
    closure: &Closure,
) -> Result<Vec<ModuleName>, Error> {
    let mut names = Vec::new();
    for module in modules {
        let name = module_name(module)?;
        if closure.members.contains_key(&name) && !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The list of these modules, a line each, for what loads them when the guest boots.
fn load_list(modules: &[Sourced<Module>], closure: &Closure) -> Result<String, Error> {
    // With what they need, softly too: busybox's modprobe does not follow soft dependencies.
    let names = closure.load_order(&files_of(modules, closure)?)?;
    Ok(names.iter().map(|name| format!("{name}\n")).collect())
}
