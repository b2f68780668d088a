//! The symbols that a kernel module exports to and needs from others.
//!
//! As kmod reads them (libkmod-elf.c): exported are the names of the `__crc_NAME` symbols, or, where
//! the kernel was built without MODVERSIONS, the strings of `__ksymtab_strings`. Needed are the
//! undefined symbols of `.symtab`, then those that only the `__versions` table names. The order of
//! both is the file's: depmod's output depends on it.

use std::collections::HashSet;

use object::{Object, ObjectSection, ObjectSymbol};

use super::modinfo_error::ModinfoError;

/// Bytes of one `struct modversion_info`: a checksum of one machine word, then the symbol's name.
const VERSION_ENTRY: usize = 64;

/// A symbol that a module needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The symbol's name.
    pub name: String,
    /// Whether the module can do without it.
    pub weak: bool,
}

/// The symbols of a module, in the order of its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Symbols {
    /// Exported names.
    pub exports: Vec<String>,
    /// Needed names.
    pub imports: Vec<Import>,
}

pub(super) fn read(file: &object::File<'_>) -> Result<Symbols, ModinfoError> {
    Ok(Symbols { exports: exports(file)?, imports: imports(file)? })
}

fn exports(file: &object::File<'_>) -> Result<Vec<String>, ModinfoError> {
    let mut names = Vec::new();
    for symbol in file.symbols() {
        if let Some(name) = symbol.name_bytes()?.strip_prefix(b"__crc_") {
            names.push(text(name));
        }
    }
    if !names.is_empty() {
        return Ok(names);
    }
    let Some(section) = file.section_by_name("__ksymtab_strings") else { return Ok(names) };
    let data = section.data()?;
    if data.last().is_some_and(|byte| *byte != 0) {
        return Err(ModinfoError::Symbols("__ksymtab_strings does not end with a NUL byte"));
    }
    Ok(data.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(text).collect())
}

fn imports(file: &object::File<'_>) -> Result<Vec<Import>, ModinfoError> {
    let mut imports = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.is_undefined()) {
        let name = symbol.name_bytes()?;
        if !name.is_empty() {
            imports.push(Import { name: text(name), weak: symbol.is_weak() });
        }
    }
    let seen: HashSet<String> = imports.iter().map(|import| import.name.clone()).collect();
    let Some(section) = file.section_by_name("__versions") else { return Ok(imports) };
    let data = section.data()?;
    if data.len() % VERSION_ENTRY != 0 {
        // As kmod does: a table of another shape is not looked at.
        return Ok(imports);
    }
    let checksum = if file.is_64() { 8 } else { 4 };
    for entry in data.chunks_exact(VERSION_ENTRY) {
        let name = entry.get(checksum..).unwrap_or_default();
        let end = name.iter().position(|byte| *byte == 0);
        let end = end.ok_or(ModinfoError::Symbols("a name in __versions has no end"))?;
        let name = text(name.get(..end).unwrap_or_default());
        if !name.is_empty() && !seen.contains(&name) {
            imports.push(Import { name, weak: false });
        }
    }
    Ok(imports)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
