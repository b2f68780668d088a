//! A build of which nothing changed: answered from a note about the last one, `<cache>/built/<hash of
//! the output folder's path>.json`, without opening a package.
//!
//! The note says what the output was made of (the program, the recipes, the bytes of overlays, locks and
//! the user's own files, the request), and what every file of it was like: size, mode, times and inode as
//! the file system tells them, and its hash. What was only touched is hashed; what was changed or removed
//! makes the build run again. The note is sealed ([`Secret`]): one that somebody else wrote or changed is none. A file that changed in the same tick of the file system's clock in which
//! the note was written could look untouched, so those are hashed, too.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wifibox_ground::digest::Sha256;
use wifibox_ground::output::{Link, NewFile, Output, sweep_beside};
use wifibox_ground::regular;
use wifibox_ground::secret::Secret;
use wifibox_recipe::Composed;
use wifibox_report::Sizes;
use wifibox_report::manifest::FirmwareCounts;
use wifibox_resolve::lock::Lock;
use wifibox_resolve::{LockChange, Locked, Source};

use crate::inputs::Inputs;
use crate::state::State;
use crate::{BuildReport, BuildRequest, Environment};

/// Rises when a note means something else.
const FORMAT: u32 = 3;
/// The length of a seal, in hexadecimal digits.
const SEAL: usize = 64;
/// The longest note that is read, in bytes.
const NOTE_LIMIT: u64 = 64 << 20;
/// Notes of output folders that are kept; the oldest go.
const KEPT: usize = 500;

/// A note about one build: its inputs and its output.
#[derive(Serialize, Deserialize)]
struct Note {
    format: u32,
    /// All that decides the output.
    inputs: Sha256,
    folders: Vec<(String, u32)>,
    links: Vec<Link>,
    files: Vec<Noted>,
    report: Reported,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    output: Output,
    state: State,
}

/// The part of a build's report that is not stored elsewhere.
#[derive(Serialize, Deserialize)]
struct Reported {
    build_id: String,
    kernel: String,
    packages: usize,
    modules: usize,
    firmware: FirmwareCounts,
    missing_firmware: Vec<String>,
    sizes: Sizes,
}

/// The locks as they are on the disk, in a line each.
fn with_locks(inputs: &Sha256, paths: &[PathBuf]) -> Option<Sha256> {
    let mut lines = vec![format!("inputs {inputs}")];
    for path in paths {
        lines.push(format!("lock {path:?} {}", regular::hash(path).ok()?.0));
    }
    Some(Sha256::of(lines.join("\n").as_bytes()))
}

/// Where the note about an output folder is.
fn note_path(out: &Path, environment: &Environment<'_>) -> Option<PathBuf> {
    let out = fs::canonicalize(out).ok()?;
    let name = Sha256::of(out.as_os_str().as_encoded_bytes());
    Some(environment.caches.folder.as_ref()?.join("built").join(format!("{name}.json")))
}

/// The report of the build that made what is in the output folder, if another one would make the
/// same.
pub fn find(
    inputs: &Sha256,
    composed: &Composed<'_>,
    request: &BuildRequest,
    environment: &Environment<'_>,
) -> Option<BuildReport> {
    let path = note_path(&request.out, environment)?;
    let secret = environment.caches.secret()?;
    let mut file = regular::open(&path).ok()?;
    let written = file.metadata().ok()?;
    let written = (written.mtime(), written.mtime_nsec());
    let mut note = read(&mut file, &path, secret)?;
    let sources = Source::all(&composed.recipe);
    let own = sources.first()?;
    let locks: Vec<PathBuf> =
        sources.iter().map(|source| source.lock_path(own, &environment.lock)).collect();
    if note.format != FORMAT || with_locks(inputs, &locks)? != note.inputs {
        return None;
    }
    for (folder, mode) in &note.folders {
        let metadata = fs::symlink_metadata(request.out.join(folder)).ok()?;
        if !metadata.is_dir() || metadata.mode() != *mode {
            return None;
        }
    }
    for link in &note.links {
        if fs::read_link(request.out.join(&link.path)).ok()? != Path::new(&link.target) {
            return None;
        }
    }
    let mut touched = false;
    for Noted { output, state } in &mut note.files {
        let at = request.out.join(&output.path);
        let now = State::of(&fs::symlink_metadata(&at).ok()?);
        if now == *state && !state.may_hide_changes(written) {
            continue;
        }
        if (now.mode, now.size) != (state.mode, state.size)
            || regular::hash(&at).ok()?.0 != output.sha256
        {
            return None;
        }
        (*state, touched) = (now, true);
    }
    let locks = sources
        .iter()
        .zip(locks)
        .map(|(source, path)| {
            let lock = Lock::read(&path, &source.target).ok()??;
            Some(Locked { source: source.clone(), lock, path, change: LockChange::default() })
        })
        .collect::<Option<Vec<Locked>>>()?;
    if touched {
        // So that nothing is hashed the next time.
        drop(store(&path, &note, secret));
    }
    // What the last build could not remove, this one can.
    sweep_beside(&request.out);
    let Reported { build_id, kernel, packages, modules, firmware, missing_firmware, sizes } =
        note.report;
    Some(BuildReport {
        out: request.out.clone(),
        up_to_date: true,
        build_id,
        kernel,
        packages,
        modules,
        firmware,
        missing_firmware,
        sizes,
        outputs: note.files.into_iter().map(|noted| noted.output).collect(),
        locks,
        timings: Vec::new(),
    })
}

