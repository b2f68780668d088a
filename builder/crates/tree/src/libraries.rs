//! Shared libraries: what programs need is there, what nothing needs is left out.
//!
//! Reads `DT_NEEDED` and `PT_INTERP` of the ELF files in the tree (System V ABI, chapter 5), the
//! way the dynamic linker finds libraries: by name in the library directories.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use object::elf;
use object::read::elf::{Dyn as _, ElfFile, ProgramHeader as _};
use object::{Endianness, ReadRef as _};
use serde::{Deserialize, Serialize};

use super::{Kind, Node, Tree, TreeError};
use wifibox_ground::content::Content;
use wifibox_ground::path::GuestPath;

/// Why the guest's libraries are not in order.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A program or library needs one that is not in the guest.
    #[error(
        "{user} needs the library {library}, which is not in the guest: \
             take it off the recipe's 'exclude', or add the package that holds it"
    )]
    Missing {
        /// Who needs it.
        user: GuestPath,
        /// The name it is asked for by.
        library: String,
    },
    /// An ELF file's bytes cannot be read back.
    #[error("{0} cannot be read: {1}")]
    Read(GuestPath, std::io::Error),
    /// A path cannot be resolved.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// The needs of one ELF file, which the dynamic linker satisfies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// The dynamic linker (`/lib64/ld-linux-x86-64.so.2`).
    pub interpreter: Option<String>,
    /// Names of needed libraries.
    pub libraries: Vec<String>,
}

/// Reads the needs of an ELF file; `None` if these bytes are not a readable ELF file.
pub fn needs(bytes: &[u8]) -> Option<Needs> {
    if !bytes.starts_with(b"\x7fELF") {
        return None;
    }
    match object::FileKind::parse(bytes).ok()? {
        object::FileKind::Elf64 => of::<elf::FileHeader64<Endianness>>(bytes),
        object::FileKind::Elf32 => of::<elf::FileHeader32<Endianness>>(bytes),
        _ => None,
    }
}

