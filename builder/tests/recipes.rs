//! scratch
use wifibox_build::recipe::*;
#[test]
fn scratch() {
    let sources = Sources::folder(std::path::Path::new("/tmp/try")).unwrap();
    let catalog = match Catalog::load(&sources) {
        Ok(c) => c,
        Err(e) => panic!("{e}"),
    };
    let n = catalog.every_composition("debian", "trixie").count();
    for s in catalog.every_composition("debian", "trixie") {
        if let Err(e) = catalog.compose(&s) {
            panic!("{s:?}\n{e}")
        }
    }
    let r = catalog
        .compose(&Selection {
            base: "debian".into(),
            flavor: "iwlwifi".into(),
            ..Default::default()
        })
        .unwrap();
    println!("{}\n{n}", r.show());
}
