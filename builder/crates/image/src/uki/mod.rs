//! The Unified Kernel Image: kernel, command line and initramfs as one UEFI program.
//!
//! Formats: the UAPI group's "Unified Kernel Image" specification, and Microsoft's "PE Format". A
//! stub (systemd's `linuxx64.efi.stub`) is given further sections that it looks for by name. They
//! follow its own, in memory and in the file: ascending, aligned, never overlapping. Nothing else
//! of the stub changes but the counts and sizes in its headers, and its time stamp.

mod stub;

use std::io::{self, Read, Write};

use object::LittleEndian as LE;
use object::pe::{ImageDosHeader, ImageNtHeaders64};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};

use stub::Stub;
use wifibox_ground::content::Content;

/// The parts of a UKI.
#[derive(Debug, Clone)]
pub struct Uki<'a> {
    /// The stub: a PE32+ program with room in its headers for the new sections.
    pub stub: &'a [u8],
    /// The text of an os-release file (`.osrel`).
    pub os_release: &'a str,
    /// The kernel's command line (`.cmdline`), without a line's end.
    pub command_line: &'a str,
    /// The kernel's release, as `uname -r` says it (`.uname`), if it is to be told.
    pub kernel_release: Option<&'a str>,
    /// The initramfs (`.initrd`), if there is one.
    pub initramfs: Option<&'a Content>,
    /// The kernel (`.linux`): a PE32+ program itself (`CONFIG_EFI_STUB`), for the stub's machine.
    pub kernel: &'a Content,
    /// The time stamp of the headers, in seconds since 1970-01-01 UTC.
    pub time: u32,
}

/// Why a UKI cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stub is not a PE32+ program.
    #[error("the UEFI stub is not a 64-bit PE program (PE32+): {0}")]
    Stub(String),
    /// The stub is signed; with more sections its signature would be wrong.
    #[error("the UEFI stub is signed, so nothing can be added to it; use the unsigned stub")]
    Signed,
    /// The stub already has what is to be added.
    #[error("the UEFI stub already has a section {0}")]
    SectionExists(String),
    /// The stub's sections overlap each other or its headers, or lie beyond the file's end.
    #[error("the UEFI stub's section {section} {problem}")]
    Layout {
        /// The section.
        section: String,
        /// The fault, as a predicate without its subject.
        problem: &'static str,
    },
    /// The section table cannot grow.
    #[error("the UEFI stub's headers have room for {room} more sections, {wanted} are needed")]
    HeaderRoom {
        /// How many fit.
        room: usize,
        /// How many are to be added.
        wanted: usize,
    },
    /// The kernel is not one that the stub can start.
    #[error(
        "the kernel cannot be started by UEFI: {0}; it must be a bzImage or Image with an EFI stub \
         (CONFIG_EFI_STUB)"
    )]
    Kernel(String),
    /// A PE file cannot be larger than 4 GiB, nor its sections.
    #[error("the section {section} would end beyond the 4 GiB that a PE file can describe")]
    TooLarge {
        /// The section.
        section: &'static str,
    },
    /// A text with a NUL byte would end there.
    #[error("the text of the section {section} holds a NUL byte")]
    Nul {
        /// The section.
        section: &'static str,
    },
    /// A content cannot be read.
    #[error("cannot read the content of the section {section}")]
    Content {
        /// The section.
        section: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The image cannot be written.
    #[error("cannot write the unified kernel image")]
    Write(#[from] io::Error),
}

/// Where the bytes of a new section come from.
enum Source<'a> {
    Text(&'a str),
    Content(&'a Content),
}

impl Source<'_> {
    fn len(&self) -> u64 {
        match self {
            Source::Text(text) => text.len() as u64,
            Source::Content(content) => content.len(),
        }
    }
}

/// A section to be added: its place is known, its bytes are not yet read.
struct Section<'a> {
    name: &'static str,
    source: Source<'a>,
    virtual_size: u32,
    address: u32,
    file_size: u32,
    file_offset: u32,
}

