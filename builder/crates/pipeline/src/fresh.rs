//! A build of which nothing changed: answered from a note about the last one, `<cache>/built/<hash of
//! the output folder's path>.json`, without opening a package.
//!
//! The note says what the output was made of (the program, the recipes, the bytes of overlays, locks and
//! the user's own files, the wishes), and what every file of it was like: size, mode, times and inode as
//! the file system tells them, and its hash. What was only touched is hashed; what was changed or removed
//! makes the build run again. A file that changed in the same tick of the file system's clock in which
//! the note was written could look untouched, so those are hashed, too.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::build::BuildReport;
use super::firmware_archive::ArchiveChoice;
use super::locking::{LockChange, Locked};
use super::own_firmware::LOCAL;
use super::source::Source;
use super::{Composed, Environment, Wishes};
use wifibox_ground::digest::Sha256;
use wifibox_report::Sizes;
use wifibox_report::manifest::{FirmwareCounts, Output};
use wifibox_resolve::lock::Lock;

/// Rises when a note means something else.
const FORMAT: u32 = 1;
/// Notes of output folders that are kept; the oldest go.
const KEPT: usize = 500;
/// File systems may tell times in steps as long as this, in nanoseconds: those that show no
/// fractions of a second in steps of one or two seconds, others of a clock tick.
const COARSE_STEP: i128 = 2_000_000_000;
const FINE_STEP: i128 = 50_000_000;

/// What was built, of what.
#[derive(Serialize, Deserialize)]
struct Note {
    format: u32,
    /// All that decides the output.
    inputs: Sha256,
    folders: Vec<(String, u32)>,
    files: Vec<Noted>,
    report: Reported,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    output: Output,
    state: State,
}

/// What the file system says of a file without reading it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    device: u64,
    inode: u64,
    mode: u32,
    size: u64,
    /// Nanoseconds since 1970, of content and of metadata.
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What a build tells, as far as it does not stand elsewhere.
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

