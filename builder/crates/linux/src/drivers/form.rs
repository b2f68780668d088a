//! The form in which firmware lies in the image: packed as the kernel's loader reads it, or plain.
//!
//! A driver asks for a name; the kernel's loader then also looks for that name with `.zst` and `.xz`
//! (drivers/base/firmware_loader/main.c), where it was built so. One xz stream over a whole file is a
//! quarter smaller than SquashFS's blocks of the same file, so large files are packed like that: with
//! CRC32, the only check that the kernel's decoder knows (lib/xz), and a dictionary no larger than the
//! file, for the kernel takes that much memory while it unpacks.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::num::NonZero;

use liblzma::stream::{Check, Filters, LzmaOptions, Stream};

use super::Error;
use crate::firmware::Selection;
use crate::kernel::capability::Capabilities;
use wifibox_ground::codec::{Compression, read_unpacked};
use wifibox_ground::content::ReadBack;
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::digest::Sha256;
use wifibox_ground::parallel::in_parallel;
use wifibox_tree::cache::Cache;
use wifibox_tree::{Kind, Tree};

/// The largest firmware file that is unpacked, in bytes.
const FILE_LIMIT: u64 = 256 << 20;
/// Smaller files stay plain, in bytes: in SquashFS they share blocks with files that are like them.
const SMALLEST: u64 = 128 << 10;
/// xz's own default effort; more gains a thousandth here.
const PRESET: u32 = 6;
/// The smallest dictionary of the .xz format, in bytes.
const SMALLEST_DICTIONARY: u32 = 4 << 10;

/// The tools for packing files.
pub(super) struct Packing<'a> {
    /// Holds newly packed files until the image is written.
    pub(super) spool: &'a Spool,
    /// The files that earlier builds packed.
    pub(super) kept: &'a Cache<'a>,
    /// The number of threads.
    pub(super) jobs: NonZero<usize>,
}

/// A firmware file as the image holds it.
pub(super) struct Stored {
    /// Its bytes.
    pub(super) content: Content,
    /// The suffix of its name: `.xz`, `.zst`, or nothing.
    pub(super) suffix: &'static str,
}

/// The files of a selection by name, each in the form in which `kernel` loads it.
///
/// # Errors
/// A file cannot be read, unpacked or kept.
pub(super) fn stored(
    selection: &Selection,
    offered: &Tree,
    kernel: &Capabilities,
    packing: &Packing<'_>,
) -> Result<BTreeMap<String, Stored>, Error> {
    let files: Vec<_> = selection.files.iter().collect();
    let results = in_parallel(&files, packing.jobs, |(name, file)| {
        let (_, node) = offered.lookup(&file.path)?;
        let Kind::File(content) = &node.kind else { return None };
        let stored = form(content, file.compression, kernel, packing);
        let what = file.path.to_string();
        Some(
            stored.map(|s| ((*name).clone(), s)).map_err(|source| ReadBack { what, source }.into()),
        )
    });
    results.into_iter().flatten().collect()
}

fn form(
    content: &Content,
    packed: Compression,
    kernel: &Capabilities,
    packing: &Packing<'_>,
) -> io::Result<Stored> {
    let as_it_is = |suffix| Ok(Stored { content: content.clone(), suffix });
    let reads_xz = kernel.reads_firmware(Compression::Xz);
    // What an .xz file was made with is not known: its check may be one that the kernel does not have.
    if packed == Compression::Zstd && kernel.reads_firmware(packed) && !reads_xz {
        return as_it_is(packed.suffix());
    }
    if packed == Compression::None && (!reads_xz || content.len() < SMALLEST) {
        return as_it_is("");
    }
    let make = || {
        let plain = read_unpacked(content.open(), FILE_LIMIT)?;
        let xz =
            if reads_xz && plain.len() as u64 >= SMALLEST { pack(&plain)? } else { Vec::new() };
        Ok::<_, io::Error>(if (1..plain.len()).contains(&xz.len()) { xz } else { plain })
    };
    let made = if reads_xz {
        // Packing is most of the work of a build: what an earlier one packed is taken again.
        // How it is packed is the same in one version of the program.
        let inputs = format!("firmware\n{}\n{}", packing.kept.tool(), content.digests()?.sha256);
        packing.kept.content(&Sha256::of(inputs.as_bytes()), make)?
    } else {
        Content::from_bytes(make()?)
    };
    let mut head = [0; 6];
    let xz = made.len() >= 6 && made.open().read_exact(&mut head).is_ok();
    let xz = xz && Compression::of_content(&head) == Compression::Xz;
    let suffix = if xz { Compression::Xz.suffix() } else { "" };
    let content = match made {
        // Not in memory until the image is written.
        Content::Inline(bytes) => packing.spool.store(&*bytes, bytes.len() as u64)?,
        held => held,
    };
    Ok(Stored { content, suffix })
}

