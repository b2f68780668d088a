//! Image writers: from a [`Tree`](wifibox_tree::Tree) or plain inputs to the files a hypervisor boots.
//!
//! * [`squashfs`]: the read-only root file system, and its check by reading it back;
//! * [`block_cache`]: its compressed blocks, for the next image;
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

pub mod block_cache;
pub mod esp;
pub mod fat;
pub mod gpt;
pub mod newc;
pub mod padding;
pub mod squashfs;
pub mod stage;
pub mod uki;

use std::fs::File;
use std::io::{self, Cursor, Seek, Write};

/// A file that an image is written to: it can be cut to the length that the image came to.
pub trait ImageFile: Write + Seek {
    /// Makes the file exactly `length` bytes long.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
}

impl ImageFile for File {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }
}

impl ImageFile for Cursor<Vec<u8>> {
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.get_mut().resize(length, 0);
        Ok(())
    }
}
