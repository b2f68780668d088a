//! The files of hypervisors in an output, `wifibox-build host` for one that is there already, and
//! `wifibox-build lint`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use wifibox_ground::guest::Guest as Description;
use wifibox_host::lint::{Kind, lint};
use wifibox_host::overrides::parse_address;
use wifibox_host::{HostError, Hypervisor, Overrides, all_files};
use wifibox_recipe::{Catalog, Selection, Sources};
use wifibox_testkit::guest::Guest;

fn ok(guest: &Guest, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = guest.run(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
    stdout
}

fn fails(guest: &Guest, arguments: &[&str], expected: i32, words: &str) {
    let (code, _, stderr) = guest.run(arguments);
    assert_eq!(code, Some(expected), "{arguments:?}: {stderr}");
    assert!(stderr.contains(words), "{arguments:?}: {stderr}");
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder, by relative path.
fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, top: &Path, list: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, list);
            } else {
                list.push(path.strip_prefix(top).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut list = Vec::new();
    walk(folder, folder, &mut list);
    list.sort();
    list
}

#[test]
fn a_build_writes_the_files_of_every_hypervisor_that_suits() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let list = files(&out.join("host"));
    for name in
        ["qemu.sh", "bhyve/wifibox.config", "bhyve/run.sh", "libvirt/wifibox.xml", "bhyve/rc.conf"]
    {
        assert!(list.contains(&name.to_owned()), "{name}: {list:?}");
    }
    assert!(!list.iter().any(|name| name.starts_with("xen/")), "{list:?}");
    for name in list {
        let text = read(&out.join("host").join(&name));
        let head: String = text.lines().take(8).collect::<Vec<_>>().join("\n");
        let says = head.contains("the Wi-Fi guest f as station on test trixie");
        assert!(says, "{name} does not say what it is for:\n{head}");
        let goes = ["goes to", "go to", "Put it", "It stays", "virsh"];
        assert!(goes.iter().any(|words| head.contains(words)), "{name}: where? {head}");
    }
    // The generated recipes have no shares: nothing but what they say is made of them.
    assert!(!read(&out.join("host/bhyve/wifibox.config")).contains("virtio-9p"));
}

#[test]
fn an_output_is_adapted_to_a_host_and_stays_sound() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let folder = out.to_str().unwrap();
    let config = out.join("host/bhyve/wifibox.config");
    let before = (read(&config), read(&out.join("SHA256SUMS")));
    let stdout = ok(
        &guest,
        &["host", "--hypervisor", "bhyve", "--passthru", "3/0/0", "--memory", "192", folder],
    );
    assert!(stdout.contains("host/bhyve/wifibox.config\n"), "{stdout}");
    let text = read(&config);
    assert!(
        text.contains("\nmemory.size=192M\n") && text.contains("\npci.0.6.0.bus=3\n"),
        "{text}"
    );
    assert!(!read(&out.join("host/libvirt/wifibox.xml")).contains("hostdev"), "only bhyve's");
    ok(&guest, &["verify", folder]);

    // What is not said is as the build has it.
    ok(&guest, &["host", folder]);
    assert_eq!((read(&config), read(&out.join("SHA256SUMS"))), before);
    ok(&guest, &["verify", folder]);

    // A file that is no longer written goes, and comes back.
    let extra = out.join("host/libvirt/network.xml");
    assert!(extra.is_file());
    ok(&guest, &["host", "--hypervisor", "libvirt", "--uplink", "br0", folder]);
    assert!(!extra.exists());
    ok(&guest, &["verify", folder]);
    ok(&guest, &["host", "--hypervisor", "libvirt", folder]);
    assert_eq!(read(&out.join("SHA256SUMS")), before.1);

    // Every notation of an address is one address.
    for address in ["0000:0a:14.3", "0a:14.3", "pci0:10:20:3", "10/20/3"] {
        ok(&guest, &["host", "--hypervisor", "libvirt", "--passthru", address, folder]);
        let text = read(&out.join("host/libvirt/wifibox.xml"));
        assert!(text.contains("bus='0x0a' slot='0x14' function='0x3'"), "{address}: {text}");
    }
}

