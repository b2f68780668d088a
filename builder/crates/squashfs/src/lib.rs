//! Writes SquashFS 4.0 images, several times as fast as `mksquashfs` does by gzip and xz, and reproducible to the byte.
//!
//! An [`Archive`] says what is in the image: entries by path, with contents that are opened when they are needed
//! ([`Content`]). A [`Writer`] compresses them by several threads and writes the image; the bytes depend on the archive
//! and the [`Options`], never on the number of threads, the clock, the machine or what a cache holds. The codecs
//! ([`Codec`]: xz, zstd, gzip, lz4, lzo) are built in.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::io::Cursor;
//! use wifibox_squashfs::{Archive, Codec, Entry, Kind, Meta, Options, Writer, read_nodes, verify_written};
//!
//! let mut archive = Archive::new();
//! let script = Kind::file("#!/bin/sh\necho hello\n");
//! archive.insert("usr/bin/hello", Entry::new(Meta::with_mode(0o755), script))?;
//! archive.insert("bin", Entry::new(Meta::with_mode(0o777), Kind::Symlink(b"usr/bin".to_vec())))?;
//! archive.insert("dev/null", Entry::new(Meta::with_mode(0o666), Kind::CharDevice(1, 3)))?;
//!
//! let options = Options::new(Codec::ZSTD, 1_700_000_000);
//! let mut image = Cursor::new(Vec::new()); // or a file
//! let written = Writer::new(options).write(&archive, &mut image)?;
//! assert_eq!(written.length % 4096, 0);
//!
//! // Is what is on the disk what was to be written?
//! verify_written(&archive, &options, &written, &mut image)?;
//!
//! let mut paths = Vec::new();
//! read_nodes(&mut image, |node, _content| {
//!     paths.push(String::from_utf8(node.path)?);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! assert_eq!(paths, ["", "bin", "dev", "dev/null", "usr", "usr/bin", "usr/bin/hello"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What the writer does
//!
//! * Files of equal content are stored once. Those shorter than a block are packed into fragment blocks, alike ones side
//!   by side; zeros become holes.
//! * Every block is decompressed and compared before it is written, so [`verify_written`] need not do it again.
//! * Memory is bounded by a few blocks for each thread, besides the entries themselves and the inodes.
//! * With a [`BlockStore`] blocks are compressed once: of an image that changed in one file, all but a few blocks are
//!   taken from there. `BlockCache` is one in a folder, for any number of programs at a time.
//! * Hard links, devices, pipes and sockets are stored; extended attributes and tables for NFS exports are not. What
//!   cannot be stored is an [`Error`] that names the path, never dropped.
//!
//! [`Archive::from_folder`] takes a folder; `examples/pack.rs` is a small `mksquashfs`.
//!
//! # Reading
//!
//! [`read_nodes`], [`usage`], [`verify`] and [`verify_written`] read through `backhand`, which shares no code with the writer but the
//! codecs.
//!
//! # Features
//!
//! `xz`, `zstd`, `gzip` and `lz4` are the codecs, `read` the reading side, `cache` the cache in a folder; all of them
//! are on by default. `serde` makes what [`usage`] and the cache count serializable.

#![warn(missing_docs)]

mod ahead;
mod archive;
#[cfg(feature = "xz")]
mod branch;
#[cfg(feature = "read")]
mod bridge;
#[cfg(feature = "cache")]
pub mod cache;
mod check;
mod codec;
mod content;
mod decode;
#[cfg(all(test, feature = "codecs"))]
mod decode_tests;
mod digest;
mod directory;
mod error;
mod folder;
mod image;
mod inode;
mod key;
mod limits;
mod metadata;
mod options;
mod path;
mod plan;
mod press;
#[cfg(feature = "read")]
mod read_nodes;
mod sink;
mod store;
#[cfg(feature = "read")]
mod usage;
#[cfg(feature = "read")]
mod verify;
mod watched;
mod writer;

pub use archive::{Archive, Entry, Kind, Meta};
#[cfg(feature = "cache")]
pub use cache::{BlockCache, CacheError, CacheSize, CacheUse};
pub use codec::Codec;
pub use content::{Content, OnDisk};
pub use error::Error;
pub use folder::FolderError;
pub use image::Written;
pub use options::{BlockSize, Options};
pub use path::{BadPath, ImagePath};
#[cfg(feature = "read")]
pub use read_nodes::{Node, NodeKind, UnreadableImage, read_nodes};
pub use sink::{ImageFile, Progress};
pub use store::{BlockKey, BlockStore};
#[cfg(feature = "read")]
pub use usage::{NodeUsage, Tables, Usage, begins_at, usage};
#[cfg(feature = "read")]
pub use verify::{VerifyError, verify, verify_written};
pub use writer::Writer;

/// An image's length is a multiple of this many bytes, so that it can be a disk.
const PADDING: u64 = 4096;
