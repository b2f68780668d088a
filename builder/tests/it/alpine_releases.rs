//! The releases of Alpine that the recipes name: a lock is made of a generated mirror in the layout of Alpine's, for each
//! architecture, and says which point release the signed index is of.

use std::collections::BTreeSet;
use std::fs;

use wifibox_formats::apk::signature::Kind;
use wifibox_recipe::{Catalog, Sources};
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Package, Repository};

use super::recipes::workspace;

const RELEASES: [(&str, &str); 2] = [("3.23", "3.23.6"), ("3.24", "3.24.2")];
const KEYS: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub",
        "8a70fc55f1a6fb2a392ad5a3e71aff82a637b2b33659c046f6b6a909bb5d1ab7",
    ),
    (
        "aarch64",
        "alpine-devel@lists.alpinelinux.org-616ae350.rsa.pub",
        "479f16f4170a9ea0c65e1de854860949b1a549cfa1f43552f7a2e821c9e2f409",
    ),
];

/// The names of all packages that a guest of the release may ask for.
fn asked(catalog: &Catalog, release: &str, architecture: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for selection in catalog.spanning_compositions("alpine", release, architecture) {
        let recipe = catalog.compose(&selection).unwrap();
        if recipe.kernel.from.is_some() {
            continue;
        }
        let all = recipe.packages.iter().chain(&recipe.firmware_packages);
        names.extend(all.map(|package| package.value.clone()));
        names.insert(recipe.kernel.package.value.clone());
        names.extend(recipe.kernel.efi_stub.map(|stub| stub.value.package));
    }
    names
}

#[test]
fn a_lock_of_each_release_says_which_point_release_it_is_of() {
    let catalog = Catalog::load(&Sources::embedded()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // The recipe with keys that can sign here.
    let mut base = fs::read_to_string(workspace().join("recipes/bases/alpine.yaml")).unwrap();
    let mut signers = Vec::new();
    fs::create_dir_all(path("keys")).unwrap();
    for (seed, (architecture, name, fingerprint)) in (1..).zip(KEYS) {
        assert!(base.contains(fingerprint), "{name}");
        let key = SigningKey::generate(name, seed);
        base = base.replace(fingerprint, &key.fingerprint().to_string());
        fs::write(path("keys").join(name), key.pem()).unwrap();
        signers.push((architecture, key));
    }
    fs::create_dir_all(path("recipes/bases")).unwrap();
    fs::write(path("recipes/bases/alpine.yaml"), base).unwrap();
    for (release, point) in RELEASES {
        for (architecture, signer) in &signers {
            let mut packages: Vec<Package> = asked(&catalog, release, architecture)
                .iter()
                .filter(|name| *name != "alpine-release")
                .map(|name| Package::new(name, "1-r0"))
                .collect();
            packages.insert(0, Package::new("alpine-release", &format!("{point}-r0")));
            for package in &mut packages {
                package.architecture = (*architecture).to_owned();
            }
            let (main, community) = packages.split_at(packages.len() / 2);
            for (component, packages) in [("main", main), ("community", community)] {
                let place = path(&format!("mirror/v{release}/{component}/{architecture}"));
                Repository::new(packages.to_vec()).signed(Kind::Rsa256, signer).publish(&place);
            }
            let mirror = format!("--mirror=alpine={}", path("mirror").display());
            let keys = format!("--distdir={}", path("keys").display());
            let verb = ["lock", "--base", "alpine", "--release", release, "--arch", architecture];
            let lock = format!("{release}-{architecture}.lock");
            let arguments = [&verb[..], &[&mirror, &keys]].concat();
            let (code, said) = wifibox_testkit::run(folder.path(), "a", &lock, &arguments);
            assert_eq!(code, Some(0), "{said}");
            let lock = fs::read_to_string(path(&lock)).unwrap();
            assert!(!lock.contains("\"missing\""), "{lock}");
            let index = format!("\"suite\":\"v{release}/main/{architecture}\"");
            let line = lock.lines().find(|line| line.contains(&index)).unwrap();
            assert!(line.contains(&format!("\"version\":\"{point}\"")), "{line}");
        }
    }
}
