//! A host through its life with a guest, by complete listings: paths, modes, targets of links and hashes, before and
//! after each step. Whatever a step does not say that it changes is as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::*;

type Listing = BTreeMap<String, String>;

/// Everything below a folder, each with what `ls -l` and a checksum would tell, but the times.
fn complete(root: &Path) -> Listing {
    listing(root)
        .into_iter()
        .map(|(name, content)| {
            let mode = fs::symlink_metadata(root.join(&name)).unwrap().mode() & 0o7777;
            let what = match content {
                link if link.starts_with("-> ") => link,
                folder if name.ends_with('/') => format!("{mode:04o}{folder}"),
                text => format!("{mode:04o} {}", Sha256::of(text.as_bytes())),
            };
            (name, what)
        })
        .collect()
}

/// What differs, a line each: `+` new, `-` gone, `~` another.
fn changes(before: &Listing, after: &Listing) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let sign = |name: &&String| match (before.get(*name), after.get(*name)) {
        (None, Some(_)) => Some('+'),
        (Some(_), None) => Some('-'),
        (one, other) => (one != other).then_some('~'),
    };
    names.into_iter().filter_map(|name| Some(format!("{} {name}", sign(&name)?))).collect()
}

fn mode(host: &Host, path: &str, mode: u32) {
    fs::set_permissions(host.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

/// A host with files of others, some of them where the guest's go.
fn host() -> Host {
    let host = Host::new();
    for (name, text, bits) in [
        ("etc/rc.conf", "hostname=\"here\"\n", 0o644),
        ("boot/loader.conf", "zfs_load=\"YES\"\n", 0o600),
        ("usr/local/sbin/wifibox", "#!/bin/sh\n", 0o755),
        ("usr/local/etc/wifibox/core.conf", "loglevel=warn\n", 0o640),
        ("usr/local/share/doc/other/README", "other\n", 0o444),
    ] {
        put(host.root.path(), name, text);
        mode(&host, name, bits);
    }
    fs::create_dir_all(host.path("var/log")).unwrap();
    mode(&host, "var/log", 0o750);
    symlink("../../sbin/wifibox", host.path("usr/local/etc/wifibox/program")).unwrap();
    host
}

#[test]
fn install_upgrade_rollback_and_uninstall_change_what_they_should_and_nothing_else() {
    let host = host();
    let root = host.root.path();
    let (one, two) = (output("one", "1"), output("two", "2"));
    let before = complete(root);

    host.install(one.path());
    let installed = complete(root);
    let new = changes(&before, &installed);
    assert!(new.iter().all(|change| change.starts_with('+')), "{new:#?}");
    for (name, what) in &installed {
        // Nothing that others may write to, no work left over, configuration that only root and its group read.
        assert!(!name.contains(".wifibox-partial"), "{name}");
        let bits = what.get(..4).and_then(|bits| u32::from_str_radix(bits, 8).ok());
        let expected = match name {
            _ if before.contains_key(name) || what.starts_with("-> ") => continue,
            folder if folder.ends_with('/') => 0o755,
            program if program.ends_with(".sh") || program.ends_with("rc.local") => 0o755,
            // What is no sample of the guest's may be read by all.
            file if file.starts_with(CONFIGURATION) && !file.ends_with("/bhyve.conf") => 0o640,
            _ => 0o644,
        };
        assert_eq!(bits, Some(expected), "{name}: {what}");
    }

    // Its owner changes a file and its mode, removes one, adds one; the guest writes.
    let own = |name: &str| format!("{CONFIGURATION}/{name}");
    put(root, &own("wpa_supplicant/wpa_supplicant.conf"), "network={ ssid=\"mine\" }\n");
    mode(&host, &own("wpa_supplicant/wpa_supplicant.conf"), 0o600);
    fs::remove_file(host.path(&own("appliance/iptables"))).unwrap();
    put(root, &own("appliance/sysctl.conf"), "net.ipv4.ip_forward=1\n");
    put(root, "var/run/wifibox/appliance/log/messages", "the guest's\n");
    let changed = complete(root);

    host.install(two.path());
    let upgraded = complete(root);
    let images = |name: &str| format!("{IMAGES}/{name}");
    let mut expected = vec![
        format!("~ {}", images("esp.img")),
        format!("~ {}", images("installed.json")),
        format!("~ {}", images("manifest.json")),
        format!("+ {}", images("previous/")),
        format!("+ {}", images("previous/esp.img")),
        format!("+ {}", images("previous/manifest.json")),
        format!("+ {}", images("previous/root.img")),
        format!("~ {}", images("root.img")),
        format!("~ {}", own("appliance/hostname")),
        format!("~ {}", own("appliance/hostname.sample")),
        format!("~ {}", own("appliance/iptables.sample")),
        format!("~ {}", own("wpa_supplicant/wpa_supplicant.conf.sample")),
        "~ usr/local/share/doc/wifibox-guest/licenses/SUMMARY.txt".to_owned(),
        "~ usr/local/share/doc/wifibox-guest/sbom.spdx.json".to_owned(),
    ];
    expected.sort_by_key(|change| change.get(2..).map(str::to_owned));
    assert_eq!(changes(&changed, &upgraded), expected);
    for image in ["esp.img", "root.img", "manifest.json"] {
        assert_eq!(upgraded[&images(&format!("previous/{image}"))], changed[&images(image)]);
    }

    rollback(root, &host.layout, false).unwrap();
    let back = complete(root);
    for image in ["esp.img", "root.img", "manifest.json"] {
        assert_eq!(back[&images(image)], installed[&images(image)], "the first guest is back");
        assert_eq!(back[&images(&format!("previous/{image}"))], upgraded[&images(image)]);
    }
    let moved = changes(&upgraded, &back);
    assert!(moved.iter().all(|change| change.contains(IMAGES)), "images only: {moved:#?}");
    rollback(root, &host.layout, false).unwrap();
    assert_eq!(changes(&upgraded, &complete(root)), Vec::<String>::new(), "there and back");

    uninstall(root, &host.layout, false, false).unwrap();
    let left = complete(root);
    let stays = [
        own("appliance/"),
        own("appliance/sysctl.conf"),
        own("wpa_supplicant/"),
        own("wpa_supplicant/wpa_supplicant.conf"),
        "var/run/".to_owned(),
        "var/run/wifibox/".to_owned(),
        "var/run/wifibox/appliance/".to_owned(),
        "var/run/wifibox/appliance/log/".to_owned(),
        "var/run/wifibox/appliance/log/messages".to_owned(),
    ];
    let lines: Vec<String> = stays.iter().map(|name| format!("+ {name}")).collect();
    assert_eq!(changes(&before, &left), lines);
    for name in &stays {
        assert_eq!(left[name], changed[name], "{name} is as its owner left it");
    }
}
