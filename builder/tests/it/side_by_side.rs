//! Several builders at once, of one user, who know nothing of each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wifibox_testkit::guest::Guest;

/// Builds with the lock and the cache of `guest`; the mirror must be as the lock knows it.
fn build(guest: &Guest, flavor: &str, out: &str, cache: &str) {
    let path = |name: &str| guest.path(name).to_str().unwrap().to_owned();
    let mirror = format!("test={}", path("mirror"));
    let (code, _, stderr) = guest.run(&[
        "build",
        "--flavor",
        flavor,
        "--frozen",
        "--out",
        &path(out),
        "--lock-file",
        &path("lock"),
        "--cache-dir",
        &path(cache),
        "--trust-key",
        &path("key.gpg"),
        "--mirror",
        &mirror,
    ]);
    assert_eq!(code, Some(0), "{flavor} into {out}: {stderr}");
}

/// Every file of an output, with its bytes.
fn files(folder: &Path) -> BTreeSet<(String, Vec<u8>)> {
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(here) = folders.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let (path, kind) = entry.map(|it| (it.path(), it.file_type().unwrap())).unwrap();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert((name, fs::read(&path).unwrap()));
            }
        }
    }
    files
}

#[test]
fn four_builders_on_one_cold_cache_make_what_each_makes_alone() {
    let guest = Guest::new();
    guest.build("f", "alone-f");
    build(&guest, "bare", "alone-bare", "cache");
    let (f, bare) = (files(&guest.path("alone-f")), files(&guest.path("alone-bare")));
    assert_ne!(f, bare);
    for round in 0..4 {
        let cache = format!("cold-{round}");
        // Two of the same flavor, two into the same folder.
        let builders = [("f", "a"), ("f", "b"), ("bare", "c"), ("f", "a")];
        std::thread::scope(|scope| {
            let started: Vec<_> = builders
                .map(|(flavor, out)| {
                    let (guest, cache) = (&guest, &cache);
                    scope.spawn(move || build(guest, flavor, out, cache))
                })
                .into_iter()
                .collect();
            started.into_iter().for_each(|builder| builder.join().unwrap());
        });
        for (flavor, out) in builders {
            let alone = if flavor == "f" { &f } else { &bare };
            assert!(files(&guest.path(out)) == *alone, "{flavor} in {out}, round {round}");
        }
        for entry in fs::read_dir(guest.path("")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.contains(".wifibox-"), "{name} is left");
        }
        for out in ["a", "b", "c"] {
            fs::remove_dir_all(guest.path(out)).unwrap();
        }
    }
}
