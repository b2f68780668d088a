//! The input of text commands: files or standard input.

use crate::eval::{Machine, Run};

/// The text of files, or of standard input where none or `-` is named; `None`, and a message, where
/// one is missing.
pub(super) fn inputs(
    machine: &mut Machine<'_>,
    name: &str,
    paths: &[String],
    quiet: bool,
) -> Run<(Vec<(String, String)>, bool)> {
    let mut texts = Vec::new();
    let mut complete = true;
    if paths.is_empty() {
        texts.push((String::new(), machine.input()?));
    }
    for path in paths {
        if path == "-" || path == "/dev/stdin" {
            texts.push((path.clone(), machine.input()?));
        } else if path == "/dev/null" {
            texts.push((path.clone(), String::new()));
        } else if let Some(text) = machine.read_text(path)? {
            texts.push((path.clone(), text));
        } else {
            complete = false;
            if !quiet {
                machine.write_to(2, &format!("{name}: {path}: No such file or directory\n"))?;
            }
        }
    }
    // Lines are taken apart.
    let lines: usize = texts.iter().map(|(_, text)| text.matches('\n').count()).sum();
    machine.spend(lines.saturating_mul(16))?;
    Ok((texts, complete))
}

pub(super) fn all(texts: Vec<(String, String)>) -> String {
    texts.into_iter().map(|(_, text)| text).collect()
}
