//! Reads tar archives of packages member by member: ustar, GNU long names, PAX (POSIX.1-2001).
//!
//! Headers are taken apart by the `tar` crate; extensions are read here, with limits, and paths
//! are checked before anyone sees them. Sparse files and other oddities are refused: no package
//! tool writes them, and two readers rarely agree on them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{Archive, EntryType, Header};

use crate::fault::Fault;
use crate::names::Names;
use crate::within::{Watched, read_within};
use wifibox_ground::digest::unhex;
use wifibox_ground::entry::{Entry, EntryKind};
use wifibox_ground::path::{GuestPath, PATH_LIMIT, PathError, shown};

/// The limits of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TarLimits {
    /// At most this many members.
    pub entries: u64,
    /// At most this many bytes in one file.
    pub file_size: u64,
}

/// No path, link target or set of PAX records is longer than this many bytes.
const EXTENSION_LIMIT: u64 = 1 << 20;

impl Default for TarLimits {
    fn default() -> Self {
        TarLimits { entries: 100_000, file_size: 4 << 30 }
    }
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TarError {
    /// It is truncated, damaged, not a tar archive, or cannot be read.
    #[error("the archive cannot be read: {0}")]
    Read(#[source] io::Error),
    /// A path leads out of the guest, or is not a valid path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A member is not what a package may hold.
    #[error("member {member:?}: {why}")]
    Member {
        /// Its path, as written.
        member: String,
        /// The reason, for the message.
        why: String,
    },
    /// A member is of a kind that is not supported.
    #[error("member {member:?}: {why}")]
    Unsupported {
        /// Its path, as written.
        member: String,
        /// Which kind.
        why: String,
    },
    /// A member is larger than allowed.
    #[error("member {member:?}: {why}")]
    TooLarge {
        /// Its path, as written.
        member: String,
        /// How large it is, and how large it may be.
        why: String,
    },
    /// There are more members than allowed.
    #[error("the archive has more than {0} members")]
    TooManyMembers(u64),
}

impl TarError {
    /// The kind of the fault.
    pub fn kind(&self) -> Fault {
        match self {
            TarError::Read(error) => Fault::of_io(error),
            TarError::Path(_) => Fault::Unsafe,
            TarError::Member { .. } => Fault::Damaged,
            TarError::Unsupported { .. } => Fault::Unsupported,
            TarError::TooLarge { .. } | TarError::TooManyMembers(_) => Fault::TooLarge,
        }
    }
}

/// The headers that come before a member and say more about it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Hands the members of the archive to `visit`, in their order. An archive may end without the two
/// blocks of zeros that mark its end.
///
/// # Errors
/// Whatever `visit` reports, or [`TarError`] as `E`.
pub fn read<E: From<TarError>>(
    input: impl Read,
    limits: TarLimits,
    visit: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(input);
    let members = archive.entries().map_err(TarError::Read)?.raw(true);
    let mut extensions = Extensions::default();
    let mut names = Names::default();
    let mut count = 0u64;
    for member in members {
        let mut member = member.map_err(TarError::Read)?;
        count = count.saturating_add(1);
        if count > limits.entries {
            return Err(TarError::TooManyMembers(limits.entries).into());
        }
        let header = member.header().clone();
        let size = member.size();
        match header.entry_type() {
            EntryType::GNULongName => extensions.path = Some(name(&mut member, size)?),
            EntryType::GNULongLink => extensions.link = Some(name(&mut member, size)?),
            EntryType::XHeader => {
                let records = small(&mut member, size)?;
                extensions.pax.extend(pax(&records)?);
            }
            // Says the same for all members; git and others leave a comment there.
            EntryType::XGlobalHeader => {
                let records = pax(&small(&mut member, size)?)?;
                if let Some((key, _)) = records.iter().find(|(key, _)| *key != b"comment") {
                    let why = format!("a global PAX record {:?}", shown(key));
                    let member = shown(&header.path_bytes());
                    return Err(TarError::Unsupported { member, why }.into());
                }
            }
            _ => {
                let known = std::mem::take(&mut extensions);
                let mut content = Watched::new(Exact { inner: &mut member, left: size });
                let entry = entry(&header, known, size, limits, &mut content)?;
                names.take(&entry.path, kept(&entry)).map_err(|why| TarError::TooLarge {
                    member: shown(entry.path.as_bytes()),
                    why,
                })?;
                if let Err(error) = visit(entry) {
                    return Err(content.failed().map_or(error, |why| TarError::Read(why).into()));
                }
            }
        }
    }
    Ok(())
}

/// How many bytes are kept of a member beside its path and its content.
fn kept(entry: &Entry<'_>) -> usize {
    let target = match &entry.kind {
        EntryKind::Symlink(target) => target.len(),
        EntryKind::HardLink(target) => target.as_bytes().len(),
        _ => 0,
    };
    let xattrs = entry.xattrs.iter().map(|(name, value)| name.len() + value.len());
    target + entry.uname.len() + entry.gname.len() + xattrs.sum::<usize>()
}

/// Puts a member together from its header and what came before it.
fn entry<'c>(
    header: &Header,
    mut known: Extensions,
    size: u64,
    limits: TarLimits,
    content: &'c mut dyn Read,
) -> Result<Entry<'c>, TarError> {
    let field = |value: io::Result<u64>| value.map_err(TarError::Read);
    let mut pax = |key: &str| known.pax.remove(key.as_bytes());
    let path = pax("path").or(known.path).unwrap_or_else(|| header.path_bytes().into_owned());
    let member = shown(&path);
    let odd = |why: String| TarError::Member { member: member.clone(), why };
    let unsupported = |why: String| TarError::Unsupported { member: member.clone(), why };
    let link = pax("linkpath")
        .or(known.link)
        .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned))
        .unwrap_or_default();
    let number = |key: &str, value: Option<Vec<u8>>, header: io::Result<u64>| match value {
        // Times may have a fraction; it is not kept anywhere.
        Some(text) => std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.split('.').next()?.parse::<u64>().ok())
            .ok_or_else(|| odd(format!("the PAX record {key:?} is not a number"))),
        None => field(header),
    };
    let small = |key: &str, value: u64| {
        u32::try_from(value).map_err(|_| odd(format!("{key} {value} is out of range")))
    };
    let uid = small("uid", number("uid", pax("uid"), header.uid())?)?;
    let gid = small("gid", number("gid", pax("gid"), header.gid())?)?;
    let mtime = small("mtime", number("mtime", pax("mtime"), header.mtime())?)?;
    if number("size", pax("size"), Ok(size))? != size {
        return Err(odd("its PAX record 'size' and its header contradict each other".to_owned()));
    }
    let uname =
        pax("uname").unwrap_or_else(|| header.username_bytes().unwrap_or_default().to_vec());
    let gname =
        pax("gname").unwrap_or_else(|| header.groupname_bytes().unwrap_or_default().to_vec());
    let checksum = pax("APK-TOOLS.checksum.SHA1").map(|text| {
        let bytes = std::str::from_utf8(&text).ok().and_then(unhex);
        bytes
            .and_then(|bytes| <[u8; 20]>::try_from(bytes).ok())
            .ok_or_else(|| odd("its checksum is not 40 hexadecimal digits".to_owned()))
    });
    let checksum = checksum.transpose()?;
    if known.pax.keys().any(|key| key.starts_with(b"GNU.sparse.")) {
        return Err(unsupported("sparse files are not supported".to_owned()));
    }
    let xattrs = known
        .pax
        .into_iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(b"SCHILY.xattr.")?.to_vec(), value)))
        .collect();
    let kind = match header.entry_type() {
        EntryType::Regular | EntryType::Continuous if size > limits.file_size => {
            let why = format!("{size} bytes are more than the {} allowed", limits.file_size);
            return Err(TarError::TooLarge { member, why });
        }
        EntryType::Regular | EntryType::Continuous => EntryKind::File { size, content },
        EntryType::GNUSparse => {
            return Err(unsupported("sparse files are not supported".to_owned()));
        }
        kind if size != 0 => {
            return Err(odd(format!("a member of type {} cannot have contents", flag(kind))));
        }
        EntryType::Directory => EntryKind::Directory,
        EntryType::Symlink => EntryKind::Symlink(target(link, member.clone())?),
        EntryType::Link => {
            let target = GuestPath::from_archive(&link)?;
            if target.is_root() {
                return Err(odd("it is a hard link to the root".to_owned()));
            }
            EntryKind::HardLink(target)
        }
        EntryType::Fifo => EntryKind::Fifo,
        kind @ (EntryType::Char | EntryType::Block) => {
            let (major, minor) = device(header).map_err(odd)?;
            if kind == EntryType::Char {
                EntryKind::CharDevice(major, minor)
            } else {
                EntryKind::BlockDevice(major, minor)
            }
        }
        kind => {
            return Err(unsupported(format!("members of type {} are not supported", flag(kind))));
        }
    };
    let dotted = path.first() == Some(&b'.');
    let path = GuestPath::from_archive(&path)?;
    if path.is_root() && !matches!(kind, EntryKind::Directory) {
        return Err(odd(format!("the root cannot be a {}", kind.describe())));
    }
    // File-type bits, which some writers add, are said by the kind.
    let mode = u16::try_from(header.mode().map_err(TarError::Read)? & 0o7777).unwrap_or(0);
    let held = None;
    Ok(Entry { path, dotted, mode, uid, gid, uname, gname, mtime, xattrs, checksum, held, kind })
}

