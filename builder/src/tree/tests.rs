//! Tests of the tree model.

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
