//! Room behind a read-only root, without which OpenWrt comes up with nothing to write to.
//!
//! OpenWrt's `mount_root` (fstools, `libfstools/rootdisk.c`) looks for its overlay behind the SquashFS,
//! from the next multiple of 64 KiB on. Where the device ends before that, it gives up in silence and
//! the guest runs from a read-only root; where it finds room and nothing in it, it takes a tmpfs. A disk
//! with a partition named `rootfs_data` is the other way to have an overlay, and needs no padding.

use std::io::{self, SeekFrom};

use super::ImageFile;

/// The overlay begins at a multiple of this many bytes.
pub(crate) const OVERLAY_ALIGNMENT: u64 = 64 << 10;

/// The room for the overlay that there has to be at least, in bytes.
pub(crate) const OVERLAY_ROOM: u64 = 64 << 10;

/// How long an image has to be whose SquashFS has `used` bytes, in bytes; `None` beyond 2^64.
pub(crate) fn padded_length(used: u64) -> Option<u64> {
    used.checked_next_multiple_of(OVERLAY_ALIGNMENT)?.checked_add(OVERLAY_ROOM)
}

/// Makes `image`, a SquashFS of `used` bytes, long enough for OpenWrt's overlay. All behind the
/// SquashFS becomes zero, also what was there before. Gives the new length in bytes.
///
/// # Errors
/// Whatever the operating system reports.
pub(crate) fn pad_for_overlay(image: &mut impl ImageFile, used: u64) -> io::Result<u64> {
    let length = padded_length(used).ok_or(io::ErrorKind::FileTooLarge)?;
    // What is cut off and added again reads as zeros.
    image.set_len(used)?;
    image.set_len(length)?;
    image.seek(SeekFrom::Start(length))?;
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const K64: u64 = 65_536;

    #[test]
    fn at_least_64_kib_follow_the_aligned_end() {
        for (used, length) in
            [(1, 2 * K64), (K64 - 1, 2 * K64), (K64, 2 * K64), (K64 + 1, 3 * K64), (0, K64)]
        {
            assert_eq!(padded_length(used), Some(length), "{used}");
        }
        assert_eq!(padded_length(u64::MAX), None);
    }

    #[test]
    fn what_follows_the_squashfs_is_zero() {
        let mut image = Cursor::new(vec![7; 300_000]);
        let length = pad_for_overlay(&mut image, 100_000).expect("padded");
        assert_eq!((length, image.position()), (3 * K64, 3 * K64));
        let bytes = image.into_inner();
        assert_eq!(bytes.len() as u64, length);
        assert!(bytes[..100_000].iter().all(|byte| *byte == 7));
        assert!(bytes[100_000..].iter().all(|byte| *byte == 0));
    }
}
