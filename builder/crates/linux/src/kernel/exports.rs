//! The symbols that a kernel itself exports, and which needs of modules nothing answers to.
//!
//! Read from `System.map` (`address type name`, where `__ksymtab_NAME` says that NAME is exported) or
//! `Module.symvers` (`crc <TAB> name <TAB> where <TAB> kind`, `vmlinux` being the kernel itself).
//! Debian's kernel packages hold neither: their System.map is a stub.

use std::collections::BTreeSet;

use super::depmod::Source;
use super::name::ModuleName;

/// Symbols that are given to every module when it is loaded.
const GIVEN: [&str; 3] = ["__this_module", "_GLOBAL_OFFSET_TABLE_", ".TOC."];

/// The symbols that a kernel exports to modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelExports(BTreeSet<String>);

/// A symbol that a module needs and that neither the kernel nor another module exports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    /// The module.
    pub module: ModuleName,
    /// The symbol.
    pub symbol: String,
}

impl KernelExports {
    /// Reads a `System.map`; `None` when it is a stub without exported symbols.
    pub fn from_system_map(text: &[u8]) -> Option<Self> {
        let names = text.split(|byte| *byte == b'\n').filter_map(|line| {
            let name = line.split(|byte| *byte == b' ').nth(2)?;
            let name = name.strip_prefix(b"__ksymtab_")?;
            Some(String::from_utf8_lossy(name).into_owned())
        });
        Self::some(names.collect())
    }

    /// Reads a `Module.symvers`; `None` when the kernel itself exports nothing by it.
    pub fn from_symvers(text: &[u8]) -> Option<Self> {
        let names = text.split(|byte| *byte == b'\n').filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b'\t').skip(1);
            let (name, place) = (fields.next()?, fields.next()?);
            (place == b"vmlinux").then(|| String::from_utf8_lossy(name).into_owned())
        });
        Self::some(names.collect())
    }

    fn some(names: BTreeSet<String>) -> Option<Self> {
        (!names.is_empty()).then_some(KernelExports(names))
    }

    /// The needs of these modules that neither the kernel nor any of them exports: a module with such a need would not
    /// load. Weak needs do not count. Sorted.
    pub fn unresolved(&self, sources: &[Source<'_>]) -> Vec<Unresolved> {
        let exported: BTreeSet<&str> = sources
            .iter()
            .flat_map(|source| &source.module.symbols.exports)
            .map(String::as_str)
            .collect();
        let known = |name: &str| {
            let plain = name.strip_prefix('.').unwrap_or(name);
            GIVEN.contains(&name) || self.0.contains(plain) || exported.contains(plain)
        };
        let mut missing = BTreeSet::new();
        for source in sources {
            let needs = source.module.symbols.imports.iter().filter(|import| !import.weak);
            for import in needs.filter(|import| !known(&import.name)) {
                let (module, symbol) = (source.name.clone(), import.name.clone());
                missing.insert(Unresolved { module, symbol });
            }
        }
        missing.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::modinfo::Module;
    use wifibox_ground::path::GuestPath;
    use wifibox_testkit::module::{Spec, elf};

    #[test]
    fn needs_that_nothing_answers_to_are_found() {
        let map = b"ffffffff81000000 T _text\nffffffff82000000 r __ksymtab_printk\n\
            ffffffff82000008 r __ksymtab_kmalloc\n";
        let kernel = KernelExports::from_system_map(map).expect("symbols");
        let symvers =
            b"0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n0x2\tkmalloc\tvmlinux\tEXPORT_SYMBOL\t\n\
            0x3\tcfg\tnet/cfg\tEXPORT_SYMBOL_GPL\t\n";
        assert_eq!(KernelExports::from_symvers(symvers), Some(kernel.clone()));
        assert_eq!(
            KernelExports::from_system_map(b"ffffffffffffffff B The real one is away\n"),
            None
        );

        let mut spec = Spec::new(&[]).imports(&["printk", "given", "gone", "__this_module"]);
        spec.imports.push(("maybe".into(), true));
        let a = Module::parse(&elf(&spec)).expect("a module");
        let b = Module::parse(&elf(&Spec::new(&[]).exports(&["given"]))).expect("a module");
        let source = |name: &str, module| Source {
            name: ModuleName::new(name).expect("a name"),
            path: GuestPath::new(format!("{name}.ko")).expect("a path"),
            module,
        };
        let module = ModuleName::new("a").expect("a name");
        assert_eq!(
            kernel.unresolved(&[source("a", &a), source("b", &b)]),
            [Unresolved { module, symbol: "gone".into() }]
        );
    }
}
