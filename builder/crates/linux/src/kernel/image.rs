//! Kernel images: what kind a file is, which kernel it holds, and how much memory it takes to start.
//!
//! Knows x86's bzImage (Documentation/arch/x86/boot.rst of the kernel), arm64's Image
//! (Documentation/arch/arm64/booting.rst), also packed whole with gzip, xz or zstd, EFI zboot images
//! (drivers/firmware/efi/libstub/zboot-header.S) and plain ELF (`vmlinux`).

use std::io;

use object::read::elf::{FileHeader, ProgramHeader};

use wifibox_ground::codec::{Compression, read_unpacked};

/// The largest image that is unpacked, in bytes.
const LIMIT: u64 = 512 << 20;
/// Where x86's setup header begins; its fields have fixed places from the file's start.
const X86_MAGIC_AT: usize = 0x202;

/// The kind of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// x86's compressed image, what Linux calls bzImage.
    BzImage,
    /// arm64's Image.
    Arm64,
    /// An EFI program that unpacks the kernel in it.
    Zboot,
    /// An ELF file.
    Elf,
}

/// The machine that an image runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 64-bit x86.
    X86_64,
    /// 32-bit x86.
    X86,
    /// 64-bit Arm.
    Arm64,
    /// Another, by ELF's or PE's number.
    Other(u16),
}

impl Machine {
    /// Whether this is what `uname -m` calls `name`; one that is not known here may be.
    pub fn is(self, name: &str) -> bool {
        match self {
            Machine::X86_64 | Machine::X86 => name == "x86_64",
            Machine::Arm64 => name == "aarch64",
            Machine::Other(_) => name != "x86_64" && name != "aarch64",
        }
    }
}

/// The headers of a kernel image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelImage {
    /// Its kind.
    pub format: Format,
    /// The machine that it runs on.
    pub machine: Machine,
    /// The kernel's release, as `uname -r` says it and as its modules' directory is named.
    pub release: Option<String>,
    /// Bytes of memory that the kernel needs from its load address on to unpack itself and start.
    pub init_size: Option<u64>,
    /// Whether firmware can start it as an EFI program.
    pub efi: bool,
    /// Whether it can be loaded at other addresses than it was linked for.
    pub relocatable: bool,
    /// x86 only: the boot protocol's version (`2.15` is 0x020f).
    pub protocol: Option<u16>,
    /// x86 only: the longest command line in bytes.
    pub cmdline_limit: Option<u32>,
}

/// Why a file is not a kernel image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be unpacked.
    #[error("kernel image: cannot unpack it: {0}")]
    Unpack(#[from] io::Error),
    /// Its kind is not known.
    #[error(
        "kernel image: neither a bzImage, an arm64 Image, an EFI zboot image nor an ELF file; it \
         begins with {0}"
    )]
    Unknown(String),
    /// It is cut short or damaged.
    #[error("kernel image ({format:?}): {problem}")]
    Damaged {
        /// The format that it seems to have.
        format: Format,
        /// The reason, for the message.
        problem: &'static str,
    },
}

impl KernelImage {
    /// Recognises an image.
    ///
    /// # Errors
    /// [`ImageError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        if Compression::of_content(bytes) == Compression::None {
            return recognise(bytes);
        }
        recognise(&read_unpacked(bytes, LIMIT)?)
    }
}

/// As many first bytes of a bzImage as [`KernelImage::parse`] reads: the setup header, and what it points
/// to by 16 bits.
pub(crate) const BZIMAGE_HEAD: u64 = 128 << 10;

/// Whether an image that begins with `head` is a bzImage, so that its head says all.
pub(crate) fn is_bzimage(head: &[u8]) -> bool {
    slice(head, X86_MAGIC_AT, 4) == Some(b"HdrS") && u16_at(head, 0x1fe) == Some(0xaa55)
}

/// An image as each of those who start it takes it, where that is not the image itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// For boot loaders and hypervisors, which load what unpacks itself only where it is x86's.
    pub for_loaders: Option<Vec<u8>>,
    /// For UEFI firmware, which starts a zboot image, and nothing that is packed whole.
    pub for_firmware: Option<Vec<u8>>,
}

