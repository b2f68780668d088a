//! Reads all recipes, and checks what they say about each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::catalog::Catalog;
use super::document::{Document, Documents};
use super::error::{Problem, RecipeError, Texts};
use super::located::Origin;
use super::project::Project;
use super::sources::Sources;
use super::{references, yaml};

impl Catalog {
    /// Reads every recipe of `sources`, and the project if it has one, and checks what they say about each other.
    ///
    /// # Errors
    /// [`RecipeError`] with the place of the first thing that is wrong, in the order of kinds, then
    /// of names.
    pub fn load(sources: &Sources) -> Result<Self, RecipeError> {
        let (mut texts, mut warnings) = (Texts::default(), Vec::new());
        let files = &mut Files { texts: &mut texts, warnings: &mut warnings };
        let mut overlays = BTreeMap::new();
        for name in sources.folders("overlays")? {
            let below = sources.files_below(&format!("overlays/{name}"))?;
            overlays.insert(name, below.into_iter().collect());
        }
        let project = Project::load(sources, files.texts)?;
        let catalog = Catalog {
            guest: read(sources, "recipes/guest.yaml", files)?,
            bases: read_all(sources, "recipes/bases", files)?,
            kernels: read_all(sources, "kernels", files)?,
            flavors: read_all(sources, "recipes/flavors", files)?,
            chipsets: read_all(sources, "firmware-blobs", files)?,
            roles: read_all(sources, "recipes/roles", files)?,
            features: read_all(sources, "recipes/features", files)?,
            hypervisors: read_all(sources, "recipes/hypervisors", files)?,
            overlays,
            project,
            texts,
            warnings,
        };
        references::check(&catalog)?;
        Ok(catalog)
    }
}

/// The files read so far.
struct Files<'a> {
    texts: &'a mut Texts,
    warnings: &'a mut Vec<Problem>,
}

fn read<T: DeserializeOwned>(
    sources: &Sources,
    path: &str,
    files: &mut Files<'_>,
) -> Result<Document<T>, RecipeError> {
    let bytes = sources.read(path)?.into_owned();
    let text = String::from_utf8(bytes).map_err(|error| RecipeError::Unfit {
        path: path.to_owned(),
        why: format!("is not UTF-8 from byte {}", error.utf8_error().valid_up_to()),
    })?;
    let file: Arc<str> = path.into();
    let text: Arc<str> = text.into();
    files.texts.keep(file.clone(), text.clone());
    let value = yaml::parse(&file, &text, files.warnings)?;
    let stem = path.rsplit('/').next().unwrap_or(path);
    let name = stem.strip_suffix(".yaml").unwrap_or(stem).to_owned();
    Ok(Document { name, file, value })
}

fn read_all<T: DeserializeOwned>(
    sources: &Sources,
    folder: &str,
    files: &mut Files<'_>,
) -> Result<Documents<T>, RecipeError> {
    // A flavor names a variant of the FreeBSD port, which allows no hyphen.
    let dash = if folder == "recipes/flavors" { "" } else { "-" };
    let mut documents = BTreeMap::new();
    for entry in sources.list(folder)? {
        let path = format!("{folder}/{entry}");
        let Some(name) = entry.strip_suffix(".yaml") else {
            if entry.ends_with(".yml") {
                let why = "is not read: the names of recipes end in .yaml".to_owned();
                return Err(RecipeError::Unfit { path, why });
            }
            continue;
        };
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(|c| good(c) || dash.contains(c)) {
            let origin = Origin::whole(path);
            return Err(RecipeError::invalid(
                Problem::new(format!("\"{name}\" cannot be the name of a recipe"))
                    .at(files.texts.place(&origin))
                    .help(format!("expected lower-case letters, digits and _{dash}")),
            ));
        }
        documents.insert(name.to_owned(), read(sources, &path, files)?);
    }
    Ok(documents)
}
