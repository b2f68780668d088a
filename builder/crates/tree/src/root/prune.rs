//! Shared libraries of a guest: what nothing needs is left out.

use std::collections::BTreeSet;

use super::Error;
use crate::Context;
use crate::Tree;
use crate::libraries::{self, Elves, Needs};
use wifibox_ground::content::{Content, ReadBack};
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;
use wifibox_recipe::Recipe;

/// Where the dynamic linker looks, on every base.
const FOLDERS: [&str; 5] =
    ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib", "usr/lib", "usr/lib64"];

/// `FOLDERS` as paths.
pub fn folders() -> Vec<GuestPath> {
    FOLDERS.iter().filter_map(|folder| GuestPath::new(folder).ok()).collect()
}

/// Takes away what no program of `tree` needs and the recipe does not keep.
///
/// # Errors
/// [`Error`]: a need that nothing meets.
pub fn prune(recipe: &Recipe, tree: &mut Tree, context: &Context<'_>) -> Result<(), Error> {
    // glibc opens these by name: name services, and the unwinder when a thread is cancelled.
    let filter = recipe.path_filter()?;
    let places = recipe.own.keys().filter_map(|path| Some(tree.lookup(path)?.0));
    let own: BTreeSet<GuestPath> = places.collect();
    let keep = |path: &GuestPath| {
        filter.keeps(path)
            || own.contains(path)
            || [&b"libnss_"[..], b"libgcc_s."].iter().any(|name| path.name().starts_with(name))
    };
    let elves = read(libraries::elf_files(tree), context)?;
    let gone = libraries::prune(tree, &elves, &folders(), keep)?;
    for path in gone {
        context.work.progress.note(&format!("left out {path}: nothing needs it"));
    }
    Ok(())
}

/// The needs of each of `files`, as an earlier build read them of the same files, or else read now.
fn read(files: Vec<(GuestPath, Content)>, context: &Context<'_>) -> Result<Elves, Error> {
    let what = || "the guest's programs".to_owned();
    let mut inputs = format!("needs\n{}\n", context.kept.tool());
    for (_, content) in &files {
        let digests = content.digests();
        let digests = digests.map_err(|source| ReadBack { what: what(), source })?;
        inputs += &format!("{}\n", digests.sha256);
    }
    let key = Sha256::of(inputs.as_bytes());
    let kept = context.kept.content(&key, || {
        let needs = libraries::read_needs(&files)?;
        Ok::<_, Error>(
            serde_json::to_vec(&needs).map_err(|error| ReadBack::of(what())(error.into()))?,
        )
    })?;
    let text = kept.read().map_err(|source| ReadBack { what: what(), source })?;
    let needs: Vec<Option<Needs>> =
        serde_json::from_slice(&text).map_err(|error| ReadBack::of(what())(error.into()))?;
    let known = files.into_iter().zip(needs);
    Ok(known.filter_map(|((path, _), needs)| Some((path, needs?))).collect())
}
