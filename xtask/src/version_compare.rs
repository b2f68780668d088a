//! `cargo xtask version-compare apk|dpkg|opkg`: how versions order, for comparison with the real
//! programs. Reads lines of two versions separated by white space, answers each with one line.

use std::cmp::Ordering;
use std::error::Error;
use std::io::{BufRead, Write};

use wifibox_ground::version::Scheme;

/// The arguments of the chore.
#[derive(clap::Args)]
pub struct Arguments {
    /// Whose order: apk, dpkg or opkg.
    scheme: Scheme,
}

/// Answers every line of standard input.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| format!("cannot read standard input: {error}"))?;
        writeln!(out, "{}", answer(arguments.scheme, &line))?;
    }
    out.flush()?;
    Ok(())
}

fn answer(scheme: Scheme, line: &str) -> &'static str {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [a, b] = words.as_slice() else { return "invalid" };
    match scheme.compare(a, b) {
        Some(Ordering::Less) => "<",
        Some(Ordering::Equal) => "=",
        Some(Ordering::Greater) => ">",
        None => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_answered() {
        for (line, expected) in [
            ("1 2", "<"),
            ("2\t1", ">"),
            (" 1  1 ", "="),
            ("1 x", "invalid"),
            ("1", "invalid"),
            ("", "invalid"),
        ] {
            assert_eq!(answer(Scheme::Apk, line), expected, "{line:?}");
        }
    }
}