/// What is in an image that is packed whole (`Image.gz`) or an EFI zboot image.
///
/// # Errors
/// [`ImageError`].
pub fn unpacked(bytes: &[u8]) -> Result<Unpacked, ImageError> {
    if Compression::of_content(bytes) != Compression::None {
        let image = read_unpacked(bytes, LIMIT)?;
        return Ok(Unpacked { for_loaders: Some(image.clone()), for_firmware: Some(image) });
    }
    let payload = if is_zboot(bytes) { zboot_payload(bytes)? } else { &[] };
    // Where the codec is another one, the loader may know it.
    let known = Compression::of_content(payload) != Compression::None;
    let for_loaders = if known { Some(read_unpacked(payload, LIMIT)?) } else { None };
    Ok(Unpacked { for_loaders, for_firmware: None })
}

fn recognise(bytes: &[u8]) -> Result<KernelImage, ImageError> {
    if is_bzimage(bytes) {
        return bzimage(bytes).ok_or(damaged(Format::BzImage, "its setup header is cut short"));
    }
    if is_zboot(bytes) {
        return zboot(bytes);
    }
    if slice(bytes, 56, 4) == Some(b"ARM\x64") {
        return arm64(bytes).ok_or(damaged(Format::Arm64, "its header is cut short"));
    }
    if bytes.starts_with(b"\x7fELF") {
        return elf(bytes);
    }
    let head: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Err(ImageError::Unknown(head.join(" ")))
}

fn damaged(format: Format, problem: &'static str) -> ImageError {
    ImageError::Damaged { format, problem }
}

fn bzimage(bytes: &[u8]) -> Option<KernelImage> {
    let protocol = u16_at(bytes, 0x206)?;
    let since = |version: u16| protocol >= version;
    let release = match u16_at(bytes, 0x20e)? {
        0 => None,
        at => text_at(bytes, usize::from(at) + 0x200),
    };
    let pe = pe_machine(bytes);
    let wide = since(0x20c) && u16_at(bytes, 0x236)? & 1 != 0;
    Some(KernelImage {
        format: Format::BzImage,
        machine: if wide { Machine::X86_64 } else { Machine::X86 },
        release: release.and_then(|text| text.split(' ').next().map(str::to_owned)),
        init_size: if since(0x20a) { Some(u64::from(u32_at(bytes, 0x260)?)) } else { None },
        efi: pe.is_some(),
        relocatable: since(0x205) && *bytes.get(0x234)? != 0,
        protocol: Some(protocol),
        cmdline_limit: if since(0x206) { Some(u32_at(bytes, 0x238)?) } else { None },
    })
}

fn arm64(bytes: &[u8]) -> Option<KernelImage> {
    let flags = u64_at(bytes, 24)?;
    Some(KernelImage {
        format: Format::Arm64,
        machine: Machine::Arm64,
        release: banner(bytes),
        init_size: u64_at(bytes, 16).filter(|size| *size != 0),
        efi: pe_machine(bytes).is_some(),
        // Bit 3: anywhere in memory; without it, near its beginning.
        relocatable: flags & 8 != 0,
        protocol: None,
        cmdline_limit: None,
    })
}

fn is_zboot(bytes: &[u8]) -> bool {
    slice(bytes, 0, 2) == Some(b"MZ") && slice(bytes, 4, 4) == Some(b"zimg")
}

/// The kernel that is packed in an EFI program.
fn zboot_payload(bytes: &[u8]) -> Result<&[u8], ImageError> {
    let cut = || damaged(Format::Zboot, "its header is cut short");
    let at = usize::try_from(u32_at(bytes, 8).ok_or_else(cut)?).map_err(|_| cut())?;
    let size = usize::try_from(u32_at(bytes, 12).ok_or_else(cut)?).map_err(|_| cut())?;
    slice(bytes, at, size).ok_or_else(|| damaged(Format::Zboot, "the kernel in it is cut short"))
}