#[test]
fn files_can_go_elsewhere() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let sums = read(&out.join("SHA256SUMS"));
    let target = guest.path("elsewhere");
    let (folder, target_name) = (out.to_str().unwrap(), target.to_str().unwrap());
    ok(&guest, &["host", "--config-disk", "--persistent", "--out", target_name, folder]);
    let script = read(&target.join("qemu.sh"));
    assert!(script.contains(&format!("here={folder}\n")), "{script}");
    assert!(script.contains("config.img is missing"), "{script}");
    let config = read(&target.join("bhyve/wifibox.config"));
    assert!(config.contains("/config.img\n") && config.contains("/rootfs_data.img\n"), "{config}");
    assert_eq!(read(&out.join("SHA256SUMS")), sums);
    ok(&guest, &["lint", target_name, out.join("host").to_str().unwrap()]);
    // What is there is somebody's, unless it is the same.
    ok(&guest, &["host", "--config-disk", "--persistent", "--out", target_name, folder]);
    fails(&guest, &["host", "--out", target_name, folder], 1, "is there with other contents");
    assert_eq!(read(&target.join("qemu.sh")), script);
    let json = &["host", "--json", "--force", "--hypervisor", "qemu", "--out", target_name, folder];
    let json = ok(&guest, json);
    assert!(!read(&target.join("qemu.sh")).contains("config.img is missing"));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["host"]["hypervisors"][0], "qemu");
}

#[test]
fn what_cannot_be_is_said() {
    let guest = Guest::new();
    let out = guest.build("f", "out");
    let folder = out.to_str().unwrap();
    let host = |more: &[&'static str]| [&["host"], more, &[folder]].concat();
    fails(&guest, &host(&["--hypervisor", "vmware"]), 2, "expected one of bhyve");
    fails(&guest, &host(&["--hypervisor", "xen"]), 2, "no files for xen");
    fails(&guest, &host(&["--passthru", "3:0:0"]), 2, "is not the address of a PCI card");
    fails(&guest, &host(&["--passthru", "3/0/0", "--passthru", "03:00.0"]), 2, "once");
    fails(&guest, &host(&["--memory", "1"]), 2, "16 to 1048576 MiB");
    fails(&guest, &host(&["--vcpus", "0"]), 2, "1 to 64");
    fails(&guest, &host(&["--name", "a b"]), 2, "guest's name");
    fails(&guest, &host(&["--folder", "relative"]), 2, "absolute path");
    fails(&guest, &host(&["--folder", "/a b"]), 2, "absolute path");
    fails(&guest, &["host", guest.path("mirror").to_str().unwrap()], 1, "is not an output");

    // A file that somebody has edited, and one that nobody has built.
    let edited = out.join("host/libvirt/wifibox.xml");
    let before = read(&edited);
    fs::write(&edited, "mine").unwrap();
    fails(&guest, &host(&[]), 1, "was changed since it was written, and is not replaced");
    ok(&guest, &host(&["--force"]));
    assert_eq!(read(&edited), before);
    ok(&guest, &host(&["--hypervisor", "libvirt", "--uplink", "br0"]));
    let network = out.join("host/libvirt/network.xml");
    fs::write(&network, "mine").unwrap();
    fails(&guest, &host(&["--hypervisor", "libvirt"]), 1, "is none of the output's files");
    fs::remove_file(network).unwrap();
    ok(&guest, &host(&[]));

    // A signed output, and one that is not what it was.
    let signature = out.join("SHA256SUMS.minisig");
    fs::write(&signature, "signature").unwrap();
    fails(&guest, &host(&[]), 1, "is a signature over the output");
    fs::remove_file(signature).unwrap();
    let manifest = out.join("manifest.json");
    let text = read(&manifest);
    fs::write(&manifest, text.replace("\"wifibox\"", "\"a\\nb\"")).unwrap();
    fails(&guest, &host(&[]), 1, "the guest's name");
    fs::write(&manifest, text.replace("\"vcpus\": 1", "\"vcpus\": 2")).unwrap();
    fails(&guest, &host(&[]), 1, "its hash is not that of SHA256SUMS");
    fs::write(&manifest, text).unwrap();
    ok(&guest, &["verify", folder]);
}

#[test]
fn lint_names_the_line_and_what_was_meant() {
    let guest = Guest::new();
    let path = guest.path("machine");
    let name = path.to_str().unwrap();
    fs::write(&path, "name=x\ncpus = 1\nmemroy.size=1G\npci.0.0.0.device=hostbridge\n").unwrap();
    let (code, stdout, stderr) = guest.run(&["lint", name]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stdout.contains(":2: blanks round the '='"), "{stdout}");
    assert!(stdout.contains(":3: bhyve knows no memroy.size"), "{stdout}");
    assert!(stdout.contains("did you mean memory.size?"), "{stdout}");
    fs::write(&path, "passthru=3/0/0\n").unwrap();
    fails(&guest, &["lint", name], 2, "what kind of file is it?");
    let stdout = ok(&guest, &["lint", "--kind", "wifibox-bhyve", name]);
    assert!(stdout.contains("sound (wifibox-bhyve)"), "{stdout}");
    fails(&guest, &["lint", "--kind", "other", name], 2, "expected one of");
    fails(&guest, &["lint", guest.path("nothing").to_str().unwrap()], 2, "cannot read");
    fs::write(&path, "pptdevs=\"3/0/0\"\n").unwrap();
    let (code, json, _) = guest.run(&["lint", "--json", "--kind", "loader", name]);
    assert_eq!(code, Some(0));
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["lint"][0]["kind"], "loader");
}

