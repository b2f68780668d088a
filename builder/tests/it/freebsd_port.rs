//! `export freebsd-port` from a generated, signed repository: hashes that no index has are found, each
//! guest's files are listed under its conditions, and a build from them needs nothing else.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::answers;
use wifibox_formats::apk::signature::Kind;
use wifibox_ground::digest::Sha256;
use wifibox_testkit::apkkeys::SigningKey;
use wifibox_testkit::apkrepo::{Package, Repository};

const KEY: &str = "builders@example.org-1234.rsa.pub";

fn kernel(name: &str) -> Package {
    let release = format!("6.18.1-0-{name}");
    Package::new(&format!("linux-{name}"), "6.18.1-r0")
        .kernel(&format!("boot/vmlinuz-{name}"), &release)
}

struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = World(tempfile::tempdir().unwrap());
        let key = SigningKey::generate(KEY, 1);
        let packages = vec![
            Package::new("tool", "1.0-r0").info("builddate", "1700000000").file(
                "usr/bin/tool",
                0o755,
                "a tool\n",
            ),
            Package::new("joining", "2-r0").file("usr/bin/join", 0o755, "joins\n"),
            Package::new("opening", "2-r0").file("usr/bin/open", 0o755, "opens\n"),
            Package::new("extra", "3-r0").info("depend", "deeper").file("usr/bin/x", 0o755, "x\n"),
            Package::new("deeper", "3-r0").file("usr/bin/deep", 0o755, "deep\n"),
            Package::new("unused", "9-r0").file("usr/bin/u", 0o755, "u\n"),
            kernel("lts"),
            kernel("edge"),
        ];
        let repository = Repository::new(packages).signed(Kind::Rsa256, &key);
        repository.publish(&world.path("mirror/v1/main/x86_64"));
        fs::write(world.path(KEY), key.pem()).unwrap();
        let file = |name: &str, text: &str| {
            fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
            fs::write(world.path(name), text).unwrap();
        };
        let fingerprint = key.fingerprint();
        file(
            "recipes/guest.yaml",
            "summary: every guest\naccounts:\n  groups: [{ name: root, gid: 0 }]\n  \
             users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh }]\noverlays: [common]\n",
        );
        file(
            "recipes/bases/distro.yaml",
            &format!(
                "summary: a base\nformat: apk\narchitecture: x86_64\n\
                 default: {{ release: '1', kernel: lts, role: station, hypervisor: bhyve, compression: gzip }}\n\
                 releases: {{ '1': {{ summary: the only one }} }}\nrepositories:\n  - name: distro\n    \
                 mirrors: ['https://mirror.example/distro']\n    suites: ['v{{release}}']\n    components: [main]\n    \
                 keys: [{{ name: {KEY}, fingerprint: {fingerprint} }}]\n\
                 kernels: [lts, edge]\ninit: sbin/init\nregulatory_database: false\npackages: [tool]\n"
            ),
        );
        for (role, daemon, package) in
            [("station", "wpa_supplicant", "joining"), ("access-point", "hostapd", "opening")]
        {
            file(
                &format!("recipes/roles/{role}.yaml"),
                &format!(
                    "summary: a role\napp_config: {daemon}\npackages: [{package}]\noverlays: [{role}]\n\
                     directories: [{{ path: etc/{daemon} }}]\n\
                     shares: [{{ tag: app_config, path: etc/{daemon}, access: read-write }}]\n"
                ),
            );
            file(&format!("overlays/{role}/host/etc/wifibox/{daemon}/{daemon}.conf.sample"), "");
        }
        file("overlays/common/host/var/log/.keep", "");
        file("recipes/flavors/one.yaml", "summary: a flavor\nchipsets: []\n");
        file("recipes/flavors/two.yaml", "summary: another\nchipsets: []\n");
        file(
            "recipes/hypervisors/bhyve.yaml",
            "summary: the only one\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n",
        );
        for kernel in ["lts", "edge"] {
            file(
                &format!("kernels/{kernel}.yaml"),
                &format!(
                    "summary: a kernel\nbase: distro\narchitecture: x86_64\npackage: linux-{kernel}\n\
                     image: boot/vmlinuz*\nmodules: lib/modules/*\nboots_with: direct\n"
                ),
            );
        }
        file(
            "recipes/features/more.yaml",
            "summary: more\ndefault: false\non: { distro: { packages: [extra] } }\n",
        );
        fs::create_dir_all(world.path("firmware-blobs")).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, cache: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(wifibox_testkit::program())
            .args(arguments)
            .arg("--recipes")
            .arg(self.0.path())
            .arg("--cache-dir")
            .arg(self.path(cache))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    }

    fn export(&self, more: &[&str]) -> (Option<i32>, String) {
        let text = |path: PathBuf| path.display().to_string();
        let (port, lock, key) =
            (text(self.path("port")), text(self.path("lock")), text(self.path(KEY)));
        let mirror = format!("distro={}", text(self.path("mirror")));
        let arguments = [
            &["export", "freebsd-port", "--base", "distro", "--out", &port, "--lock-file", &lock],
            &["--mirror", &mirror, "--trust-key", &key][..],
            more,
        ];
        self.run("cache", &arguments.concat())
    }
}

