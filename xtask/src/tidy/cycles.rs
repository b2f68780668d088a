//! No cycle between the modules of a crate (`cycle`).
//!
//! The modules that one module declares are siblings. A sibling is taken with everything below it, and uses another one
//! when any file of its subtree names anything in the other's: in a `use`, a path of an expression, type or pattern, a
//! macro or an attribute, in tests too. Among siblings this must lead in one direction, at every level of every
//! crate, so that the modules of each folder can be put in an order and read from the bottom up.
//!
//! An item counts for the module that defines it, also where a `mod.rs` passes it on: `super::Error` is
//! `super::error::Error`. A path also counts for the modules that it names on its way. A module and those above it
//! belong together: a child may use what the folder's `mod.rs` defines, and `mod.rs` calls its children.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Problem;
use super::modules::Modules;

/// Names by which one sibling uses another, each with the first place.
type Ties = BTreeMap<String, Tie>;
/// The siblings of one level, and how they use each other.
type Level = BTreeMap<(usize, usize), Ties>;

/// The first place where a name is used.
struct Tie {
    file: PathBuf,
    line: usize,
    /// Only tests use it.
    test: bool,
}

/// How many names of an arrow are told.
const NAMES: usize = 6;

/// Reports the cycles of a crate.
pub fn check(modules: &Modules, problems: &mut Vec<Problem>) {
    for (parent, level) in levels(modules) {
        for knot in knots(&level) {
            problems.push(problem(modules, parent, &level, &knot));
        }
    }
}

/// The arrows of each level, by the module above it.
fn levels(modules: &Modules) -> BTreeMap<usize, Level> {
    let mut levels: BTreeMap<usize, Level> = BTreeMap::new();
    for (from, node) in modules.nodes.iter().enumerate() {
        let imports =
            node.module.imports.iter().map(|import| (&import.path, import.line, import.test));
        let uses = node.module.uses.iter().map(|found| (&found.path, found.line, found.test));
        for (path, line, test) in imports.chain(uses) {
            let test = test || node.test;
            for (to, name) in modules.resolve(from, path) {
                let Some((parent, a, b)) = siblings(modules, from, to) else { continue };
                let ties = levels.entry(parent).or_default().entry((a, b)).or_default();
                let tie = ties.get(name);
                if tie.is_none_or(|tie| tie.test && !test) {
                    ties.insert(name.to_owned(), Tie { file: node.file.clone(), line, test });
                }
            }
        }
    }
    levels
}

/// The two siblings that hold `a` and `b`, and the module above them; none where one is above the other.
fn siblings(modules: &Modules, a: usize, b: usize) -> Option<(usize, usize, usize)> {
    let way = |id| {
        let mut way: Vec<usize> = modules.ancestors(id).collect();
        way.reverse();
        way
    };
    let (a, b) = (way(a), way(b));
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let parent = a.get(common.checked_sub(1)?)?;
    Some((*parent, *a.get(common)?, *b.get(common)?))
}

/// Sets of siblings that all reach each other.
fn knots(level: &Level) -> Vec<BTreeSet<usize>> {
    let mut reach: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, _) in level.keys() {
        let (mut found, mut open) = (BTreeSet::new(), vec![*from]);
        while let Some(at) = open.pop() {
            let next = level.keys().filter(|(a, _)| *a == at).map(|(_, b)| *b);
            open.extend(next.filter(|next| found.insert(*next)));
        }
        reach.insert(*from, found);
    }
    let mut knots: Vec<BTreeSet<usize>> = Vec::new();
    for (id, found) in reach.iter().filter(|(id, found)| found.contains(id)) {
        let back = |other: &&usize| reach.get(*other).is_some_and(|found| found.contains(id));
        let knot: BTreeSet<usize> = found.iter().filter(back).copied().collect();
        if !knots.contains(&knot) {
            knots.push(knot);
        }
    }
    knots
}

