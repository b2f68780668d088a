//! The files of the sources: every Rust file and every shell script below the workspace, and the rules that a file
//! answers by itself (`lines`, `function`, `head`).

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::thread;

use super::Problem;
use super::facts::Facts;
use super::reader;

/// The longest Rust file.
const FILE_LINES: usize = 400;
/// The longest function, from its signature to its closing brace.
const FUNCTION_LINES: usize = 100;

/// Rust files by their path below the root.
pub type Files = BTreeMap<PathBuf, Source>;

/// A Rust file.
#[derive(Debug)]
pub struct Source {
    pub text: String,
    pub facts: Facts,
}

/// Reads all Rust files of `root`, and says what is wrong with them and with the shell scripts.
pub fn read(root: &Path, problems: &mut Vec<Problem>) -> Result<Files, Box<dyn Error>> {
    let (mut rust, mut shell) = (Vec::new(), Vec::new());
    collect(root, root, &ignored(root), &mut rust, &mut shell)?;
    for path in shell {
        let text = fs::read(root.join(&path)).map_err(|error| cannot_read(&path, &error))?;
        if !has_comment(&String::from_utf8_lossy(&text)) {
            let text = "the script does not begin with a comment that says what it is for";
            problems.push(Problem::new(&path, 1, "head", text));
        }
    }
    let files = parse(root, &rust, problems)?;
    for (path, source) in &files {
        judge(path, source, problems);
    }
    Ok(files)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// Parses the files by as many threads as there are processors: nearly all time goes there.
fn parse(
    root: &Path,
    paths: &[PathBuf],
    problems: &mut Vec<Problem>,
) -> Result<Files, Box<dyn Error>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let one = |path: &PathBuf| -> Result<_, String> {
        let text = fs::read_to_string(root.join(path)).map_err(|e| cannot_read(path, &e))?;
        let facts = reader::read(&text);
        Ok((path.clone(), text, facts))
    };
    let read = thread::scope(|scope| {
        let work = |first| paths.iter().skip(first).step_by(threads).map(one).collect::<Vec<_>>();
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || work(first))).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut files = Files::new();
    for outcome in read {
        for outcome in outcome.map_err(|_| "a thread that reads files panicked")? {
            let (path, text, facts) = outcome?;
            let facts = facts.unwrap_or_else(|(line, text)| {
                problems.push(Problem::new(&path, line, "syntax", text));
                Facts::default()
            });
            files.insert(path, Source { text, facts });
        }
    }
    Ok(files)
}

fn judge(path: &Path, source: &Source, problems: &mut Vec<Problem>) {
    let head = source.text.lines().next().and_then(|line| line.strip_prefix("//!"));
    if head.is_none_or(|head| head.trim().is_empty()) {
        let text = "the file does not begin with a `//!` comment that says what it is for";
        problems.push(Problem::new(path, 1, "head", text));
    }
    let lines = source.text.lines().count();
    if lines > FILE_LINES {
        let text = format!("{lines} lines; a file has at most {FILE_LINES}");
        problems.push(Problem::new(path, FILE_LINES + 1, "lines", text));
    }
    for function in &source.facts.functions {
        if function.lines > FUNCTION_LINES {
            let text = format!(
                "`{}` has {} lines; a function has at most {FUNCTION_LINES}",
                function.name, function.lines
            );
            problems.push(Problem::new(path, function.line, "function", text));
        }
    }
}

/// Whether the first line that is not blank, but for `#!`, is a comment with words.
fn has_comment(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let _interpreter = lines.next_if(|line| line.starts_with("#!"));
    lines.next().and_then(|line| line.strip_prefix('#')).is_some_and(|comment| {
        let comment = comment.trim();
        !comment.is_empty() && !comment.starts_with("shellcheck ")
    })
}

/// Folders of the root that `.gitignore` names: they hold no sources.
fn ignored(root: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix('/')).map(|line| root.join(line)).collect()
}

fn collect(
    root: &Path,
    folder: &Path,
    ignored: &[PathBuf],
    rust: &mut Vec<PathBuf>,
    shell: &mut Vec<PathBuf>,
) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder).map_err(|error| cannot_read(folder, &error))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if kind.is_dir() {
            let made = entry.file_name() == ".git" || path.join("CACHEDIR.TAG").exists();
            if !made && !ignored.contains(&path) {
                collect(root, &path, ignored, rust, shell)?;
            }
        } else if kind.is_file() {
            let below = path.strip_prefix(root)?.to_owned();
            match extension {
                Some("rs") => rust.push(below),
                Some("sh") => shell.push(below),
                None if is_script(&path) => shell.push(below),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether the first line names a shell.
fn is_script(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(80).read_to_end(&mut begin));
    let text = String::from_utf8_lossy(&begin);
    let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else {
        return false;
    };
    let shell =
        |word: &str| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash" | "dash"));
    read.is_ok() && line.split_whitespace().any(shell)
}
