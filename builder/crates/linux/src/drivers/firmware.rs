//! The firmware of a guest: of the files that packages and the user offer, those that the kept modules want.

use std::collections::{BTreeMap, BTreeSet};

use super::form::{Packing, Stored, stored, suffix_of_link};
use super::modules::Kernel;
use super::own::{self, OwnFile};
use super::{Asked, Error};
use crate::firmware::archive::Archive;
use crate::firmware::rules::{BoardLink, Promise};
use crate::firmware::select::{Wanted, select};
use crate::firmware::{Limit, Offers, Rules, Selection, Whence};
use wifibox_ground::content::ReadBack;
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Composed;
use wifibox_recipe::{FirmwareNeed, FirmwareRule, Pattern, Recipe, Sourced};
use wifibox_tree::{Context, PlaceError, guest_path, put};
use wifibox_tree::{Kind, Origin, Tree};

/// Where packages put firmware; the kernel finds it by either path.
const FOLDERS: [&str; 2] = ["usr/lib/firmware", "lib/firmware"];

/// The firmware that came in.
#[derive(Debug, Default)]
pub struct Installed {
    /// Files, links and the report.
    pub selection: Selection,
    /// Files of the user's own that are among them.
    pub own: Vec<OwnFile>,
    /// The files kept from an archive of linux-firmware, if one was read.
    pub archive: Option<Archive>,
}

/// Replaces all firmware in the tree by what the guest needs of it.
///
/// # Errors
/// [`Error::Firmware`]: something that a manifest promises is not there.
pub fn install(
    composed: &Composed<'_>,
    tree: &mut Tree,
    kernel: &Kernel,
    asked: &Asked<'_>,
    context: &Context<'_>,
) -> Result<Installed, Error> {
    let recipe = &composed.recipe;
    let folder = folder(tree)?;
    let Some(builtin) = &kernel.capabilities.builtin else { return Ok(Installed::default()) };
    let wanted: Vec<Wanted> = kernel
        .closure
        .firmware(&kernel.modules, builtin)
        .map(|(module, name)| Wanted { module: module.clone(), name: name.to_owned() })
        .collect();
    let mut rules = rules(recipe, kernel, &wanted, asked.only);
    let archive = asked
        .archive
        .map(|archive| archive.lay(&wanted, &rules, tree, &folder, asked.spool, context));
    let archive = archive.transpose()?;
    let mut own = own::lay(composed, asked.adds, &wanted, &rules, tree, &folder)?;
    rules.own = own.iter().filter(|file| file.always).map(|file| file.name.clone()).collect();
    let selection = select(&offers(tree, &folder)?, &wanted, &rules)?;
    if !asked.only.is_empty() && selection.files.keys().all(|name| name.starts_with("regulatory."))
    {
        return Err(no_firmware(asked.only, &wanted));
    }
    own.retain(|file| {
        let kept = selection.files.contains_key(&file.name);
        if !kept {
            context.work.progress.note(&format!(
                "left out your own firmware {}: nothing here asks for it",
                file.name
            ));
        }
        kept
    });
    let offered = tree.clone();
    let packing = Packing { spool: asked.spool, kept: context.kept, jobs: context.work.jobs };
    let files = stored(&selection, &offered, &kernel.capabilities, &packing)?;
    tree.remove(&folder);
    if let (true, Some(node)) = (recipe.keep_empty_directories.value, offered.get(&folder)) {
        tree.insert(&folder, node.clone()).map_err(PlaceError::of("the firmware folder"))?;
    }
    put_selection(tree, &offered, &folder, &selection, &files)?;
    Ok(Installed { selection, own, archive })
}

/// The globs match nothing that is wanted: the names that begin most like one of them, or else the first ones.
fn no_firmware(globs: &[String], wanted: &[Wanted]) -> Error {
    const SHOWN: usize = 5;
    let names: BTreeSet<&str> = wanted.iter().map(|wanted| &*wanted.name).collect();
    let mut shown: Vec<&str> = Vec::new();
    for glob in globs {
        let mut begin = glob.as_str();
        // Less and less of what was typed, until something is like it.
        while let Some((place, _)) = begin.char_indices().next_back().filter(|_| shown.is_empty()) {
            begin = &begin[..place];
            shown.extend(names.iter().filter(|name| !begin.is_empty() && name.contains(begin)));
        }
    }
    if shown.is_empty() {
        shown.extend(&names);
    }
    let wanted = shown.into_iter().take(SHOWN).map(str::to_owned).collect();
    Error::NoSuchFirmware { globs: globs.join(" "), wanted }
}

/// The real path of the firmware folder, or where it belongs.
fn folder(tree: &Tree) -> Result<GuestPath, Error> {
    let there = FOLDERS.iter().find_map(|folder| {
        let path = GuestPath::new(folder).ok()?;
        tree.lookup(&path).map(|(real, _)| real)
    });
    // Through the link of a merged /usr, where there is one.
    match there {
        Some(folder) => Ok(folder),
        None => Ok(guest_path(FOLDERS[1])?),
    }
}

