//! Locks of feeds that lack what one optional feature asks for: builds without that feature have
//! everything they need, whichever was built first, and the one with it names what is missing.

#![allow(clippy::unwrap_used)]

use std::fs;

use wifibox_testkit::openwrt::World;

const RELEASES: [&str; 2] = ["23.05", "25.12"];

/// A feature `rare`, off unless it is asked for.
fn rare(world: &World, packages: &str) {
    let text =
        format!("summary: a feature\ndefault: false\nbases: [router]\npackages: [{packages}]\n");
    fs::write(world.path("recipes/features/rare.yaml"), text).unwrap();
}

/// Builds every composition that does not ask for `rare`, and each once more from the lock alone.
fn others_are_built(world: &World, release: &str) {
    for offline in [&[][..], &["--frozen"]] {
        for kernel in ["own", "lent"] {
            for with in [&[][..], &["--with", "full"], &["--with", "quiet"]] {
                let arguments = ["--release", release, "--kernel", kernel];
                let guest = world.built(release, &[&arguments[..], with, offline].concat());
                // It wants a package that only another request chooses.
                assert!(guest.has("daemon"), "{:?}", guest.packages());
                assert_eq!(guest.has("kmod-radio"), kernel == "own");
            }
        }
    }
    fs::remove_dir_all(world.path(&format!("{release}.out"))).unwrap();
}

#[test]
fn what_one_feature_asks_for_in_vain_takes_nothing_from_other_guests() {
    let world = World::new();
    rare(&world, "nowhere");
    for release in RELEASES {
        let rare = ["--release", release, "--with", "rare"];
        let said = world.refused(release, &rare, 1);
        assert!(said.contains("nothing is called or provides nowhere"), "{said}");
        others_are_built(&world, release);
        let said = world.refused(release, &rare, 1);
        assert!(said.contains("nothing is called or provides nowhere"), "{said}");
    }
}

#[test]
fn a_module_that_no_feed_has_is_the_other_kernels() {
    let world = World::new();
    rare(&world, "kmod-rare");
    for release in RELEASES {
        others_are_built(&world, release);
        let rare = ["--release", release, "--with", "rare", "--kernel"];
        let said = world.refused(release, &[&rare[..], &["own"]].concat(), 1);
        assert!(said.contains("nothing is called or provides kmod-rare"), "{said}");
        let guest = world.built(release, &[&rare[..], &["lent"]].concat());
        assert!(!guest.has("kmod-rare") && guest.has("radio-tool"), "{:?}", guest.packages());
    }
}

#[test]
fn a_composition_that_cannot_be_without_what_it_lacks_is_left_out() {
    let world = World::new();
    // What `daemon` wants is to come from a package that is not there.
    rare(&world, "-radio-basic, radio-rare");
    for release in RELEASES {
        others_are_built(&world, release);
        let said = world.refused(release, &["--release", release, "--with", "rare"], 1);
        assert!(said.contains("nothing is called or provides radio-rare"), "{said}");
    }
}
