//! The initramfs of a guest: what mounts its root.

use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Composed;
use wifibox_tree::applets::link_applets;
use wifibox_tree::linked::libraries_of;
use wifibox_tree::root::folders;
use wifibox_tree::{Kind, Meta, Origin, PlaceError, Tree, overlay_mode, put, write_file};

use super::modules::files_of;
use super::{Error, Kernel};

/// The initramfs's tree: the overlay's files, the programs of the guest, and the modules in the
/// order of loading. `None` for a kernel that boots without one.
///
/// # Errors
/// [`Error`]: a program is missing from the guest.
pub fn initramfs(
    composed: &Composed<'_>,
    guest: &Tree,
    kernel: &Kernel,
) -> Result<Option<Tree>, Error> {
    let recipe = &composed.recipe;
    let Some(plan) = &recipe.initramfs else { return Ok(None) };
    let mut tree = Tree::new();
    let bad = |error| PlaceError::of("initramfs")(error);
    // OpenWrt's insmod wants the kernel's own folder, though the modules are given by their paths.
    let own = format!("lib/modules/{}", kernel.release);
    for folder in ["bin", "dev", "proc", "sys", "newroot", "lib/modules", &own] {
        let path = GuestPath::new(folder).map_err(|error| bad(error.into()))?;
        tree.make_directory(&path, Meta::with_mode(0o755), Origin::Builder).map_err(bad)?;
    }
    let folder = format!("overlays/{}", plan.value.overlay);
    for file in composed.sources.files_below(&folder)? {
        let bytes = composed.sources.read(&format!("{folder}/{file}"))?.into_owned();
        let path = GuestPath::new(&file).map_err(|error| bad(error.into()))?;
        let mode = overlay_mode(&bytes);
        let origin = Origin::Recipe(folder.clone());
        put(&mut tree, &path, Kind::File(Content::from_bytes(bytes)), mode, origin)?;
    }
    let bin = GuestPath::new("bin").map_err(|error| bad(error.into()))?;
    for program in &plan.value.programs {
        let Some((_, node)) = guest.lookup(program) else {
            let why = format!("the initramfs wants {program}, which is not in the guest");
            return Err(Error::KernelFiles { kernel: recipe.kernel.name.value.clone(), why });
        };
        let at = bin.join(program.name()).map_err(|error| bad(error.into()))?;
        put(&mut tree, &at, node.kind.clone(), 0o755, node.origin.clone())?;
        if program.name().starts_with(b"busybox") {
            link_applets(&mut tree, &at, &bin, &Origin::Builder)?;
        }
        for (asked, real) in libraries_of(guest, program, &folders())? {
            let Some((_, node)) = guest.lookup(&real) else { continue };
            put(&mut tree, &real, node.kind.clone(), 0o755, node.origin.clone())?;
            if asked != real {
                let target = Kind::Symlink(format!("/{real}").into_bytes());
                put(&mut tree, &asked, target, 0o777, node.origin.clone())?;
            }
        }
    }
    let roots = files_of(&recipe.initramfs_modules, &kernel.closure)?;
    let mut list = String::new();
    for name in kernel.closure.load_order(&roots)? {
        let Some(loaded) = kernel.modules.loaded(&name) else { continue };
        let file = format!("{name}.ko");
        let at = GuestPath::new(format!("lib/modules/{file}")).map_err(|e| bad(e.into()))?;
        put(&mut tree, &at, Kind::File(loaded.content.clone()), 0o644, Origin::Builder)?;
        list += &format!("{file}\n");
    }
    write_file(&mut tree, "modules.list", list, 0o644)?;
    Ok(Some(tree))
}
