//! What a build tells about itself: the manifest, checksums, sizes by part.

pub mod manifest;
pub mod sizes;

pub use manifest::Manifest;
pub use sizes::Sizes;
