//! How the program speaks: results on stdout as text or JSON, everything else on stderr. Nothing here does any
//! work, and nothing here knows a verb's arguments.

pub mod build;
pub mod detect;
pub mod diff;
pub mod doctor;
pub mod failure;
pub mod inspect;
pub mod install;
pub mod json;
pub mod locks;
pub mod outdated;
pub mod page;
pub mod printer;
pub mod progress;
pub mod pull;
pub mod stage;
pub mod stages;
pub mod start;
pub mod table;
pub mod timings;
mod transfer;
pub mod usage;
pub mod verify;
