//! Where a user's project is.

use std::env;
use std::path::{Path, PathBuf};

use super::render::failure::Failure;
use wifibox_recipe::{ProjectFile, Sources};

/// The name of a project's file.
pub const FILE: &str = "wifibox.yaml";

/// Where a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its folder; empty if that is the working directory.
    pub folder: PathBuf,
    /// The name of its file.
    pub file: String,
}

impl Place {
    /// The project's file that is meant: the one that is `named`, else the nearest one unless `none` is wanted. `None` if
    /// there is none, which is wrong where `guests` of it are asked for.
    ///
    /// # Errors
    /// The one that is named is not there.
    pub fn find(
        named: Option<&Path>,
        none: bool,
        guests: &[String],
    ) -> Result<Option<Self>, Failure> {
        let Some(named) = named else {
            let found = if none { None } else { Self::here() };
            if found.is_none() && !guests.is_empty() {
                let what = format!(
                    "-p {}: there is no project: no {FILE} in this folder or one above it",
                    guests.join(",")
                );
                return Err(Failure::usage(what).with_hint("'wifibox-build init' writes one"));
            }
            return Ok(found);
        };
        let named = if named.is_dir() { named.join(FILE) } else { named.to_owned() };
        let file = named.file_name().and_then(|name| name.to_str()).filter(|_| named.is_file());
        let (Some(file), Some(folder)) = (file, named.parent()) else {
            let what = format!("--project {}: there is no such file", named.display());
            return Err(Failure::usage(what).with_hint("'wifibox-build init' writes one"));
        };
        Ok(Some(Place { folder: folder.to_owned(), file: file.to_owned() }))
    }

    /// The one in the working directory, or in the nearest folder above it.
    pub fn here() -> Option<Self> {
        let here = env::current_dir().ok()?;
        let folder = here.ancestors().find(|folder| folder.join(FILE).is_file())?;
        let folder = if folder == here { PathBuf::new() } else { folder.to_owned() };
        Some(Place { folder, file: FILE.to_owned() })
    }

    /// `sources` with this project, and with the recipes that it brings unless others are named.
    ///
    /// # Errors
    /// The project or its recipes cannot be read.
    pub(crate) fn add_to(&self, sources: Sources, named: bool) -> Result<Sources, Failure> {
        let own = if self.folder.as_os_str().is_empty() { Path::new(".") } else { &self.folder };
        let sources = sources.with_project(own, &self.file);
        let recipes = ProjectFile::read(&sources)?.and_then(|(written, ..)| written.recipes);
        match recipes.filter(|_| !named) {
            Some(recipes) => {
                let folder = self.folder.join(&recipes.value);
                Ok(Sources::folder(&folder)?.with_project(own, &self.file))
            }
            None => Ok(sources),
        }
    }
}
