//! Hosts in temporary folders, and outputs made for them: what is there before and after.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::{Hypervisor, sample};
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::HostPath;

mod listings;

const IMAGES: &str = "usr/local/share/wifibox";
const CONFIGURATION: &str = "usr/local/etc/wifibox";

/// An output: images that say `word`, and one sample that says `sample`.
fn output(word: &str, sample: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let guest = sample::guest();
    let mut files: Vec<(String, String)> = [
        ("esp.img", "esp"),
        ("root.img", "root"),
        ("vmlinuz", "kernel"),
        ("initramfs.img", "initramfs"),
        ("licenses/SUMMARY.txt", "licences"),
        ("sbom.spdx.json", "bill"),
    ]
    .map(|(name, what)| (name.to_owned(), format!("{what} {word}\n")))
    .to_vec();
    for name in ["appliance/hostname", "appliance/iptables", "wpa_supplicant/wpa_supplicant.conf"] {
        files.push((format!("etc/wifibox/{name}.sample"), format!("{name} {sample}\n")));
    }
    for file in crate::all_files(&guest).unwrap() {
        let text = String::from_utf8(file.contents).unwrap();
        files.push((format!("host/{}", file.path), text));
    }
    let manifest = serde_json::json!({
        "format": 1, "build_id": format!("id of {word}"), "builder": "test", "guest": guest,
        "recipe": {"base": "debian", "release": "trixie", "architecture": "amd64", "flavor": "iwlwifi",
            "role": "station", "features": [], "hypervisor": "bhyve", "kernel": "debian",
            "compression": "xz"},
        "source_date_epoch": 1, "kernel": {"release": "6.12", "package": "linux", "cmdline": ""},
        "packages": [], "modules": [], "firmware": [], "sizes": {}, "files": [], "outputs": [],
    });
    files.push(("manifest.json".to_owned(), manifest.to_string()));
    let mut sums = String::new();
    files.sort();
    for (name, text) in &files {
        put(folder.path(), name, text);
        sums += &format!("{}  {name}\n", Sha256::of(text.as_bytes()));
    }
    put(folder.path(), "SHA256SUMS", &sums);
    fs::create_dir_all(folder.path().join("var/lib/misc")).unwrap();
    folder
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Everything below a folder: files with their text, links with `->`, folders with `/`.
fn listing(root: &Path) -> BTreeMap<String, String> {
    fn walk(folder: &Path, root: &Path, list: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                list.insert(name, format!("-> {}", target.display()));
            } else if path.is_dir() {
                list.insert(name + "/", String::new());
                walk(&path, root, list);
            } else {
                list.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
            }
        }
    }
    let mut list = BTreeMap::new();
    walk(root, root, &mut list);
    list
}

struct Host {
    root: tempfile::TempDir,
    layout: Layout,
}

