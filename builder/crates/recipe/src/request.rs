//! A composition together with the recipes that it came from.

use std::collections::BTreeMap;

use crate::{Catalog, Recipe, RecipeError, Selection, Sources};

/// The catalog of recipes and the composition that was asked for.
pub struct Composed<'a> {
    /// Where the recipes are.
    pub sources: &'a Sources,
    /// All recipes.
    pub catalog: &'a Catalog,
    /// The composition.
    pub recipe: Recipe,
}

impl<'a> Composed<'a> {
    /// Composes `selection`.
    ///
    /// # Errors
    /// [`RecipeError`]: a name is unknown, or the parts do not go together.
    pub fn new(
        sources: &'a Sources,
        catalog: &'a Catalog,
        selection: &Selection,
    ) -> Result<Self, RecipeError> {
        Ok(Composed { sources, catalog, recipe: catalog.compose(selection)? })
    }

    /// The files of the overlays for the host, by their paths in the output folder: configuration
    /// samples, and the skeleton of `var`, in which `/.keep` stands for an empty folder.
    ///
    /// # Errors
    /// [`RecipeError`]: one cannot be read.
    pub fn host_files(&self) -> Result<BTreeMap<String, Vec<u8>>, RecipeError> {
        let mut files = BTreeMap::new();
        for overlay in &self.recipe.overlays {
            let host = format!("overlays/{}/host", overlay.value);
            for file in self.sources.files_below(&host)? {
                let bytes = self.sources.read(&format!("{host}/{file}"))?.into_owned();
                // A later overlay's file takes the place of an earlier one's.
                files.insert(file, bytes);
            }
        }
        Ok(files)
    }
}