/// The target of a symbolic link.
fn target(link: Vec<u8>, member: String) -> Result<Vec<u8>, TarError> {
    if link.is_empty() || link.contains(&0) {
        return Err(TarError::Member { member, why: "it links to nothing".to_owned() });
    }
    if link.len() > PATH_LIMIT {
        let why = format!("it links to {} bytes of path", link.len());
        return Err(TarError::TooLarge { member, why });
    }
    Ok(link)
}

/// The major and minor number of a device; an error says which of them is missing.
fn device(header: &Header) -> Result<(u32, u32), String> {
    let number = |value: io::Result<Option<u32>>, what: &str| match value {
        Ok(Some(number)) => Ok(number),
        _ => Err(format!("a device without a {what} number")),
    };
    Ok((number(header.device_major(), "major")?, number(header.device_minor(), "minor")?))
}

/// The contents of an extension.
fn small(member: &mut impl Read, size: u64) -> Result<Vec<u8>, TarError> {
    if size > EXTENSION_LIMIT {
        return Err(TarError::TooLarge {
            member: "(extension)".to_owned(),
            why: format!("{size} bytes of names and attributes are too many"),
        });
    }
    let mut bytes = Vec::new();
    Exact { inner: member, left: size }.read_to_end(&mut bytes).map_err(TarError::Read)?;
    Ok(bytes)
}

