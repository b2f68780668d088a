//! Of which guests an export is.

use super::source::Source;
use super::{Context, Error};
use wifibox_recipe::{Axes, Catalog, Selection};

/// Which variants are asked for; all where a list is empty.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Flavors.
    pub flavors: Vec<String>,
    /// Kernels.
    pub kernels: Vec<String>,
}

impl Limits {
    /// Keeps the flavors and kernels that are asked for.
    pub(super) fn keep(
        &self,
        axes: &mut Axes,
        catalog: &Catalog,
        selection: &Selection,
        context: &Context<'_>,
    ) -> Result<(), Error> {
        // A name that is not there is refused as it is in a build.
        for name in &self.flavors {
            catalog.compose(&Selection { flavor: name.clone(), ..selection.clone() })?;
        }
        for name in &self.kernels {
            catalog.compose(&Selection { kernel: Some(name.clone()), ..selection.clone() })?;
        }
        let asked = |name: &String| self.flavors.is_empty() || self.flavors.contains(name);
        axes.flavors.retain(|flavor| asked(&flavor.choice.name));
        match self.kernels.as_slice() {
            [] => leave_unpinned_out(axes, catalog, selection, context)?,
            asked => axes.kernels.retain(|kernel| asked.contains(&kernel.name)),
        }
        Ok(())
    }
}

/// Leaves out the kernels that are published by themselves and that nobody has locked here: who wants one says so.
fn leave_unpinned_out(
    axes: &mut Axes,
    catalog: &Catalog,
    selection: &Selection,
    context: &Context<'_>,
) -> Result<(), Error> {
    let mut locked = Vec::new();
    for kernel in axes.kernels.drain(..) {
        let selection = Selection { kernel: Some(kernel.name.clone()), ..selection.clone() };
        let sources = Source::all(&catalog.compose(&selection)?);
        let is_missing = |source: &&Source| {
            let own = sources.first().unwrap_or(source);
            source.published && !source.lock_path(own, context.lock).exists()
        };
        if !sources.iter().any(|source| is_missing(&source)) {
            locked.push(kernel);
        }
    }
    axes.kernels = locked;
    Ok(())
}
