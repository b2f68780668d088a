//! Traps in packages of every format, in one table: each is refused with an error that names the package and the entry,
//! or is read as it says here. Bombs, which cost memory and time where nothing bounds them, run in a process of their own.

mod bombs;
mod packages;

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read, Seek};

use tar::EntryType;
use wifibox_formats::reader::OpenOptions;
use wifibox_formats::{OpenPackage as _, PackageError, PackageFormat};
use wifibox_ground::content::Spool;
use wifibox_packages::Readers;
use wifibox_testkit::adbwriter::{self as adb, V};
use wifibox_testkit::rawtar::Member;
use wifibox_tree::accounts::{Accounts, Group, Password, User};
use wifibox_tree::unpack::{UnpackError, Unpacker};
use wifibox_tree::{Kind, Tree};

use packages::{TAR_FORMATS, apk3, of_members};

#[derive(Debug)]
enum Failure {
    Package(PackageError),
    Unpack(UnpackError),
}

impl From<PackageError> for Failure {
    fn from(error: PackageError) -> Self {
        Failure::Package(error)
    }
}

fn accounts() -> Accounts {
    let text = |text: &str| text.to_owned();
    let root = User {
        name: text("root"),
        uid: 0,
        group: text("root"),
        groups: Vec::new(),
        gecos: String::new(),
        home: text("/root"),
        shell: text("/bin/sh"),
        password: Password::None,
    };
    Accounts::new(vec![root], vec![Group { name: text("root"), gid: 0 }]).unwrap()
}

/// Reads a package into a tree, as a build does: what is in it then, or the error.
fn install(format: PackageFormat, input: impl Read + Seek) -> Result<Vec<String>, String> {
    let said = |failure: Failure| match failure {
        Failure::Package(error) => error.to_string(),
        Failure::Unpack(error) => error.to_string(),
    };
    let (mut tree, accounts, replaces) = (Tree::new(), accounts(), BTreeMap::new());
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new_in(folder.path()).unwrap();
    let input = Box::new(BufReader::new(input));
    let reader = Readers.open(format, "trap", input, OpenOptions::default());
    let reader = reader.map_err(|error| said(error.into()))?;
    let mut unpacker = Unpacker::new(&mut tree, &spool, &accounts, &replaces);
    let read = reader.read_data(&mut |entry| unpacker.take("trap", entry).map_err(Failure::Unpack));
    read.map_err(said)?;
    unpacker.finish().map_err(|error| said(Failure::Unpack(error)))?;
    let line = |(path, node): (&wifibox_ground::path::GuestPath, &wifibox_tree::Node)| {
        let kind = match &node.kind {
            Kind::CharDevice(major, minor) => format!("char {major}:{minor}"),
            other => other.describe().to_owned(),
        };
        format!("{} {kind} {:o} {}", path.as_bytes().escape_ascii(), node.meta.mode, node.meta.uid)
    };
    Ok(tree.iter().skip(1).map(line).collect())
}