fn offers(tree: &Tree, folder: &GuestPath) -> Result<Offers, Error> {
    let mut offers = Offers::default();
    for (path, node) in tree.below(folder) {
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
    // linux-firmware's own list: many links stand there and nowhere else.
    let whence =
        folder.join("WHENCE").ok().and_then(|path| tree.lookup(&path).map(|found| found.1));
    if let Some(Kind::File(content)) = whence.map(|node| &node.kind) {
        let what = "WHENCE".to_owned();
        let text = content.read().map_err(|source| ReadBack { what, source })?;
        let whence = Whence::parse(&String::from_utf8_lossy(&text))
            .map_err(|error| Error::Unsupported(error.to_string()))?;
        offers.add_whence(&whence);
    }
    Ok(offers)
}

fn texts(patterns: &[Sourced<Pattern>]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.value.to_string()).collect()
}

fn rules(recipe: &Recipe, kernel: &Kernel, wanted: &[Wanted], only: &[String]) -> Rules {
    let mut rules = Rules::of_linux();
    if recipe.regulatory_database.value {
        rules = rules.with_regulatory(&["wireless-regdb"]);
    }
    let focus = kernel.focus.as_ref();
    let about = |need: &&FirmwareNeed| {
        focus.is_none_or(|focus| focus.chipsets.contains_key(&need.chipset.value))
    };
    let mut exact = true;
    for need in recipe.firmware.iter().filter(about) {
        exact &= need.rule.value == FirmwareRule::Exact;
        rules.include.extend(texts(&need.include));
        rules.exclude.extend(texts(&need.exclude));
        rules.optional.extend(texts(&need.optional));
        if let Some(board) = &recipe.hypervisor.board {
            // A driver reads its machine's name as brcmfmac does: '/' cannot be in a file's name.
            let board = board.value.replace('/', "_");
            let links = texts(&need.boards).into_iter();
            rules.boards.extend(links.map(|of| BoardLink { of, board: board.clone() }));
        }
        rules.promises.extend(promises(need, kernel, wanted));
        let card = focus.and_then(|focus| focus.chipsets.get(&need.chipset.value)?.as_ref());
        if let (Some(focus), Some(card)) = (focus, card) {
            let patterns = card.firmware.iter().map(ToString::to_string).collect();
            rules.limits.push(Limit { label: focus.label(), patterns });
        }
    }
    if exact {
        // Nothing walks down: what the modules name is what they take.
        rules.walk_down.clear();
    }
    if !only.is_empty() {
        let label = format!("--firmware-file {}", only.join(" "));
        rules.limits.push(Limit { label, patterns: only.to_vec() });
        // Whoever chooses files by hand does without the others.
        rules.promises.retain(|promise| {
            promise.patterns.iter().all(|name| name.starts_with("regulatory.db"))
        });
    }
    rules
}

/// The promises of a driver set: all of them, and in a guest for one card those that the card needs.
fn promises(need: &FirmwareNeed, kernel: &Kernel, wanted: &[Wanted]) -> Vec<Promise> {
    let promise = |patterns| Promise { patterns, packages: need.packages.clone() };
    let all = texts(&need.promises).into_iter();
    let Some(focus) = &kernel.focus else {
        return all.map(|pattern| promise(vec![pattern])).collect();
    };
    if let Some(card) = focus.chipsets.get(&need.chipset.value).and_then(Option::as_ref) {
        return vec![promise(card.firmware.iter().map(ToString::to_string).collect())];
    }
    // Those about files that the kept modules ask for.
    let asked = |pattern: &String| {
        let builder = globset::GlobBuilder::new(pattern).literal_separator(true).build();
        let matcher = builder.map(|glob| glob.compile_matcher());
        matcher.is_ok_and(|matcher| wanted.iter().any(|want| matcher.is_match(&want.name)))
    };
    all.filter(asked).map(|pattern| promise(vec![pattern])).collect()
}

fn put_selection(
    tree: &mut Tree,
    offered: &Tree,
    folder: &GuestPath,
    selection: &Selection,
    files: &BTreeMap<String, Stored>,
) -> Result<(), Error> {
    let at = |name: &str, suffix: &str| {
        let path = folder.join(format!("{name}{suffix}"));
        path.map_err(|error| PlaceError::of(format!("firmware {name}"))(error))
    };
    for (name, file) in &selection.files {
        let (Some(stored), Some((_, node))) = (files.get(name), offered.lookup(&file.path)) else {
            continue;
        };
        let (kind, origin) = (Kind::File(stored.content.clone()), node.origin.clone());
        put(tree, &at(name, stored.suffix)?, kind, 0o644, origin)?;
    }
    for (name, link) in &selection.links {
        let suffix = suffix_of_link(name, selection, files);
        let kind = Kind::Symlink(format!("{}{suffix}", link.target).into_bytes());
        put(tree, &at(name, suffix)?, kind, 0o777, Origin::Package(link.from.clone()))?;
    }
    Ok(())
}
