//! Traps in packages, the same in every format whose files are tar archives (.deb, .apk of v2, .ipk): each is refused with an
//! error that names the package and the entry, or comes in as what it is and no more. Bombs of compressed data are tried
//! where they are unpacked (`codec` in wifibox-ground).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Cursor;

use tar::EntryType;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{OpenPackage as _, PackageError, PackageFormat};
use wifibox_ground::content::Spool;
use wifibox_packages::Readers;
use wifibox_testkit::rawtar::{Member, gzip, tar};
use wifibox_testkit::{apkrepo, debrepo, opkgrepo};
use wifibox_tree::accounts::Accounts;
use wifibox_tree::openwrt::owned_by_root;
use wifibox_tree::unpack::{UnpackError, Unpacker};
use wifibox_tree::{Kind, Tree};

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

/// A package of these members.
fn package(format: PackageFormat, members: &[Member]) -> Vec<u8> {
    if format == PackageFormat::Apk {
        let empty = apkrepo::Package::new("trap", "1-r0");
        return members.iter().fold(empty, |package, member| package.raw(member.clone())).build();
    }
    let control = Member::new("control", EntryType::Regular, "Package: trap\nVersion: 1\n");
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&tar(&[control], true))),
        ("data.tar.gz", gzip(&tar(members, true))),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes));
    if format == PackageFormat::Deb { debrepo::ar(&parts) } else { opkgrepo::outer(&parts) }
}

/// The root that a package makes, a line for each entry, or why it makes none.
fn unpacked(format: PackageFormat, members: &[Member]) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new_in(folder.path()).unwrap();
    let (mut tree, accounts, replaces) = (Tree::new(), Accounts::default(), BTreeMap::new());
    let mut unpacker =
        Unpacker::new(&mut tree, &spool, &accounts, &replaces).keep_empty_directories(true);
    let bytes = package(format, members);
    let words = |error: Failed| error.to_string();
    let options = OpenOptions::default();
    let reader = Readers
        .open(format, "trap", Box::new(Cursor::new(&bytes)), options)
        .map_err(|error| words(error.into()))?;
    let taken = reader
        .read_data(&mut |entry| Ok::<_, Failed>(unpacker.take("trap", owned_by_root(entry))?));
    taken.map_err(words)?;
    unpacker.finish().map_err(|error| words(error.into()))?;
    Ok(tree
        .iter()
        .filter(|(path, _)| !path.is_root())
        .map(|(path, node)| match &node.kind {
            Kind::File(content) => {
                format!(
                    "{path} {:o} {}",
                    node.meta.mode,
                    String::from_utf8(content.read().unwrap()).unwrap()
                )
            }
            Kind::Symlink(target) => format!("{path} -> {}", String::from_utf8_lossy(target)),
            other => format!("{path} {:o} {}", node.meta.mode, other.describe()),
        })
        .collect())
}

fn file(path: impl AsRef<[u8]>) -> Member {
    Member::new(path, EntryType::Regular, "x")
}

fn link(path: &str, target: &str) -> Member {
    Member::new(path, EntryType::Symlink, "").to(target)
}

/// What becomes of a trap.
enum Outcome {
    /// An error with these words, besides the package.
    Refused(&'static str),
    /// This root.
    Root(&'static [&'static str]),
}
use Outcome::{Refused, Root};