/// Every flavor, role and hypervisor of every base and machine, with and without a card, a
/// configuration disk and a disk of its own.
#[test]
fn every_composition_has_sound_files() {
    let catalog = Catalog::load(&Sources::embedded()).unwrap();
    let listing = catalog.list();
    let overrides = [
        Overrides::default(),
        Overrides { passthru: vec![parse_address("3/0/0").unwrap()], ..Overrides::default() },
        Overrides { configuration_disk: true, persistent: true, ..Overrides::default() },
    ];
    let (mut guests, mut written) = (0, 0);
    for base in &listing.bases {
        for architecture in &base.architectures {
            for flavor in &listing.flavors {
                for role in &listing.roles {
                    for hypervisor in &listing.hypervisors {
                        let selection = Selection {
                            base: base.name.clone(),
                            architecture: Some(architecture.clone()),
                            flavor: flavor.name.clone(),
                            role: Some(role.name.clone()),
                            hypervisor: Some(hypervisor.name.clone()),
                            ..Selection::default()
                        };
                        // What does not go together is refused when it is composed.
                        let Ok(recipe) = catalog.compose(&selection) else { continue };
                        let words: Vec<&str> =
                            recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
                        let guest = wifibox_host::of_recipe(&recipe, &words.join(" "), true);
                        guests += 1;
                        for overrides in &overrides {
                            let guest = overrides.apply(&guest).unwrap();
                            written += sound(&guest, &format!("{selection:?}"));
                        }
                    }
                }
            }
        }
    }
    assert!(guests > 100 && written > guests * 10, "{guests} guests, {written} files");
}

/// Checks all files for this guest, and gives back how many there are.
fn sound(guest: &Description, what: &str) -> usize {
    let files = all_files(guest).unwrap_or_else(|error| panic!("{what}: {error}"));
    for file in &files {
        let owners = Hypervisor::ALL.iter().filter(|hypervisor| hypervisor.owns(&file.path));
        assert_eq!(owners.count(), 1, "{what}: {}", file.path);
        if let Some(kind) = Kind::guess(&file.path, &file.contents) {
            assert_eq!(lint(kind, &file.contents), [], "{what}: {}", file.path);
        }
    }
    // A guest has files for the hypervisor that it was built for, unless a card is in the way there.
    if let Ok(own) = guest.hypervisor.parse::<Hypervisor>() {
        match own.files(guest) {
            Ok(own) => assert!(!own.is_empty(), "{what}"),
            Err(HostError::Unfit { .. }) => {}
            Err(error) => panic!("{what}: {error}"),
        }
    }
    files.len()
}
