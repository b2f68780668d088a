//! How recipes compose.

use super::*;
use wifibox_ground::path::GuestPath;

#[test]
fn lists_add_up_in_order_and_later_files_remove() {
    let recipe = compose(&[(
        FEATURE,
        "summary: X\ndefault: true\npackages: [-net, editor, shell]\nload_modules: [-virtio_net, b]\n",
    )]);
    assert_eq!(values(&recipe.packages), ["shell", "editor"]);
    let modules: Vec<String> = recipe.load_modules.iter().map(|m| m.value.to_string()).collect();
    assert_eq!(modules, ["9p", "b"]);
    let editor = &recipe.packages[1].origin;
    assert_eq!(editor.to_string(), "recipes/features/extra.yaml:3:18");
}

#[test]
fn a_module_is_optional_only_if_everyone_says_so() {
    let recipe =
        compose(&[(FEATURE, "summary: X\ndefault: true\nload_modules: [virtio_net, 9p?]\n")]);
    assert!(recipe.load_modules.iter().all(|module| !module.value.optional));
}

#[test]
fn a_later_level_wins_in_maps_and_the_origin_says_so() {
    let recipe = compose(&[(
        "recipes/hypervisors/vmm.yaml",
        "summary: V\nshare_transport: xen\nnic: xen-netfront\nconsole: hvc0\nroot_disk: xvde\n\
         links: { /etc/mtab: /proc/self/mounts }\nmemory: { smallest: 32, recommended: 128 }\n",
    )]);
    let link = &recipe.links[&GuestPath::new("etc/mtab").unwrap()];
    assert_eq!(link.value, "/proc/self/mounts");
    assert_eq!(link.origin.to_string(), "recipes/hypervisors/vmm.yaml:6:10");
    // The largest memory counts, whoever asks for it.
    assert_eq!(recipe.memory_smallest.unwrap().value, 64);
    assert_eq!(recipe.memory_recommended.unwrap().value, 128);
}

#[test]
fn parts_for_a_base_and_a_role_apply_there_only() {
    let feature = "summary: X\ndefault: { station: true }\non:\n  base: { packages: [a] }\n\
                   for:\n  station:\n    packages: [b]\n    on: { base: { packages: [c] } }\n  \
                   host: { packages: [d] }\n";
    let role = ("recipes/roles/host.yaml", "summary: Host\napp_config: hostapd\n");
    let catalog = catalog(&[(FEATURE, feature), role]);
    let recipe = catalog.compose(&ask()).unwrap();
    assert_eq!(values(&recipe.packages), ["shell", "net", "a", "b", "c"]);
    let host = Selection { role: Some("host".into()), ..ask() };
    assert_eq!(values(&catalog.compose(&host).unwrap().packages), ["shell", "net"]);
    let host = Selection { with: vec!["extra".into()], ..host };
    assert_eq!(values(&catalog.compose(&host).unwrap().packages), ["shell", "net", "a", "d"]);
}

#[test]
fn the_release_is_filled_in_and_adds_its_part() {
    let two = Selection { release: Some("two".into()), ..ask() };
    let recipe = catalog(&[]).compose(&two).unwrap();
    assert_eq!(recipe.repositories[0].value.suites, ["two"]);
    assert_eq!(recipe.repositories[0].value.mirrors, ["https://mirror.example/two"]);
    assert_eq!(values(&recipe.packages), ["shell", "net", "only-in-two"]);
    assert_eq!(recipe.release.origin, Origin::command_line());
}

#[test]
fn every_composition_is_allowed_and_none_is_there_twice() {
    let catalog = catalog(&[
        (FEATURE, "summary: X\ndefault: true\nrequires: [other]\n"),
        (OTHER, "summary: O\ndefault: true\n"),
        ("recipes/features/third.yaml", "summary: T\ndefault: false\nconflicts: [extra]\n"),
        ("recipes/features/ap.yaml", "summary: A\ndefault: false\nroles: [host]\n"),
        ("recipes/roles/host.yaml", "summary: Host\napp_config: hostapd\n"),
        ("recipes/flavors/blob.yaml", "summary: B\nchipsets: [blob]\n"),
        ("firmware-blobs/blob.yaml", "summary: B\nmodules: [b]\nfirmware: { rule: exact }\n"),
    ]);
    let all: Vec<Selection> = catalog.spanning_compositions("base", "one", "amd64");
    // {}, {other}, {other, extra}, {third}, {other, third}: five sets, doubled by ap for the host.
    // And the flavor with the defaults.
    assert_eq!(all.len(), 16);
    for selection in &all {
        catalog.compose(selection).unwrap_or_else(|error| panic!("{selection:?}: {error}"));
        assert_eq!(all.iter().filter(|other| *other == selection).count(), 1);
    }
    assert_eq!(catalog.spanning_compositions("base", "three", "amd64").len(), 0);
    assert_eq!(catalog.spanning_compositions("nothing", "one", "amd64").len(), 0);
}
