//! How make(1) writes things down.

use std::fmt::Write as _;

/// The width of a tab stop.
const TAB: usize = 8;

/// `NAME=` and its words, one to a line from the second on.
pub fn assign(name: &str, words: &[String]) -> String {
    let tabs = if name.len() < TAB { 2 } else { 1 };
    let separator = format!(" \\\n{}", "\t".repeat(2));
    format!("{name}{}{}\n", "\t".repeat(tabs), words.join(&separator))
}

/// `words` as a value: without what make(1) would take for its own.
pub fn escape(words: &str) -> String {
    let mut text = String::new();
    for char in words.chars() {
        match char {
            '$' => text.push_str("$$"),
            '#' => text.push_str("\\#"),
            '\\' => text.push('/'),
            '"' | '`' => text.push('\''),
            char if char.is_control() => text.push(' '),
            char => drop(write!(text, "{char}")),
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_to_a_line() {
        assert_eq!(assign("A=", &["b".into()]), "A=\t\tb\n");
        assert_eq!(
            assign("MASTER_SITES+=", &["b".into(), "c".into()]),
            "MASTER_SITES+=\tb \\\n\t\tc\n"
        );
        assert_eq!(escape("a $b #1 \"c\"\n"), "a $$b \\#1 'c'");
    }
}
