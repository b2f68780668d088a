//! Reads `ar` archives as deb(5) uses them: short names, decimal sizes, members on even offsets.

use std::io::{self, Read};

use wifibox_formats::deb::ArError;
use wifibox_formats::within::read_within;
use wifibox_ground::codec::fill;

const MAGIC: &[u8; 8] = b"!<arch>\n";

/// The name and size of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberHeader {
    /// Its name; a final `/`, which some tools add, is taken off.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Reads an archive from begin to end. As a reader it yields the contents of the current member.
pub(crate) struct ArReader<R> {
    inner: R,
    /// Bytes of the current member that were not read yet.
    left: u64,
    /// Whether a byte of padding follows the current member.
    padded: bool,
    /// How many members were begun.
    count: u32,
}

impl<R: Read> ArReader<R> {
    /// Reads the beginning of an archive.
    ///
    /// # Errors
    /// [`ArError::NotAr`] when it is not one.
    pub fn new(mut inner: R) -> Result<Self, ArError> {
        let mut magic = [0; 8];
        match fill(&mut inner, &mut magic).map_err(ArError::Read)? {
            8 if magic == *MAGIC => Ok(ArReader { inner, left: 0, padded: false, count: 0 }),
            got if got > 0 && magic.get(..got).is_some_and(|begin| MAGIC.starts_with(begin)) => {
                Err(ArError::Cut)
            }
            _ => Err(ArError::NotAr),
        }
    }

    /// Goes to the next member, over what was not read of the current one; `None` at the end.
    ///
    /// # Errors
    /// [`ArError`].
    pub fn advance(&mut self) -> Result<Option<MemberHeader>, ArError> {
        let skipped = io::copy(&mut self.inner.by_ref().take(self.left), &mut io::sink());
        if skipped.map_err(ArError::Read)? != self.left {
            return Err(ArError::Cut);
        }
        self.left = 0;
        if std::mem::take(&mut self.padded) {
            // The padding of the last member is sometimes left out.
            fill(&mut self.inner, &mut [0]).map_err(ArError::Read)?;
        }
        let mut header = [0; 60];
        match fill(&mut self.inner, &mut header).map_err(ArError::Read)? {
            0 => return Ok(None),
            60 => {}
            _ => return Err(ArError::Cut),
        }
        self.count = self.count.saturating_add(1);
        let damaged = || ArError::Header(self.count);
        // name[16] time[12] uid[6] gid[6] mode[8] size[10] "`\n"
        let text = |range: std::ops::Range<usize>| {
            header.get(range).and_then(|field| std::str::from_utf8(field).ok()).map(str::trim_end)
        };
        if header.get(58..) != Some(b"`\n") {
            return Err(damaged());
        }
        let name = text(0..16).filter(|name| !name.is_empty()).ok_or_else(damaged)?;
        let name = name.strip_suffix('/').unwrap_or(name).to_owned();
        let digits = text(48..58).filter(|size| size.bytes().all(|byte| byte.is_ascii_digit()));
        let size: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(damaged)?;
        self.left = size;
        self.padded = size % 2 == 1;
        Ok(Some(MemberHeader { name, size }))
    }
}

impl<R: Read> Read for ArReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        read_within(&mut self.inner, &mut self.left, buf, "the package")
    }
}
