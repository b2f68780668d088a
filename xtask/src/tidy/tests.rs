//! The chore over made workspaces that break one rule each, and over this one.

use std::fs;
use std::path::Path;

use super::workspace::Workspace;
use super::*;

/// The page of a workspace in which `one` uses `two`.
const PAGE: &str =
    "# A\n\n```mermaid\nflowchart TD\n    %% crates\n    one --> two\n    three\n```\n\nEnd.\n";

/// A workspace that breaks no rule, but for `files`.
fn made(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let package = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{more}")
    };
    let tests = "[dev-dependencies]\nthree = { path = \"../three\" }\n";
    let one = package("one", &format!("[dependencies]\ntwo = {{ path = \"../two\" }}\n{tests}"));
    for (path, text) in [
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\", \"three\"]\nresolver = \"3\"\n"),
        (".gitignore", "/made\n"),
        ("one/Cargo.toml", &one),
        ("one/src/lib.rs", "//! One.\n"),
        ("one/tests/all.rs", "//! Tests.\n"),
        ("two/Cargo.toml", &package("two", tests)),
        ("two/src/main.rs", "//! Two.\n\nfn main() {}\n"),
        ("three/Cargo.toml", &package("three", "")),
        ("three/src/lib.rs", "//! Three.\n"),
        ("docs/ARCHITECTURE.md", PAGE),
        ("ci/x.sh", "#!/bin/sh\n# Does x.\ntrue\n"),
    ]
    .iter()
    .chain(files)
    {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    root
}

/// All lines that the chore prints about it.
fn problems(root: &Path, with_words: bool) -> Vec<String> {
    let workspace = Workspace::load(root).expect("Cargo's answer");
    let (_, problems) = check(&workspace, with_words).expect("read");
    problems.iter().map(Problem::to_string).collect()
}

fn problems_of(files: &[(&str, &str)]) -> Vec<String> {
    problems(made(files).path(), false)
}

#[test]
fn a_tidy_workspace_has_no_problems() {
    let files = [
        ("made/bad.rs", "no head"),
        ("one/notes.txt", "no head"),
        ("ci/y", "#!/bin/sh\n\n# Does y.\n"),
        ("ci/python", "#!/usr/bin/python3\nprint()\n"),
    ];
    assert_eq!(problems_of(&files), Vec::<String>::new());
}