/// An EFI program with the kernel packed inside; where the codec is one that is known here, the
/// kernel's own words are read.
fn zboot(bytes: &[u8]) -> Result<KernelImage, ImageError> {
    let payload = zboot_payload(bytes)?;
    let known = Compression::of_content(payload) != Compression::None;
    // Behind the packed data stands their unpacked size, which some unpackers take for garbage.
    let inner = if known { read_unpacked(payload, LIMIT).ok() } else { None };
    let inner = inner.and_then(|inner| recognise(&inner).ok());
    let machine = match pe_machine(bytes) {
        Some(0xaa64) => Machine::Arm64,
        Some(0x8664) => Machine::X86_64,
        Some(other) => Machine::Other(other),
        None => return Err(damaged(Format::Zboot, "it has no PE header")),
    };
    Ok(KernelImage {
        format: Format::Zboot,
        machine,
        release: inner.as_ref().and_then(|inner| inner.release.clone()),
        init_size: inner.and_then(|inner| inner.init_size),
        efi: true,
        relocatable: true,
        protocol: None,
        cmdline_limit: None,
    })
}

fn elf(bytes: &[u8]) -> Result<KernelImage, ImageError> {
    type Wide = object::elf::FileHeader64<object::Endianness>;
    type Narrow = object::elf::FileHeader32<object::Endianness>;
    let described = match bytes.get(4) {
        Some(2) => Wide::parse(bytes).ok().and_then(|header| segments(header, bytes)),
        _ => Narrow::parse(bytes).ok().and_then(|header| segments(header, bytes)),
    };
    let (machine, size) =
        described.ok_or_else(|| damaged(Format::Elf, "its headers cannot be read"))?;
    Ok(KernelImage {
        format: Format::Elf,
        machine: match machine {
            62 => Machine::X86_64,
            3 => Machine::X86,
            183 => Machine::Arm64,
            other => Machine::Other(other),
        },
        release: banner(bytes),
        init_size: size,
        efi: false,
        relocatable: false,
        protocol: None,
        cmdline_limit: None,
    })
}

/// An ELF file's machine, and the memory from its first loaded byte to its last.
fn segments<H: FileHeader<Endian = object::Endianness>>(
    header: &H,
    bytes: &[u8],
) -> Option<(u16, Option<u64>)> {
    let endian = header.endian().ok()?;
    let (mut low, mut high) = (u64::MAX, 0u64);
    for segment in header.program_headers(endian, bytes).ok()? {
        if segment.p_type(endian) == object::elf::PT_LOAD {
            let start: u64 = segment.p_paddr(endian).into();
            let length: u64 = segment.p_memsz(endian).into();
            low = low.min(start);
            high = high.max(start.checked_add(length)?);
        }
    }
    Some((header.e_machine(endian).0, high.checked_sub(low).filter(|_| low != u64::MAX)))
}

/// The machine in a PE header, where there is one.
fn pe_machine(bytes: &[u8]) -> Option<u16> {
    if slice(bytes, 0, 2) != Some(b"MZ") {
        return None;
    }
    let at = usize::try_from(u32_at(bytes, 0x3c)?).ok()?;
    (slice(bytes, at, 4)? == b"PE\0\0").then_some(())?;
    u16_at(bytes, at.checked_add(4)?)
}

/// The release in the text `Linux version RELEASE (...`, which every kernel holds.
fn banner(bytes: &[u8]) -> Option<String> {
    const BANNER: &[u8] = b"Linux version ";
    let mut rest = bytes;
    while let Some(at) = rest.windows(BANNER.len()).position(|window| window == BANNER) {
        rest = rest.get(at + BANNER.len()..)?;
        let end = rest.iter().take(200).position(|byte| *byte == b' ')?;
        let release = rest.get(..end)?;
        let printable = release.iter().all(u8::is_ascii_graphic);
        // Elsewhere in the kernel the words stand before a `%s`.
        if printable && release.first().is_some_and(u8::is_ascii_digit) {
            return Some(String::from_utf8_lossy(release).into_owned());
        }
    }
    None
}

fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// The NUL-terminated text at a place, of at most 1,000 bytes.
fn text_at(bytes: &[u8], at: usize) -> Option<String> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().take(1000).position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(rest.get(..end)?).into_owned())
}

#[cfg(test)]
mod tests;
