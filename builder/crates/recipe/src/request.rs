//! A composition together with the recipes that it came from.

use std::collections::BTreeMap;

use crate::{Catalog, Mode, Recipe, RecipeError, Selection, Sources};

/// The configuration of a guest, in an output and on its host.
const CONFIGURATION: &str = "etc/wifibox";
/// The link in it to the folder that is shared as `app_config`.
const APP_CONFIG: &str = "etc/wifibox/app_config";

/// A file for the host.
pub struct HostFile {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Permissions, if a user's project says them.
    pub mode: Option<Mode>,
}

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

    /// The links for the host, by their paths in the output folder: `app_config` leads to the folder
    /// of the role's daemon, if the guest mounts that share and there are samples for it.
    ///
    /// # Errors
    /// [`RecipeError`]: the files beside it cannot be listed.
    pub fn host_links(&self) -> Result<BTreeMap<String, String>, RecipeError> {
        let daemon = self.recipe.app_config.value.name();
        let mounts = self.recipe.shares.iter().any(|share| share.value.tag == "app_config");
        let samples = format!("{CONFIGURATION}/{daemon}/");
        let mut links = BTreeMap::new();
        if mounts && self.host_files()?.keys().any(|path| path.starts_with(&samples)) {
            links.insert(APP_CONFIG.to_owned(), daemon.to_owned());
        }
        Ok(links)
    }

    /// The files of the overlays for the host, by their paths in the output folder: configuration
    /// samples, and the skeleton of `var`, in which `/.keep` stands for an empty folder. The user's own samples come
    /// last.
    ///
    /// # Errors
    /// [`RecipeError`]: one cannot be read.
    pub fn host_files(&self) -> Result<BTreeMap<String, HostFile>, RecipeError> {
        let mut files = BTreeMap::new();
        for overlay in &self.recipe.overlays {
            let host = format!("overlays/{}/host", overlay.value);
            for file in self.sources.files_below(&host)? {
                if file == APP_CONFIG {
                    let path = format!("{host}/{file}");
                    let why =
                        "is made by the builder, a link to the folder of the role's app_config";
                    return Err(RecipeError::Unfit { path, why: why.to_owned() });
                }
                let bytes = self.sources.read(&format!("{host}/{file}"))?.into_owned();
                // A later overlay's file takes the place of an earlier one's.
                files.insert(file, HostFile { bytes, mode: None });
            }
        }
        for (path, sample) in &self.recipe.samples {
            let bytes = sample.value.read(self.sources)?;
            let mode = Some(sample.value.mode);
            files.insert(format!("{CONFIGURATION}{path}"), HostFile { bytes, mode });
        }
        Ok(files)
    }
}
