//! The links of a multi-call program, read from the program itself instead of asked of it.
//!
//! BusyBox keeps its applets' names in one sorted table of NUL-terminated strings
//! (`applet_names` in its `include/applet_tables.h`), which begins with `[` and `[[`. The table is
//! found by that beginning and read up to the empty string that ends it. Distributions that give each
//! applet a directory of its own ship a list of paths instead (`busybox --list-full`); Alpine's is
//! `/etc/busybox-paths.d/busybox`.

use super::TreeError;
use crate::{Kind, Meta, Node, Origin, Tree};
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;

/// The longest applet name that is believed; BusyBox's own limit is far below.
const NAME_LIMIT: usize = 32;

/// Fewer names than this are no applet table but a chance likeness.
const TABLE_MINIMUM: usize = 16;

/// Why a program's applets cannot be linked.
#[derive(Debug, thiserror::Error)]
pub enum AppletError {
    /// The program is not in the guest.
    #[error("{0}, whose applets are to be linked, is not in the guest: does its package come in?")]
    NoProgram(GuestPath),
    /// The program's bytes cannot be read back.
    #[error("{0} cannot be read: {1}")]
    Read(GuestPath, std::io::Error),
    /// The program holds no table of applets.
    #[error(
        "{0} holds no table of BusyBox applets; name its links in the recipe's 'links' instead"
    )]
    NoTable(GuestPath),
    /// The list of links is not in the guest.
    #[error("{0}, which lists the links of {1}, is not in the guest: does its package come in?")]
    NoList(GuestPath, GuestPath),
    /// The list of links holds something else.
    #[error("{0} must list one path per line, the links of applets; {1:?} is not a path")]
    BadList(GuestPath, String),
    /// A link cannot be put into the tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// The names in a BusyBox program's applet table, in its order; `None` if there is none.
