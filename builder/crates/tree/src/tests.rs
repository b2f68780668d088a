//! Tests of the tree model.

use proptest::prelude::*;
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;

use super::*;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text).expect("a valid path")
}

fn node(kind: Kind) -> Node {
    Node { meta: Meta::with_mode(0o644), kind, origin: Origin::Package("p".into()) }
}

fn file(text: &str) -> Node {
    node(Kind::File(Content::from_bytes(text)))
}

fn merged() -> Tree {
    let mut tree = Tree::new();
    tree.insert(&path("usr/lib"), node(Kind::Directory)).expect("usr/lib");
    tree.insert(&path("lib"), node(Kind::Symlink(b"usr/lib".to_vec()))).expect("lib");
    tree
}

#[test]
fn paths_resolve_through_the_base_layouts_links() {
    let mut tree = merged();
    let real = tree.insert(&path("lib/modules/x.ko"), file("x")).expect("inserted");
    assert_eq!(real, path("usr/lib/modules/x.ko"));
    assert!(tree.get(&path("usr/lib/modules")).is_some());
    tree.insert(&path("lib"), node(Kind::Directory)).expect("a directory over a link to one");
    assert!(matches!(tree.get(&path("lib")).map(|n| &n.kind), Some(Kind::Symlink(_))));
}

#[test]
fn two_owners_of_a_path_clash() {
    let mut tree = merged();
    tree.insert(&path("lib/a"), file("1")).expect("inserted");
    let error = tree.insert(&path("usr/lib/a"), file("2")).expect_err("a clash");
    assert!(error.to_string().contains("/usr/lib/a is a file of package p"), "{error}");
    tree.replace(&path("usr/lib/a"), file("2")).expect("replaced");
    tree.replace(&path("usr/lib"), file("2")).expect_err("a file never replaces a directory");
}

#[test]
fn links_that_circle_or_climb_are_refused() {
    let mut tree = Tree::new();
    tree.insert(&path("a"), node(Kind::Symlink(b"b".to_vec()))).expect("a");
    tree.insert(&path("b"), node(Kind::Symlink(b"a".to_vec()))).expect("b");
    tree.insert(&path("out"), node(Kind::Symlink(b"../../etc".to_vec()))).expect("out");
    for text in ["a/x", "out/passwd"] {
        let error = tree.insert(&path(text), file("")).expect_err("refused");
        assert!(matches!(error, TreeError::BadLink { .. }), "{error}");
    }
    tree.insert(&path("f"), file("")).expect("f");
    let error = tree.insert(&path("f/x"), file("")).expect_err("refused");
    assert!(matches!(error, TreeError::NotADirectory { .. }), "{error}");
}

#[test]
fn removal_takes_what_is_below() {
    let mut tree = merged();
    tree.insert(&path("usr/lib/a/b"), file("")).expect("inserted");
    tree.insert(&path("usr/lib/a-c"), file("")).expect("inserted");
    tree.remove(&path("usr/lib/a"));
    assert!(tree.get(&path("usr/lib/a/b")).is_none());
    assert!(tree.get(&path("usr/lib/a-c")).is_some());
}

proptest! {
    #[test]
    fn the_short_way_to_a_path_ends_where_the_long_one_does(
        made in proptest::collection::vec(("[abc](/[abc]){0,2}", 0..6u8), 0..12),
        asked in proptest::collection::vec("[abc](/[abc]){0,3}", 1..12),
    ) {
        let mut tree = Tree::new();
        for (at, kind) in made {
            let kind = match kind {
                0 | 1 => Kind::Directory,
                2 => Kind::File(Content::from_bytes("x")),
                3 => Kind::Symlink(b"/a".to_vec()),
                4 => Kind::Symlink(b"b/c".to_vec()),
                _ => Kind::Symlink(b"../b".to_vec()),
            };
            let node = Node { meta: Meta::with_mode(0o755), kind, origin: Origin::Builder };
            // What clashes or circles is refused, and of no matter here.
            let _ = tree.insert(&path(&at), node);
        }
        for asked in asked.iter().map(|asked| path(asked)) {
            for follow in [false, true] {
                let long = tree.walk(&asked, GuestPath::root(), asked.as_bytes(), follow);
                let same = match (tree.resolve(&asked, follow), long) {
                    (Ok(short), Ok(long)) => short == long,
                    (Err(short), Err(long)) => short.to_string() == long.to_string(),
                    _ => false,
                };
                prop_assert!(same, "{asked} {follow}");
            }
        }
    }
}
