//! gzip members (RFC 1952) with their exact boundaries: apk hashes and signs compressed members.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::signature::Signature;
use crate::tarball::{self, TarError, TarLimits};
use wifibox_ground::entry::{Entry, EntryKind};

/// No index or package has more signature members.
const SIGNATURE_MEMBERS: usize = 16;

/// Nor more signatures.
const SIGNATURES: usize = 64;

/// No signature file is larger; apk ignores those that are, and others decide.
const SIGNATURE_LIMIT: u64 = 65536;

/// The limits of apk's front members.
const TAR_LIMITS: TarLimits = TarLimits { entries: 4096, file_size: u64::MAX };

/// Whether a gzip file begins with these bytes.
pub fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// A gzip member.
pub struct Member {
    /// As it stands in the file.
    pub compressed: Vec<u8>,
    /// The decompressed contents.
    pub unpacked: Vec<u8>,
}

impl Member {
    /// Reads the next member, of at most `limit` bytes packed and as many unpacked, and not one byte
    /// more; `None` at the end of the file.
    pub fn read(input: &mut impl BufRead, limit: u64) -> io::Result<Option<Self>> {
        if is_at_end(input)? {
            return Ok(None);
        }
        let mut tap = Tap { inner: input, taken: Vec::new(), limit };
        let mut unpacked = Vec::new();
        GzDecoder::new(&mut tap).take(limit.saturating_add(1)).read_to_end(&mut unpacked)?;
        if unpacked.len() as u64 > limit {
            return Err(too_large(limit));
        }
        Ok(Some(Member { compressed: tap.taken, unpacked }))
    }

    /// The signatures that it holds; `None` if it is not a signature member.
    fn signatures(&self) -> Result<Option<Vec<Signature>>, TarError> {
        let mut signatures = Vec::new();
        let mut others = false;
        for (name, content) in files(&self.unpacked)? {
            if !name.starts_with(".SIGN.") {
                others = true;
            } else if content.len() as u64 <= SIGNATURE_LIMIT {
                signatures.extend(Signature::of_file(&name, &content));
            }
        }
        Ok((!others && !self.unpacked.is_empty()).then_some(signatures))
    }
}

/// Why the front of an index or a package cannot be read.
pub enum FrontError {
    /// A gzip member is damaged.
    Gzip(io::Error),
    /// A tar archive is damaged.
    Tar(TarError),
}

/// Takes the signature members off the front; returns the signatures, the number of bytes that
/// those members take, and the first member that is not one of them, if there is one.
pub fn read_front(
    input: &mut impl BufRead,
    limit: u64,
) -> Result<(Vec<Signature>, usize, Option<Member>), FrontError> {
    let mut signatures = Vec::new();
    let mut length = 0;
    for _ in 0..=SIGNATURE_MEMBERS {
        let Some(member) = Member::read(input, limit).map_err(FrontError::Gzip)? else {
            return Ok((signatures, length, None));
        };
        match member.signatures().map_err(FrontError::Tar)? {
            Some(found) => {
                signatures.extend(found);
                if signatures.len() > SIGNATURES {
                    return Err(too_many(&format!("{SIGNATURES} signatures")));
                }
                length += member.compressed.len();
            }
            None => return Ok((signatures, length, Some(member))),
        }
    }
    Err(too_many(&format!("{SIGNATURE_MEMBERS} signature members")))
}