/// Notes what a build made, of what was read as `inputs` before it began.
///
/// # Errors
/// The note cannot be written: the next build runs in full.
pub fn note(
    inputs: &Sha256,
    report: &BuildReport,
    composed: &Composed<'_>,
    request: &BuildRequest,
    environment: &Environment<'_>,
) -> io::Result<()> {
    let changed = || io::Error::other("something changed while it was built");
    let now = Inputs::gather(composed, request).map_err(|_| changed())?;
    if now.fingerprint(composed.catalog, environment) != *inputs {
        return Err(changed());
    }
    for Locked { lock, path, source, .. } in &report.locks {
        match Lock::read(path, &source.target) {
            Ok(Some(there)) if there == *lock => {}
            _ => return Err(changed()),
        }
    }
    let locks: Vec<PathBuf> = report.locks.iter().map(|locked| locked.path.clone()).collect();
    let Some(path) = note_path(&request.out, environment) else { return Ok(()) };
    let (mut folders, mut links) = (Vec::new(), Vec::new());
    walk(&request.out, "", &mut folders, &mut links)?;
    let files = report.outputs.iter().map(|output| {
        let state = State::of(&fs::symlink_metadata(request.out.join(&output.path))?);
        Ok(Noted { output: output.clone(), state })
    });
    let note = Note {
        format: FORMAT,
        inputs: with_locks(inputs, &locks).ok_or_else(changed)?,
        folders,
        links,
        files: files.collect::<io::Result<_>>()?,
        report: Reported {
            build_id: report.build_id.clone(),
            kernel: report.kernel.clone(),
            packages: report.packages,
            modules: report.modules,
            firmware: report.firmware,
            missing_firmware: report.missing_firmware.clone(),
            sizes: report.sizes.clone(),
        },
    };
    match environment.caches.secret() {
        Some(secret) => store(&path, &note, secret),
        None => Ok(()),
    }
}

/// The folders below `folder`, with their modes, and the links.
fn walk(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, u32)>,
    links: &mut Vec<Link>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        if metadata.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found, links)?;
            found.push((path, metadata.mode()));
        } else if metadata.is_symlink()
            && let Ok(target) = fs::read_link(entry.path())?.into_os_string().into_string()
        {
            links.push(Link { path, target });
        }
    }
    Ok(())
}

/// The seal over a note, which binds it to its name: that of the output folder.
fn seal(secret: &Secret, path: &Path, note: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    secret.seal("a note about a build", &[name, note]).to_string()
}

/// A note that this user's builder wrote: a line with its seal, and JSON.
fn read(file: &mut File, path: &Path, secret: &Secret) -> Option<Note> {
    let mut bytes = Vec::new();
    file.take(NOTE_LIMIT).read_to_end(&mut bytes).ok()?;
    let (stated, note) = bytes.split_at_checked(SEAL)?;
    let note = note.strip_prefix(b"\n")?;
    if stated != seal(secret, path, note).as_bytes() {
        return None;
    }
    serde_json::from_slice(note).ok()
}

fn store(path: &Path, note: &Note, secret: &Secret) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = NewFile::beside(path)?;
    let mut temporary = new.file();
    let json = serde_json::to_vec(note)?;
    temporary.write_all(seal(secret, path, &json).as_bytes())?;
    temporary.write_all(b"\n")?;
    temporary.write_all(&json)?;
    new.keep()?;
    // What was noted about folders that are long gone.
    let entries: Vec<fs::DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    if entries.len() > KEPT {
        let age = |entry: &fs::DirEntry| entry.metadata().and_then(|m| m.modified()).ok();
        let mut aged: Vec<_> = entries.iter().map(|entry| (age(entry), entry.path())).collect();
        aged.sort();
        for (_, path) in aged.iter().take(entries.len() - KEPT) {
            drop(fs::remove_file(path));
        }
    }
    Ok(())
}