/// Traps by name, and what becomes of each; of one in an apk, where apk itself is stricter.
type Trap = (&'static str, Vec<Member>, Outcome, Option<Outcome>);

/// Paths and links.
fn paths() -> Vec<Trap> {
    let hard = |path: &str, target: &str| Member::new(path, EntryType::Link, "").to(target);
    let long = "n".repeat(300);
    vec![
        ("out of the tree", vec![file("a/../../b")], Refused("\"a/../../b\" climbs out"), None),
        ("absolute", vec![file("/etc/x")], Refused("\"/etc/x\" is absolute"), None),
        (
            "through a link out",
            vec![link("a", "../../.."), file("a/x")],
            Refused("/a/x: the links on the way go round in a circle or lead out"),
            Some(Refused("/a is a link to \"../../..\", which leads out")),
        ),
        (
            // The root is the guest's.
            "through a link to the root",
            vec![link("a", "/"), file("a/x")],
            Root(&["/a -> /", "/x 644 x"]),
            Some(Refused("/a/x comes without the directory")),
        ),
        ("a hard link to nothing", vec![hard("a", "b")], Refused("/a is a hard link to /b"), None),
        ("a hard link out", vec![hard("a", "../../b")], Refused("\"../../b\" climbs out"), None),
        (
            "a newline in a name",
            vec![file("a\nb")],
            Root(&["/a\\nb 644 x"]),
            Some(Refused("/a\\nb has a control character")),
        ),
        (
            "an escape sequence in a name",
            vec![file("a\x1b[2Jb")],
            Root(&["/a\\u{1b}[2Jb 644 x"]),
            Some(Refused("/a\\u{1b}[2Jb has a control character")),
        ),
        (
            "NUL in a name",
            vec![file("a").pax("path", "a\0b")],
            Refused("\"a\\0b\" holds a NUL"),
            None,
        ),
        (
            "NUL in a link",
            vec![link("a", "b").pax("linkpath", "b\0c")],
            Refused("member \"a\""),
            None,
        ),
        ("a name that is not UTF-8", vec![file(b"a\xff")], Root(&["/a\u{fffd} 644 x"]), None),
        (
            "no name",
            vec![file("x").pax("path", "")],
            Refused("member \"\": the root cannot be"),
            None,
        ),
        ("a name of 300 bytes", vec![file("x").pax("path", long)], Refused("(300 b"), None),
        (
            "twice the same",
            vec![file("a"), file("a")],
            Refused("/a is a file of package trap"),
            None,
        ),
        (
            "a folder over a file",
            vec![file("a"), file("a/b")],
            Refused("/a/b: /a is a file"),
            Some(Refused("/a/b comes without the directory")),
        ),
    ]
}

/// Kinds, modes, sizes, times and owners.
fn numbers() -> Vec<Trap> {
    let mode = |mode| Member { mode, ..file("su") };
    let special = |kind| Member::new("a", kind, "");
    vec![
        // These are the package's right, and what dpkg, apk and opkg make of them.
        ("a device", vec![special(EntryType::Char)], Root(&["/a 755 character device"]), None),
        ("a disk", vec![special(EntryType::Block)], Root(&["/a 755 block device"]), None),
        ("a FIFO", vec![special(EntryType::Fifo)], Root(&["/a 755 named pipe"]), None),
        ("setuid", vec![mode(0o4755)], Root(&["/su 4755 x"]), None),
        ("a giant mode", vec![mode(0o107_777)], Root(&["/su 7777 x"]), None),
        (
            "a size that lies",
            vec![file("a").pax("size", "99999999999999")],
            Refused("member \"a\": its PAX record 'size' and its header contradict each other"),
            None,
        ),
        (
            "a negative size",
            vec![file("a").pax("size", "-1")],
            Refused("\"size\" is not a number"),
            None,
        ),
        (
            "a negative time",
            vec![file("a").pax("mtime", "-1.5")],
            Refused("\"mtime\" is not"),
            None,
        ),
        (
            "a sparse file",
            vec![Member::new("a", EntryType::GNUSparse, "x")],
            Refused("member \"a\""),
            None,
        ),
        (
            "a giant owner",
            vec![file("a").pax("uid", "99999999999")],
            Refused("uid 99999999999 is out"),
            None,
        ),
        ("an unknown kind", vec![special(EntryType::new(b'Z'))], Refused("member \"a\""), None),
    ]
}

#[test]
fn traps_are_refused_by_name_or_come_in_as_what_they_are() {
    let mut wrong = Vec::new();
    for (what, members, outcome, of_apk) in paths().into_iter().chain(numbers()) {
        for format in [PackageFormat::Deb, PackageFormat::Apk, PackageFormat::Ipk] {
            let found = unpacked(format, &members);
            let expected = of_apk.as_ref().filter(|_| format == PackageFormat::Apk);
            let right = match (expected.unwrap_or(&outcome), &found) {
                (Refused(entry), Err(error)) => {
                    error.contains("trap") && error.contains(entry) && error.len() < 500
                }
                (Root(lines), Ok(root)) => root == lines,
                _ => false,
            };
            if !right {
                wrong.push(format!("{what}, {format:?}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A million entries, and names without end: what is kept of them has a bound.
#[test]
fn many_entries_and_endless_names_are_refused_within_bounds() {
    let many: Vec<Member> = (0..100_001).map(|number| file(number.to_string())).collect();
    let bytes = package(PackageFormat::Deb, &many);
    let reader = Readers
        .open(PackageFormat::Deb, "trap", Box::new(Cursor::new(&bytes)), OpenOptions::default())
        .unwrap();
    let error = reader.read_data(&mut |_| Ok::<_, Failed>(())).unwrap_err().to_string();
    assert!(error.contains("trap") && error.contains("100000"), "{error}");
    for format in [PackageFormat::Deb, PackageFormat::Apk, PackageFormat::Ipk] {
        let endless = file("a").pax("path", "n/".repeat(1 << 20));
        let error = unpacked(format, &[endless]).unwrap_err();
        assert!(error.contains("trap") && error.len() < 500, "{format:?}: {error}");
    }
}
