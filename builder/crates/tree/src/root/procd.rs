//! Guests that OpenWrt's procd starts: the image builder's work over the tree.

use std::collections::BTreeSet;

use super::Error;
use crate::Context;
use crate::Tree;
use crate::openwrt::{self, PackageFacts};
use wifibox_recipe::Recipe;

/// Completes a tree of packages, recipe and overlays: accounts, alternatives, services. `facts` are
/// those of `.ipk` packages; v3 packages keep theirs in the tree.
///
/// # Errors
/// [`Error::OpenWrt`].
pub fn configure(
    recipe: &Recipe,
    mut facts: Vec<PackageFacts>,
    tree: &mut Tree,
    context: &Context<'_>,
) -> Result<(), Error> {
    facts.extend(openwrt::sidecars(tree)?);
    let off: BTreeSet<String> = recipe.services_off.iter().map(|off| off.value.clone()).collect();
    let done = openwrt::configure(tree, &facts, &off)?;
    let progress = context.work.progress;
    progress.note(&format!("{} services are enabled", done.services.enabled.len()));
    for service in &done.services.absent {
        progress.note(&format!("the service {service} is switched off, but no package brings it"));
    }
    Ok(())
}

/// The last steps, after kernel and firmware: what must not be in an image goes, what the kernel
/// needs comes.
///
/// # Errors
/// [`Error::OpenWrt`].
pub fn finish(tree: &mut Tree) -> Result<(), Error> {
    Ok(openwrt::finish::finish(tree)?)
}
