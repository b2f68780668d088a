//! Package sources: indexes and signatures, and what all packages have in common. Their files are read by the crate
//! `wifibox-packages`, behind the traits of [`reader`].

pub mod adb;
pub mod apk;
pub mod apkindex;
pub mod constraint;
pub mod deb;
pub mod deb822;
pub mod dependency;
mod der;
pub mod dpkg_index;
mod fault;
pub mod fingerprint;
pub mod identity;
mod key_package;
mod keyring;
mod limits;
pub mod listing;
pub mod names;
pub mod opkg;
pub mod opkg_index;
pub mod package;
pub mod reader;
pub mod signing_key;
pub mod tarball;
mod verified;
pub mod within;

pub use constraint::{Constraint, Op};
pub use dependency::{BadDependency, Provide, Relation};
pub use fault::Fault;
pub use identity::Identity;
pub use key_package::keys_of_package;
pub use keyring::{Keyring, PublicKey};
pub use limits::PackageLimits;
pub use package::{IndexError, MultiArch, Package, Priority};
pub use reader::{OpenPackage, PackageError, PackageFormat, PackageReader};
pub use verified::Verified;