impl Host {
    fn new() -> Self {
        let prefix = HostPath::new("/usr/local").unwrap();
        let layout = Layout::new(Hypervisor::Bhyve, &prefix).unwrap();
        Host { root: tempfile::tempdir().unwrap(), layout }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn request<'a>(&'a self, output: &'a Path) -> Request<'a> {
        Request {
            output,
            root: self.root.path(),
            layout: &self.layout,
            man_page: ".Dd page\n",
            documents: true,
            purposes: Purposes::Host,
            force: false,
            dry_run: false,
        }
    }

    fn install(&self, output: &Path) -> Outcome {
        install(&self.request(output)).unwrap()
    }

    fn listing(&self) -> BTreeMap<String, String> {
        listing(self.root.path())
    }
}

fn noted(outcome: &Outcome, path: &str) -> (Action, Option<String>) {
    let step = outcome.steps.iter().find(|step| step.path.ends_with(path)).unwrap();
    (step.action, step.note.clone())
}

#[test]
fn what_is_installed_is_where_the_host_looks_and_goes_without_a_trace() {
    let (host, out) = (Host::new(), output("one", "1"));
    put(host.root.path(), "usr/local/sbin/wifibox", "#!/bin/sh\n");
    put(host.root.path(), "etc/rc.conf", "hostname=\"here\"\n");
    let before = host.listing();
    let dry = install(&Request { dry_run: true, ..host.request(out.path()) }).unwrap();
    assert_eq!(host.listing(), before, "a dry run changed something");
    let outcome = host.install(out.path());
    assert_eq!(outcome.steps, dry.steps);
    assert_eq!(outcome.to_do, dry.to_do);
    let after = host.listing();
    for name in [
        "usr/local/share/wifibox/esp.img",
        "usr/local/share/wifibox/root.img",
        "usr/local/share/wifibox/manifest.json",
        "usr/local/share/wifibox/installed.json",
        "usr/local/share/man/man5/wifibox-alpine.5.gz",
        "usr/local/share/doc/wifibox-guest/licenses/SUMMARY.txt",
        "usr/local/share/examples/wifibox/bhyve/rc.conf",
        "usr/local/etc/wifibox/appliance/hostname.sample",
        "usr/local/etc/wifibox/appliance/hostname",
        "usr/local/etc/wifibox/wpa_supplicant/wpa_supplicant.conf",
        "usr/local/etc/wifibox/bhyve.conf",
        "boot/loader.conf.d/wifibox.conf",
        "var/run/wifibox/appliance/lib/misc/",
    ] {
        assert!(after.contains_key(name), "{name} is missing: {:?}", after.keys());
    }
    assert_eq!(after["usr/local/etc/wifibox/app_config"], "-> wpa_supplicant");
    // bhyve starts firmware, and never a kernel.
    assert!(!after.contains_key("usr/local/share/wifibox/vmlinuz"), "a kernel that nobody reads");
    assert!(!after.keys().any(|name| name.contains(".wifibox-partial")), "work is left over");
    let again = host.install(out.path());
    assert!(again.steps.iter().all(|step| step.action == Action::Same), "{:?}", again.steps);
    assert_eq!(host.listing(), after);

    uninstall(host.root.path(), &host.layout, false, true).unwrap();
    assert_eq!(host.listing(), after, "a dry run removed something");
    uninstall(host.root.path(), &host.layout, false, false).unwrap();
    assert_eq!(host.listing(), before);
    let error = uninstall(host.root.path(), &host.layout, false, false).unwrap_err();
    assert!(matches!(error, InstallError::NotInstalled { .. }), "{error}");
}

#[test]
fn what_somebody_changed_stays() {
    let (host, out) = (Host::new(), output("one", "1"));
    host.install(out.path());
    let supplicant = format!("{CONFIGURATION}/wpa_supplicant/wpa_supplicant.conf");
    put(host.root.path(), &supplicant, "network={ ssid=\"mine\" }\n");
    fs::remove_file(host.path(&format!("{CONFIGURATION}/appliance/iptables"))).unwrap();
    put(host.root.path(), "var/run/wifibox/appliance/log/messages", "the guest's\n");

    let newer = output("two", "2");
    let outcome = host.install(newer.path());
    assert_eq!(host.read(&supplicant), "network={ ssid=\"mine\" }\n");
    let said = noted(&outcome, "/wpa_supplicant.conf");
    assert_eq!(said, (Action::Keep, Some("you changed it".to_owned())));
    assert_eq!(
        host.read(&format!("{supplicant}.sample")),
        "wpa_supplicant/wpa_supplicant.conf 2\n"
    );
    // What nobody changed follows; what was removed stays away.
    assert_eq!(host.read(&format!("{CONFIGURATION}/appliance/hostname")), "appliance/hostname 2\n");
    assert!(!host.path(&format!("{CONFIGURATION}/appliance/iptables")).exists());
    let said = noted(&outcome, "/iptables");
    assert_eq!(said, (Action::Keep, Some("you removed it".to_owned())));

    let outcome = uninstall(host.root.path(), &host.layout, false, false).unwrap();
    assert_eq!(noted(&outcome, "/wpa_supplicant.conf").0, Action::Keep);
    let left: Vec<String> =
        host.listing().into_keys().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(left, [supplicant, "var/run/wifibox/appliance/log/messages".to_owned()]);
}

#[test]
fn purge_takes_all_of_it() {
    let (host, out) = (Host::new(), output("one", "1"));
    host.install(out.path());
    put(host.root.path(), &format!("{CONFIGURATION}/bhyve.conf"), "cpus=2\n");
    put(host.root.path(), "var/run/wifibox/appliance/log/old/messages", "the guest's\n");
    uninstall(host.root.path(), &host.layout, true, false).unwrap();
    assert_eq!(host.listing(), BTreeMap::new());
}

#[test]
fn an_upgrade_keeps_the_guest_before_it() {
    let host = Host::new();
    let root = |host: &Host| host.read(&format!("{IMAGES}/root.img"));
    let (one, two, three) = (output("one", "1"), output("two", "1"), output("three", "1"));
    host.install(one.path());
    let error = rollback(host.root.path(), &host.layout, false).unwrap_err();
    assert!(matches!(error, InstallError::NoPrevious { .. }), "{error}");
    host.install(two.path());
    assert_eq!(root(&host), "root two\n");
    assert_eq!(host.read(&format!("{IMAGES}/previous/root.img")), "root one\n");
    // The same guest once more is no upgrade.
    assert!(host.install(two.path()).previous.is_some());
    assert_eq!(host.read(&format!("{IMAGES}/previous/root.img")), "root one\n");

    let before = host.listing();
    rollback(host.root.path(), &host.layout, true).unwrap();
    assert_eq!(host.listing(), before, "a dry run changed something");
    let outcome = rollback(host.root.path(), &host.layout, false).unwrap();
    assert_eq!(outcome.guest.build_id, "id of one");
    assert_eq!(root(&host), "root one\n");
    assert!(host.read(&format!("{IMAGES}/manifest.json")).contains("id of one"));
    // And back again.
    rollback(host.root.path(), &host.layout, false).unwrap();
    assert_eq!(host.listing(), before);

    host.install(three.path());
    assert_eq!(host.read(&format!("{IMAGES}/previous/root.img")), "root two\n");
    put(host.root.path(), &format!("{IMAGES}/previous/esp.img"), "rotten");
    let error = rollback(host.root.path(), &host.layout, false).unwrap_err();
    assert!(matches!(error, InstallError::Changed { .. }), "{error}");
    assert_eq!(root(&host), "root three\n");
}

#[test]
fn files_of_somebody_else_are_in_the_way() {
    let (host, out) = (Host::new(), output("one", "1"));
    put(host.root.path(), &format!("{IMAGES}/root.img"), "of net/wifibox-alpine");
    put(host.root.path(), &format!("{CONFIGURATION}/appliance/hostname"), "mine\n");
    let before = host.listing();
    let error = install(&host.request(out.path())).unwrap_err();
    assert!(error.to_string().contains("/usr/local/share/wifibox/root.img"), "{error}");
    assert!(error.hint().unwrap().contains("pkg which"), "{error:?}");
    assert_eq!(host.listing(), before);
    install(&Request { force: true, ..host.request(out.path()) }).unwrap();
    assert_eq!(host.read(&format!("{CONFIGURATION}/appliance/hostname")), "mine\n");
    rollback(host.root.path(), &host.layout, false).unwrap();
    assert_eq!(host.read(&format!("{IMAGES}/root.img")), "of net/wifibox-alpine");
}

#[test]
fn a_changed_output_changes_nothing() {
    let (host, out) = (Host::new(), output("one", "1"));
    put(out.path(), "root.img", "root evil\n");
    let before = host.listing();
    let error = install(&host.request(out.path())).unwrap_err();
    assert!(matches!(error, InstallError::Changed { .. }), "{error}");
    assert_eq!(host.listing(), before);
}

#[test]
fn what_a_package_made_of_its_sample_follows() {
    let (host, out) = (Host::new(), output("one", "1"));
    // net/wifibox-core's, as it comes: too little memory, and no card.
    for name in ["bhyve.conf", "bhyve.conf.sample"] {
        put(host.root.path(), &format!("{CONFIGURATION}/{name}"), "memory=128M\npassthru=\n");
    }
    put(host.root.path(), "boot/loader.conf", "pptdevs=\"4/0/0\"\n");
    let outcome = host.install(out.path());
    assert!(host.read(&format!("{CONFIGURATION}/bhyve.conf")).contains("memory=160M"));
    let said = noted(&outcome, "/boot/loader.conf.d/wifibox.conf");
    assert_eq!(said, (Action::Keep, Some("/boot/loader.conf has the cards".to_owned())));

    let host = Host::new();
    let own = "memory=128M\npassthru=\"4/0/0\"\n";
    put(host.root.path(), &format!("{CONFIGURATION}/bhyve.conf"), own);
    let outcome = host.install(out.path());
    assert_eq!(host.read(&format!("{CONFIGURATION}/bhyve.conf")), own);
    let commands: Vec<&str> =
        outcome.to_do.iter().flat_map(|task| &task.commands).map(String::as_str).collect();
    for command in [
        "pkg install wifibox-core",
        "sysrc -f /usr/local/etc/wifibox/bhyve.conf memory=\"160M\"",
        "ee /usr/local/etc/wifibox/wpa_supplicant/wpa_supplicant.conf",
        "sysrc wifibox_enable=\"YES\"",
        "shutdown -r now",
    ] {
        assert!(commands.contains(&command), "{command}: {commands:?}");
    }
    assert!(!commands.iter().any(|command| command.contains("detect")), "{commands:?}");
}

#[test]
fn app_config_follows_the_role_unless_somebody_changed_it() {
    let (host, out) = (Host::new(), output("one", "1"));
    let link = host.path(&format!("{CONFIGURATION}/app_config"));
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    fs::write(&link, "wpa_supplicant\n").unwrap();
    let outcome = host.install(out.path());
    assert_eq!(noted(&outcome, "/app_config"), (Action::Keep, Some("it is no link".to_owned())));
    let task = outcome.to_do.iter().find(|task| task.why.contains("app_config")).unwrap();
    assert_eq!(task.commands[1], "ln -s wpa_supplicant /usr/local/etc/wifibox/app_config");
    fs::remove_file(&link).unwrap();
    host.install(out.path());
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("wpa_supplicant"));
}

