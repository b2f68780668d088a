//! The root file system: a [`Tree`] as a SquashFS image, written by [`wifibox_squashfs`].
//!
//! The files of packages come first in the image, in separate blocks: when a recipe or an overlay changes, these blocks
//! are the same as in the last build.

use std::io::{self, BufRead, Read, Seek};

use wifibox_ground::content::Content;
use wifibox_ground::progress::{Progress, Task};
use wifibox_squashfs as squashfs;
use wifibox_tree::{Kind, Origin, Tree};

pub use wifibox_squashfs::{BlockSize, BlockStore, Codec, Error, Options, VerifyError};

use super::ImageFile;

/// An image that was written, and the archive that it was made of.
#[derive(Debug)]
pub struct Written {
    archive: squashfs::Archive,
    options: Options,
    written: squashfs::Written,
}

/// Writes `tree` as a SquashFS image to `out`, which it makes exactly as long as the image: a multiple of 4096
/// bytes. Blocks that `cache` has are not compressed again, the others are put into it.
///
/// # Errors
/// [`Error`]: a node that an image cannot hold (before anything is written), a content that cannot
/// be read, or `out` cannot be written.
pub fn write<F: ImageFile>(
    tree: &Tree,
    options: &Options,
    cache: Option<&dyn BlockStore>,
    out: &mut F,
    progress: &dyn Progress,
) -> Result<Written, Error> {
    let archive = archive(tree)?;
    let mut task: Option<Box<dyn Task>> = None;
    let mut told = 0;
    let mut tell = |at: squashfs::Progress| {
        let task = task.get_or_insert_with(|| progress.begin("root file system", Some(at.total)));
        task.advance(at.done - told);
        told = at.done;
    };
    let mut writer = squashfs::Writer::new(*options).progress(&mut tell);
    if let Some(cache) = cache {
        writer = writer.cache(cache);
    }
    let written = writer.write(&archive, out)?;
    Ok(Written { archive, options: *options, written })
}

impl Written {
    /// The image's length in bytes.
    pub fn length(&self) -> u64 {
        self.written.length
    }

    /// Compares the image with the tree, without decompressing contents.
    ///
    /// # Errors
    /// [`VerifyError`]: the first difference, or that something cannot be read.
    pub fn verify<R: BufRead + Seek + Send>(&self, image: &mut R) -> Result<(), VerifyError> {
        squashfs::verify_written(&self.archive, &self.options, &self.written, image)
    }
}

fn archive(tree: &Tree) -> Result<squashfs::Archive, Error> {
    let mut archive = squashfs::Archive::new();
    for (path, node) in tree.iter() {
        let meta = squashfs::Meta {
            mode: node.meta.mode,
            uid: node.meta.uid,
            gid: node.meta.gid,
            mtime: node.meta.mtime,
            xattrs: node.meta.xattrs.clone(),
        };
        let kind = match &node.kind {
            Kind::Directory => squashfs::Kind::Directory,
            Kind::File(content) => squashfs::Kind::file(Bytes(content.clone())),
            Kind::Symlink(target) => squashfs::Kind::Symlink(target.clone()),
            Kind::CharDevice(major, minor) => squashfs::Kind::CharDevice(*major, *minor),
            Kind::BlockDevice(major, minor) => squashfs::Kind::BlockDevice(*major, *minor),
            Kind::Fifo => squashfs::Kind::Fifo,
        };
        let layer = u8::from(!matches!(node.origin, Origin::Package(_)));
        archive.insert(path.as_bytes(), squashfs::Entry { meta, kind, layer })?;
    }
    Ok(archive)
}

/// A content of the tree, with the hash that it knows.
struct Bytes(Content);

impl squashfs::Content for Bytes {
    fn len(&self) -> u64 {
        self.0.len()
    }
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(self.0.open())
    }
    fn sha256(&self) -> io::Result<[u8; 32]> {
        Ok(*self.0.digests()?.sha256.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::num::NonZeroUsize;

    use wifibox_ground::path::GuestPath;
    use wifibox_ground::progress::Silent;
    use wifibox_squashfs::read_nodes;
    use wifibox_tree::{Meta, Node};

    use super::*;

    fn tree(xattr: bool) -> Tree {
        let mut tree = Tree::new();
        let mut add = |at: &str, kind, origin| {
            let path = GuestPath::new(at).expect("a path");
            let meta = Meta { uid: 5, gid: 6, mtime: 7, ..Meta::with_mode(0o640) };
            tree.insert(&path, Node { meta, kind, origin }).expect("inserted");
        };
        let text = |text: &str| Kind::File(Content::from_bytes(text));
        let package = || Origin::Package("a".to_owned());
        add("a", text("made by the builder"), Origin::Builder);
        add("b", text("of a package"), package());
        add("c", Kind::Symlink(b"a".to_vec()), package());
        add("d", Kind::CharDevice(1, 3), package());
        add("e", Kind::BlockDevice(8, 1), package());
        add("f", Kind::Fifo, package());
        if xattr {
            let node = tree.get_mut(&GuestPath::new("b").expect("a path")).expect("there");
            node.meta.xattrs.insert(b"security.capability".to_vec(), vec![1]);
        }
        tree
    }

    fn options() -> Options {
        Options {
            codec: Codec::Lz4,
            block_size: BlockSize::DEFAULT,
            source_date_epoch: 6,
            jobs: NonZeroUsize::MIN,
        }
    }

    #[test]
    fn the_image_has_all_that_the_tree_has() {
        let mut out = Cursor::new(Vec::new());
        let written = write(&tree(false), &options(), None, &mut out, &Silent).expect("written");
        assert_eq!(written.length(), out.get_ref().len() as u64);
        written.verify(&mut out).expect("as the tree");
        let mut found = Vec::new();
        read_nodes(&mut out, |node, content| {
            let mut text = String::new();
            content.map_or(Ok(0), |content| content.read_to_string(&mut text))?;
            let path = String::from_utf8_lossy(&node.path).into_owned();
            if !path.is_empty() {
                assert_eq!((node.mode, node.uid, node.gid, node.mtime), (0o640, 5, 6, 6));
            }
            found.push(format!("{path} {:?} {text}", node.kind));
            Ok::<(), Box<dyn std::error::Error>>(())
        })
        .expect("readable");
        let expected = [
            " Directory ",
            "a File(19) made by the builder",
            "b File(12) of a package",
            "c Symlink([97]) ",
            "d CharDevice(259) ",
            "e BlockDevice(2049) ",
            "f Fifo ",
        ];
        assert_eq!(found, expected);
        // What the package brought comes first.
        let at = |text: &[u8]| out.get_ref().windows(text.len()).position(|found| found == text);
        assert!(at(b"of a package") < at(b"made by"), "the layers");
    }

    #[test]
    fn an_extended_attribute_is_refused_by_name() {
        let mut out = Cursor::new(Vec::new());
        let error = write(&tree(true), &options(), None, &mut out, &Silent).expect_err("refused");
        assert!(error.to_string().starts_with("/b: the extended attribute"), "{error}");
    }
}
