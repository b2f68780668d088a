//! Why a file is no kernel module.

use super::name::NotAModuleName;

/// Why some bytes are not a kernel module.
#[derive(Debug, thiserror::Error)]
pub enum ModinfoError {
    /// Not an ELF file, or a damaged one.
    #[error("not a readable ELF file: {0}")]
    Elf(#[from] object::Error),
    /// An ELF file that is not a module.
    #[error("an ELF file without a .modinfo section: not a kernel module")]
    NoModinfo,
    /// A malformed name in the module.
    #[error("damaged .modinfo: {0}")]
    Name(#[from] NotAModuleName),
    /// The table of symbols is damaged.
    #[error("damaged symbol tables: {0}")]
    Symbols(&'static str),
}
