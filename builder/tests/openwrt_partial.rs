//! Locks of feeds that lack what one optional feature asks for: builds without that feature have
//! everything they need, whichever was built first, and the one with it names what is missing.

#![allow(clippy::unwrap_used)]

mod support;

use support::openwrt::World;

/// A feature that asks for `package`.
fn feature(world: &World, name: &str, package: &str) {
    let text =
        format!("summary: a feature\ndefault: false\nbases: [router]\npackages: [{package}]\n");
    std::fs::write(world.path(&format!("recipes/features/{name}.yaml")), text).unwrap();
}

#[test]
fn what_one_composition_lacks_no_other_one_misses() {
    for (lacking, from_kernel) in [("nowhere", false), ("kmod-rare", true)] {
        let world = World::new();
        feature(&world, "rare", lacking);
        for release in ["23.05", "25.12"] {
            let name = format!("{lacking}.{release}");
            for kernel in ["own", "lent"] {
                for more in [&[][..], &["--with", "full"], &["--with", "quiet"]] {
                    let arguments = ["--release", release, "--kernel", kernel];
                    let guest = world.built(&name, &[&arguments[..], more].concat());
                    assert!(guest.has("daemon"), "{:?}", guest.packages());
                }
            }
            let arguments = ["--release", release, "--with", "rare", "--kernel"];
            let out = format!("{name}.out");
            std::fs::remove_dir_all(world.path(&out)).unwrap();
            let said = world.refused(&name, &[&arguments[..], &["own"]].concat(), 1);
            assert!(said.contains(lacking), "{said}");
            if from_kernel {
                // The other kernel brings its own modules.
                let guest = world.built(&name, &[&arguments[..], &["lent"]].concat());
                assert!(!guest.has(lacking));
            }
        }
    }
}
