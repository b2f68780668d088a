//! From packages to the guest's root file system, which is a model in memory and never unpacked onto the host.
//!
//! [`packages`] is the stage that fetches what a lock chooses and reads it; [`root`] the one that lays
//! packages, recipe and overlays into a [`Tree`], and does declaratively what maintainer scripts would.
//! The rest is what these know: [`unpack`] puts members of packages in, through the links that are already
//! there, as dpkg and apk do, so that `lib/x` lands in `usr/lib/x` where `/lib` is a link to `usr/lib`;
//! [`accounts`], [`applets`], [`scripts`], [`libraries`], [`openwrt`]. [`unpacked`] and [`cache`] keep what
//! was unpacked and made for the next build.

pub mod accounts;
pub mod applets;
pub mod cache;
pub mod libraries;
pub mod linked;
pub mod openwrt;
pub mod packages;
mod place;
pub mod root;
pub mod scripts;
#[cfg(test)]
mod tests;
mod tree;
pub mod unpack;
pub mod unpacked;

pub use place::{FileError, PlaceError, append, guest_path, overlay_mode, put, write_file};
pub use tree::{Kind, Meta, Node, Origin, Tree, TreeError};

use wifibox_formats::OpenPackage;
use wifibox_ground::work::Work;

/// The machine's side of reading packages and making a root.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Threads, progress, cancellation.
    pub work: Work<'a>,
    /// The readers of package files.
    pub packages: &'a dyn OpenPackage,
    /// The contents that earlier builds unpacked or made.
    pub kept: &'a cache::Cache<'a>,
}
