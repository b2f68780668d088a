//! The symbols of generated modules of both classes and byte orders.

use crate::kernel::modinfo::Module;
use wifibox_testkit::module::{Spec, elf};

fn spec(wide: bool, big: bool) -> Spec {
    Spec {
        wide,
        big,
        exports: vec!["give_b".into(), "give_a".into()],
        imports: vec![("need_z".into(), false), ("need_a".into(), true)],
        versions: vec!["need_z".into(), "module_layout".into()],
        ..Spec::new(&["name=m"])
    }
}

#[test]
fn exports_and_imports_keep_the_files_order() {
    for (wide, big) in [(true, false), (true, true), (false, false), (false, true)] {
        for crcs in [true, false] {
            let bytes = elf(&Spec { crcs, ..spec(wide, big) });
            let symbols = Module::parse(&bytes).expect("parsed").symbols;
            assert_eq!(symbols.exports, ["give_b", "give_a"]);
            let imports: Vec<(&str, bool)> =
                symbols.imports.iter().map(|i| (i.name.as_str(), i.weak)).collect();
            assert_eq!(imports, [("need_z", false), ("need_a", true), ("module_layout", false)]);
        }
    }
}
