//! Documents of our own that others may have written to: recipes, projects, locks, manifests, and those of registries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use wifibox_fetch::registry::{Descriptor, Document, Index, Manifest};
use wifibox_recipe::{Catalog, ProjectFile, RecipeError, Sources};
use wifibox_report::artifact::{Listed, TITLE};
use wifibox_report::output;
use wifibox_resolve::lock::{Lock, Target};

use super::Run;

/// The kinds of recipes: of each the first file is damaged.
const FOLDERS: [&str; 7] = [
    "recipes/bases",
    "recipes/features",
    "recipes/flavors",
    "recipes/hypervisors",
    "recipes/roles",
    "kernels",
    "firmware-blobs",
];

/// The program's own recipes, without contents where only names count.
fn files() -> Result<BTreeMap<String, Vec<u8>>, RecipeError> {
    let sources = Sources::embedded();
    let mut files = BTreeMap::new();
    for top in ["recipes", "kernels", "firmware-blobs", "overlays"] {
        for file in sources.files_below(top)? {
            let path = format!("{top}/{file}");
            let bytes =
                if top == "overlays" { Vec::new() } else { sources.read(&path)?.into_owned() };
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// The file of each kind that inputs stand for, with its text.
fn first(files: &BTreeMap<String, Vec<u8>>) -> Vec<(&String, &Vec<u8>)> {
    let of = |folder: &str| {
        files.iter().find(|(path, _)| path.starts_with(folder) && path.ends_with(".yaml"))
    };
    FOLDERS.iter().filter_map(|folder| of(folder)).chain(of("recipes/guest")).collect()
}

pub fn recipes() -> Vec<Vec<u8>> {
    let files = files().unwrap_or_default();
    first(&files).into_iter().map(|(_, text)| text.clone()).collect()
}

/// In the place of the recipe of which it has most lines. An error names a file.
pub fn recipe() -> Run {
    let files = files().unwrap_or_default();
    let kinds: Vec<(String, Vec<u8>)> =
        first(&files).into_iter().map(|(path, text)| (path.clone(), text.clone())).collect();
    Box::new(move |bytes| {
        let lines = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
        };
        let own = lines(bytes);
        let like = |text: &[u8]| lines(text).iter().filter(|line| own.contains(line)).count();
        let Some((path, _)) = kinds.iter().max_by_key(|(_, text)| like(text)) else { return false };
        let mut files = files.clone();
        files.insert(path.clone(), bytes.to_vec());
        match Catalog::load(&Sources::memory(files)) {
            Ok(_) => true,
            Err(error) => {
                assert!(error.to_string().contains(".yaml"), "{error}");
                false
            }
        }
    })
}

pub fn projects() -> Vec<Vec<u8>> {
    let one = "base: debian\nflavor: hwsim\npackages: [tcpdump]\nload_modules: [dummy]\ncmdline: [loglevel=5]\n\
        services: [lab-report]\nfiles:\n  etc/motd: { text: \"A guest of the lab.\\n\" }\n  etc/sv/lab-report: { from: lab-report.sh }\n\
        folders:\n  - { from: root, modes: { etc/lab.conf: \"0600\" } }\nlinks:\n  etc/lab/message: ../motd\n\
        samples:\n  lab.conf.sample: { text: \"# nothing\\n\" }\n";
    let several = "base: alpine\nguests:\n  a: { flavor: hwsim }\n  b:\n    flavor: iwlwifi\n    features: [ipv6]\n    hypervisor: bhyve\n";
    vec![one.into(), several.into()]
}

pub fn project(bytes: &[u8]) -> bool {
    let file: Arc<str> = "wifibox.yaml".into();
    match ProjectFile::parse(&file, &String::from_utf8_lossy(bytes)) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().contains("wifibox.yaml"), "{error}");
            false
        }
    }
}

fn target() -> Target {
    let [base, release, architecture] = ["debian", "trixie", "amd64"].map(str::to_owned);
    Target { base, release, architecture }
}

pub fn locks() -> Vec<Vec<u8>> {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let text = format!(
        "{{\n  \"format\": 2,\n  \"base\": \"debian\",\n  \"release\": \"trixie\",\n  \"architecture\": \"amd64\",\n  \
         \"missing\": [\"a\"],\n  \"indexes\": [\n    {{\"repository\": \"debian\", \"suite\": \"trixie\", \"sha256\": \"{hash}\", \
         \"date\": 1700000000, \"priority\": 500}}\n  ],\n  \"packages\": [\n    {{\"repository\": \"debian\", \"package\": \
         {{\"name\": \"tool\", \"version\": \"1.2-3\", \"architecture\": \"amd64\", \"path\": \"pool/t.deb\", \"size\": 1234, \
         \"sha256\": \"{hash}\", \"depends\": \"libc6 (>= 2.36)\"}}}}\n  ]\n}}\n"
    );
    vec![text.into()]
}

