//! The files of a build, chosen but not yet merged.

use super::base::{Base, Kernel};
use super::document::{Document, Documents};
use super::error::{Problem, RecipeError};
use super::located::Sourced;
use super::model::{Feature, Flavor, Hypervisor, Role};

/// The files that a build is made of, chosen but not yet merged.
pub(super) struct Chosen<'a> {
    pub base: &'a Document<Base>,
    pub release: Sourced<String>,
    pub architecture: Sourced<String>,
    pub flavor: &'a Document<Flavor>,
    pub role: Sourced<&'a Document<Role>>,
    pub features: Vec<Sourced<&'a Document<Feature>>>,
    pub kernel: Sourced<&'a Document<Kernel>>,
    pub hypervisor: Sourced<&'a Document<Hypervisor>>,
}

/// The document of this name.
///
/// # Errors
/// [`RecipeError::Choice`] with the nearest valid name.
pub(super) fn document<'a, T>(
    what: &str,
    documents: &'a Documents<T>,
    name: &str,
) -> Result<&'a Document<T>, RecipeError> {
    documents.get(name).ok_or_else(|| {
        RecipeError::choice(
            Problem::new(format!("there is no {what} \"{name}\""))
                .expected(name, documents.keys().map(String::as_str)),
        )
    })
}
