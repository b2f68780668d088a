//! Archives for tests: tar with the members of a package, `ar`, and compression.
#![allow(dead_code, missing_docs, clippy::unwrap_used)] // Each user needs a part of it.

use std::collections::BTreeMap;
use std::io::Write;

use wifibox_ground::codec::Compression;

/// A member of a package.
#[derive(Clone)]
pub enum Member {
    File(u32, Vec<u8>),
    Directory(u32),
    Symlink(String),
    HardLink(String),
}

/// The members of a package by path, without a leading `/`.
pub type Members = BTreeMap<String, Member>;

/// The root folder alone.
pub(crate) fn no_members() -> Members {
    Members::from([(String::new(), Member::Directory(0o755))])
}

/// Adds a member. Directories on the way come along.
pub fn add_member(members: &mut Members, path: &str, member: Member) {
    for (at, _) in path.match_indices('/') {
        members.entry(path[..at].into()).or_insert(Member::Directory(0o755));
    }
    members.insert(path.into(), member);
}

/// A tar archive of these members, all of root.
pub fn tarball(members: impl IntoIterator<Item = (String, Member)>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    // Hard links come after the files they are other names of.
    let (links, others): (Vec<_>, Vec<_>) =
        members.into_iter().partition(|(_, member)| matches!(member, Member::HardLink(_)));
    for (path, member) in others.into_iter().chain(links) {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(1_700_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root").unwrap();
        header.set_groupname("root").unwrap();
        header.set_mode(0o777);
        header.set_size(0);
        let path = format!("./{path}");
        match member {
            Member::File(mode, content) => {
                header.set_mode(mode);
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, path, &content[..]).unwrap();
            }
            Member::Directory(mode) => {
                header.set_mode(mode);
                header.set_entry_type(tar::EntryType::Directory);
                let path = format!("{}/", path.trim_end_matches('/'));
                tar.append_data(&mut header, path, &[][..]).unwrap();
            }
            Member::Symlink(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                tar.append_link(&mut header, path, target).unwrap();
            }
            Member::HardLink(target) => {
                header.set_entry_type(tar::EntryType::Link);
                tar.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

/// The bytes, compressed.
pub fn pack(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        Compression::Xz => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 6);
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        Compression::Zstd => zstd::encode_all(bytes, 3).unwrap(),
    }
}

/// An `ar` archive as in deb(5).
pub fn ar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let size = content.len();
        out.extend(
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).bytes(),
        );
        out.extend(content);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}
