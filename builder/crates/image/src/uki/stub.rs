//! The stub as a PE32+ file: what of it matters to the one who adds sections, and the new headers.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_SECURITY, IMAGE_SIZEOF_SECTION_HEADER, ImageDosHeader, ImageNtHeaders64,
    ImageSectionHeader,
};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader};

use super::{CODE, DATA, Error, Section, Source};

/// Offsets from the PE signature on, by the format: fields of the file header ...
const NUMBER_OF_SECTIONS: usize = 4 + 2;
const TIME_DATE_STAMP: usize = 4 + 4;
/// ... the symbol table's place and length, 4 bytes each ...
const SYMBOL_TABLE: usize = 4 + 8;
const OPTIONAL_HEADER: usize = 4 + 20;
/// ... and of the optional header.
const SIZE_OF_INITIALIZED_DATA: usize = OPTIONAL_HEADER + 8;
const SIZE_OF_IMAGE: usize = OPTIONAL_HEADER + 56;
const CHECKSUM: usize = OPTIONAL_HEADER + 64;

/// The parts of a PE32+ file's headers that decide where further sections can go.
pub(super) struct Stub<'a> {
    /// All headers, padded: everything before the sections' bytes.
    headers: &'a [u8],
    /// Where the PE signature is.
    signature: usize,
    /// Where the section table ends.
    table_end: usize,
    /// The names of the sections.
    names: Vec<String>,
    /// How much of the file the headers and sections take.
    pub(super) file_end: usize,
    /// How much memory they take.
    memory_end: u64,
    file_alignment: u64,
    section_alignment: u64,
    initialized_data: u32,
    /// The processor that it is for, by PE's number.
    pub(super) machine: u16,
}

