//! The firmware of a guest: of what packages offer, what the kept modules want.

use super::Error;
use super::assemble::put;
use super::kernel::Kernel;
use crate::firmware::rules::Promise;
use crate::firmware::select::{Wanted, select};
use crate::firmware::{Offers, Rules, Selection};
use crate::kernel::Compression;
use crate::path::GuestPath;
use crate::recipe::{FirmwareRule, Recipe};
use crate::tree::{Content, Kind, Origin, Tree};

/// The largest firmware file that is unpacked, in bytes.
const FILE_LIMIT: u64 = 256 << 20;

/// Where packages put firmware; the kernel finds it by either path.
const FOLDERS: [&str; 2] = ["usr/lib/firmware", "lib/firmware"];

/// Replaces all firmware in the tree by what the guest needs of it. `only` are the user's own globs:
/// with them, of the files that modules want those that match come in, and no others.
///
/// # Errors
/// [`Error::Firmware`]: something that a manifest promises is not there.
pub fn install(
    recipe: &Recipe,
    tree: &mut Tree,
    kernel: &Kernel,
    only: &[String],
) -> Result<Selection, Error> {
    let Some(folder) = folder(tree) else { return Ok(Selection::default()) };
    let mut offers = Offers::default();
    for (path, node) in tree.below(&folder) {
        let from = match &node.origin {
            Origin::Package(package) => package.clone(),
            other => other.to_string(),
        };
        match &node.kind {
            Kind::File(_) => drop(offers.file(path, &from)),
            Kind::Symlink(target) => drop(offers.link(path, target, &from)),
            _ => {}
        }
    }
    let mut wanted = Vec::new();
    for module in kernel.closure.members.keys() {
        let Some(loaded) = kernel.modules.loaded(module) else { continue };
        let names = loaded.module.info.firmware.iter().cloned();
        wanted.extend(names.map(|name| Wanted { module: module.clone(), name }));
    }
    let mut selection = select(&offers, &wanted, &rules(recipe))?;
    if !only.is_empty() {
        narrow(&mut selection, only)?;
    }
    let offered = tree.clone();
    tree.remove(&folder);
    if let (true, Some(node)) = (recipe.keep_empty_directories.value, offered.get(&folder)) {
        tree.insert(&folder, node.clone()).map_err(Error::tree("the firmware folder"))?;
    }
    put_selection(tree, &offered, &folder, &selection, kernel)?;
    Ok(selection)
}

/// The real path of the firmware folder, if the guest has one.
fn folder(tree: &Tree) -> Option<GuestPath> {
    FOLDERS.iter().find_map(|folder| {
        let path = GuestPath::new(folder).ok()?;
        tree.lookup(&path).map(|(real, _)| real)
    })
}

fn rules(recipe: &Recipe) -> Rules {
    let mut rules = Rules::of_linux();
    if recipe.regulatory_database.value {
        rules = rules.with_regulatory(&["wireless-regdb"]);
    }
    let packages: Vec<String> =
        recipe.firmware_packages.iter().map(|package| package.value.clone()).collect();
    for need in &recipe.firmware {
        let texts = |patterns: &[crate::recipe::Sourced<crate::recipe::Pattern>]| -> Vec<String> {
            patterns.iter().map(|pattern| pattern.value.to_string()).collect()
        };
        rules.include.extend(texts(&need.include));
        rules.exclude.extend(texts(&need.exclude));
        let promises = texts(&need.promises).into_iter();
        rules
            .promises
            .extend(promises.map(|pattern| Promise { pattern, packages: packages.clone() }));
    }
    if recipe.firmware.iter().all(|need| need.rule.value == FirmwareRule::Exact) {
        // Nothing walks down: what the modules name is what they take.
        rules.walk_down.clear();
    }
    rules
}

/// Keeps of the selected files those that match, the regulatory database always.
fn narrow(selection: &mut Selection, only: &[String]) -> Result<(), Error> {
    let mut builder = globset::GlobSetBuilder::new();
    for text in only.iter().map(String::as_str).chain(["regulatory.db", "regulatory.db.p7s"]) {
        let glob = globset::Glob::new(text)
            .map_err(|error| Error::Kernel(format!("--firmware-file {text:?}: {error}")))?;
        builder.add(glob);
    }
    let set =
        builder.build().map_err(|error| Error::Kernel(format!("--firmware-file: {error}")))?;
    let targets: Vec<String> = selection
        .links
        .iter()
        .filter(|(name, _)| set.is_match(name))
        .map(|(_, link)| link.target.clone())
        .collect();
    selection.links.retain(|name, _| set.is_match(name));
    selection.files.retain(|name, _| {
        set.is_match(name) || targets.iter().any(|target| target.ends_with(name.as_str()))
    });
    if selection.files.keys().all(|name| name.starts_with("regulatory.db")) {
        let text = only.join(" ");
        return Err(Error::Kernel(format!(
            "--firmware-file {text}: no firmware that the modules want matches"
        )));
    }
    Ok(())
}

fn put_selection(
    tree: &mut Tree,
    offered: &Tree,
    folder: &GuestPath,
    selection: &Selection,
    kernel: &Kernel,
) -> Result<(), Error> {
    let at = |name: &str| {
        folder.join(name).map_err(|error| Error::tree(format!("firmware {name}"))(error.into()))
    };
    for (name, file) in &selection.files {
        let Some((_, node)) = offered.lookup(&file.path) else { continue };
        let Kind::File(content) = &node.kind else { continue };
        let packed = file.compression != Compression::None;
        let (content, suffix) = if packed && kernel.capabilities.reads_firmware(file.compression) {
            (content.clone(), file.compression.suffix())
        } else if packed {
            let bytes = crate::kernel::compress::read_unpacked(content.open(), FILE_LIMIT)
                .map_err(|source| Error::ReadBack { what: file.path.to_string(), source })?;
            (Content::from_bytes(bytes), "")
        } else {
            (content.clone(), "")
        };
        let origin = node.origin.clone();
        put(tree, &at(&format!("{name}{suffix}"))?, Kind::File(content), 0o644, origin)?;
    }
    for (name, link) in &selection.links {
        let kind = Kind::Symlink(link.target.clone().into_bytes());
        put(tree, &at(name)?, kind, 0o777, Origin::Package(link.from.clone()))?;
    }
    Ok(())
}
