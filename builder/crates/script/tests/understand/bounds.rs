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

#[test]
fn nothing_is_copied_or_moved_into_itself() {
    let text = "cp -a / /tmp/copy || echo 1\ncp -r /tmp /tmp/x || echo 2\nmkdir /tmp/a\n\
        mv /tmp/a /tmp/a/b || echo 3\nmv / /tmp/r || echo 4\ncp -a /tmp/a /tmp/ab && echo 5\n";
    let said = crate::said(text);
    let numbers: Vec<&str> = said.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5"], "{said}");
}

#[test]
fn copies_and_long_paths_count() {
    let refused = |text: &str| {
        let refused = crate::debian(text, &mut root());
        refused.expect_err("refused").reason.to_string()
    };
    let big = "x=0123456789abcdef\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done\n\
        echo $x > /tmp/a\n";
    let copies = format!("{big}while :; do cp /tmp/a /tmp/b; done\n");
    assert!(refused(&copies).contains("64 MiB"), "{}", refused(&copies));
    let path = format!("[ -e /{} ]\n", "a/".repeat(2100));
    assert!(refused(&path).contains("4096 bytes"), "{}", refused(&path));
}

#[test]
fn no_mode_has_more_than_four_digits() {
    let text = "dpkg-statoverride --update --add root users 22755 /tmp && echo taken\n\
        mkdir -p /etc/tmpfiles.d\necho 'd /tmp/a 22755 root root' >/etc/tmpfiles.d/a.conf\n\
        systemd-tmpfiles --create a.conf\nstat -c %a /tmp /tmp/a\n";
    let said = crate::said(text);
    assert!(said.ends_with("\n755\n2755\n") && !said.contains("taken"), "{said}");
}