/// A long name of GNU tar, with the NUL byte that may end it taken off.
fn name(member: &mut impl Read, size: u64) -> Result<Vec<u8>, TarError> {
    let mut bytes = small(member, size)?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

/// `<length> <key>=<value>\n`, again and again; the length counts all of the record. Values are
/// bytes and may hold line feeds.
fn pax(records: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, TarError> {
    let bad = || TarError::Member {
        member: "(extension)".to_owned(),
        why: "its PAX records are damaged".to_owned(),
    };
    let mut found = BTreeMap::new();
    let mut rest = records;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(bad)?;
        let digits = rest.get(..space).and_then(|digits| std::str::from_utf8(digits).ok());
        let length: usize = digits.and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let record = rest.get(space + 1..length).ok_or_else(bad)?;
        let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
        let (key, value) = record.split_at(equals);
        found.insert(key.to_vec(), value.get(1..).unwrap_or_default().to_vec());
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(found)
}

/// Yields exactly so many bytes: an archive that is cut off is an error, not a shorter file.
struct Exact<'a, R> {
    inner: &'a mut R,
    left: u64,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        read_within(self.inner, &mut self.left, buf, "the archive")
    }
}

/// The type of a member as the archive has it (`typeflag` of POSIX's ustar), such as '5' for a directory.
fn flag(kind: EntryType) -> String {
    format!("'{}'", kind.as_byte().escape_ascii())
}

#[cfg(test)]
#[path = "tarball_tests.rs"]
mod tests;