/// What becomes of a trap.
enum Fate {
    /// An error with these words, which names the entry.
    Refused(&'static str, &'static str),
    /// It is read so: this line is in the tree.
    Read(&'static str),
}
use Fate::{Read as ReadAs, Refused};

fn file(path: impl AsRef<[u8]>) -> Member {
    Member::new(path, EntryType::Regular, "x")
}

fn link(path: &str, target: &str) -> Member {
    Member::new(path, EntryType::Symlink, "").to(target)
}

fn hard(path: &str, target: &str) -> Member {
    Member::new(path, EntryType::Link, "").to(target)
}

/// A name that no header says: it is in a PAX record.
fn named(path: impl AsRef<[u8]>) -> Member {
    file("short").pax("path", path)
}

/// For the formats that are tar inside.
fn members() -> Vec<(&'static str, Vec<Member>, Fate)> {
    let out = "climbs";
    let absolute = "absolute";
    let owned = |user: &str| Member { owner: (user.into(), "root".into()), ..file("usr/x") };
    let long = |member: &str, bytes: Vec<u8>| {
        vec![Member::new(member, EntryType::GNULongName, bytes), file("short")]
    };
    vec![
        ("out of the tree", vec![file("../../etc/passwd")], Refused(out, "../../etc/passwd")),
        ("out in the middle", vec![file("a/../../x")], Refused(out, "a/../../x")),
        ("out by PAX", vec![named("../x")], Refused(out, "../x")),
        ("absolute", vec![file("/etc/passwd")], Refused(absolute, "/etc/passwd")),
        ("absolute by PAX", vec![named("/etc/passwd")], Refused(absolute, "/etc/passwd")),
        ("the root as a file", vec![file("./")], Refused("root cannot be", "./")),
        (
            "through a link to the root's folder",
            vec![link("a", "/etc"), file("a/x")],
            ReadAs("etc/x file 644 0"),
        ),
        (
            "through a link out",
            vec![link("a", "../../.."), file("a/x")],
            Refused("lead out", "a/x"),
        ),
        (
            "through a circle",
            vec![link("a", "b"), link("b", "a"), file("a/x")],
            Refused("circle", "a/x"),
        ),
        ("through a file", vec![file("a"), file("a/x")], Refused("not a directory", "a/x")),
        (
            "through a link to a file",
            vec![file("b"), link("a", "b"), file("a/x")],
            Refused("not a directory", "a/x"),
        ),
        ("a link to nothing", vec![link("a", "")], Refused("links to nothing", "a")),
        ("a link out, unused", vec![link("a", "../../../etc")], ReadAs("a symbolic link 755 0")),
        ("hard link to nothing", vec![hard("a", "b")], Refused("hard link to", "a")),
        ("hard link out", vec![hard("a", "../../etc/passwd")], Refused(out, "../../etc/passwd")),
        ("hard link, absolute", vec![hard("a", "/etc/passwd")], Refused(absolute, "/etc/passwd")),
        ("hard link to itself", vec![hard("a", "a")], Refused("hard link to", "a")),
        (
            "hard link to a folder",
            vec![Member::new("d/", EntryType::Directory, ""), file("d/x"), hard("a", "d")],
            Refused("hard link to", "a"),
        ),
        ("hard link to the root", vec![hard("a", "./")], Refused("hard link to the root", "a")),
        ("a device", vec![Member::new("null", EntryType::Char, "")], ReadAs("null char 1:3 755 0")),
        (
            "a device with contents",
            vec![Member::new("null", EntryType::Char, "x")],
            Refused("cannot have contents", "null"),
        ),
        ("setuid", vec![Member { mode: 0o4755, ..file("su") }], ReadAs("su file 4755 0")),
        (
            "bits beyond the mode",
            vec![Member { mode: 0o104_755, ..file("su") }],
            ReadAs("su file 4755 0"),
        ),
        ("an endless name", vec![named("a/".repeat(500_000))], Refused("at most", "a/a/a")),
        (
            "an endless name of GNU",
            long("@LongLink", vec![b'a'; 2 << 20]),
            Refused("too many", "@LongLink"),
        ),
        ("endless folders", vec![named("a/".repeat(1000) + "x")], Refused("at most 128", "a/a/a")),
        (
            "an endless target",
            vec![link("a", "b").pax("linkpath", vec![b'b'; 500_000])],
            Refused("at most", "a"),
        ),
        ("a newline", vec![named("a\nb")], ReadAs("a\\nb file 644 0")),
        ("a NUL", vec![named("a\0b")], Refused("NUL", "a\\0b")),
        ("not UTF-8", vec![named(b"\xff\xfe")], ReadAs("\\xff\\xfe file 644 0")),
        (
            "twice",
            vec![file("a"), Member { mode: 0o600, ..file("a") }],
            Refused("wants a file there", "a"),
        ),
        ("a size that lies", vec![file("a").pax("size", "99")], Refused("contradict", "a")),
        ("a size of no number", vec![file("a").pax("size", "0x1")], Refused("not a number", "a")),
        (
            "a size of 100 GB",
            vec![file("a").pax("size", "107374182400")],
            Refused("contradict", "a"),
        ),
        ("sparse of GNU", vec![Member::new("a", EntryType::GNUSparse, "")], Refused("sparse", "a")),
        ("sparse by PAX", vec![file("a").pax("GNU.sparse.major", "1")], Refused("sparse", "a")),
        ("before 1970", vec![file("a").pax("mtime", "-1")], Refused("not a number", "a")),
        ("after 2106", vec![file("a").pax("mtime", "99999999999")], Refused("out of range", "a")),
        (
            "an id beyond 32 bits",
            vec![file("a").pax("uid", "99999999999")],
            Refused("out of range", "a"),
        ),
        (
            "a number of no account",
            vec![file("a").pax("uid", "4294967295")],
            ReadAs("a file 644 0"),
        ),
        ("an unknown owner", vec![owned("nobody-here")], Refused("somebody unknown", "usr/x")),
        (
            "a global header",
            vec![Member::new("g", EntryType::XGlobalHeader, "12 path=a/b\n")],
            Refused("global", "g"),
        ),
        (
            "an unknown kind",
            vec![Member::new("v", EntryType::new(b'V'), "")],
            Refused("not supported", "v"),
        ),
    ]
}

fn judge(what: &str, format: PackageFormat, bytes: Vec<u8>, fate: &Fate, faults: &mut Vec<String>) {
    let found = install(format, Cursor::new(bytes));
    let good = match (fate, &found) {
        (Refused(why, entry), Err(error)) => {
            error.contains(why)
                && error.contains(entry)
                && error.contains("trap")
                && error.len() < 2000
        }
        (ReadAs(line), Ok(lines)) => lines.iter().any(|found| found == line),
        _ => false,
    };
    if !good {
        faults.push(format!("{what}, {format:?}: {found:?}"));
    }
}

#[test]
fn traps_are_refused_by_name_or_read_as_they_are_meant() {
    let mut faults = Vec::new();
    for (what, members, fate) in &members() {
        for format in TAR_FORMATS {
            judge(what, format, of_members(format, members), fate, &mut faults);
        }
    }
    for (what, paths, contents, fate) in apk3_rows() {
        judge(what, PackageFormat::Apk3, apk3(paths, &contents), &fate, &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// For apk v3, which has folders with files in them.
fn apk3_rows() -> Vec<(&'static str, Vec<V>, Vec<Vec<u8>>, Fate)> {
    let etc = |file: V| vec![adb::directory("etc", vec![file])];
    let one = |name: &str| (etc(adb::file(name, b"x")), vec![adb::data(1, 1, b"x")]);
    let row = |what, (paths, contents): (Vec<V>, Vec<Vec<u8>>), fate| (what, paths, contents, fate);
    let mut huge = adb::file("x", b"x");
    if let V::Object(fields) = &mut huge {
        fields.insert(3, V::Int(100 << 30));
    }
    let mut twice = etc(adb::file("x", b"x"));
    twice.extend(etc(adb::file("x", b"x")));
    vec![
        row("out of the tree", one("../x"), Refused("", "../x")),
        row(
            "a folder out of the tree",
            (vec![adb::directory("../a", vec![])], vec![]),
            Refused("", "../a"),
        ),
        row("an absolute folder", (vec![adb::directory("/a", vec![])], vec![]), Refused("", "/a")),
        row("a slash in a name", one("a/b"), Refused("", "a/b")),
        row("a NUL", one("a\0b"), Refused("", "a\\0b")),
        row("an endless name", one(&"a".repeat(500_000)), Refused("", "aaa")),
        row(
            "endless folders",
            (vec![adb::directory(&"a/".repeat(1000), vec![])], vec![]),
            Refused("", "a/a"),
        ),
        row(
            "hard link to nothing",
            (etc(adb::link("a", 0o100_000, b"b")), vec![]),
            Refused("hard link to", "etc/a"),
        ),
        row(
            "hard link out",
            (etc(adb::link("a", 0o100_000, b"../../b")), vec![]),
            Refused("climbs", "../../b"),
        ),
        row(
            "a link to nothing",
            (etc(adb::link("a", 0o120_000, b"")), vec![]),
            Refused("", "etc/a"),
        ),
        row(
            "a device",
            (etc(adb::link("a", 0o020_000, &0x0103u64.to_le_bytes())), vec![]),
            ReadAs("etc/a char 1:3 777 0"),
        ),
        row("100 GB", (etc(huge), vec![adb::data(1, 1, b"x")]), Refused("", "etc/x")),
        row(
            "contents of another file",
            (etc(adb::file("x", b"x")), vec![adb::data(1, 1, b"y")]),
            Refused("", "etc/x"),
        ),
        row("no contents", (etc(adb::file("x", b"x")), vec![]), Refused("", "etc/x")),
        row(
            "twice",
            (twice, vec![adb::data(1, 1, b"x"), adb::data(2, 1, b"x")]),
            Refused("", "etc"),
        ),
    ]
}
