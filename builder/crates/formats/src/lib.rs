//! Package sources: indexes, signatures and package readers.

pub mod adb;
pub mod apk;
pub mod apkindex;
mod archive;
pub mod constraint;
pub mod deb;
pub mod deb822;
pub mod dependency;
pub mod dpkg_index;
mod fault;
pub mod fingerprint;
pub mod identity;
mod keyring;
mod names;
pub mod opkg;
pub mod opkg_index;
pub mod package;
pub mod reader;
pub mod tarball;
mod verified;
mod within;

pub use archive::PackageLimits;
pub use constraint::{Constraint, Op};
pub use dependency::{BadDependency, Provide, Relation};
pub use fault::Fault;
pub use identity::Identity;
pub use keyring::{Keyring, PublicKey};
pub use package::{IndexError, MultiArch, Package, Priority};
pub use reader::{PackageError, PackageFormat, PackageReader};
pub use verified::Verified;