#[test]
fn lengths_are_bounded() {
    let lines = |count: usize| format!("//! Long.\n{}", "// x\n".repeat(count - 1));
    let function = |lines: usize, before: &str, after: &str| {
        format!("//! F.\n{before}\nfn f()\n{{\n{}}}\n{after}", "    f();\n".repeat(lines - 3))
    };
    let files = [
        ("one/src/just.rs", lines(400)),
        ("one/src/long.rs", lines(401)),
        ("one/src/fits.rs", function(100, "/// F.\n#[test]", "")),
        ("one/src/free.rs", function(101, "", "")),
        ("one/src/method.rs", function(102, "impl X {", "}")),
        ("one/src/provided.rs", function(103, "trait X {", "}")),
        ("one/src/nested.rs", function(104, "fn g() { if true {", "} }")),
        ("one/src/made.rs", function(105, "proptest! {", "}")),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let function = |name: &str, line: usize, lines: usize| {
        format!(
            "one/src/{name}.rs:{line}: function: `f` has {lines} lines; a function has at most 100"
        )
    };
    assert_eq!(
        problems_of(&files),
        [
            function("free", 3, 101),
            "one/src/long.rs:401: lines: 401 lines; a file has at most 400".to_owned(),
            function("made", 3, 105),
            function("method", 3, 102),
            // The function around it is as long.
            function("nested", 2, 106).replace("`f`", "`g`"),
            function("nested", 3, 104),
            function("provided", 3, 103),
        ]
    );
}

#[test]
fn files_begin_with_what_they_are_for() {
    let rust = "the file does not begin with a `//!` comment that says what it is for";
    let shell = "the script does not begin with a comment that says what it is for";
    let files = [
        ("ci/a.sh", "#!/bin/sh\nset -e\n# Late.\n"),
        ("ci/b", "#!/usr/bin/env bash\n"),
        ("ci/c.sh", "# shellcheck shell=sh\ntrue\n"),
        ("one/src/lib.rs", "// One.\n"),
        ("one/tests/all.rs", "//!\nuse one;\n"),
        ("two/src/main.rs", "fn main() {}\n"),
    ];
    let expected: Vec<String> = files
        .iter()
        .map(|(path, _)| {
            format!("{path}:1: head: {}", if path.contains("ci/") { shell } else { rust })
        })
        .collect();
    assert_eq!(problems_of(&files), expected);
}

#[test]
fn what_is_no_rust_is_told() {
    let found = problems_of(&[("one/src/lib.rs", "//! One.\n\nfn f( {}\n")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("one/src/lib.rs:3: syntax: no Rust: "), "{found:?}");
}

#[test]
fn a_module_without_a_file_is_told() {
    let found = problems_of(&[("one/src/lib.rs", "//! One.\n\nmod gone;\n")]);
    assert_eq!(found, ["one/src/lib.rs:3: module: `gone` has no file"]);
}

/// The same file in two targets is told once, and each target has modules of its own.
#[test]
fn cycles_are_found_in_all_targets() {
    let files = [
        ("one/tests/all.rs", "//! Tests.\nmod a; mod b;"),
        ("one/tests/a.rs", "//! A.\nuse super::b::B;"),
        ("one/tests/b.rs", "//! B.\nuse crate::a::A;"),
        ("two/src/main.rs", "//! Two.\nmod a { use crate::b::B; } mod b { use crate::a::A; }"),
    ];
    assert_eq!(
        problems_of(&files),
        [
            "one/tests/a.rs:2: cycle: modules of `all` use each other: a, b\n    \
             a -> b: B (one/tests/a.rs:2)\n    b -> a: A (one/tests/b.rs:2)",
            "two/src/main.rs:2: cycle: modules of `two` use each other: a, b\n    \
             a -> b: B (two/src/main.rs:2)\n    b -> a: A (two/src/main.rs:2)",
        ]
    );
}

#[test]
fn the_picture_is_cargos_graph() {
    let page = "docs/ARCHITECTURE.md";
    let drawn = |lines: &str| PAGE.replace("    one --> two\n    three\n", lines);
    let add = |arrow: &str| {
        format!("{page}:5: picture: add the line `{arrow}`, or run `cargo xtask tidy --write`")
    };
    let no = |arrow: &str| format!("remove `{arrow}`: Cargo's graph does not have it");
    for (lines, expected) in [
        ("three\n\n  one   -->   two %% x\n", vec![]),
        ("", vec![add("one --> two"), add("three")]),
        (
            "one --> two\nthree\nthree\n",
            vec![format!("{page}:8: picture: remove `three`: it is there twice")],
        ),
        (
            "one --> two & three\ntwo --> one\n",
            vec![
                add("three"),
                format!("{page}:6: picture: {}", no("one --> three")),
                format!("{page}:7: picture: {}", no("two --> one")),
            ],
        ),
    ] {
        let root = made(&[(page, &drawn(lines))]);
        assert_eq!(problems(root.path(), false), expected, "{lines}");
        let workspace = Workspace::load(root.path()).expect("Cargo's answer");
        picture::write(&workspace).expect("written");
        assert_eq!(fs::read_to_string(root.path().join(page)).expect("read"), PAGE);
    }
    let root = made(&[(page, "# A\n```mermaid\nflowchart TD\n```\n")]);
    let found = problems(root.path(), false);
    assert!(found.len() == 1 && found[0].starts_with(&format!("{page}:1: picture: ")), "{found:?}");
    assert!(picture::write(&Workspace::load(root.path()).expect("Cargo's answer")).is_err());
}

#[test]
fn what_no_other_crate_names_is_not_public() {
    let files = [
        (
            "one/src/lib.rs",
            "//! One.\nmod a;\npub fn program() {}\n    pub const fn example() {}\npub type Own = u8;\n\
             pub static TEST: u8 = 1;\npub const OWN: Own = 1;\npub struct Kept;\npub(crate) fn inside() {}\n",
        ),
        ("one/src/a.rs", "//! A.\nuse crate::OWN;\n    pub async fn waits() {}\n"),
        ("one/src/main.rs", "//! Main.\nfn main() { one::program(); }\n"),
        ("one/examples/e.rs", "//! E.\nfn main() { one::example(); }\n"),
        ("one/tests/all.rs", "//! Tests.\nuse one::TEST;\n"),
    ];
    let line = |file: &str, line: usize, name: &str| {
        format!(
            "one/src/{file}.rs:{line}: public: no other crate names `{name}`: `pub(crate)` is enough"
        )
    };
    assert_eq!(
        problems_of(&files),
        [line("a", 3, "waits"), line("lib", 5, "Own"), line("lib", 7, "OWN")]
    );
}

#[test]
fn words_are_looked_for_when_asked() {
    let begin = ["the", "begin"].join(" ");
    let text = format!(
        "//! One.\nmod kin {{ }}\n//\n/// What it is.\n/// What else.\nfn f() {{\n    x(\"from {begin}\");\n    \
         x(\"from {begin}ning\");\n}}\n"
    );
    let root = made(&[("one/src/lib.rs", &text)]);
    assert_eq!(problems(root.path(), false), Vec::<String>::new());
    let begins = |line: &String| line.split(": ").take(2).collect::<Vec<_>>().join(": ");
    let found: Vec<String> = problems(root.path(), true).iter().map(begins).collect();
    assert_eq!(
        found,
        ["one/src/lib.rs:2: name", "one/src/lib.rs:4: doc", "one/src/lib.rs:7: string"]
    );
}

/// The rules hold here.
#[test]
fn this_workspace_is_tidy() {
    let problems = problems(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), false);
    assert!(problems.is_empty(), "{}\n{} problems", problems.join("\n"), problems.len());
}
