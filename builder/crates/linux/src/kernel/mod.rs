//! Kernel packages: what the kernel can do, which modules come along, and their depmod indexes.
//!
//! Reads modules (`.ko`, also compressed), `modules.builtin` and its companions, the kernel's
//! configuration and image; writes the index files that modprobe reads. Nothing here knows recipes:
//! inputs are plain values.

pub mod builtin;
pub mod capability;
pub mod closure;
pub mod config;
pub mod depmod;
pub mod feature;
pub mod image;
pub mod modinfo;
pub(crate) mod modinfo_error;
pub mod modules;
pub mod name;
pub mod order;
pub mod pattern;
pub mod shared_devices;
pub mod symbols;
#[cfg(test)]
mod symbols_tests;

pub use name::ModuleName;
