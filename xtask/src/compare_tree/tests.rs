//! Trees made on the spot, in all forms, with one difference of each kind.

use std::io::Cursor;
use std::num::NonZeroUsize;

use tar::{Builder, EntryType, Header};
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;
use wifibox_ground::progress::Silent;
use wifibox_image::squashfs::{self, BlockSize, Codec, Options};
use wifibox_tree::{Kind as TreeKind, Meta, Node as TreeNode, Origin, Tree};

use super::allow::Allowed;
use super::difference::{Class, Difference, compare};
use super::listing::Listing;
use super::{archive, folder, image};

/// A member of a tar archive: path, type, mode, owner, group, content or target.
type Member<'a> = (&'a str, EntryType, u32, (&'a str, u64), (&'a str, u64), &'a str);

const ROOT: (&str, u64) = ("root", 0);

fn tarball(members: &[Member<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, mode, user, group, text) in members {
        let mut header = Header::new_ustar();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_username(user.0).unwrap();
        header.set_uid(user.1);
        header.set_groupname(group.0).unwrap();
        header.set_gid(group.1);
        match kind {
            EntryType::Regular => {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
            EntryType::Symlink | EntryType::Link => {
                header.set_size(0);
                builder.append_link(&mut header, path, text).unwrap();
            }
            _ => {
                header.set_size(0);
                builder.append_data(&mut header, path, std::io::empty()).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn of_tar(members: &[Member<'_>]) -> Listing {
    archive::members(Cursor::new(tarball(members))).unwrap()
}

fn shown(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(|d| format!("{}: {d}", d.class)).collect()
}

#[test]
fn every_kind_of_difference_is_told() {
    use EntryType::{Directory, Regular, Symlink};
    let expected = of_tar(&[
        ("./etc/", Directory, 0o755, ROOT, ROOT, ""),
        ("./etc/group", Regular, 0o644, ROOT, ROOT, "shadow:x:42:\n"),
        ("./etc/shadow", Regular, 0o640, ROOT, ("shadow", 0), "root:::\n"),
        ("./etc/gone", Regular, 0o644, ROOT, ROOT, ""),
        ("./etc/kind", Regular, 0o644, ROOT, ROOT, ""),
        ("./bin", Symlink, 0o777, ROOT, ROOT, "usr/bin"),
        ("./su", Regular, 0o4755, ROOT, ROOT, "x"),
    ]);
    assert_eq!(expected[&b"etc/shadow"[..]].owner, (0, 42), "by the archive's own etc/group");
    let found = of_tar(&[
        ("etc", Directory, 0o755, ROOT, ROOT, ""),
        ("etc/group", Regular, 0o644, ROOT, ROOT, "shadow:x:42:\n"),
        ("etc/shadow", Regular, 0o640, ROOT, ROOT, "root:::\n"),
        ("etc/kind", Directory, 0o755, ROOT, ROOT, ""),
        ("etc/more", Regular, 0o644, ROOT, ROOT, ""),
        ("bin", Symlink, 0o755, ROOT, ROOT, "usr/sbin"),
        ("su", Regular, 0o755, ROOT, ROOT, "y"),
    ]);
    let differences = compare(&expected, &found);
    let text = shown(&differences);
    assert_eq!(text[0], "target: bin: expected usr/bin, found usr/sbin");
    assert_eq!(text[1], "missing: etc/gone (file)");
    assert_eq!(text[2], "type: etc/kind: expected file, found directory");
    assert_eq!(text[3], "extra: etc/more (file)");
    assert_eq!(text[4], "owner: etc/shadow: expected 0:42, found 0:0");
    assert!(text[5].starts_with("content: su: expected 1 bytes, SHA-256 2d711642"), "{}", text[5]);
    assert_eq!(text[6], "mode: su: expected 4755, found 0755");
    assert_eq!(text.len(), 7);
    assert!(compare(&found, &found).is_empty());
}

#[test]
fn what_is_meant_has_a_reason_and_is_true() {
    let difference = |class, path: &str| Difference {
        class,
        path: path.to_owned(),
        expected: String::new(),
        found: String::new(),
    };
    let mut allowed = Allowed::default();
    allowed
        .read("list", "# made by hand\nextra,content etc/*  Ours.\nmissing dev/** Mounted over.\n")
        .unwrap();
    assert_eq!(allowed.reason(&difference(Class::Extra, "etc/a")), Some("Ours."));
    assert_eq!(allowed.reason(&difference(Class::Extra, "etc/a/b")), None, "deeper");
    assert_eq!(allowed.reason(&difference(Class::Mode, "etc/a")), None, "of another kind");
    assert_eq!(allowed.unused(), ["list:3: missing dev/** Mounted over."]);
    for bad in ["extra", "extra etc/*", "new etc/* Why.", "extra [ Why."] {
        assert!(Allowed::default().read("list", bad).unwrap_err().starts_with("list:1: "), "{bad}");
    }
}

/// A tree of the builder's, as an image and, unpacked by hand, as a folder.
#[test]
fn images_and_folders_are_read_alike() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root");
    let mut tree = Tree::new();
    let mut put = |path: &str, kind: TreeKind, mode: u16| {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
        let real = root.join(path);
        std::fs::create_dir_all(real.parent().unwrap()).unwrap();
        match &kind {
            TreeKind::Directory => std::fs::create_dir_all(&real).unwrap(),
            TreeKind::File(content) => std::fs::write(&real, content.read().unwrap()).unwrap(),
            TreeKind::Symlink(target) => {
                symlink(String::from_utf8_lossy(target).as_ref(), &real).unwrap();
            }
            _ => unreachable!("not used here"),
        }
        if !matches!(kind, TreeKind::Symlink(_)) {
            std::fs::set_permissions(&real, std::fs::Permissions::from_mode(mode.into())).unwrap();
        }
        // Whoever runs this test owns the folder's files.
        let owner = std::fs::symlink_metadata(&real).unwrap();
        let meta = Meta { uid: owner.uid(), gid: owner.gid(), ..Meta::with_mode(mode) };
        let node = TreeNode { meta, kind, origin: Origin::Builder };
        tree.insert(&GuestPath::new(path).unwrap(), node).unwrap();
    };
    put("usr", TreeKind::Directory, 0o755);
    put("usr/big", TreeKind::File(Content::from_bytes(vec![7; 300_000])), 0o644);
    put("usr/small", TreeKind::File(Content::from_bytes(*b"few")), 0o4711);
    put("tmp", TreeKind::Directory, 0o1777);
    put("bin", TreeKind::Symlink(b"usr/bin".to_vec()), 0o777);
    {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
        let owner = std::fs::metadata(&root).unwrap();
        let meta = Meta { uid: owner.uid(), gid: owner.gid(), ..Meta::with_mode(0o755) };
        tree.get_mut(&GuestPath::root()).unwrap().meta = meta;
    }
    let path = scratch.path().join("root.img");
    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    let options = Options {
        codec: Codec::ZSTD,
        block_size: BlockSize::DEFAULT,
        source_date_epoch: 1_700_000_000,
        jobs: NonZeroUsize::MIN,
    };
    squashfs::write(&tree, &options, None, &mut file, &Silent).unwrap();
    let (of_folder, of_image) = (folder::read(&root).unwrap(), image::read(&path).unwrap());
    assert_eq!(of_image.len(), 6);
    assert_eq!(shown(&compare(&of_folder, &of_image)), [""; 0]);
    std::fs::write(root.join("usr/small"), "two").unwrap();
    // Who is not root writes into a file, and its setuid bit goes.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o4711);
    std::fs::set_permissions(root.join("usr/small"), mode).unwrap();
    let differences = compare(&folder::read(&root).unwrap(), &of_image);
    assert_eq!(differences.iter().map(|d| d.class).collect::<Vec<_>>(), [Class::Content]);
}