fn too_many(what: &str) -> FrontError {
    let why = format!("it has more than {what}");
    FrontError::Gzip(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// The files of an archive in memory, by name, in their order. Anything but files in its root is
/// refused; so is anything but zeros behind its end.
pub fn files(mut archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, TarError> {
    let mut files = Vec::new();
    tarball::read(&mut archive, TAR_LIMITS, &mut |entry: Entry<'_>| {
        let shown = entry.path.to_string();
        let odd = |why: String| TarError::Member { member: shown.clone(), why };
        let name = entry.path.as_str().ok_or_else(|| odd("its name is not UTF-8".to_owned()))?;
        let EntryKind::File { content, .. } = entry.kind else {
            return Err(odd(format!("a {} has no place here", entry.kind.describe())));
        };
        if name.contains('/') {
            return Err(odd("a file in a folder has no place here".to_owned()));
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(TarError::Read)?;
        files.push((name.to_owned(), bytes));
        Ok(())
    })?;
    only_zeros(&mut archive).map_err(TarError::Read)?;
    Ok(files)
}

/// Reads what follows the end of an archive: padding, which is zeros.
pub fn only_zeros(rest: &mut dyn Read) -> io::Result<()> {
    let mut buffer = [0; 8192];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(got) if buffer.iter().take(got).any(|byte| *byte != 0) => {
                let why = "something follows the end of the archive";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}

/// Whether nothing is left to read.
pub fn is_at_end(input: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(<[u8]>::is_empty),
        }
    }
}

fn too_large(limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("a member of more than {limit} bytes"))
}

/// Keeps a copy of what is consumed, and gives no more than the limit.
struct Tap<'a, R> {
    inner: &'a mut R,
    taken: Vec<u8>,
    limit: u64,
}

impl<R: BufRead> Read for Tap<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.fill_buf()?.read(buf)?;
        self.consume(got);
        Ok(got)
    }
}

impl<R: BufRead> BufRead for Tap<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = self.limit.saturating_sub(self.taken.len() as u64);
        let held = self.inner.fill_buf()?;
        if left == 0 && !held.is_empty() {
            return Err(too_large(self.limit));
        }
        Ok(usize::try_from(left).ok().and_then(|left| held.get(..left)).unwrap_or(held))
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed was given by `fill_buf`, which is asked once more for the same bytes.
        if let Some(bytes) = self.inner.fill_buf().ok().and_then(|held| held.get(..amount)) {
            self.taken.extend_from_slice(bytes);
        }
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use wifibox_testkit::rawtar::gzip;

    use super::*;

    #[test]
    fn a_member_may_reach_the_limit_packed_and_unpacked() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let noise: Vec<u8> = std::iter::repeat_with(&mut next).take(20_000).collect();
        for (text, packs) in [(vec![b'x'; 20_000], true), (noise, false)] {
            let packed = gzip(&text);
            let most = text.len().max(packed.len());
            assert_eq!(text.len() == most, packs);
            // What follows is left alone.
            let file = [&packed[..], b"more"].concat();
            let mut rest = &file[..];
            let member = Member::read(&mut rest, most as u64).expect("read").expect("a member");
            assert!((member.compressed, member.unpacked, rest) == (packed, text, b"more"));
            let error = Member::read(&mut &file[..], most as u64 - 1).err().expect("refused");
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{error}");
        }
    }

    /// Fails once, and then reads on.
    struct Failing(Option<io::ErrorKind>, &'static [u8]);

    impl Read for Failing {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or_else(|| self.1.read(buf), |kind| Err(kind.into()))
        }
    }

    #[test]
    fn what_was_interrupted_goes_on_and_what_failed_does_not() {
        let interrupted = |bytes| Failing(Some(io::ErrorKind::Interrupted), bytes);
        let failed = |bytes| Failing(Some(io::ErrorKind::ConnectionReset), bytes);
        only_zeros(&mut interrupted(&[0; 9000])).expect("zeros");
        only_zeros(&mut interrupted(&[0, 1])).expect_err("not only zeros");
        only_zeros(&mut failed(&[0])).expect_err("it failed");
        let at_end = |input| is_at_end(&mut BufReader::new(input)).ok();
        assert_eq!(at_end(interrupted(b"")), Some(true));
        assert_eq!(at_end(interrupted(b"x")), Some(false));
        assert_eq!(at_end(failed(b"x")), None);
    }
}
