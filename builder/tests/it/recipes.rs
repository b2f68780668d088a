//! The recipes that the program brings: they load, every composition of them composes, they keep
//! the contract with the host, and their schemas in `docs/schema` are current.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wifibox_ground::path::GuestPath;
use wifibox_recipe::{Catalog, Recipe, Selection, Sources, schema, schemas};

const TOPS: [&str; 4] = ["recipes", "overlays", "kernels", "firmware-blobs"];

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn catalog() -> Catalog {
    Catalog::load(&Sources::embedded()).unwrap_or_else(|error| panic!("{error}"))
}

fn every(catalog: &Catalog) -> Vec<Selection> {
    let listing = catalog.list();
    let mut all = Vec::new();
    for base in &listing.bases {
        for release in &base.only_with {
            for architecture in &base.architectures {
                all.extend(catalog.spanning_compositions(&base.name, release, architecture));
            }
        }
    }
    all
}

fn compose(catalog: &Catalog, flavor: &str, role: &str, hypervisor: &str) -> Recipe {
    let selection = Selection {
        base: "debian".into(),
        flavor: flavor.into(),
        role: Some(role.into()),
        hypervisor: Some(hypervisor.into()),
        ..Selection::default()
    };
    catalog.compose(&selection).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_composition_composes_and_every_recipe_is_used() {
    let catalog = catalog();
    let all = every(&catalog);
    assert!(!all.is_empty());
    let mut overlays = BTreeSet::new();
    let mut flavors = BTreeSet::new();
    let mut filters = BTreeSet::new();
    for selection in &all {
        let recipe =
            catalog.compose(selection).unwrap_or_else(|error| panic!("{selection:?}: {error}"));
        let globs: Vec<String> =
            recipe.exclude.iter().chain(&recipe.keep).map(|glob| glob.value.to_string()).collect();
        if filters.insert(globs) {
            recipe.path_filter().unwrap_or_else(|error| panic!("{selection:?}: {error}"));
        }
        overlays.extend(recipe.overlays.iter().map(|overlay| overlay.value.clone()));
        overlays.extend(recipe.initramfs.iter().map(|initramfs| initramfs.overlay.clone()));
        flavors.insert(recipe.flavor.value.clone());
    }
    // A project's `region` brings it.
    overlays.insert("region".to_owned());
    let there = Sources::embedded().folders("overlays").unwrap();
    assert_eq!(overlays.into_iter().collect::<Vec<_>>(), there, "overlays that are used");
    let listed: Vec<String> = catalog.list().flavors.into_iter().map(|f| f.name).collect();
    assert_eq!(flavors.into_iter().collect::<Vec<_>>(), listed, "flavors that some base has");
}

#[test]
fn the_program_holds_what_the_folders_hold() {
    let folder = Sources::folder(&workspace()).unwrap();
    let embedded = Sources::embedded();
    for top in TOPS {
        let mut names = folder.files_below(top).unwrap();
        // A user's own firmware is never built in.
        names.retain(|name| !name.starts_with("local/"));
        assert_eq!(names, embedded.files_below(top).unwrap(), "{top}");
        for name in names {
            let path = format!("{top}/{name}");
            assert!(folder.read(&path).unwrap() == embedded.read(&path).unwrap(), "{path}");
        }
    }
}

#[test]
fn guests_keep_the_contract_with_their_host() {
    let catalog = catalog();
    for (role, app_config) in [("station", "wpa_supplicant"), ("access-point", "hostapd")] {
        for hypervisor in ["bhyve", "qemu", "xen"] {
            let recipe = compose(&catalog, "hwsim", role, hypervisor);
            let shares: Vec<String> = recipe
                .shares
                .iter()
                .map(|share| format!("{} {} {:?}", share.tag, share.path, share.access))
                .collect();
            let own = format!("app_config /etc/{app_config} ReadWrite");
            assert_eq!(shares, ["config /media/etc ReadOnly", "var /var ReadWrite", &own]);
            let link = |path: &str| {
                let link = recipe.links.get(&GuestPath::new(path).unwrap());
                link.map(|link| link.value.clone()).unwrap_or_default()
            };
            assert_eq!(link("etc/hostname"), "/media/etc/hostname");
            assert_eq!(link("etc/sysctl.conf"), "/media/etc/sysctl.conf");
            assert_eq!(link("etc/sysctl.d"), "/media/etc/sysctl.d");
            assert_eq!(link("etc/resolv.conf"), "/tmp/resolv.conf");
            assert_eq!(link("etc/mtab"), "/proc/mounts");
            // Every mount point is a directory of the image, which is read-only.
            for share in &recipe.shares {
                assert!(recipe.directories.iter().any(|made| made.path == share.path), "{share:?}");
            }
            let services: Vec<&str> = recipe.services.iter().map(|s| s.value.as_str()).collect();
            // Under Xen the kernel itself is asked to power off.
            let power = if hypervisor == "xen" { "vifs" } else { "acpid" };
            for service in [app_config, power, "udhcpd", "console"] {
                assert!(services.contains(&service), "{service} in {services:?}");
            }
            assert_eq!(services.contains(&"acpid"), hypervisor != "xen");
        }
    }
}

#[test]
fn hypervisors_differ_where_their_devices_do() {
    let catalog = catalog();
    let bhyve = compose(&catalog, "iwlwifi", "station", "bhyve");
    let xen = compose(&catalog, "iwlwifi", "station", "xen");
    let loads =
        |recipe: &Recipe, name: &str| recipe.load_modules.iter().any(|module| module.name == name);
    assert!(loads(&bhyve, "9pnet_virtio") && loads(&bhyve, "e1000") && !loads(&bhyve, "9pnet_xen"));
    assert!(loads(&xen, "9pnet_xen") && loads(&xen, "xen_netfront") && !loads(&xen, "e1000"));
    for (recipe, disk, console) in [(&bhyve, "vdb", "ttyS0"), (&xen, "xvde", "hvc0")] {
        let line: Vec<&str> = recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
        let console = format!("console={console}");
        assert!(line.contains(&format!("root=/dev/{disk}").as_str()), "{line:?}");
        assert!(line.iter().any(|word| word.starts_with(&console)), "{line:?}");
        assert_eq!(recipe.hypervisor.root_disk.value, disk);
    }
}

#[test]
fn every_base_serves_other_domains_under_xen() {
    let catalog = catalog();
    for (base, kernel) in
        [("alpine", "lts"), ("debian", "debian"), ("openwrt", "debian"), ("wifibox", "debian")]
    {
        for role in ["station", "access-point"] {
            let recipe = catalog
                .compose(&Selection {
                    base: base.into(),
                    flavor: "iwlwifi".into(),
                    kernel: Some(kernel.into()),
                    role: Some(role.into()),
                    hypervisor: Some("xen".into()),
                    ..Selection::default()
                })
                .unwrap_or_else(|error| panic!("{base}: {error}"));
            assert!(recipe.overlays.iter().any(|overlay| overlay.value == "xen"));
            assert!(recipe.load_modules.iter().any(|module| module.name == "xen_netback"));
            let level = |name: &str| -> Vec<&str> {
                let services = recipe.runlevels.get(name).into_iter().flatten();
                services.map(|service| service.value.as_str()).collect()
            };
            match base {
                "alpine" | "debian" => {
                    assert!(recipe.services.iter().any(|service| service.value == "vifs"));
                }
                "wifibox" => {
                    assert!(level("boot").ends_with(&["xenbus", "vifs"]), "{:?}", level("boot"));
                    assert!(!level("default").contains(&"acpid"));
                }
                // procd enables what the overlay brings.
                _ => assert!(recipe.runlevels.is_empty()),
            }
        }
    }
}

#[test]
fn bases_exist_for_two_machines_and_their_guests_differ_where_the_machines_do() {
    let catalog = catalog();
    let pick = |base: &str, arch: &str, kernel: Option<&str>, hypervisor: &str| {
        catalog.compose(&Selection {
            base: base.into(),
            flavor: "iwlwifi".into(),
            architecture: Some(arch.into()),
            kernel: kernel.map(Into::into),
            hypervisor: Some(hypervisor.into()),
            ..Selection::default()
        })
    };
    let good = |base, arch, kernel, hypervisor| {
        pick(base, arch, kernel, hypervisor).unwrap_or_else(|error| panic!("{error}"))
    };
    // Either spelling will do, and the base's own counts.
    for (base, arch, own) in [
        ("debian", "aarch64", "arm64"),
        ("debian", "x86_64", "amd64"),
        ("alpine", "arm64", "aarch64"),
        ("alpine", "amd64", "x86_64"),
    ] {
        assert_eq!(good(base, arch, None, "bhyve").architecture.value, own);
    }
    for hypervisor in ["bhyve", "qemu"] {
        let debian = good("debian", "arm64", None, hypervisor);
        let line: Vec<&str> = debian.cmdline.iter().map(|word| word.value.as_str()).collect();
        assert!(line.contains(&"console=ttyAMA0,115200"), "{line:?}");
        assert!(!line.iter().any(|word| word.contains("ttyS0")), "{line:?}");
        let names: Vec<&str> = debian.load_modules.iter().map(|m| m.value.name.as_str()).collect();
        assert!(names.contains(&"virtio_net") && !names.contains(&"e1000"), "{names:?}");
        assert!(
            debian
                .exclude
                .iter()
                .any(|glob| glob.value.as_str() == "usr/lib/aarch64-linux-gnu/gconv")
        );
        let all: Vec<&str> = debian.exclude.iter().map(|glob| glob.value.as_str()).collect();
        assert!(!all.iter().any(|glob| glob.contains("x86_64")), "{all:?}");
    }
    // A kernel of another base follows the machine, in the words of that base.
    let borrowed = good("alpine", "aarch64", Some("debian"), "bhyve");
    assert_eq!(borrowed.kernel.package.value, "linux-image-arm64");
    let from = borrowed.kernel.from.unwrap();
    assert_eq!(from.architecture.value, "arm64");
    assert!(from.packages.iter().any(|package| package.value == "linux-image-arm64"));
    let stub = borrowed.kernel.efi_stub.unwrap().value.path;
    assert_eq!(stub.to_string(), "/usr/lib/systemd/boot/efi/linuxaa64.efi.stub");
    // Each architecture's index has keys of its own.
    let keys = |arch| {
        let recipe = good("alpine", arch, None, "bhyve");
        let keys = recipe.repositories[0].value.keys.iter();
        keys.map(|key| key.name.clone()).collect::<BTreeSet<_>>()
    };
    assert!(keys("x86_64").is_disjoint(&keys("aarch64")));
    let refusal = pick("debian", "arm64", None, "xen").unwrap_err().to_string();
    assert!(refusal.contains("xen") && refusal.contains("aarch64"), "{refusal}");
    let refusal = pick("wifibox", "aarch64", None, "bhyve").unwrap_err().to_string();
    assert!(refusal.contains("wifibox has no architecture \"aarch64\""), "{refusal}");
}

#[test]
fn a_release_has_kernels_and_a_stub_of_its_own() {
    let catalog = catalog();
    let compose = |release: &str, kernel: &str| {
        catalog.compose(&Selection {
            base: "alpine".into(),
            flavor: "hwsim".into(),
            release: Some(release.into()),
            kernel: Some(kernel.into()),
            ..Selection::default()
        })
    };
    let stub = |release: &str, kernel: &str| {
        let recipe = compose(release, kernel).unwrap_or_else(|error| panic!("{error}"));
        recipe.kernel.efi_stub.map(|stub| stub.value.package).unwrap_or_default()
    };
    assert_eq!(stub("3.19", "lts"), "gummiboot-efistub");
    assert_eq!(stub("3.23", "lts"), "systemd-efistub");
    // A kernel of another base brings its own.
    assert_eq!(stub("3.19", "debian"), "systemd-boot-efi");
    let error = compose("3.19", "stable").unwrap_err().to_string();
    assert!(error.contains("alpine 3.19 has no kernel \"stable\""), "{error}");
    assert!(compose("3.23", "stable").is_ok() && compose("3.23", "edge").is_err());
}

#[test]
fn alpines_packet_filter_is_for_nf_tables() {
    let recipe = catalog()
        .compose(&Selection {
            base: "alpine".into(),
            flavor: "hwsim".into(),
            ..Selection::default()
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let all = recipe.load_modules.iter().chain(&recipe.modules);
    let names: Vec<&str> = all.map(|module| module.value.name.as_str()).collect();
    assert!(names.contains(&"nft_compat") && names.contains(&"nft_chain_nat"), "{names:?}");
    let old = |name: &str| name.starts_with("iptable_") || name.starts_with("ip6table_");
    assert!(!names.iter().any(|name| old(name)), "{names:?}");
}

#[test]
fn one_dhcp_client_runs_with_and_without_ipv6() {
    let catalog = catalog();
    let clients = |without: &[&str]| {
        let selection = Selection {
            base: "debian".into(),
            flavor: "hwsim".into(),
            without: without.iter().map(|name| (*name).to_owned()).collect(),
            ..Selection::default()
        };
        let recipe = catalog.compose(&selection).unwrap_or_else(|error| panic!("{error}"));
        let mut services: Vec<String> = recipe.services.iter().map(|s| s.value.clone()).collect();
        services.retain(|service| service.starts_with("udhcpc") || service == "dhcpcd");
        services
    };
    assert_eq!(clients(&[]), ["dhcpcd"]);
    assert_eq!(clients(&["ipv6"]), ["udhcpc"]);
}

#[test]
fn schemas_are_current() {
    let release = ("release", schema::<wifibox_report::release::Index>());
    are_current("docs/schema", schemas().into_iter().chain([release]));
    are_current("docs/schema/verbs", wifibox_build::cli::answers::schemas());
}

/// The folder has these schemas and no others.
fn are_current(folder: &str, schemas: impl IntoIterator<Item = (&'static str, serde_json::Value)>) {
    let folder = workspace().join(folder);
    let mut names = BTreeSet::new();
    for (name, schema) in schemas {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let path = folder.join(format!("{name}.json"));
        if std::env::var_os("WIFIBOX_BUILD_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            there == text,
            "{} is out of date: run this test with WIFIBOX_BUILD_BLESS=1 and commit the file",
            path.display()
        );
        names.insert(format!("{name}.json"));
    }
    let files = std::fs::read_dir(&folder).unwrap().map(Result::unwrap);
    let files = files.filter(|entry| entry.path().is_file());
    let there: BTreeSet<String> =
        files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(there, names);
}

#[test]
fn every_recipe_names_its_schema() {
    let kinds = [
        ("recipes/bases", "../../docs/schema/base.json"),
        ("recipes/features", "../../docs/schema/feature.json"),
        ("recipes/flavors", "../../docs/schema/flavor.json"),
        ("recipes/hypervisors", "../../docs/schema/hypervisor.json"),
        ("recipes/roles", "../../docs/schema/role.json"),
        ("recipes", "../docs/schema/guest.json"),
        ("kernels", "../docs/schema/kernel.json"),
        ("firmware-blobs", "../docs/schema/chipset.json"),
    ];
    let sources = Sources::embedded();
    let mut seen = 0;
    for (folder, schema) in kinds {
        for name in sources.list(folder).unwrap().iter().filter(|name| name.ends_with(".yaml")) {
            let path = format!("{folder}/{name}");
            let text = sources.read(&path).unwrap().into_owned();
            let first = format!("# yaml-language-server: $schema={schema}\n");
            assert!(text.starts_with(first.as_bytes()), "{path} should start with {first}");
            assert!(workspace().join(folder).join(schema).is_file(), "{path}: {schema}");
            seen += 1;
        }
    }
    let yaml = |top: &&str| {
        let files = sources.files_below(top).unwrap();
        files.iter().filter(|name| name.ends_with(".yaml")).count()
    };
    assert_eq!(seen, TOPS.iter().map(yaml).sum::<usize>());
}
