//! Package sources: indexes, signatures and package readers.

pub mod apkindex;
pub mod deb822;
pub mod dependency;
pub mod dpkg_index;
pub mod identity;
pub mod opkg_index;
pub mod package;

pub use dependency::{BadDependency, Constraint, Op, Provide, Relation};
pub use identity::Identity;
pub use package::{IndexError, MultiArch, Package, Priority};