impl State {
    fn of(metadata: &Metadata) -> Self {
        State {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a later change may have left the same state, if it was looked at when the file
    /// system's clock showed `now`.
    fn may_hide_changes(&self, now: (i64, i64)) -> bool {
        let nanoseconds = |(s, ns): (i64, i64)| i128::from(s) * 1_000_000_000 + i128::from(ns);
        let step = if self.changed.1 == 0 { COARSE_STEP } else { FINE_STEP };
        nanoseconds(self.changed) + step >= nanoseconds(now)
    }
}

/// The hash of everything that decides the outputs, but for the locks. `None` where something of it
/// cannot be read: the build will say what.
pub fn inputs(
    composed: &Composed<'_>,
    wishes: &Wishes,
    environment: &Environment<'_>,
) -> Option<Sha256> {
    let mut lines = vec![
        format!("note {FORMAT}"),
        format!("tool {}", environment.tool),
        format!("recipes {}", composed.catalog.fingerprint()),
        format!("recipe {:?}", composed.recipe),
        format!("epoch {:?}", environment.source_date_epoch),
    ];
    let Wishes {
        // It decides where, not what; the note is found by it.
        out: _,
        // Without it there is no build.
        accepted_licences: _,
        force: _,
        firmware_files,
        firmware_adds,
        firmware_archive,
        device,
        block_size,
    } = wishes;
    lines.push(format!("wishes {firmware_files:?} {device:?} {block_size}"));
    for add in firmware_adds {
        let (sha256, _) = Sha256::of_reader(File::open(&add.file).ok()?).ok()?;
        lines.push(format!("firmware {:?} {:?} {sha256}", add.file, add.name));
    }
    match firmware_archive {
        None => {}
        Some(ArchiveChoice::Upstream) => lines.push("upstream archive".to_owned()),
        Some(ArchiveChoice::File(path)) => {
            // Half a gigabyte: not read. A change makes it another state.
            let state = serde_json::to_string(&State::of(&fs::metadata(path).ok()?)).ok()?;
            lines.push(format!("archive {path:?} {state}"));
        }
    }
    let initramfs = composed.recipe.initramfs.iter().map(|plan| &plan.value.overlay);
    let overlays = composed.recipe.overlays.iter().map(|overlay| &overlay.value);
    let overlays = overlays.chain(initramfs).map(|overlay| format!("overlays/{overlay}"));
    for folder in overlays.chain([LOCAL.to_owned()]) {
        for file in composed.sources.files_below(&folder).ok()? {
            let path = format!("{folder}/{file}");
            let bytes = composed.sources.read(&path).ok()?;
            lines.push(format!("file {path} {}", Sha256::of(&bytes)));
        }
    }
    Some(Sha256::of(lines.join("\n").as_bytes()))
}

/// The locks as they are on the disk, in a line each.
fn with_locks(inputs: &Sha256, paths: &[PathBuf]) -> Option<Sha256> {
    let mut lines = vec![format!("inputs {inputs}")];
    for path in paths {
        lines.push(format!("lock {path:?} {}", Sha256::of(&fs::read(path).ok()?)));
    }
    Some(Sha256::of(lines.join("\n").as_bytes()))
}

/// Where the note about an output folder is.
fn note_path(out: &Path, environment: &Environment<'_>) -> Option<PathBuf> {
    let out = fs::canonicalize(out).ok()?;
    let name = Sha256::of(out.as_os_str().as_encoded_bytes());
    Some(environment.caches.folder()?.join("built").join(format!("{name}.json")))
}

/// The report of the build that made what is in the output folder, if another one would make the
/// same.
pub fn find(
    inputs: &Sha256,
    composed: &Composed<'_>,
    wishes: &Wishes,
    environment: &Environment<'_>,
) -> Option<BuildReport> {
    let path = note_path(&wishes.out, environment)?;
    let file = File::open(&path).ok()?;
    let written = file.metadata().ok()?;
    let written = (written.mtime(), written.mtime_nsec());
    let mut note: Note = serde_json::from_reader(io::BufReader::new(file)).ok()?;
    let sources = Source::all(&composed.recipe);
    let own = sources.first()?;
    let locks: Vec<PathBuf> =
        sources.iter().map(|source| source.lock_path(own, environment)).collect();
    if note.format != FORMAT || with_locks(inputs, &locks)? != note.inputs {
        return None;
    }
    for (folder, mode) in &note.folders {
        let metadata = fs::symlink_metadata(wishes.out.join(folder)).ok()?;
        if !metadata.is_dir() || metadata.mode() != *mode {
            return None;
        }
    }
    let mut touched = false;
    for Noted { output, state } in &mut note.files {
        let at = wishes.out.join(&output.path);
        let now = State::of(&fs::symlink_metadata(&at).ok()?);
        if now == *state && !state.may_hide_changes(written) {
            continue;
        }
        if (now.mode, now.size) != (state.mode, state.size)
            || Sha256::of_reader(File::open(&at).ok()?).ok()?.0 != output.sha256
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
        drop(store(&path, &note));
    }
    let Reported { build_id, kernel, packages, modules, firmware, missing_firmware, sizes } =
        note.report;
    Some(BuildReport {
        out: wishes.out.clone(),
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
    wishes: &Wishes,
    environment: &Environment<'_>,
) -> io::Result<()> {
    let changed = || io::Error::other("something changed while it was built");
    if self::inputs(composed, wishes, environment).as_ref() != Some(inputs) {
        return Err(changed());
    }
    for Locked { lock, path, source, .. } in &report.locks {
        match Lock::read(path, &source.target) {
            Ok(Some(there)) if there == *lock => {}
            _ => return Err(changed()),
        }
    }
    let locks: Vec<PathBuf> = report.locks.iter().map(|locked| locked.path.clone()).collect();
    let Some(path) = note_path(&wishes.out, environment) else { return Ok(()) };
    let mut folders = Vec::new();
    walk(&wishes.out, "", &mut folders)?;
    let files = report.outputs.iter().map(|output| {
        let state = State::of(&fs::symlink_metadata(wishes.out.join(&output.path))?);
        Ok(Noted { output: output.clone(), state })
    });
    let note = Note {
        format: FORMAT,
        inputs: with_locks(inputs, &locks).ok_or_else(changed)?,
        folders,
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
    store(&path, &note)
}

/// The folders below `folder`, with their modes.
fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, u32)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if let (true, Ok(name)) = (metadata.is_dir(), entry.file_name().into_string()) {
            let path = format!("{prefix}{name}");
            walk(&entry.path(), &format!("{path}/"), found)?;
            found.push((path, metadata.mode()));
        }
    }
    Ok(())
}

fn store(path: &Path, note: &Note) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".note").tempfile_in(folder)?;
    temporary.write_all(&serde_json::to_vec(note)?)?;
    temporary.persist(path).map_err(|error| error.error)?;
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