#[test]
fn a_package_is_staged_without_anything_of_a_host() {
    let (host, out) = (Host::new(), output("one", "1"));
    let request =
        Request { purposes: Purposes::Package, documents: false, ..host.request(out.path()) };
    let outcome = install(&request).unwrap();
    assert_eq!(outcome.to_do, []);
    let files: Vec<String> =
        host.listing().into_keys().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(
        files,
        [
            "usr/local/etc/wifibox/app_config",
            "usr/local/etc/wifibox/appliance/hostname.sample",
            "usr/local/etc/wifibox/appliance/iptables.sample",
            "usr/local/etc/wifibox/wpa_supplicant/wpa_supplicant.conf.sample",
            "usr/local/share/man/man5/wifibox-alpine.5.gz",
            "usr/local/share/wifibox/esp.img",
            "usr/local/share/wifibox/manifest.json",
            "usr/local/share/wifibox/root.img",
        ]
    );
}

#[test]
fn libvirt_and_xen_have_folders_of_their_own() {
    let out = output("one", "1");
    for (hypervisor, image) in [
        (Hypervisor::Libvirt, "var/lib/libvirt/images/wifibox/vmlinuz"),
        (Hypervisor::Xen, "var/lib/xen/images/wifibox/vmlinuz"),
    ] {
        let prefix = HostPath::new("/usr/local").unwrap();
        let host = Host { layout: Layout::new(hypervisor, &prefix).unwrap(), ..Host::new() };
        let outcome = host.install(out.path());
        assert!(
            host.path(image).is_file() && host.path("etc/wifibox/appliance/hostname").is_file()
        );
        assert!(!host.path("boot").exists() && !outcome.to_do.is_empty());
        uninstall(host.root.path(), &host.layout, false, false).unwrap();
        assert_eq!(host.listing(), BTreeMap::new());
    }
    let prefix = HostPath::new("/usr/local").unwrap();
    assert!(Layout::new(Hypervisor::L4re, &prefix).is_err());
}

#[test]
fn a_record_that_leads_out_is_refused() {
    let host = Host::new();
    for text in [
        "{}",
        "{\"format\":2}",
        "{\"format\":1,\"builder\":\"\",\"guest\":{\"build_id\":\"\",\"title\":\"\"},\"files\":{},\
         \"links\":{\"/usr/../etc/passwd\":\"x\"},\"folders\":[]}",
    ] {
        put(host.root.path(), &format!("{IMAGES}/installed.json"), text);
        let error = uninstall(host.root.path(), &host.layout, true, false).unwrap_err();
        assert!(matches!(error, InstallError::Record { .. }), "{error}");
    }
}

#[test]
fn memory_is_read_as_bhyve_does() {
    for (text, expected) in [
        ("160M", Some(160)),
        ("160m", Some(160)),
        ("1G", Some(1024)),
        ("262144K", Some(256)),
        ("268435456", Some(256)),
        ("128", Some(128)),
        ("x", None),
        ("", None),
    ] {
        assert_eq!(mebibytes(text), expected, "{text}");
    }
}
