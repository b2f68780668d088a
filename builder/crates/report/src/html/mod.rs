//! Pages for people: each one file that holds its own style and script, asks no network for anything, and
//! can be read without the script, which only adds search and sorting.

mod boot;
mod detect;
mod diff;
mod inspect;
mod page;
mod release;
mod table;
mod timings;
mod treemap;
mod why;

pub use boot::{BootStep, boot};
pub use detect::{FlavorCards, detect};
pub use diff::diff;
pub use inspect::{Driven, inspect};
pub use release::release;
pub use timings::timings;
pub use why::why;