/// What was read is written so that the same is read again.
pub fn lock(bytes: &[u8]) -> bool {
    let (path, target) = (Path::new("fuzz.lock"), target());
    let lock = match Lock::parse(path, bytes, &target) {
        Ok(lock) => lock,
        Err(error) => {
            assert!(error.to_string().contains("fuzz.lock"), "{error}");
            return false;
        }
    };
    let text = lock.to_text().unwrap_or_default();
    match Lock::parse(path, text.as_bytes(), &target) {
        Ok(again) => assert!(again == lock, "it is another lock once it was written"),
        Err(error) => panic!("what was written cannot be read: {error}"),
    }
    true
}

pub fn manifests() -> Vec<Vec<u8>> {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let manifest = serde_json::json!({
        "format": 1, "build_id": hash, "builder": "wifibox-build 0.1.0",
        "recipe": {
            "base": "debian", "release": "trixie", "architecture": "amd64", "flavor": "hwsim", "device": "8086:2725",
            "role": "station", "features": ["ipv6"], "hypervisor": "bhyve", "kernel": "debian", "compression": "xz",
            "services": ["udhcpd"],
        },
        "guest": {
            "name": "wifibox", "base": "debian", "release": "trixie", "flavor": "hwsim", "role": "station",
            "application": "wpa_supplicant", "hypervisor": "bhyve", "architecture": "x86_64", "memory": 160,
            "smallest_memory": 160, "vcpus": 1,
            "boot": {"uefi": "esp.img", "direct": {"kernel": "vmlinuz", "initramfs": "initramfs.img", "cmdline": "quiet"}},
            "console": "ttyS0",
            "disks": [{"purpose": "efi", "file": "esp.img", "device": "vda", "read_only": true}],
            "nics": [{"model": "e1000"}], "transport": "virtio",
            "shares": [{"tag": "config", "mount": "media/etc", "read_only": true, "samples": "etc/wifibox/appliance"}],
        },
        "source_date_epoch": 1_700_000_000,
        "kernel": {"release": "6.12.57", "package": "linux-image", "cmdline": "quiet"},
        "packages": [{"name": "tool", "version": "1:1.2-3", "source": "tools", "sha256": hash, "licence": "MIT", "why": "x"}],
        "modules": [{"name": "9p", "path": "kernel/fs/9p/9p.ko", "why": "needed by x"}],
        "firmware": [{"wanted": "a-*.bin", "by": "module x", "state": "kept", "file": "a-1.bin", "others": ["b"]}],
        "sizes": {
            "programs": {"files": 25, "bytes": 9_137_332}, "libraries": {"files": 1, "bytes": 2},
            "modules": {"files": 1, "bytes": 2}, "firmware": {"files": 1, "bytes": 2}, "other": {"files": 1, "bytes": 2},
        },
        "files": [
            {"path": "", "kind": "directory", "mode": "0755", "owner": "0:0", "origin": "the builder"},
            {"path": "bin", "kind": "symbolic link", "mode": "0777", "owner": "0:0", "origin": "recipe x", "target": "usr/bin"},
        ],
        "outputs": [{"path": "cmdline", "size": 77, "sha256": hash}],
        "links": [{"path": "etc/x", "target": "y"}],
    });
    vec![manifest.to_string().into()]
}

/// What was read is written so that it is read again.
pub fn manifest(bytes: &[u8]) -> bool {
    let Ok(manifest) = output::parse(bytes) else { return false };
    let text = serde_json::to_vec(&manifest).unwrap_or_default();
    assert!(output::parse(&text).is_ok(), "what was written cannot be read");
    true
}

/// A manifest and an index of a registry.
pub fn artifacts() -> Vec<Vec<u8>> {
    let layer = |path: &str| {
        let mut layer = Descriptor::of("application/octet-stream", path.as_bytes());
        layer.annotations.insert(TITLE.to_owned(), path.to_owned());
        layer
    };
    let layers = vec![layer("root.img"), layer("host/bhyve/bhyve.conf"), layer("SHA256SUMS")];
    let mut manifest = Manifest::new("application/vnd.wifibox.guest", layers.clone());
    let folders = "io.github.wifibox-build.folders".to_owned();
    manifest.annotations.insert(folders, "var/log\nvar/lib".to_owned());
    manifest.subject = layers.first().cloned();
    let index = Index::new(None, layers);
    let texts = [serde_json::to_vec(&manifest), serde_json::to_vec(&index)];
    texts.into_iter().flatten().collect()
}

/// No file or folder of it leaves the folder that it goes to.
pub fn artifact(bytes: &[u8]) -> bool {
    let Ok(Document::Manifest(manifest)) = Document::parse(bytes) else { return false };
    let mut listed = Listed::default();
    if listed.add(&manifest, "guest/").is_err() {
        return false;
    }
    let files = listed.files().map(|file| file.path.as_str());
    for path in files.chain(listed.folders()) {
        let parts = path.strip_prefix("guest/").into_iter().flat_map(|rest| rest.split('/'));
        assert!(path.starts_with("guest/"), "{path:?} is elsewhere");
        for part in parts {
            assert!(!matches!(part, "" | "." | ".."), "{path:?} leads elsewhere");
        }
    }
    true
}
