//! Package sources: indexes, signatures and package readers.

pub mod adb;
pub mod apk;
pub mod apkindex;
pub mod constraint;
pub mod deb;
pub mod deb822;
pub mod dependency;
pub mod dpkg_index;
pub mod identity;
pub mod opkg;
pub mod opkg_index;
pub mod package;
pub mod tarball;
mod verified;

pub use constraint::{Constraint, Op};
pub use dependency::{BadDependency, Provide, Relation};
pub use identity::Identity;
pub use package::{IndexError, MultiArch, Package, Priority};
pub use verified::Verified;
