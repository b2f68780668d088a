//! Arbitrary text ends in an answer: no panic, no work without end.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use wifibox_script::Ecosystem;

use crate::{root, run};

/// Pieces of scripts, to be put together at random.
const PIECES: [&str; 44] = [
    "if ",
    "then ",
    "else ",
    "fi\n",
    "while ",
    "do ",
    "done\n",
    "case x in ",
    "x) ",
    ";;\n",
    "esac\n",
    "{ ",
    "}\n",
    "( ",
    ")\n",
    "$(",
    "`",
    "\"",
    "'",
    "${x:-",
    "${x##*",
    "}",
    "$((",
    "))",
    "| ",
    "&& ",
    "|| ",
    "! ",
    "<<EOF\n",
    "EOF\n",
    "> /tmp/a ",
    "x=$x$x\n",
    "f() ",
    "f\n",
    "[ -n ",
    " ]\n",
    "for i in 1 2 3; ",
    "echo $i ",
    "rm -rf /* ",
    "sed 's/a*/b/g' ",
    "grep -E '(a|b)+' ",
    "set -e\n",
    "[[ ",
    "]]\n",
];

fn ends(text: &str) {
    let start = Instant::now();
    for ecosystem in [Ecosystem::Debian, Ecosystem::Alpine, Ecosystem::OpenWrt] {
        let _ = run(ecosystem, "postinst", text, &mut root());
    }
    assert!(start.elapsed() < Duration::from_secs(60), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends(text in "\\PC{0,200}") {
        ends(&text);
    }

    #[test]
    fn pieces_of_scripts_end(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        ends(&pieces.concat());
    }
}
