//! A user's project, `wifibox.yaml`: which guests are wanted, and what is in them besides the recipes.
//!
//! `model` is the file as it is written, `files` finds the user's own files and refuses secrets among them, and
//! `guests` answers for each guest what the project says. The command line fills in a [`crate::Selection`] from it; its
//! additions are the last layer of a composition.

mod files;
mod guests;
mod load;
mod model;
mod secrets;

pub use files::{Own, OwnContent, OwnFile};
pub use guests::{Project, ProjectGuest};
pub use model::{GuestPlan, OwnFirmware, ProjectFile, Settings};