/// One problem for a knot: at the arrow that hangs by the fewest names, with every arrow below it.
fn problem(modules: &Modules, parent: usize, level: &Level, knot: &BTreeSet<usize>) -> Problem {
    let name = |id: usize| modules.nodes[id].name.as_str();
    let mut arrows: Vec<(&(usize, usize), &Ties)> =
        level.iter().filter(|((from, to), _)| knot.contains(from) && knot.contains(to)).collect();
    arrows.sort_by_key(|((from, to), ties)| (ties.len(), name(*from), name(*to)));
    let names: Vec<&str> = knot.iter().map(|id| name(*id)).collect();
    let text =
        format!("modules of `{}` use each other: {}", modules.title(parent), names.join(", "));
    let places = arrows.first().into_iter().flat_map(|(_, ties)| ties.values());
    let place = places.map(|tie| (tie.file.as_path(), tie.line)).min();
    let (file, line) = place.unwrap_or((Path::new(""), 1));
    let mut problem = Problem::new(file, line, "cycle", text);
    for ((from, to), ties) in arrows {
        let mut by: Vec<String> = ties
            .iter()
            .take(NAMES)
            .map(|(name, tie)| format!("{name} ({}:{})", tie.file.display(), tie.line))
            .collect();
        if ties.len() > NAMES {
            by.push(format!("{} more", ties.len() - NAMES));
        }
        let tests = if ties.values().all(|tie| tie.test) { " in tests" } else { "" };
        let (from, to, by) = (name(*from), name(*to), by.join(", "));
        problem.details.push(format!("{from} -> {to}{tests}: {by}"));
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::{Files, Source};
    use crate::tidy::reader;

    /// The lines that `check` reports for a crate that begins with `src/lib.rs`.
    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let files: Files = files
            .iter()
            .map(|(path, text)| {
                let facts = reader::read(text).expect("Rust");
                (PathBuf::from(path), Source { text: (*text).to_owned(), facts })
            })
            .collect();
        let modules = Modules::of("made", Path::new("src/lib.rs"), &files).expect("a crate");
        let mut problems = Vec::new();
        check(&modules, &mut problems);
        problems
            .iter()
            .flat_map(|problem| problem.to_string().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// Whether modules `a` and `b`, with `b` using `a`, are a cycle.
    fn is_cycle(a: &str) -> bool {
        let lib = "mod a; mod b; mod shared { pub use crate::b::B; }";
        let b = "use crate::a::A; pub struct B; pub fn f() {} pub mod deep { pub struct D; }";
        let found = cycles(&[("src/lib.rs", lib), ("src/a.rs", a), ("src/b.rs", b)]);
        assert!(found.is_empty() || found.iter().any(|line| line.contains("a, b")), "{found:?}");
        !found.is_empty()
    }

    #[test]
    fn siblings_that_use_each_other_are_a_cycle() {
        for a in [
            "use crate::b::B;",
            "use super::b;",
            "use super::{b::{self as other}};",
            "use crate::*; struct A(b::B);",
            "struct A(crate::b::deep::D);",
            "fn a() { super::b::f() }",
            "fn a() { use super::b::*; }",
            "fn a() { assert_eq!(1, crate::b::f()); }",
            "macro_rules! a { () => { $crate::b::f() } }",
            "#[serde(with = \"crate::b\")] struct A;",
            "impl<T: super::b::deep::D> A for T {}",
            "mod inner { fn a(b: super::super::b::B) {} }",
            "mod inner { use super::*; type C = B; } use super::shared::B;",
            "#[cfg(test)] mod tests { use crate::b::B; }",
            "fn a(x: u8) { match x { crate::b::X => {} _ => {} } }",
        ] {
            assert!(is_cycle(a), "{a}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for a in [
            "",
            "use b::B;",
            "use ::b::B;",
            "fn a() { let b = 1; x.b(); x.f::<u8>(); }",
            "fn a() { f(); other::b::f(); }",
            "mod b { pub struct B; } use b::B;",
            "// crate::b::B\n/// crate::b::B\nfn a() { let _ = \"crate::b::B\"; }",
        ] {
            assert!(!is_cycle(a), "{a}");
        }
    }

    #[test]
    fn a_folder_and_its_modules_belong_together() {
        let files = [
            ("src/lib.rs", "mod a; pub struct Top;"),
            (
                "src/a/mod.rs",
                "mod error; mod x; pub use error::Error; pub struct Own; fn f() { x::f() }",
            ),
            ("src/a/error.rs", "use super::Own; use crate::Top; pub enum Error {}"),
            ("src/a/x.rs", "use super::{Error, Own}; pub fn f() {}"),
        ];
        assert_eq!(cycles(&files), Vec::<String>::new());
    }

    #[test]
    fn what_a_folder_passes_on_is_its_modules() {
        let files = [
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", "mod error;\nmod x;\npub use error::Error;\nuse x::Kept;"),
            ("src/a/error.rs", "//! E.\n\npub enum Error {\n    X(super::Kept)\n}"),
            (
                "src/a/x.rs",
                "use super::Error; pub struct Kept(Error);\nfn f() -> Error { Error::Y }",
            ),
        ];
        assert_eq!(
            cycles(&files),
            [
                "src/a/error.rs:4: cycle: modules of `made::a` use each other: error, x",
                "    error -> x: Kept (src/a/error.rs:4)",
                "    x -> error: Error (src/a/x.rs:1)",
            ]
        );
    }

    #[test]
    fn subtrees_count_for_the_module_above_them() {
        let files = [
            ("src/lib.rs", "mod a; mod b; mod c;"),
            ("src/a/mod.rs", "mod deep;"),
            ("src/a/deep.rs", "#[path = \"other/name.rs\"] mod x;"),
            ("src/a/other/name.rs", "use crate::b::B;"),
            ("src/b.rs", "pub struct B; use crate::c::inner::C;"),
            ("src/c.rs", "pub mod inner { pub struct C; fn f() { crate::a::g() } }"),
        ];
        assert_eq!(
            cycles(&files),
            [
                "src/a/other/name.rs:1: cycle: modules of `made` use each other: a, b, c",
                "    a -> b: B (src/a/other/name.rs:1)",
                "    c -> a: g (src/c.rs:1)",
                "    b -> c: C (src/b.rs:1), inner (src/b.rs:1)",
            ]
        );
    }
}
