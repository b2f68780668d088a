//! A root file system in a tar archive, plain or compressed with gzip or xz.
//!
//! Owners are looked up by name in the archive's own etc/passwd and etc/group, as the guest will see
//! them; a name that is not there counts as the number beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use tar::{Archive, EntryType};
use wifibox_ground::digest::Sha256;

use super::listing::{Kind, Listing, Node, hex};

/// The most bytes that are read of an account file.
const ACCOUNTS_LIMIT: u64 = 1 << 20;
/// The prefix of extended attributes in PAX headers.
const XATTR: &str = "SCHILY.xattr.";

/// Reads the archive `path`.
pub fn read(path: &Path) -> Result<Listing, String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let reader: Box<dyn Read> = match file.fill_buf().map_err(failed)? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', ..] => Box::new(liblzma::bufread::XzDecoder::new(file)),
        _ => Box::new(file),
    };
    members(reader).map_err(failed)
}

/// Reads all members, then gives their owners numbers.
pub fn members(reader: impl Read) -> io::Result<Listing> {
    let mut archive = Archive::new(reader);
    let mut listing = Listing::new();
    let mut names: BTreeMap<Vec<u8>, (String, String)> = BTreeMap::new();
    let (mut users, mut groups) = (BTreeMap::new(), BTreeMap::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = clean(&entry.path_bytes());
        let header = entry.header().clone();
        let xattrs = xattrs(&mut entry)?;
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => {
                Kind::Link(entry.link_name_bytes().unwrap_or_default().into_owned())
            }
            EntryType::Link => {
                let target = clean(&entry.link_name_bytes().unwrap_or_default());
                let Some(node) = listing.get(&target) else {
                    let text = format!("{} is a hard link to nothing", path.escape_ascii());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                };
                node.kind.clone()
            }
            EntryType::Char => Kind::Character(major(&header)?, minor(&header)?),
            EntryType::Block => Kind::Block(major(&header)?, minor(&header)?),
            EntryType::Fifo => Kind::Fifo,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let accounts = match path.as_slice() {
                    b"etc/passwd" => Some(&mut users),
                    b"etc/group" => Some(&mut groups),
                    _ => None,
                };
                match accounts {
                    Some(accounts) => {
                        let mut text = Vec::new();
                        (&mut entry).take(ACCOUNTS_LIMIT).read_to_end(&mut text)?;
                        *accounts = numbers(&String::from_utf8_lossy(&text));
                        Kind::File { size: text.len() as u64, sha256: Sha256::of(&text) }
                    }
                    None => {
                        let (sha256, size) = Sha256::of_reader(&mut entry)?;
                        Kind::File { size, sha256 }
                    }
                }
            }
            // Records about other members.
            _ => continue,
        };
        let number = |id: u64| u32::try_from(id).unwrap_or(u32::MAX);
        let owner = (number(header.uid()?), number(header.gid()?));
        let text =
            |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        names.insert(path.clone(), (text(header.username_bytes()), text(header.groupname_bytes())));
        let mode = header.mode()? & 0o7777;
        listing.insert(path, Node { kind, mode, owner, xattrs: Some(xattrs) });
    }
    for (path, (user, group)) in names {
        if let Some(node) = listing.get_mut(&path) {
            node.owner.0 = users.get(&user).copied().unwrap_or(node.owner.0);
            node.owner.1 = groups.get(&group).copied().unwrap_or(node.owner.1);
        }
    }
    Ok(listing)
}

/// One spelling of a path: no `./`, no slash at either end.
fn clean(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/');
    let parts: Vec<&[u8]> = parts.filter(|part| !part.is_empty() && *part != b".").collect();
    parts.join(&b'/')
}

/// Names and numbers of passwd(5) or group(5).
fn numbers(text: &str) -> BTreeMap<String, u32> {
    let line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((name, fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

fn major(header: &tar::Header) -> io::Result<u32> {
    Ok(header.device_major()?.unwrap_or_default())
}

fn minor(header: &tar::Header) -> io::Result<u32> {
    Ok(header.device_minor()?.unwrap_or_default())
}

fn xattrs(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        let key = String::from_utf8_lossy(extension.key_bytes());
        if let Some(name) = key.strip_prefix(XATTR) {
            all.insert(name.to_owned(), hex(extension.value_bytes()));
        }
    }
    Ok(all)
}
