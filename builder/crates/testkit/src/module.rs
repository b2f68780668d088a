//! Writes small kernel modules for tests: ELF relocatable files of both classes and byte orders.
//!
//! Holds what modinfo, depmod and the kernel's own build look at: `.modinfo`, exported and needed
//! symbols, `__versions`. Self-contained, so that integration tests can include it by path.

/// The description of a module to generate.
#[derive(Debug, Clone)]
pub struct Spec {
    /// 64 bits, or 32.
    pub wide: bool,
    /// Big-endian, or little.
    pub big: bool,
    /// `.modinfo` entries; `None` for no such section.
    pub modinfo: Option<Vec<String>>,
    /// Names of exported symbols.
    pub exports: Vec<String>,
    /// Whether exports come with `__crc_` symbols, as with MODVERSIONS.
    pub crcs: bool,
    /// Needed symbols, and whether each is weak.
    pub imports: Vec<(String, bool)>,
    /// Names in the `__versions` table; none for no such section.
    pub versions: Vec<String>,
}

impl Spec {
    /// A 64-bit little-endian module with these `.modinfo` entries.
    pub fn new(modinfo: &[&str]) -> Self {
        Spec {
            wide: true,
            big: false,
            modinfo: Some(modinfo.iter().map(|entry| (*entry).to_owned()).collect()),
            exports: Vec::new(),
            crcs: true,
            imports: Vec::new(),
            versions: Vec::new(),
        }
    }

    /// Adds exported symbols.
    pub fn exports(mut self, names: &[&str]) -> Self {
        self.exports.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Adds needed symbols.
    pub fn imports(mut self, names: &[&str]) -> Self {
        self.imports.extend(names.iter().map(|name| ((*name).to_owned(), false)));
        self
    }
}

struct Out {
    bytes: Vec<u8>,
    wide: bool,
    big: bool,
}

impl Out {
    fn number(&mut self, value: u64, width: usize) {
        let little = value.to_le_bytes();
        let part = &little[..width];
        if self.big {
            self.bytes.extend(part.iter().rev());
        } else {
            self.bytes.extend(part);
        }
    }

    fn half(&mut self, value: u64) {
        self.number(value, 2);
    }

    fn int(&mut self, value: u64) {
        self.number(value, 4);
    }

    /// An address or offset: a machine word.
    fn word(&mut self, value: u64) {
        self.number(value, if self.wide { 8 } else { 4 });
    }
}

struct Section {
    name: &'static str,
    kind: u64,
    data: Vec<u8>,
    link: u64,
    entry: u64,
}

fn strings(list: &[String]) -> Vec<u8> {
    list.iter().flat_map(|text| text.bytes().chain([0])).collect()
}

/// The module's bytes.
pub fn elf(spec: &Spec) -> Vec<u8> {
    let blank = || Out { bytes: Vec::new(), wide: spec.wide, big: spec.big };
    let plain = |name, data: Vec<u8>| Section { name, kind: 1, data, link: 0, entry: 0 };
    let mut sections = vec![plain("", Vec::new())];
    sections[0].kind = 0;
    if let Some(modinfo) = &spec.modinfo {
        sections.push(plain(".modinfo", strings(modinfo)));
    }
    if !spec.exports.is_empty() {
        sections.push(plain("__ksymtab_strings", strings(&spec.exports)));
    }
    if !spec.versions.is_empty() {
        let mut table = blank();
        for name in &spec.versions {
            table.word(0x1234_5678);
            table.bytes.extend_from_slice(name.as_bytes());
            let filled = table.bytes.len().next_multiple_of(64);
            table.bytes.resize(filled, 0);
        }
        sections.push(plain("__versions", table.bytes));
    }
    let (symtab, strtab) = symbols(spec, blank());
    let link = sections.len() as u64 + 1;
    let entry = if spec.wide { 24 } else { 16 };
    sections.push(Section { name: ".symtab", kind: 2, data: symtab, link, entry });
    sections.push(Section { kind: 3, ..plain(".strtab", strtab) });
    let names: Vec<String> = sections.iter().map(|section| section.name.to_owned()).collect();
    let mut shstrtab = strings(&names);
    let own_name = shstrtab.len() as u64;
    shstrtab.extend_from_slice(b".shstrtab\0");
    sections.push(Section { kind: 3, ..plain(".shstrtab", shstrtab) });
    layout(&sections, own_name, blank())
}

fn symbols(spec: &Spec, mut table: Out) -> (Vec<u8>, Vec<u8>) {
    let mut names = vec![0u8];
    let mut symbol = |name: &str, bind: u64, section: u64| {
        let at = if name.is_empty() { 0 } else { names.len() as u64 };
        if !name.is_empty() {
            names.extend(name.bytes().chain([0]));
        }
        table.int(at);
        if table.wide {
            table.number(bind << 4, 1);
            table.number(0, 1);
            table.half(section);
            table.word(0);
            table.word(0);
        } else {
            table.word(0);
            table.word(0);
            table.number(bind << 4, 1);
            table.number(0, 1);
            table.half(section);
        }
    };
    const ABSOLUTE: u64 = 0xfff1;
    symbol("", 0, 0);
    for name in &spec.exports {
        if spec.crcs {
            symbol(&format!("__crc_{name}"), 1, ABSOLUTE);
        }
        symbol(name, 1, 1);
    }
    for (name, weak) in &spec.imports {
        symbol(name, if *weak { 2 } else { 1 }, 0);
    }
    (table.bytes, names)
}

fn layout(sections: &[Section], own_name: u64, mut out: Out) -> Vec<u8> {
    let header: u64 = if out.wide { 64 } else { 52 };
    let size: u64 = sections.iter().map(|s| (s.data.len() as u64).next_multiple_of(8)).sum();
    let table = (header + size).next_multiple_of(8);
    out.bytes.extend_from_slice(b"\x7fELF");
    out.bytes.extend([if out.wide { 2 } else { 1 }, if out.big { 2 } else { 1 }, 1]);
    out.bytes.resize(16, 0);
    out.half(1); // ET_REL
    out.half(if out.wide { 62 } else { 3 });
    out.int(1);
    out.word(0);
    out.word(0);
    out.word(table);
    out.int(0);
    out.half(header);
    out.half(0);
    out.half(0);
    out.half(if out.wide { 64 } else { 40 });
    out.half(sections.len() as u64);
    out.half(sections.len() as u64 - 1);
    let mut offsets = Vec::new();
    for section in sections {
        offsets.push(out.bytes.len() as u64);
        out.bytes.extend_from_slice(&section.data);
        let filled = out.bytes.len() + section.data.len().next_multiple_of(8) - section.data.len();
        out.bytes.resize(filled, 0);
    }
    out.bytes.resize(usize::try_from(table).expect("small"), 0);
    let mut name_at = 0;
    for (section, offset) in sections.iter().zip(offsets) {
        out.int(if section.name == ".shstrtab" { own_name } else { name_at });
        name_at += section.name.len() as u64 + 1;
        out.int(section.kind);
        out.word(0);
        out.word(0);
        out.word(if section.kind == 0 { 0 } else { offset });
        out.word(section.data.len() as u64);
        out.int(section.link);
        out.int(u64::from(section.kind == 2));
        out.word(1);
        out.word(section.entry);
    }
    out.bytes
}
