//! The list of members at the end of a pack, as JSON.
//!
//! Names are bytes: each byte is written as the character with its number, so that any name makes a text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::member::{Member, MemberKind};
use wifibox_ground::digest::{Sha256, hex, unhex};
use wifibox_ground::digests::Digests;
use wifibox_ground::path::GuestPath;

/// One member, with short keys: a kernel's package has thousands.
#[derive(Serialize, Deserialize)]
struct Line {
    p: String,
    m: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    d: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    u: (u32, String),
    #[serde(default, skip_serializing_if = "is_default")]
    g: (u32, String),
    t: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    x: BTreeMap<String, String>,
    k: Kind,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "d")]
    Directory,
    #[serde(rename = "f")]
    File { at: u64, len: u64, sha256: Sha256, sha1: String },
    #[serde(rename = "s")]
    Symlink(String),
    #[serde(rename = "h")]
    HardLink(String),
    #[serde(rename = "c")]
    CharDevice(u32, u32),
    #[serde(rename = "b")]
    BlockDevice(u32, u32),
    #[serde(rename = "i")]
    Fifo,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// The members as text.
pub(super) fn write(members: &[Member]) -> serde_json::Result<Vec<u8>> {
    let lines: Vec<Line> = members.iter().map(line).collect();
    serde_json::to_vec(&lines)
}

fn line(member: &Member) -> Line {
    let xattrs = member.xattrs.iter();
    Line {
        p: text(member.path.as_bytes()),
        m: member.mode,
        d: member.dotted,
        u: (member.uid, text(&member.uname)),
        g: (member.gid, text(&member.gname)),
        t: member.mtime,
        x: xattrs.map(|(name, value)| (text(name), text(value))).collect(),
        k: match &member.kind {
            MemberKind::Directory => Kind::Directory,
            MemberKind::File { offset, length, digests } => Kind::File {
                at: *offset,
                len: *length,
                sha256: digests.sha256,
                sha1: hex(&digests.sha1),
            },
            MemberKind::Symlink(target) => Kind::Symlink(text(target)),
            MemberKind::HardLink(target) => Kind::HardLink(text(target.as_bytes())),
            MemberKind::CharDevice(major, minor) => Kind::CharDevice(*major, *minor),
            MemberKind::BlockDevice(major, minor) => Kind::BlockDevice(*major, *minor),
            MemberKind::Fifo => Kind::Fifo,
        },
    }
}

/// The members that a text lists; `None` for one that no pack has.
pub(super) fn read(json: &[u8]) -> Option<Vec<Member>> {
    let lines: Vec<Line> = serde_json::from_slice(json).ok()?;
    lines.into_iter().map(member).collect()
}

fn path(text: &str) -> Option<GuestPath> {
    GuestPath::new(bytes(text)?).ok()
}

fn member(line: Line) -> Option<Member> {
    let kind = match line.k {
        Kind::Directory => MemberKind::Directory,
        Kind::File { at, len, sha256, sha1 } => MemberKind::File {
            offset: at,
            length: len,
            digests: Digests { sha256, sha1: unhex(&sha1)?.try_into().ok()? },
        },
        Kind::Symlink(target) => MemberKind::Symlink(bytes(&target)?),
        Kind::HardLink(target) => MemberKind::HardLink(path(&target)?),
        Kind::CharDevice(major, minor) => MemberKind::CharDevice(major, minor),
        Kind::BlockDevice(major, minor) => MemberKind::BlockDevice(major, minor),
        Kind::Fifo => MemberKind::Fifo,
    };
    let xattrs = line.x.iter().map(|(name, value)| Some((bytes(name)?, bytes(value)?)));
    Some(Member {
        path: path(&line.p)?,
        dotted: line.d,
        mode: line.m,
        uid: line.u.0,
        gid: line.g.0,
        uname: bytes(&line.u.1)?,
        gname: bytes(&line.g.1)?,
        mtime: line.t,
        xattrs: xattrs.collect::<Option<_>>()?,
        kind,
    })
}
