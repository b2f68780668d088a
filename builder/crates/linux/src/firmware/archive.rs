//! The archive of linux-firmware as its project publishes it: one tar, hundreds of megabytes, of which
//! a guest needs a few files.
//!
//! It is streamed and never unpacked: WHENCE, which stands near its beginning, says which names are
//! links; after that only members that a module or a manifest may ask for are kept, and the texts of
//! licences. What of these comes into the guest is the selection's business, not this module's.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::report::FirmwareError;
use super::rules::{Pattern, Rules, first_match, is_glob};
use super::select::Wanted;
use super::whence::{Whence, WhenceError, is_licence_file};
use wifibox_formats::tarball::{self, TarError, TarLimits};
use wifibox_ground::codec::{Compression, Limits};
use wifibox_ground::content::{Content, Spool};
use wifibox_ground::entry::EntryKind;
use wifibox_ground::path::GuestPath;

/// Linux-firmware has some 5,000 files in 1.3 GB; this leaves room for years.
const ARCHIVE_LIMITS: Limits = Limits { size: 16 << 30, ratio: 1000 };
const TAR_LIMITS: TarLimits = TarLimits { entries: 200_000, file_size: 256 << 20 };
/// The largest WHENCE that is read, in bytes. The real one has 300 KB.
const WHENCE_LIMIT: u64 = 8 << 20;
/// The largest text of a licence that is read, in bytes.
const LICENCE_LIMIT: u64 = 1 << 20;
/// Links of links that are followed backwards from a file to a name.
const ALIAS_DEPTH: usize = 4;

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read, or its compression is damaged.
    #[error("the firmware archive cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is not a tar archive, or holds something that none should.
    #[error("the firmware archive: {0}")]
    Tar(#[from] TarError),
    /// It has no WHENCE.
    #[error(
        "the firmware archive holds no file WHENCE; expected linux-firmware-VERSION.tar.xz (or .gz, \
         .zst) as https://cdn.kernel.org/pub/linux/kernel/firmware/ has it"
    )]
    NoWhence,
    /// Its WHENCE cannot be read.
    #[error("the firmware archive: {0}")]
    Whence(#[from] WhenceError),
    /// A pattern of a manifest cannot be read.
    #[error(transparent)]
    Pattern(#[from] FirmwareError),
}

/// Which names a guest may ask for, before it is known what there is.
#[derive(Debug, Clone)]
pub struct NameFilter {
    exact: std::collections::BTreeSet<String>,
    patterns: Vec<Pattern>,
}

impl NameFilter {
    /// The names that these modules and rules may ask for: those that modules give; where drivers walk down to older
    /// versions, all versions; those that manifests add; companions of other files.
    ///
    /// # Errors
    /// [`FirmwareError::Pattern`].
    pub fn new(wanted: &[Wanted], rules: &Rules) -> Result<Self, FirmwareError> {
        let mut filter = NameFilter { exact: Default::default(), patterns: Vec::new() };
        let mut texts: Vec<String> = rules.include.clone();
        texts.extend(rules.promises.iter().flat_map(|promise| promise.patterns.iter().cloned()));
        for want in wanted {
            if is_glob(&want.name) {
                texts.push(want.name.clone());
            } else {
                filter.exact.insert(want.name.clone());
            }
        }
        let any = |pattern: &Pattern| wanted.iter().any(|want| pattern.matches(&want.name));
        for text in &rules.walk_down {
            if any(&Pattern::new(text)?) {
                texts.push(text.clone());
            }
        }
        for companion in &rules.companions {
            if any(&Pattern::new(&companion.of)?) {
                let stem = companion.of.rsplit_once('.').map_or(&*companion.of, |(stem, _)| stem);
                texts.extend(companion.extensions.iter().map(|ending| format!("{stem}.{ending}")));
            }
        }
        filter.patterns = Pattern::all(&texts)?;
        Ok(filter)
    }

    fn matches(&self, name: &str) -> bool {
        self.exact.contains(name) || first_match(&self.patterns, name).is_some()
    }
}

/// The members of an archive that were kept.
#[derive(Debug)]
pub struct Archive {
    /// Its WHENCE.
    pub whence: Whence,
    /// The text of it.
    pub whence_text: String,
    /// Files, by name below `lib/firmware`, as the archive has them.
    pub files: BTreeMap<String, Content>,
    /// Symbolic links that the archive itself holds, with their targets.
    pub links: BTreeMap<String, Vec<u8>>,
    /// Texts of licences, by name.
    pub licences: BTreeMap<String, Content>,
}

/// Reads an archive, by two passes: `open` gives a reader from its beginning each time, of a file
/// with this name (its ending says how it is compressed).
///
/// # Errors
/// [`ArchiveError`].
pub fn read<R: Read>(
    name: &str,
    open: &mut dyn FnMut() -> io::Result<R>,
    filter: &NameFilter,
    spool: &Spool,
) -> Result<Archive, ArchiveError> {
    let compression = Compression::of_name(name);
    let (top, whence, whence_text) = find_whence(compression.reader(open()?, ARCHIVE_LIMITS)?)?;
    let aliases = Aliases::new(&whence);
    let (files, links, licences) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut archive = Archive { whence, whence_text, files, links, licences };
    let input = compression.reader(open()?, ARCHIVE_LIMITS)?;
    tarball::read::<ArchiveError>(input, TAR_LIMITS, &mut |entry| {
        let Some(name) = name_below(&top, &entry.path) else { return Ok(()) };
        match entry.kind {
            EntryKind::File { content, .. } if is_licence_file(&name) => {
                archive.licences.insert(name, spool.store(content, LICENCE_LIMIT)?);
            }
            EntryKind::File { content, .. } if aliases.wanted(&name, filter, ALIAS_DEPTH) => {
                archive.files.insert(name, spool.store(content, TAR_LIMITS.file_size)?);
            }
            EntryKind::Symlink(target) => drop(archive.links.insert(name, target)),
            _ => {}
        }
        Ok(())
    })?;
    Ok(archive)
}

/// Stops the reading of an archive when WHENCE is found.
enum Search {
    Found(GuestPath, Vec<u8>),
    Failed(ArchiveError),
}

impl From<TarError> for Search {
    fn from(error: TarError) -> Self {
        Search::Failed(error.into())
    }
}

/// The folder that WHENCE is in, which is the top of the firmware, and WHENCE.
fn find_whence(input: impl Read) -> Result<(GuestPath, Whence, String), ArchiveError> {
    let searched = tarball::read::<Search>(input, TAR_LIMITS, &mut |entry| {
        let shallow =
            entry.path.parent().is_none_or(|top| top.parent().is_none_or(|t| t.is_root()));
        match entry.kind {
            EntryKind::File { content, .. } if shallow && entry.path.name() == b"WHENCE" => {
                let mut bytes = Vec::new();
                match content.take(WHENCE_LIMIT).read_to_end(&mut bytes) {
                    Ok(_) => Err(Search::Found(entry.path.parent().unwrap_or_default(), bytes)),
                    Err(error) => Err(Search::Failed(error.into())),
                }
            }
            _ => Ok(()),
        }
    });
    match searched {
        Err(Search::Found(top, bytes)) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Ok((top, Whence::parse(&text)?, text))
        }
        Err(Search::Failed(error)) => Err(error),
        Ok(()) => Err(ArchiveError::NoWhence),
    }
}