impl<'a> Stub<'a> {
    /// Reads the headers of `file` and checks that its sections lie in order.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let not_pe = |error: object::read::Error| Error::Stub(error.to_string());
        let dos = ImageDosHeader::parse(file).map_err(not_pe)?;
        let signature = dos.nt_headers_offset();
        let mut offset = u64::from(signature);
        let (nt, directories) = ImageNtHeaders64::parse(file, &mut offset).map_err(not_pe)?;
        let table = nt.sections(file, offset).map_err(not_pe)?;
        let signed = directories.get(IMAGE_DIRECTORY_ENTRY_SECURITY);
        if signed.is_some_and(|directory| directory.virtual_address.get(LE) != 0) {
            return Err(Error::Signed);
        }
        let optional = nt.optional_header();
        let alignments = [optional.file_alignment(), optional.section_alignment()];
        if !alignments.iter().all(|alignment| alignment.is_power_of_two()) {
            return Err(Error::Stub("its alignments are no powers of two".to_owned()));
        }
        let [file_alignment, section_alignment] = alignments.map(u64::from);
        // The bounds are those of Microsoft's "PE Format", FileAlignment.
        if !(512..=65536).contains(&file_alignment) {
            return Err(Error::Stub(format!("its parts are aligned to {file_alignment} bytes")));
        }
        let table_end = offset + (table.len() * IMAGE_SIZEOF_SECTION_HEADER) as u64;
        let size_of_headers = optional.size_of_headers();
        let headers = (file.get(..size_of_headers as usize))
            .filter(|headers| table_end <= headers.len() as u64)
            .ok_or_else(|| Error::Stub("its headers end before its section table".to_owned()))?;
        let (mut file_end, mut memory_end) = (headers.len() as u64, headers.len() as u64);
        for section in table.iter() {
            (file_end, memory_end) = follow(section, file.len(), file_end, memory_end)?;
        }
        Ok(Stub {
            headers,
            signature: signature as usize,
            table_end: table_end as usize,
            names: table.iter().map(name).collect(),
            file_end: file_end as usize,
            memory_end,
            file_alignment,
            section_alignment,
            initialized_data: optional.size_of_initialized_data(),
            machine: nt.file_header().machine.get(LE).0,
        })
    }

    /// Finds a place for each new section after what is there, in memory and in the file. The last
    /// one, the kernel, takes at least `kernel_memory` bytes of memory.
    pub(super) fn place(
        &self,
        wanted: Vec<(&'static str, Source<'a>)>,
        kernel_memory: u32,
    ) -> Result<Vec<Section<'a>>, Error> {
        let room = (self.headers.len() - self.table_end) / IMAGE_SIZEOF_SECTION_HEADER;
        if room < wanted.len() {
            return Err(Error::HeaderRoom { room, wanted: wanted.len() });
        }
        let (mut memory, mut file) = (self.memory_end, self.file_end as u64);
        let mut sections = Vec::new();
        for (name, source) in wanted {
            if self.names.iter().any(|known| known == name) {
                return Err(Error::SectionExists(name.to_owned()));
            }
            let length = source.len();
            let least = if name == ".linux" { kernel_memory.into() } else { 1 };
            let virtual_size = length.max(least);
            let address = memory.next_multiple_of(self.section_alignment);
            let file_offset = file.next_multiple_of(self.file_alignment);
            let file_size = length.next_multiple_of(self.file_alignment);
            (memory, file) = (address + virtual_size, file_offset + file_size);
            let size = |value| u32::try_from(value).map_err(|_| Error::TooLarge { section: name });
            // The end in memory, rounded up, must be a 32-bit number too.
            size(memory.next_multiple_of(self.section_alignment))?;
            size(file)?;
            sections.push(Section {
                name,
                source,
                virtual_size: size(virtual_size)?,
                address: size(address)?,
                file_size: size(file_size)?,
                file_offset: size(file_offset)?,
            });
        }
        Ok(sections)
    }

    /// The headers with the new sections entered.
    pub(super) fn headers_with(&self, sections: &[Section<'_>], time: u32) -> Vec<u8> {
        let mut headers = self.headers.to_vec();
        let mut put = |offset: usize, bytes: &[u8]| {
            for (slot, byte) in headers.iter_mut().skip(offset).zip(bytes) {
                *slot = *byte;
            }
        };
        let count = u16::try_from(self.names.len() + sections.len()).unwrap_or(u16::MAX);
        let end = sections
            .last()
            .map_or(self.memory_end, |last| u64::from(last.address) + u64::from(last.virtual_size));
        let image = u32::try_from(end.next_multiple_of(self.section_alignment)).unwrap_or(u32::MAX);
        let added: u32 = sections.iter().fold(0, |sum, new| sum.saturating_add(new.file_size));
        let data = self.initialized_data.saturating_add(added);
        put(self.signature + NUMBER_OF_SECTIONS, &count.to_le_bytes());
        put(self.signature + TIME_DATE_STAMP, &time.to_le_bytes());
        // Symbols, if there were any, lay behind the sections and are not copied.
        put(self.signature + SYMBOL_TABLE, &[0; 8]);
        put(self.signature + SIZE_OF_INITIALIZED_DATA, &data.to_le_bytes());
        put(self.signature + SIZE_OF_IMAGE, &image.to_le_bytes());
        // Zero says that there is none; UEFI does not look.
        put(self.signature + CHECKSUM, &[0; 4]);
        for (n, section) in sections.iter().enumerate() {
            let at = self.table_end + n * IMAGE_SIZEOF_SECTION_HEADER;
            put(at, &[0; IMAGE_SIZEOF_SECTION_HEADER]);
            put(at, section.name.as_bytes());
            put(at + 8, &section.virtual_size.to_le_bytes());
            put(at + 12, &section.address.to_le_bytes());
            put(at + 16, &section.file_size.to_le_bytes());
            put(at + 20, &section.file_offset.to_le_bytes());
            let flags = if section.name == ".linux" { CODE } else { DATA };
            put(at + 36, &flags.to_le_bytes());
        }
        headers
    }
}

fn name(section: &ImageSectionHeader) -> String {
    let name = section.name.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// Checks that `section` begins where the one before ended, or later, and returns where it ends:
/// in the file and in memory.
fn follow(
    section: &ImageSectionHeader,
    file_length: usize,
    file_end: u64,
    memory_end: u64,
) -> Result<(u64, u64), Error> {
    let wrong = |problem| Error::Layout { section: name(section), problem };
    let address = u64::from(section.virtual_address.get(LE));
    let size = u64::from(section.size_of_raw_data.get(LE));
    let offset = u64::from(section.pointer_to_raw_data.get(LE));
    let memory = u64::from(section.virtual_size.get(LE)).max(size.min(1));
    if address < memory_end {
        return Err(wrong("overlaps, in memory, what comes before it"));
    }
    if size > 0 && offset < file_end {
        return Err(wrong("overlaps, in the file, what comes before it"));
    }
    if size > 0 && offset + size > file_length as u64 {
        return Err(wrong("ends beyond the end of the file"));
    }
    let file_end = if size > 0 { offset + size } else { file_end };
    Ok((file_end, address + memory))
}
