//! Several guests at one tag.

use std::collections::BTreeMap;
use std::fs;

use wifibox_recipe::Sources;
use wifibox_report::release::{Description, seal};
use wifibox_testkit::registry::Manners;

use super::{BOTH, Scene, built, copy, listing};

/// A release of two guests in the folder `release`, signed.
fn release(scene: &Scene) {
    let folder = scene.path("release");
    fs::create_dir_all(folder.join("guests")).unwrap();
    for name in ["test-f", "other-f"] {
        copy(&scene.path("guest"), &folder.join("guests").join(name));
    }
    let built = built();
    fs::create_dir_all(folder.join("locks")).unwrap();
    fs::copy(built.0.path("lock"), folder.join("locks/test.lock")).unwrap();
    let recipes = Sources::folder(&built.0.path("")).unwrap();
    let description = Description {
        version: "1".to_owned(),
        source: None,
        builder_id: "https://example.org/builder".to_owned(),
        built_by: BTreeMap::new(),
        boot_tested: BTreeMap::new(),
        omitted: Vec::new(),
        recipes: &recipes,
        page: &|_| "<title>x</title>\n".to_owned(),
    };
    seal(&folder, description).unwrap();
    scene.key.sign_sums(&folder, "release 1");
}

#[test]
fn a_release_is_pulled_whole_or_one_guest_of_it() {
    for lists_referrers in BOTH {
        let scene = Scene::new(Manners { lists_referrers, ..Manners::default() });
        release(&scene);
        let reference = scene.reference("v1");
        let pushed = scene.run(&["push", &reference, "release", "--json"]).done().json();
        assert_eq!(pushed["push"]["manifests"].as_array().unwrap().len(), 3);
        let index = scene.registry.manifest("wifibox/f", "v1");
        assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
        let about = &index["manifests"][1]["annotations"];
        assert_eq!(about["io.github.wifibox-build.name"], "other-f");
        assert_eq!(about["io.github.wifibox-build.flavor"], "f");

        scene.pull(&[]).done();
        assert_eq!(listing(&scene.path("out")), listing(&scene.path("release")));
        // Over itself.
        let again = scene.pull(&["--json"]).done().json();
        assert_eq!(again["pull"]["fetched"]["bytes"], 0);
        // A flavor may be that of several guests; a name is one's.
        scene
            .pull(&["--flavor", "f"])
            .failed(2, "has several guests f; name one with --flavor: other-f, test-f");
        scene.pull(&["--flavor", "x"]).failed(2, "has no guest x; it has: other-f, test-f");
        let key = scene.key.public();
        let one = ["pull", &reference, "--flavor", "test-f", "--public-key", &key];
        scene.run(&one).done();
        assert_eq!(listing(&scene.path("out/test-f")), listing(&scene.path("guest")));
    }
}

#[test]
fn a_folder_of_outputs_is_an_index_of_guests() {
    let scene = Scene::new(Manners::default());
    fs::create_dir(scene.path("several")).unwrap();
    copy(&scene.path("guest"), &scene.path("several/one"));
    let reference = scene.reference("v1");
    scene.run(&["push", &reference, "several"]).done();
    // The only one needs no name.
    scene.pull(&[]).done();
    assert_eq!(listing(&scene.path("out")), listing(&scene.path("guest")));
    copy(&scene.path("guest"), &scene.path("several/two"));
    scene.run(&["push", &reference, "several"]).done();
    scene.pull(&[]).failed(2, "has several guests; name one with --flavor: one, two");
    scene.pull(&["--flavor", "two"]).done();
    // What is no output is none, and what was changed is not pushed.
    scene.run(&["push", &reference, "home"]).failed(1, "home");
    fs::create_dir(scene.path("empty")).unwrap();
    scene.run(&["push", &reference, "empty"]).failed(2, "holds no guest");
    fs::write(scene.path("several/two/cmdline"), "other").unwrap();
    scene.run(&["push", &reference, "several"]).failed(4, "cmdline");
}