fn paths(distinfo: &str) -> BTreeSet<&str> {
    let names = distinfo.lines().filter_map(|line| line.strip_prefix("SHA256 (wifibox-guest/"));
    names.filter_map(|line| line.split_once(')')).map(|(name, _)| name).collect()
}

#[test]
fn every_guest_is_listed_and_builds_from_the_lists_alone() {
    let world = World::new();
    let (code, said) = world.export(&[]);
    assert_eq!(code, Some(0), "{said}");
    // Flavors x kernels x roles x the feature.
    assert!(said.contains("2 flavors, 16 guests, 7 distfiles"), "{said}");
    let (_, said) = world.export(&["--json", "--quiet"]);
    answers::check("export", &said);
    let read = |name: &str| fs::read_to_string(world.path("port").join(name)).unwrap();
    let distinfo = read("distinfo.distro");
    // The index has no SHA-256, and nothing was fetched before.
    for name in paths(&distinfo) {
        let bytes = fs::read(world.path("mirror").join(name)).unwrap();
        let sha256 = Sha256::of(&bytes);
        assert!(
            distinfo.contains(&format!("SHA256 (wifibox-guest/{name}) = {sha256}\n")),
            "{name}"
        );
        assert!(distinfo.contains(&format!("SIZE (wifibox-guest/{name}) = {}\n", bytes.len())));
    }
    assert!(!distinfo.contains("unused"), "{distinfo}");
    let makefile = read("Makefile.distfiles.distro");
    for lines in [
        "MASTER_SITES=\thttps://mirror.example/distro/:distro\n",
        "\t|| ${PORT_OPTIONS:MXX_MORE}\nDISTFILES+=\tv1/main/x86_64/deeper-3-r0.apk:distro \\\n",
        "\t|| ${PORT_OPTIONS:MKERN_EDGE}\nDISTFILES+=\tv1/main/x86_64/linux-edge-6.18.1-r0.apk:distro\n",
        "\t|| ${PORT_OPTIONS:MAPP_SUPPLICANT}\nDISTFILES+=\tv1/main/x86_64/joining-2-r0.apk:distro\n",
    ] {
        assert!(makefile.contains(lines), "{lines:?} is not in\n{makefile}");
    }
    let plist = read("pkg-plist.distro");
    assert!(plist.contains("%%APP_ACCESS_POINT%%@sample(,,640) etc/wifibox/hostapd/"), "{plist}");
    // Both roles have the link.
    assert!(plist.starts_with("etc/wifibox/app_config\n"), "{plist}");

    // What the port does: a fresh store, no network, no mirror, the lock from the port.
    let text = |path: PathBuf| path.display().to_string();
    let (lock, out) =
        (text(world.path("port/files/distro-1-x86_64.lock")), text(world.path("out")));
    let distfiles = world.path("distfiles");
    for name in paths(&distinfo) {
        fs::create_dir_all(distfiles.join(name).parent().unwrap()).unwrap();
        fs::copy(world.path("mirror").join(name), distfiles.join(name)).unwrap();
    }
    let distdir = text(distfiles.clone());
    let build =
        [
            &[
                "build",
                "--base",
                "distro",
                "--flavor",
                "two",
                "--kernel",
                "edge",
                "--role",
                "access-point",
            ],
            &[
                "--with",
                "more",
                "--frozen",
                "--offline",
                "--lock-file",
                &lock,
                "--distdir",
                &distdir,
            ][..],
            &["--out", &out],
        ]
        .concat();
    let (code, said) = world.run("fresh", &build);
    assert_eq!(code, Some(0), "{said}");
    // A file less, and one that is another.
    fs::remove_file(distfiles.join("v1/main/x86_64/deeper-3-r0.apk")).unwrap();
    let (code, said) = world.run("less", &build);
    assert!(code == Some(1) && said.contains("deeper"), "{said}");
    fs::copy(world.path(KEY), distfiles.join("v1/main/x86_64/deeper-3-r0.apk")).unwrap();
    let (code, said) = world.run("other", &build);
    assert!(code == Some(4) && said.contains("deeper-3-r0.apk is not used"), "{said}");
}

#[test]
fn the_same_lock_gives_the_same_files_and_limits_are_heard() {
    let world = World::new();
    assert_eq!(world.export(&[]).0, Some(0));
    let (code, said) = world.export(&["--frozen", "--jobs", "1"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("(written)") && said.contains("pkg-plist.distro (unchanged)"), "{said}");
    let (code, said) = world.export(&["--flavor", "two", "--kernel", "edge"]);
    assert!(code == Some(0) && said.contains("1 flavors, 4 guests, 6 distfiles"), "{said}");
    let options = fs::read_to_string(world.path("port/Makefile.options.distro")).unwrap();
    // One kernel is no choice.
    assert!(options.contains("FLAVORS=\ttwo\n") && !options.contains("KERN_"), "{options}");
    let (code, said) = world.export(&["--flavor", "tow"]);
    assert!(code != Some(0) && said.contains("two"), "{said}");
    let (code, said) = world.export(&["--kernel", "edgy"]);
    assert!(code != Some(0) && said.contains("edge"), "{said}");
}