/// The name of a member below the top of the firmware.
fn name_below(top: &GuestPath, path: &GuestPath) -> Option<String> {
    let path = path.as_str()?;
    if top.is_root() {
        return Some(path.to_owned());
    }
    path.strip_prefix(top.as_str()?)?.strip_prefix('/').map(str::to_owned)
}

/// The other names of files and directories: WHENCE's links, by what they lead to.
struct Aliases(BTreeMap<String, Vec<String>>);

impl Aliases {
    fn new(whence: &Whence) -> Self {
        let mut aliases: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, target) in whence.links() {
            let directory = name.rsplit_once('/').map_or("", |(above, _)| above);
            if let Some(real) = super::offers::joined(directory, target) {
                aliases.entry(real).or_default().push(name.to_owned());
            }
        }
        Aliases(aliases)
    }

    /// Whether `name`, or a link that leads to it or to a directory above it, is wished for.
    fn wanted(&self, name: &str, filter: &NameFilter, depth: usize) -> bool {
        if filter.matches(name) {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        let mut ends: Vec<usize> = name.match_indices('/').map(|(end, _)| end).collect();
        ends.push(name.len());
        ends.into_iter().any(|end| {
            let (Some(head), Some(rest)) = (name.get(..end), name.get(end..)) else { return false };
            let links = self.0.get(head).map(Vec::as_slice).unwrap_or_default();
            links.iter().any(|link| self.wanted(&format!("{link}{rest}"), filter, depth))
        })
    }
}

#[cfg(test)]
mod tests;