/// How much of the kernel is read for its headers, which come first, in bytes.
const KERNEL_HEAD: u64 = 64 * 1024;
/// Readable, initialized data.
const DATA: u32 = 0x4000_0040;
/// The same, and code.
const CODE: u32 = DATA | 0x2000_0020;

/// Writes the image to `out`; returns its length in bytes.
///
/// # Errors
/// [`Error`]: the stub or the kernel is not what it should be, the sections do not fit, or reading
/// or writing failed.
pub fn build<W: Write>(uki: &Uki<'_>, mut out: W) -> Result<u64, Error> {
    let stub = Stub::parse(uki.stub)?;
    let kernel_memory = kernel_memory(uki.kernel, stub.machine)?;
    let mut wanted = vec![(".osrel", Source::Text(uki.os_release))];
    wanted.push((".cmdline", Source::Text(uki.command_line)));
    wanted.extend(uki.kernel_release.map(|text| (".uname", Source::Text(text))));
    wanted.extend(uki.initramfs.map(|content| (".initrd", Source::Content(content))));
    // Last, since what follows it in memory is the kernel's own, to be unpacked into.
    wanted.push((".linux", Source::Content(uki.kernel)));
    for (section, source) in &wanted {
        if matches!(source, Source::Text(text) if text.contains('\0')) {
            return Err(Error::Nul { section });
        }
    }
    let sections = stub.place(wanted, kernel_memory)?;
    let headers = stub.headers_with(&sections, uki.time);
    out.write_all(&headers)?;
    let rest = uki.stub.get(headers.len()..stub.file_end).unwrap_or_default();
    out.write_all(rest)?;
    let mut length = (headers.len() + rest.len()) as u64;
    for section in &sections {
        let start = u64::from(section.file_offset);
        pad(&mut out, start - length)?;
        section.copy_to(&mut out)?;
        length = start + section.source.len();
        let end = start + u64::from(section.file_size);
        pad(&mut out, end - length)?;
        length = end;
    }
    out.flush()?;
    Ok(length)
}

fn pad(out: &mut dyn Write, count: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(count), out).map(drop)
}

impl Section<'_> {
    /// Writes exactly as many bytes as the source announced.
    fn copy_to(&self, out: &mut dyn Write) -> Result<(), Error> {
        let content = match &self.source {
            Source::Text(text) => return Ok(out.write_all(text.as_bytes())?),
            Source::Content(content) => content,
        };
        let failed = |source| Error::Content { section: self.name, source };
        let mut reader = content.open();
        let mut buffer = vec![0; 64 * 1024];
        let mut left = content.len();
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let room = buffer.get_mut(..most).unwrap_or_default();
            reader.read_exact(room).map_err(failed)?;
            out.write_all(room)?;
            left -= room.len() as u64;
        }
        Ok(())
    }
}

/// How much memory the kernel asks for, from its own headers; it must be for the stub's `machine`.
fn kernel_memory(kernel: &Content, machine: u16) -> Result<u32, Error> {
    let mut head = Vec::new();
    let read = kernel.open().take(KERNEL_HEAD).read_to_end(&mut head);
    read.map_err(|source| Error::Content { section: ".linux", source })?;
    let head = head.as_slice();
    let not_pe = |error: object::read::Error| Error::Kernel(error.to_string());
    let dos = ImageDosHeader::parse(head).map_err(not_pe)?;
    let mut offset = u64::from(dos.nt_headers_offset());
    let (nt, _) = ImageNtHeaders64::parse(head, &mut offset).map_err(not_pe)?;
    let found = nt.file_header().machine.get(LE).0;
    if found != machine {
        let problem = format!("it is for machine {found:#x}, and the stub for {machine:#x}");
        return Err(Error::Kernel(problem));
    }
    Ok(nt.optional_header().size_of_image())
}

#[cfg(test)]
mod tests;
