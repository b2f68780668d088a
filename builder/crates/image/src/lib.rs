//! Image writers: from a [`Tree`](wifibox_tree::Tree) or plain inputs to the files a hypervisor boots.
//!
//! * [`squashfs`]: the read-only root file system, and its check by reading it back;
//! * [`newc`]: the initramfs;
//! * [`padding`]: room behind a root that OpenWrt finds its overlay in;
//! * [`gpt`]: the disk with an empty partition that OpenWrt keeps its settings on;
//! * [`uki`]: kernel, command line and initramfs as one UEFI program;
//! * [`fat`]: FAT volumes;
//! * [`esp`]: the one that UEFI firmware reads that program from.
//!
//! Every writer streams: memory is bounded by a few blocks, never by the image. Every writer gives
//! the same bytes for the same inputs: no clock, no random source, no host data, and nothing that
//! depends on how many threads help.

pub mod esp;
pub mod fat;
pub mod gpt;
pub mod newc;
pub mod padding;
pub mod squashfs;
pub mod stage;
pub mod uki;

pub use wifibox_squashfs::ImageFile;
