//! Firmware: which of the files that packages offer the guest's modules need, and no others.
//!
//! [`offers::Offers`] takes in what packages hold below `lib/firmware`, [`whence::Whence`] the links
//! and licences that linux-firmware's WHENCE lists, [`rules::Rules`] what manifests ask for;
//! [`select::select`] joins them with the `firmware=` names of the modules' `.modinfo` and reports on
//! each name.

pub mod archive;
pub mod offers;
pub mod report;
pub mod rules;
pub mod select;
pub mod versioned;
pub mod whence;

pub use offers::Offers;
pub use report::{FirmwareError, Outcome, Selection};
pub use rules::{Limit, Rules};
pub use select::{Wanted, select};
pub use whence::Whence;