fn of<Elf: object::read::elf::FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<Needs> {
    let file = ElfFile::<Elf>::parse(bytes).ok()?;
    let endian = file.endian();
    let mut needs = Needs::default();
    for header in Elf::parse(bytes).ok()?.program_headers(endian, bytes).ok()? {
        if header.p_type(endian) == elf::PT_INTERP {
            let (offset, size) = header.file_range(endian);
            let text = bytes.read_bytes_at(offset, size).ok()?;
            let text = text.split(|b| *b == 0).next()?;
            needs.interpreter = Some(String::from_utf8_lossy(text).into_owned());
        }
    }
    let table = file.elf_dynamic_table().ok()?;
    if table.is_empty() {
        let headers = Elf::parse(bytes).ok()?.program_headers(endian, bytes).ok()?;
        needs.libraries = by_segments::<Elf>(headers, endian, bytes).unwrap_or_default();
        return Some(needs);
    }
    for entry in table.iter() {
        if entry.tag == elf::DT_NEEDED {
            let name = table.string(entry).ok()?;
            needs.libraries.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    Some(needs)
}

/// The needed libraries of a file without section headers, as the dynamic linker finds them: by its
/// program headers. OpenWrt's programs have no others.
fn by_segments<Elf: object::read::elf::FileHeader<Endian = Endianness>>(
    headers: &[Elf::ProgramHeader],
    endian: Endianness,
    bytes: &[u8],
) -> Option<Vec<String>> {
    let entries = headers.iter().find_map(|header| header.dynamic(endian, bytes).ok().flatten())?;
    let strings = entries.iter().find(|entry| entry.tag(endian) == elf::DT_STRTAB)?.val(endian);
    // The table is named by its address; the segment around it says where that is in the file.
    let (start, end) = headers.iter().find_map(|header| {
        let (address, (offset, size)) = (header.p_vaddr(endian).into(), header.file_range(endian));
        let inside = strings.checked_sub(address).filter(|inside| *inside < size)?;
        (header.p_type(endian) == elf::PT_LOAD)
            .then(|| offset.checked_add(inside).zip(offset.checked_add(size)))?
    })?;
    let table = bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
    let needed = entries
        .iter()
        .take_while(|entry| entry.tag(endian) != elf::DT_NULL)
        .filter(|entry| entry.tag(endian) == elf::DT_NEEDED);
    let name = |at: u64| {
        let text = table.get(usize::try_from(at).ok()?..)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    needed.map(|entry| name(entry.val(endian))).collect()
}

/// The needs of each ELF file of a tree.
pub(crate) type Elves = BTreeMap<GuestPath, Needs>;

/// The files of a tree that begin like ELF files, but for kernel modules, in path order.
pub(crate) fn elf_files(tree: &Tree) -> Vec<(GuestPath, Content)> {
    let mut files = Vec::new();
    for (path, node) in tree.iter() {
        let Kind::File(content) = &node.kind else { continue };
        let mut magic = [0; 4];
        let elf = content.len() >= 4
            && content.open().read_exact(&mut magic).is_ok()
            && magic == *b"\x7fELF";
        if elf && !path.name().ends_with(b".ko") {
            files.push((path.clone(), content.clone()));
        }
    }
    files
}

/// The needs of each of `files`, in their order; `None` for one that is not an ELF file after all.
///
/// # Errors
/// [`LibraryError::Read`].
pub(crate) fn read_needs(
    files: &[(GuestPath, Content)],
) -> Result<Vec<Option<Needs>>, LibraryError> {
    let read = |(path, content): &(GuestPath, Content)| {
        let bytes = content.read().map_err(|source| LibraryError::Read(path.clone(), source))?;
        Ok(needs(&bytes))
    };
    files.iter().map(read).collect()
}

/// Takes away every shared library of `directories` that no program, no other kept library and no
/// `keep` rule needs, and checks that every need is met. Gives back the paths taken away.
///
/// `elves` are the programs and libraries of the tree; `keep` decides about libraries that are only
/// opened by name at run time (plug-ins).
///
/// # Errors
/// [`LibraryError::Missing`] names the first unmet need in path order.
pub fn prune(
    tree: &mut Tree,
    elves: &Elves,
    directories: &[GuestPath],
    keep: impl Fn(&GuestPath) -> bool,
) -> Result<Vec<GuestPath>, LibraryError> {
    let in_directories =
        |path: &GuestPath| path.parent().is_some_and(|parent| directories.contains(&parent));
    let is_library = |path: &GuestPath| {
        let name = String::from_utf8_lossy(path.name()).into_owned();
        in_directories(path) && (name.ends_with(".so") || name.contains(".so."))
    };
    let mut kept: BTreeSet<GuestPath> = BTreeSet::new();
    let mut open: Vec<GuestPath> =
        elves.keys().filter(|path| !is_library(path) || keep(path)).cloned().collect();
    open.reverse();
    while let Some(path) = open.pop() {
        if !kept.insert(path.clone()) {
            continue;
        }
        let Some(needs) = elves.get(&path) else { continue };
        for library in needs.libraries.iter().chain(&needs.interpreter) {
            let (names, real) = find(tree, directories, library)?.ok_or_else(|| {
                LibraryError::Missing { user: path.clone(), library: library.clone() }
            })?;
            kept.extend(names);
            if !kept.contains(&real) {
                open.push(real);
            }
        }
    }
    let gone: Vec<GuestPath> = tree
        .iter()
        .filter(|(path, node)| {
            let links_or_file = matches!(node.kind, Kind::File(_) | Kind::Symlink(_));
            links_or_file && is_library(path) && !kept.contains(path) && !keep(path)
        })
        .map(|(path, _)| path.clone())
        .collect();
    for path in &gone {
        tree.remove(path);
    }
    Ok(gone)
}

/// Where the dynamic linker finds `library`: the links on the way and the file at their end.
fn find(
    tree: &Tree,
    directories: &[GuestPath],
    library: &str,
) -> Result<Option<(Vec<GuestPath>, GuestPath)>, LibraryError> {
    let mut candidates = Vec::new();
    if library.contains('/') {
        candidates.push(GuestPath::new(library).map_err(TreeError::from)?);
    } else {
        for directory in directories {
            candidates.push(directory.join(library).map_err(TreeError::from)?);
        }
    }
    for candidate in candidates {
        let Ok(start) = tree.resolve(&candidate, false) else { continue };
        let Some((real, Node { kind: Kind::File(_), .. })) = tree.lookup(&start) else { continue };
        let mut links = Vec::new();
        let mut at = start;
        while at != real && links.len() < 40 {
            links.push(at.clone());
            let Some(next) = tree.follow(&at)? else { break };
            at = next;
        }
        return Ok(Some((links, real)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Meta, Origin};

    fn elves(tree: &Tree) -> Elves {
        let files = elf_files(tree);
        let needs = read_needs(&files).expect("readable");
        files.into_iter().zip(needs).filter_map(|((path, _), needs)| Some((path, needs?))).collect()
    }

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text).expect("a path")
    }

    /// A little-endian ELF64 file with one `DT_NEEDED` entry per name.
    fn elf(needed: &[&str]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut dynamic: Vec<u8> = Vec::new();
        for name in needed {
            dynamic.extend([1u64.to_le_bytes(), (strings.len() as u64).to_le_bytes()].concat());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        dynamic.extend([0; 16]);
        let sections = 64 + dynamic.len() + strings.len();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([3u16, 62].map(u16::to_le_bytes).concat());
        file.extend(1u32.to_le_bytes());
        file.extend([0, 0, sections as u64].map(u64::to_le_bytes).concat());
        file.extend(0u32.to_le_bytes());
        file.extend([64u16, 56, 0, 64, 3, 2].map(u16::to_le_bytes).concat());
        file.extend(&dynamic);
        file.extend(&strings);
        file.extend([0; 64]);
        for (kind, offset, size, link, entry) in
            [(6u32, 64, dynamic.len(), 2u32, 16u64), (3, 64 + dynamic.len(), strings.len(), 0, 0)]
        {
            file.extend([0, kind].map(u32::to_le_bytes).concat());
            file.extend([0, 0, offset as u64, size as u64].map(u64::to_le_bytes).concat());
            file.extend([link, 0].map(u32::to_le_bytes).concat());
            file.extend([1, entry].map(u64::to_le_bytes).concat());
        }
        file
    }

    fn tree(files: &[(&str, &[&str])], links: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        let node = |kind| Node { meta: Meta::with_mode(0o755), kind, origin: Origin::Builder };
        for (name, needed) in files {
            let content = Content::from_bytes(elf(needed));
            tree.insert(&path(name), node(Kind::File(content))).expect("inserted");
        }
        for (name, target) in links {
            tree.insert(&path(name), node(Kind::Symlink(target.as_bytes().to_vec())))
                .expect("link");
        }
        tree
    }

    #[test]
    fn only_needed_libraries_stay() {
        let mut tree = tree(
            &[
                ("bin/program", &["liba.so.1"]),
                ("lib/liba.so.1.2", &["libb.so.3"]),
                ("lib/libb.so.3", &[]),
                ("lib/libunused.so.1.0", &[]),
                ("lib/libplugin.so.1", &[]),
                ("lib/data.txt", &[]),
            ],
            &[("lib/liba.so.1", "liba.so.1.2"), ("lib/libunused.so.1", "libunused.so.1.0")],
        );
        let keep = |path: &GuestPath| path.name().starts_with(b"libplugin");
        let elves = elves(&tree);
        let gone = prune(&mut tree, &elves, &[path("lib")], keep).expect("all needs are met");
        assert_eq!(gone, [path("lib/libunused.so.1"), path("lib/libunused.so.1.0")]);
        assert!(tree.get(&path("lib/liba.so.1")).is_some());
        assert!(tree.get(&path("lib/libplugin.so.1")).is_some());
    }

    #[test]
    fn a_file_without_section_headers_tells_its_needs_too() {
        // As `elf` makes it, with two program headers instead of the sections: all of the file at
        // address 0x1000, and the dynamic table.
        let mut strings = b"\0libubox.so\0libc.so\0".to_vec();
        strings.resize(24, 0);
        let (table, names) = (64 + 2 * 56, 64 + 2 * 56 + 64);
        let dynamic = [1u64, 1, 1, 12, 5, 0x1000 + names, 0, 0].map(u64::to_le_bytes).concat();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([3u16, 62].map(u16::to_le_bytes).concat());
        file.extend(1u32.to_le_bytes());
        file.extend([0u64, 64, 0].map(u64::to_le_bytes).concat());
        file.extend(0u32.to_le_bytes());
        file.extend([64u16, 56, 2, 64, 0, 0].map(u16::to_le_bytes).concat());
        let length = names + strings.len() as u64;
        for (kind, offset, size) in [(1u32, 0u64, length), (2, table, 64)] {
            file.extend([kind, 4].map(u32::to_le_bytes).concat());
            let address = 0x1000 + offset;
            file.extend([offset, address, address, size, size, 8].map(u64::to_le_bytes).concat());
        }
        file.extend(dynamic);
        file.extend(&strings);
        let needs = needs(&file).expect("an ELF file");
        assert_eq!(needs.libraries, ["libubox.so", "libc.so"]);
        for end in 0..file.len() {
            let _ = super::needs(&file[..end]);
        }
    }

    #[test]
    fn an_unmet_need_is_an_error() {
        let mut tree = tree(&[("bin/program", &["libnone.so.9"])], &[]);
        let elves = elves(&tree);
        let error =
            prune(&mut tree, &elves, &[path("lib")], |_| false).expect_err("unmet").to_string();
        assert!(error.starts_with("/bin/program needs the library libnone.so.9"), "{error}");
    }
}
