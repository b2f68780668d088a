//! The files of a build, chosen but not yet merged.

use super::base::Base;
use super::document::{Document, Documents};
use super::error::{Problem, RecipeError};
use super::kernel::Kernel;
use super::located::{At, Origin, Sourced};
use super::model::{Feature, Flavor, Hypervisor, Role};
use super::project::{GuestPlan, ProjectGuest};

/// The files that a build is made of, chosen but not yet merged.
pub(super) struct Chosen<'a> {
    pub base: &'a Document<Base>,
    pub release: Sourced<String>,
    /// The series that was asked for, where `release` is a point release of it.
    pub series: Option<String>,
    pub architecture: Sourced<String>,
    /// The flavor's name: of several, all of them, with `+` between.
    pub flavor: String,
    /// It, or those that it is made of, by name.
    pub flavors: Vec<&'a Document<Flavor>>,
    pub role: Sourced<&'a Document<Role>>,
    pub features: Vec<Sourced<&'a Document<Feature>>>,
    pub kernel: Sourced<&'a Document<Kernel>>,
    pub hypervisor: Sourced<&'a Document<Hypervisor>>,
    /// The guest of the project.
    pub guest: Option<&'a ProjectGuest>,
}

/// Where a choice comes from: the project, if it says the same, else the command line.
pub(super) fn origin_of<T: Clone + PartialEq>(
    guest: Option<&ProjectGuest>,
    value: &T,
    pick: fn(&GuestPlan) -> Option<&At<T>>,
) -> Origin {
    let said = guest.and_then(|guest| guest.choice(pick)).filter(|said| said.value == *value);
    said.map_or_else(Origin::command_line, |said| said.origin)
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