/// One xz stream that the kernel's decoder reads.
fn pack(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::new_preset(PRESET)?;
    let length = u32::try_from(plain.len()).unwrap_or(u32::MAX >> 1);
    options.dict_size(length.max(SMALLEST_DICTIONARY).next_power_of_two().min(8 << 20));
    // The processors of radios have instructions of two and four bytes.
    options.literal_context_bits(3).literal_position_bits(1).position_bits(1);
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = Stream::new_stream_encoder(&filters, Check::Crc32)?;
    let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
    io::Write::write_all(&mut encoder, plain)?;
    encoder.finish()
}

/// The suffix of the file to which a link leads in the end: a driver that asks for the link's name
/// finds it under that name with the file's suffix. Nothing for a link to a folder.
pub(super) fn suffix_of_link(
    name: &str,
    selection: &Selection,
    stored: &BTreeMap<String, Stored>,
) -> &'static str {
    let mut name = name.to_owned();
    // More links in a row are a loop: the kernel's own limit.
    for _ in 0..40 {
        if let Some(file) = stored.get(&name) {
            return file.suffix;
        }
        let Some(link) = selection.links.get(&name) else { return "" };
        let Some(next) = beside(&name, &link.target) else { return "" };
        name = next;
    }
    ""
}

/// Where `target` leads, seen from the folder of `name`; `None` out of the firmware folder.
fn beside(name: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::report::{KeptFile, KeptLink};
    use std::collections::BTreeSet;

    use crate::kernel::config::KernelConfig;
    use wifibox_ground::path::GuestPath;
    use wifibox_ground::progress::Silent;
    use wifibox_tree::{Meta, Node, Origin};

    const BOTH: &str = "CONFIG_FW_LOADER_COMPRESS=y\nCONFIG_FW_LOADER_COMPRESS_XZ=y\n\
                        CONFIG_FW_LOADER_COMPRESS_ZSTD=y\n";

    fn firmware(length: u32) -> Vec<u8> {
        (0..length).flat_map(|n| (n / 5 % 977).to_le_bytes()).collect()
    }

    fn kernel(config: &str) -> Capabilities {
        let config = Some(KernelConfig::parse(config.as_bytes()).unwrap());
        let kernel = "test 6.12".to_owned();
        Capabilities { kernel, config, builtin: None, modules: BTreeSet::new() }
    }

    fn packing<'a>(spool: &'a Spool, cache: &'a Cache<'a>) -> Packing<'a> {
        Packing { spool, kept: cache, jobs: NonZero::<usize>::MIN }
    }

    /// How `bytes`, packed as `packed`, come to lie in the image of a kernel with `config`.
    fn formed(bytes: &[u8], packed: Compression, config: &str) -> (Vec<u8>, &'static str) {
        let spool = Spool::new_in(&std::env::temp_dir()).unwrap();
        let content = Content::from_bytes(wifibox_testkit::tarball::pack(packed, bytes));
        let stored = form(
            &content,
            packed,
            &kernel(config),
            &packing(&spool, &Cache::none("test".to_owned(), &Silent)),
        )
        .unwrap();
        (stored.content.read().unwrap(), stored.suffix)
    }

    #[test]
    fn large_files_become_xz_that_the_kernel_reads() {
        let bytes = firmware(100_000);
        for packed in [Compression::None, Compression::Zstd, Compression::Xz] {
            let (xz, suffix) = formed(&bytes, packed, BOTH);
            assert_eq!(suffix, ".xz");
            // The stream's flags, in the header's bytes 6 and 7: check 1 is CRC32.
            assert_eq!(&xz[..8], b"\xfd7zXZ\0\0\x01");
            assert_eq!(read_unpacked(xz.as_slice(), 1 << 20).unwrap(), bytes);
        }
    }

    #[test]
    fn a_kernel_gets_what_it_reads() {
        let bytes = firmware(100_000);
        let zstd = "CONFIG_FW_LOADER_COMPRESS=y\nCONFIG_FW_LOADER_COMPRESS_ZSTD=y\n";
        assert_eq!(formed(&bytes, Compression::Zstd, zstd).1, ".zst");
        assert_eq!(formed(&bytes, Compression::Xz, zstd), (bytes.clone(), ""));
        let none = "# CONFIG_FW_LOADER_COMPRESS is not set\n";
        for packed in [Compression::None, Compression::Zstd, Compression::Xz] {
            assert_eq!(formed(&bytes, packed, none), (bytes.clone(), ""));
        }
    }

    #[test]
    fn small_and_dense_files_stay_plain() {
        let small = firmware(1000);
        assert_eq!(formed(&small, Compression::None, BOTH), (small.clone(), ""));
        assert_eq!(formed(&small, Compression::Zstd, BOTH), (small, ""));
        let mut seed = 1_u64;
        let dense: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(200_000)
        .collect();
        assert_eq!(formed(&dense, Compression::None, BOTH), (dense, ""));
    }

    #[test]
    fn the_dictionary_is_no_larger_than_the_file_asks() {
        let xz = pack(&firmware(40_000)).unwrap();
        // The block header: size, flags, the filter LZMA2 (0x21), one byte of properties, the dictionary.
        assert_eq!(&xz[13..16], &[0, 0x21, 1]);
        let bits = xz[16];
        let size = (2 | u64::from(bits & 1)) << (bits / 2 + 11);
        assert_eq!(size, 256 << 10, "for {} bytes", 160_000);
    }

    #[test]
    fn links_take_the_suffix_of_the_file_at_their_end() {
        let mut selection = Selection::default();
        let mut tree = Tree::new();
        let mut add = |name: &str, length: u32| {
            let path = GuestPath::new(format!("lib/firmware/{name}")).unwrap();
            tree.make_directory(&path.parent().unwrap(), Meta::with_mode(0o755), Origin::Builder)
                .unwrap();
            let kind = Kind::File(Content::from_bytes(firmware(length)));
            let node = Node { kind, meta: Meta::with_mode(0o644), origin: Origin::Builder };
            tree.insert(&path, node).unwrap();
            let compression = Compression::None;
            let file = KeptFile { path, compression, from: "p".to_owned() };
            selection.files.insert(name.to_owned(), file);
        };
        add("brcm/large.bin", 100_000);
        add("brcm/small.txt", 10);
        for (name, target) in [
            ("brcm/a.bin", "large.bin"),
            ("b.bin", "brcm/a.bin"),
            ("cypress/c.bin", "../brcm/large.bin"),
            ("brcm/d.txt", "./small.txt"),
            ("dir", "brcm"),
            ("loop1", "loop2"),
            ("loop2", "loop1"),
            ("out", "../../etc/passwd"),
        ] {
            let kept = KeptLink { target: target.to_owned(), from: "p".to_owned() };
            selection.links.insert(name.to_owned(), kept);
        }
        let spool = Spool::new_in(&std::env::temp_dir()).unwrap();
        let stored = stored(
            &selection,
            &tree,
            &kernel(BOTH),
            &packing(&spool, &Cache::none("test".to_owned(), &Silent)),
        )
        .unwrap();
        let suffix = |name| suffix_of_link(name, &selection, &stored);
        assert_eq!(["brcm/a.bin", "b.bin", "cypress/c.bin"].map(suffix), [".xz"; 3]);
        assert_eq!(["brcm/d.txt", "dir", "loop1", "out"].map(suffix), [""; 4]);
    }
}
