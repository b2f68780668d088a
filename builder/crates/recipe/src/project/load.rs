//! Reads a project.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::Finder;
use super::guests::{Part, Project, ProjectGuest};
use super::model::{GuestPlan, ProjectFile};
use crate::error::{Problem, RecipeError, Texts};
use crate::located::Origin;
use crate::sources::{PROJECT, Sources};
use crate::yaml;

/// A file that was read, its name and its text.
type Named<T> = (T, Arc<str>, Arc<str>);

impl ProjectFile {
    /// The project's file among `sources`, with its name and text; `None` if there is none.
    ///
    /// # Errors
    /// [`RecipeError`]: it cannot be read, or is wrong.
    pub fn read(sources: &Sources) -> Result<Option<Named<Self>>, RecipeError> {
        let Some(name) = sources.project_file() else { return Ok(None) };
        let bytes = sources.read(&format!("{PROJECT}/{name}"))?.into_owned();
        let text = String::from_utf8(bytes).map_err(|error| RecipeError::Unfit {
            path: name.to_owned(),
            why: format!("is not UTF-8 from byte {}", error.utf8_error().valid_up_to()),
        })?;
        let (file, text): (Arc<str>, Arc<str>) = (name.into(), text.into());
        Ok(Some((Self::parse(&file, &text)?, file, text)))
    }

    /// Reads `text`, which is the content of `file`.
    ///
    /// # Errors
    /// [`RecipeError`]: it is wrong.
    pub fn parse(file: &Arc<str>, text: &str) -> Result<Self, RecipeError> {
        yaml::parse(file, text, &mut Vec::new())
    }
}

impl Project {
    /// Reads the project of `sources` and the files that it names; `None` if there is none. Its text is kept in
    /// `texts`.
    pub(crate) fn load(sources: &Sources, texts: &mut Texts) -> Result<Option<Self>, RecipeError> {
        let Some((written, file, text)) = ProjectFile::read(sources)? else { return Ok(None) };
        texts.keep(file.clone(), text);
        let finder = Finder { sources, texts, file: &file };
        let part = |plan: GuestPlan| {
            let own = finder.find(&plan)?;
            Ok::<_, RecipeError>(Part { plan, own })
        };
        let shared = part(written.shared())?;
        let mut guests = BTreeMap::new();
        for (name, plan) in written.guests.iter() {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
            if name.value.is_empty() || name.value.starts_with('-') || !name.value.chars().all(good)
            {
                let what = format!("\"{}\" cannot be the name of a guest", name.value);
                return Err(RecipeError::invalid(
                    Problem::new(what)
                        .at(texts.place(&name.origin(&file)))
                        .help("expected lower-case letters, digits, _ and -"),
                ));
            }
            let parts = vec![shared.clone(), part(plan.value.clone())?];
            guests.insert(
                name.value.clone(),
                ProjectGuest {
                    name: Some(name.value.clone()),
                    file: file.clone(),
                    place: name.origin(&file),
                    parts,
                },
            );
        }
        if guests.is_empty() {
            let place = Origin::whole(file.clone());
            let guest = ProjectGuest { name: None, file: file.clone(), place, parts: vec![shared] };
            guests.insert(String::new(), guest);
        }
        Ok(Some(Project { file, written, guests }))
    }
}