pub(crate) fn applet_names(program: &[u8]) -> Option<Vec<String>> {
    const HEAD: &[u8] = b"[\0[[\0";
    let mut from = 0;
    while let Some(found) = find(program.get(from..)?, HEAD) {
        let start = from + found;
        if let Some(names) = read_table(program.get(start..)?) {
            return Some(names);
        }
        from = start + 1;
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn read_table(bytes: &[u8]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for part in bytes.split(|b| *b == 0) {
        if part.is_empty() {
            break;
        }
        let is_name = part.len() <= NAME_LIMIT && part.iter().all(|b| is_name_byte(*b));
        let name = String::from_utf8(part.to_vec()).ok().filter(|_| is_name);
        match name {
            // The table is sorted: what breaks the order is the next table already.
            Some(name) if names.last().is_none_or(|last| *last < name) => names.push(name),
            _ => break,
        }
    }
    (names.len() >= TABLE_MINIMUM).then_some(names)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"[-_.+".contains(&byte)
}

/// Links every applet that `program` holds into `directory`, where nothing of that name is yet in
/// any of the directories that a shell searches. Gives back the names that were linked.
///
/// # Errors
/// [`AppletError`] where the program is missing or holds no table.
pub fn link_applets(
    tree: &mut Tree,
    program: &GuestPath,
    directory: &GuestPath,
    origin: &Origin,
) -> Result<Vec<String>, AppletError> {
    let (real, content) = program_file(tree, program)?;
    let bytes = content.read().map_err(|source| AppletError::Read(real.clone(), source))?;
    let names = applet_names(&bytes).ok_or_else(|| AppletError::NoTable(real.clone()))?;
    let mut linked = Vec::new();
    for name in names {
        let at = directory.join(&name).map_err(TreeError::from)?;
        if link(tree, &real, &at, origin)? {
            linked.push(name);
        }
    }
    Ok(linked)
}

/// Links the applets of `program` that the file `list` of the guest names, one path to a line, as
/// `busybox --list-full` prints them: `bin/ls`. What a directory that a shell searches has already
/// is not linked. Gives back the names that were linked.
///
/// # Errors
/// [`AppletError`] where the program or the list is missing, or the list holds anything but paths.
pub(crate) fn link_listed(
    tree: &mut Tree,
    program: &GuestPath,
    list: &GuestPath,
    origin: &Origin,
) -> Result<Vec<String>, AppletError> {
    let (real, _) = program_file(tree, program)?;
    let Some((_, Node { kind: Kind::File(content), .. })) = tree.lookup(list) else {
        return Err(AppletError::NoList(list.clone(), program.clone()));
    };
    let bytes = content.read().map_err(|source| AppletError::Read(list.clone(), source))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut linked = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let bad = || AppletError::BadList(list.clone(), line.to_owned());
        let at = GuestPath::new(line).map_err(|_| bad())?;
        let name = at.name().to_vec();
        if name.is_empty() || name.len() > NAME_LIMIT || !name.iter().all(|b| is_name_byte(*b)) {
            return Err(bad());
        }
        if link(tree, &real, &at, origin)? {
            linked.push(String::from_utf8_lossy(&name).into_owned());
        }
    }
    Ok(linked)
}

/// The real path and the content of a program.
fn program_file(tree: &Tree, program: &GuestPath) -> Result<(GuestPath, Content), AppletError> {
    match tree.lookup(program) {
        Some((real, Node { kind: Kind::File(content), .. })) => Ok((real, content.clone())),
        _ => Err(AppletError::NoProgram(program.clone())),
    }
}

/// Makes the link `at` to `program`, unless a program of that name is there; whether it was made.
fn link(
    tree: &mut Tree,
    program: &GuestPath,
    at: &GuestPath,
    origin: &Origin,
) -> Result<bool, AppletError> {
    let taken = ["bin", "sbin", "usr/bin", "usr/sbin"].iter().any(|folder| {
        let path = GuestPath::new(folder).and_then(|folder| folder.join(at.name()));
        path.is_ok_and(|path| {
            let at = tree.resolve(&path, false);
            at.is_ok_and(|at| tree.get(&at).is_some())
        })
    });
    if taken {
        return Ok(false);
    }
    let directory = at.parent().unwrap_or_default();
    let node = Node {
        meta: Meta::with_mode(0o777),
        kind: Kind::Symlink(link_target(&directory, program)),
        origin: origin.clone(),
    };
    tree.insert(at, node)?;
    Ok(true)
}

/// `busybox` for a program in the same directory, its absolute path elsewhere.
fn link_target(directory: &GuestPath, program: &GuestPath) -> Vec<u8> {
    if program.parent().as_ref() == Some(directory) {
        return program.name().to_vec();
    }
    [b"/", program.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Vec<u8> {
        let mut bytes = b"\x7fELF junk [\0[[\0 not sorted\0".to_vec();
        bytes.extend_from_slice(b"some text\0[\0[[\0");
        for n in 0..20 {
            bytes.extend_from_slice(format!("applet{n:02}\0").as_bytes());
        }
        bytes.extend_from_slice(b"ls\0\0after\0");
        bytes
    }

    #[test]
    fn the_table_is_found_and_ends_where_it_ends() {
        let names = applet_names(&program()).expect("a table");
        assert_eq!((names.len(), names[0].as_str(), names[22].as_str()), (23, "[", "ls"));
        assert_eq!(applet_names(b"[\0[[\0only\0two\0"), None);
    }

    #[test]
    fn applets_are_linked_where_nothing_is_yet() {
        let mut tree = Tree::new();
        let path = |text: &str| GuestPath::new(text).expect("a path");
        let file = |bytes: Vec<u8>| Node {
            meta: Meta::with_mode(0o755),
            kind: Kind::File(Content::from_bytes(bytes)),
            origin: Origin::Builder,
        };
        tree.insert(&path("usr/bin/busybox"), file(program())).expect("busybox");
        tree.insert(&path("usr/sbin/applet03"), file(vec![])).expect("a real one");
        let linked =
            link_applets(&mut tree, &path("usr/bin/busybox"), &path("usr/bin"), &Origin::Builder)
                .expect("linked");
        assert!(linked.contains(&"ls".to_owned()) && !linked.contains(&"applet03".to_owned()));
        let Some(Node { kind: Kind::Symlink(target), .. }) = tree.get(&path("usr/bin/ls")) else {
            panic!("usr/bin/ls is no link");
        };
        assert_eq!(target, b"busybox");
        let error = link_applets(&mut tree, &path("bin/none"), &path("bin"), &Origin::Builder);
        assert!(matches!(error, Err(AppletError::NoProgram(_))));
    }

    #[test]
    fn listed_applets_are_linked_where_the_list_says() {
        let mut tree = Tree::new();
        let path = |text: &str| GuestPath::new(text).expect("a path");
        let file = |bytes: &[u8]| Node {
            meta: Meta::with_mode(0o755),
            kind: Kind::File(Content::from_bytes(bytes.to_vec())),
            origin: Origin::Builder,
        };
        let (program, list) = (path("bin/busybox"), path("etc/paths"));
        let missing = link_listed(&mut tree, &program, &list, &Origin::Builder);
        assert!(matches!(missing, Err(AppletError::NoProgram(_))));
        tree.insert(&program, file(b"no table")).expect("busybox");
        let missing = link_listed(&mut tree, &program, &list, &Origin::Builder);
        assert!(matches!(missing, Err(AppletError::NoList(..))));
        tree.insert(&path("sbin/iw"), file(b"a real one")).expect("iw");
        tree.insert(&list, file(b"bin/ls\nusr/bin/[[\nusr/sbin/iw\n\nlinuxrc\n")).expect("list");
        let linked = link_listed(&mut tree, &program, &list, &Origin::Builder).expect("linked");
        assert_eq!(linked, ["ls", "[[", "linuxrc"]);
        let target = |at: &str| match tree.get(&path(at)).map(|node| node.kind.clone()) {
            Some(Kind::Symlink(target)) => String::from_utf8(target).expect("text"),
            other => panic!("{at} is {other:?}"),
        };
        assert_eq!(target("bin/ls"), "busybox");
        assert_eq!(target("usr/bin/[["), "/bin/busybox");
        assert!(tree.get(&path("usr/sbin/iw")).is_none(), "the real one is found first");
        for bad in ["bin/../../x\n", "bin/a b\n", "/\n"] {
            tree.replace(&list, file(bad.as_bytes())).expect("list");
            let error = link_listed(&mut tree, &program, &list, &Origin::Builder);
            assert!(matches!(error, Err(AppletError::BadList(..))), "{bad:?}");
        }
    }
}
