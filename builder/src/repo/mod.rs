//! Package sources: indexes, signatures and package readers.

pub mod apkindex;
pub mod constraint;
pub mod deb822;
pub mod dependency;
pub mod dpkg_index;
pub mod identity;
pub mod opkg_index;
pub mod package;

pub use constraint::{Constraint, Op};
pub use dependency::{BadDependency, Provide, Relation};
pub use identity::Identity;
pub use package::{IndexError, MultiArch, Package, Priority};
