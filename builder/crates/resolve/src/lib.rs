//! Chooses packages and keeps the choice: from a recipe and signed indexes to a lock.
//!
//! `wifibox-solver` chooses, [`World`] is what it is asked by a recipe, [`Source`] a release of a base whose repositories
//! are asked, [`index`] reads and verifies what these offer, and [`ensure`] and [`make_lock`] make the [`Locked`] choice
//! that everything after is made from.

pub mod artefact;
mod choice;
mod context;
mod coverage;
mod error;
pub mod index;
mod kept;
mod limits;
pub mod lock;
mod locked;
mod locking;
mod mirrors;
mod missing;
pub mod outdated;
mod package_variants;
mod pinning;
mod points;
mod rollback;
mod source;
mod variants;
mod why;
mod world;

pub use choice::Records;
pub use context::{Context, LockChoice, LockMode};
pub use error::Error;
pub use limits::Limits;
pub use lock::Stock;
pub use locked::{LockChange, Locked};
pub use locking::{ensure, lock as make_lock};
pub use outdated::outdated;
pub use pinning::pin_all;
pub use points::as_locked;
pub use source::{Source, scheme};
pub use variants::{Variant, VariantFile, Variants, variants};
pub use why::{because, why};
pub use world::World;
