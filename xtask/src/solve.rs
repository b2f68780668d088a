//! `cargo xtask solve`: resolutions as JSON lines, for comparison with the real package managers.
//!
//! A line is `{"format":"apk|dpkg|opkg","arch":"x86_64","repos":[{"tag":null,"index":"<text>"}],
//! "world":["a","b>1"],"stand_ins":["kernel=6.6"]}`; in place of `index`, `file` names an index, plain
//! or as `.tar.gz`, `.gz` or `.xz`. `arch` and `stand_ins` may be left out. A repository may have a `priority`, as
//! apt has. The answer is `{"ok":true,"packages":["name-version",...]}`, sorted by name, or
//! `{"ok":false,"error":"..."}`.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wifibox_formats::{IndexError, Package, apkindex, dpkg_index, opkg_index};
use wifibox_ground::version::Scheme;
use wifibox_solver::{Repository, Request, StandIn, Universe, resolve};

/// The largest index that is read, in bytes of its text.
const INDEX_LIMIT: u64 = 1 << 30;

/// The arguments of the chore: none.
#[derive(clap::Args)]
pub struct Arguments {}

#[derive(Deserialize)]
struct Question {
    format: Scheme,
    #[serde(default)]
    arch: Option<String>,
    repos: Vec<Source>,
    world: Vec<String>,
    #[serde(default)]
    stand_ins: Vec<String>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    priority: Option<i16>,
    #[serde(default)]
    index: Option<String>,
    #[serde(default)]
    file: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Found { ok: bool, packages: Vec<String> },
    Failed { ok: bool, error: String },
}

/// The indexes that were read from files, by format and path.
type Cache = HashMap<(Scheme, String), Arc<[Package]>>;

/// Answers every line of standard input.
pub fn run(_: Arguments) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    let mut cache = Cache::new();
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| format!("cannot read standard input: {error}"))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match answer(&line, &mut cache) {
            Ok(packages) => Answer::Found { ok: true, packages },
            Err(error) => Answer::Failed { ok: false, error: error.to_string() },
        };
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &[u8], cache: &mut Cache) -> Result<Vec<String>, Box<dyn Error>> {
    let question: Question =
        serde_json::from_slice(line).map_err(|error| format!("not a question: {error}"))?;
    let scheme = question.format;
    let mut repositories = Vec::new();
    for source in question.repos {
        let tag = source.tag.map(|tag| tag.trim_start_matches('@').to_owned());
        let packages = match (source.index, source.file) {
            (Some(text), None) => parse(scheme, text.as_bytes())?.into(),
            (None, Some(path)) => from_file(scheme, path, cache)?,
            _ => return Err("a repository has either index or file".into()),
        };
        let priority = source.priority.unwrap_or(Repository::USUAL_PRIORITY);
        repositories.push(Repository { tag, priority, packages });
    }
    let stand_ins = question.stand_ins.iter().map(|text| stand_in(text)).collect();
    let universe = Universe::new(scheme, question.arch.as_deref(), repositories, stand_ins)?;
    let requests = question.world.iter().map(|text| Request::parse(scheme, text));
    let requests: Vec<Request> = requests.collect::<Result<_, _>>()?;
    let solution = resolve(&universe, &requests)?;
    let names = solution.packages.iter().map(|chosen| universe.package(chosen.item).full_name());
    Ok(names.collect())
}

fn stand_in(text: &str) -> StandIn {
    match text.split_once('=') {
        Some((name, version)) => {
            StandIn { name: name.to_owned(), version: Some(version.to_owned()) }
        }
        None => StandIn { name: text.to_owned(), version: None },
    }
}

fn parse(scheme: Scheme, input: impl BufRead) -> Result<Vec<Package>, IndexError> {
    match scheme {
        Scheme::Apk => apkindex::parse(input),
        Scheme::Dpkg => dpkg_index::parse(input),
        Scheme::Opkg => opkg_index::parse(input),
    }
}

fn from_file(
    scheme: Scheme,
    path: String,
    cache: &mut Cache,
) -> Result<Arc<[Package]>, Box<dyn Error>> {
    let key = (scheme, path);
    if let Some(known) = cache.get(&key) {
        return Ok(known.clone());
    }
    let path = key.1.as_str();
    let file =
        File::open(path).map_err(|error| format!("cannot open the index {path}: {error}"))?;
    let packages = read(scheme, path, file).map_err(|error| format!("{path}: {error}"))?;
    let packages: Arc<[Package]> = packages.into();
    cache.insert(key, packages.clone());
    Ok(packages)
}

/// Reads an index, undoing the compression that its name tells of.
fn read(scheme: Scheme, path: &str, file: File) -> Result<Vec<Package>, Box<dyn Error>> {
    let plain: Box<dyn Read> = if path.ends_with(".gz") || path.ends_with(".tgz") {
        Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file)))
    } else if path.ends_with(".xz") {
        Box::new(liblzma::bufread::XzDecoder::new(BufReader::new(file)))
    } else {
        Box::new(file)
    };
    let mut text = BufReader::with_capacity(1 << 16, plain.take(INDEX_LIMIT));
    if !path.ends_with(".tar.gz") && !path.ends_with(".tgz") {
        return Ok(parse(scheme, text)?);
    }
    let mut archive = tar::Archive::new(&mut text);
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.path()?.as_os_str() == "APKINDEX" {
            return Ok(parse(scheme, BufReader::new(entry))?);
        }
    }
    Err("the archive holds no APKINDEX".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> Result<Vec<String>, String> {
        answer(line.as_bytes(), &mut Cache::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_world_is_resolved() {
        let line = r#"{"format":"apk","arch":"x86_64","repos":[{"tag":null,"index":"P:a\nV:1\nD:b\n\nP:b\nV:2\n"}],"world":["a"]}"#;
        assert_eq!(ask(line), Ok(vec!["a-1".to_owned(), "b-2".to_owned()]));
    }

    #[test]
    fn what_cannot_be_answered_is_an_error_not_a_crash() {
        for (line, expected) in [
            ("nonsense", "not a question"),
            (r#"{"format":"rpm","repos":[],"world":[]}"#, "rpm"),
            (
                r#"{"format":"apk","repos":[{"file":"/nonexistent/APKINDEX"}],"world":[]}"#,
                "cannot open the index /nonexistent",
            ),
            (r#"{"format":"apk","repos":[{"tag":"t"}],"world":[]}"#, "either index or file"),
            (r#"{"format":"apk","repos":[{"index":"x"}],"world":[]}"#, "line 1"),
            (r#"{"format":"apk","repos":[],"world":["a=="]}"#, "not a dependency"),
            (r#"{"format":"apk","repos":[],"world":["a"]}"#, "a"),
        ] {
            let error = ask(line).expect_err(line);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn compressed_files_are_read_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("Packages.gz");
        let file = File::create(&path).expect("a file");
        let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        gz.write_all(b"Package: a\nVersion: 1\n").expect("written");
        gz.finish().expect("finished");
        let line =
            serde_json::json!({"format": "dpkg", "repos": [{"file": path}], "world": ["a=1"]})
                .to_string();
        let mut cache = Cache::new();
        for _ in 0..2 {
            let found = answer(line.as_bytes(), &mut cache).expect("an answer");
            assert_eq!(found, ["a-1"]);
            let _ = std::fs::remove_file(&path);
        }
    }
}
