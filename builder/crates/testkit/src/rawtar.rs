//! tar archives for tests, member by member as they are told to be, hostile ones too.

use std::io::Write;

use tar::{EntryType, Header};
use wifibox_ground::digest::hex;

use super::apkkeys::sha1;

/// A member of a tar archive, written as it is.
#[derive(Clone)]
pub struct Member {
    pub path: Vec<u8>,
    pub kind: EntryType,
    pub mode: u32,
    pub owner: (String, String),
    pub link: Vec<u8>,
    pub content: Vec<u8>,
    /// PAX records.
    pub pax: Vec<(String, Vec<u8>)>,
}

impl Member {
    pub fn new(path: impl AsRef<[u8]>, kind: EntryType, content: impl Into<Vec<u8>>) -> Self {
        Member {
            path: path.as_ref().to_vec(),
            kind,
            mode: if kind == EntryType::Regular { 0o644 } else { 0o755 },
            owner: ("root".into(), "root".into()),
            link: Vec::new(),
            content: content.into(),
            pax: Vec::new(),
        }
    }

    pub fn to(mut self, link: impl AsRef<[u8]>) -> Self {
        self.link = link.as_ref().to_vec();
        self
    }

    pub fn pax(mut self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.pax.push((key.into(), value.as_ref().to_vec()));
        self
    }

    /// With the checksum that abuild writes: of the content, or of a symbolic link's target.
    pub fn checked(self) -> Self {
        let sum = match self.kind {
            EntryType::Regular => sha1(&self.content),
            EntryType::Symlink => sha1(&self.link),
            _ => return self,
        };
        self.pax("APK-TOOLS.checksum.SHA1", hex(&sum))
    }

    fn write(&self, out: &mut Vec<u8>) {
        if !self.pax.is_empty() {
            let mut records = Vec::new();
            for (key, value) in &self.pax {
                let rest = key.len() + value.len() + 3;
                let length = (rest..).find(|all| all.to_string().len() + rest == *all).unwrap();
                records.extend_from_slice(format!("{length} {key}=").as_bytes());
                records.extend_from_slice(value);
                records.push(b'\n');
            }
            Member::new("PaxHeaders", EntryType::XHeader, records).write(out);
        }
        let mut header = Header::new_ustar();
        let bytes = header.as_mut_bytes();
        bytes[..self.path.len()].copy_from_slice(&self.path);
        bytes[157..157 + self.link.len()].copy_from_slice(&self.link);
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username(&self.owner.0).unwrap();
        header.set_groupname(&self.owner.1).unwrap();
        header.set_mtime(1_700_000_000);
        header.set_device_major(1).unwrap();
        header.set_device_minor(3).unwrap();
        header.set_size(self.content.len() as u64);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&self.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
}

/// A tar archive; only the last part of a package or index has the blocks that mark its end.
pub fn tar(members: &[Member], ended: bool) -> Vec<u8> {
    let mut out = Vec::new();
    members.iter().for_each(|member| member.write(&mut out));
    out.resize(out.len() + if ended { 1024 } else { 0 }, 0);
    out
}

/// One gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}
