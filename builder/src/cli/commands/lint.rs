//! `wifibox-build lint FILE...`: what the program that reads a file would pass over in silence.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::regular;
use wifibox_host::lint::{Kind, Level, Problem, lint};

/// The part of `--help` behind the flags.
pub(crate) const HELP: &str = "\
bhyve says nothing about variables that it does not know, wifibox sources 'cpus = 1' without a word, and \
vm-bhyve cuts a value at '#'. This does not. Errors are what the program refuses or what cannot work; \
warnings and hints do not fail. Each names the document or program that its rule is from.

Kinds, which are guessed from contents and names unless --kind is given:
  bhyve          a machine for bhyve -k: bhyve_config(5), and devices that collide
  wifibox-bhyve  bhyve.conf of wifibox-core
  wifibox-core   core.conf of wifibox-core
  vm-bhyve       a guest or template of vm-bhyve, and devices that collide
  loader, rc     loader.conf(5) and rc.conf(5) of FreeBSD
  devd           devd.conf(5) of FreeBSD
  xl             a domain of Xen: xl.cfg(5)
  l4re-modules   modules.list of L4Re

Of a folder, every file of a known kind is checked.";

/// `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// Files, or folders with files of known kinds (the folder host/ of an output)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Kind of the file [default: guessed]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<Kind>,
}

/// Checks the files and prints what is wrong.
///
/// # Errors
/// A file cannot be read or is of no known kind; or something is wrong (exit code 1).
pub fn run(context: &Context, args: &LintArgs) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in &args.files {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else {
            let contents = read(path)?;
            let kind = args.kind.or_else(|| Kind::guess(&path.to_string_lossy(), &contents));
            let kind = kind.ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
                Failure::usage(format!(
                    "{}: what kind of file is it? Say so with --kind, one of {}",
                    path.display(),
                    names.join(", ")
                ))
            })?;
            files.push((path.clone(), kind, contents));
        }
    }
    if files.is_empty() {
        return Err(Failure::usage("there is no file of a known kind in these folders"));
    }
    let mut found: Vec<(PathBuf, Kind, Vec<Problem>)> = Vec::new();
    for (path, kind, contents) in files {
        found.push((path, kind, lint(kind, &contents)));
    }
    let errors = |problem: &&Problem| problem.level == Level::Error;
    let count: usize = found.iter().map(|(_, _, list)| list.iter().filter(errors).count()).sum();
    let fields = || {
        let all = found.iter().map(|(file, kind, problems)| answers::Linted {
            file,
            kind: kind.name(),
            problems,
        });
        answers::Lint { lint: all.collect() }
    };
    context.printer.result(fields, || text(&found))?;
    match count {
        0 => Ok(()),
        1 => Err(Failure::failed("1 error")),
        count => Err(Failure::failed(format!("{count} errors"))),
    }
}

fn text(found: &[(PathBuf, Kind, Vec<Problem>)]) -> String {
    let mut text = String::new();
    for (path, kind, problems) in found {
        if !problems.iter().any(|problem| problem.level == Level::Error) {
            text += &format!("{}: {} ({kind})\n", path.display(), verdict(problems));
        }
        for Problem { line, level, what, source } in problems {
            let place = if *line > 0 { format!(":{line}") } else { String::new() };
            text += &format!("{}{place}: {what} [{level}: {source}]\n", path.display());
        }
    }
    text
}

/// What is said of a file without errors: sound only where nothing is to be warned of.
fn verdict(problems: &[Problem]) -> String {
    let count =
        |level, one: &str| match problems.iter().filter(|problem| problem.level == level).count() {
            0 => String::new(),
            1 => format!(", 1 {one}"),
            many => format!(", {many} {one}s"),
        };
    let (warnings, hints) = (count(Level::Warning, "warning"), count(Level::Hint, "hint"));
    let word = if warnings.is_empty() { "sound" } else { "no errors" };
    format!("{word}{warnings}{hints}")
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(wifibox_host::lint::SIZE_LIMIT).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One byte too many, so that the linter says that it is too large.
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map(|_| bytes)
        .map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}

/// The files of known kinds below a folder, in the order of their names.
fn walk(folder: &Path, files: &mut Vec<(PathBuf, Kind, Vec<u8>)>) -> Result<(), Failure> {
    let failed = |error| Failure::failed(format!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    paths.sort();
    for path in paths {
        let kind = path.symlink_metadata().map_err(failed)?;
        if kind.is_dir() {
            walk(&path, files)?;
        } else if kind.is_file() && kind.len() <= wifibox_host::lint::SIZE_LIMIT as u64 {
            let contents = regular::read(&path, wifibox_host::lint::SIZE_LIMIT as u64);
            let contents = contents.map_err(|error| unreadable(&path, &error))?;
            if let Some(kind) = Kind::guess(&path.to_string_lossy(), &contents) {
                files.push((path, kind, contents));
            }
        }
    }
    Ok(())
}
