//! A guest that OpenRC starts, from a generated set of loose packages: its root holds what apk would
//! install from the same files into an empty root, and what recipes declare besides.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use tar::EntryType;
use wifibox_ground::digest::Sha256;
use wifibox_squashfs::{NodeKind, read_nodes};
use wifibox_testkit::apkrepo::Package;
use wifibox_testkit::kernel::kernel_image;
use wifibox_testkit::rawtar::Member;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:root\nshadow:x:42:\nnobody:x:65534:\n";
const FSTAB: &str = "config /media/etc 9p trans=virtio,ro 0 0\n";

fn owned(path: &str, mode: u32, group: &str, content: &str) -> Member {
    let owner = ("root".to_owned(), group.to_owned());
    Member { mode, owner, ..Member::new(path, EntryType::Regular, content) }
}

pub(super) fn packages() -> Vec<Package> {
    vec![
        Package::new("layout", "1.0-r0")
            .directory("dev", 0o755)
            .directory("dev/pts", 0o755)
            .directory("tmp", 0o1777)
            .directory("opt/empty", 0o750)
            .file("etc/passwd", 0o644, PASSWD)
            .file("etc/group", 0o644, GROUP)
            // Its own group: apk finds it in no etc/group yet.
            .member(owned("etc/shadow", 0o640, "shadow", "root:::0:::::\n"))
            .file("etc/fstab", 0o644, FSTAB)
            .file("etc/inittab", 0o644, "ttyS0::respawn:/sbin/getty ttyS0\n")
            .symlink("etc/sysctl.d", "/media/etc/sysctl.d"),
        Package::new("openrc", "0.63-r0")
            .info("depend", "layout")
            .directory("etc/runlevels/boot", 0o755)
            .directory("etc/runlevels/default", 0o755)
            // A link of the other package: it leads nowhere, and nothing is made there.
            .directory("etc/sysctl.d", 0o755)
            .file("etc/init.d/modules", 0o755, "#!/sbin/openrc-run\n")
            .file("etc/init.d/daemon", 0o755, "#!/sbin/openrc-run\n"),
        Package::new("daemon", "2-r1").info("depend", "openrc").member(owned(
            "usr/sbin/daemon",
            0o2755,
            "shadow",
            "a program\n",
        )),
        Package::new("linux-lts", "6.18.1-r0").kernel("boot/vmlinuz-lts", "6.18.1-0-lts"),
    ]
}

/// Writes packages and recipes; `services` are those of the runlevel `boot`.
pub(super) fn lay_out(folder: &Path, services: &str) {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mut pinned = String::new();
    for package in packages() {
        let bytes = package.build();
        let name = format!("set/{}", package.file_name());
        fs::create_dir_all(folder.join("mirror/set")).unwrap();
        fs::write(folder.join("mirror").join(&name), &bytes).unwrap();
        let (size, sha256) = (bytes.len(), Sha256::of(&bytes));
        pinned += &format!("      - {{ file: {name}, size: {size}, sha256: {sha256} }}\n");
    }
    // Described well enough to be left where it is, which is nowhere.
    let nowhere = Sha256::of(b"");
    pinned += &format!(
        "      - {{ file: set/drivers-1-r0.apk, size: 1, sha256: {nowhere}, depends: [linux-lts~6.18.1-r0] }}\n"
    );
    file(
        "recipes/guest.yaml",
        "summary: every guest\noverlays: [common]\n\
         started_by: { supervised: { services: [watched] }, openrc: { links: { etc/mtab: /proc/mounts } } }\n\
         shares:\n  - { tag: config, path: media/etc, access: read-only }\n  \
         - { tag: app_config, path: etc/hostapd, access: read-write }\n",
    );
    file("overlays/common/root/etc/sv/watched", "#!/bin/sh\n");
    file("overlays/common/openrc/etc/motd", "Hello.\n");
    file(
        "recipes/bases/set.yaml",
        &format!(
            "summary: a generated set\nformat: apk\narchitecture: x86_64\n\
             default: {{ release: one, kernel: k, role: station, hypervisor: h, compression: gzip }}\n\
             releases: {{ one: {{ summary: the only one }} }}\n\
             repositories:\n  - name: set\n    packages:\n{pinned}\
             kernels: [k]\ninit: sbin/init\ninit_system: openrc\naccounts_from: packages\n\
             keep_empty_directories: true\nregulatory_database: false\n\
             packages: [daemon]\nexclude: [dev/*]\n\
             accounts:\n  groups: [{{ name: daemon, gid: 101 }}]\n  users: \
             [{{ name: daemon, uid: 101, group: daemon, home: var, shell: sbin/nologin }}]\n\
             runlevels:\n  boot: {services}\n  default: [daemon]\n"
        ),
    );
    file("recipes/roles/station.yaml", "summary: the only role\napp_config: hostapd\n");
    file("recipes/flavors/f.yaml", "summary: the only flavor\nchipsets: []\n");
    file(
        "recipes/hypervisors/h.yaml",
        "summary: the only one\nshare_transport: xen\nnic: e1000\nconsole: hvc0\nroot_disk: xvde\n",
    );
    file(
        "kernels/k.yaml",
        "summary: a kernel\nbase: set\narchitecture: x86_64\npackage: linux-lts\n\
         image: boot/vmlinuz*\nmodules: lib/modules/*\nboots_with: direct\n",
    );
    fs::create_dir_all(folder.join("firmware-blobs")).unwrap();
}

fn build(folder: &Path) -> Output {
    Command::new(wifibox_testkit::program())
        .args(["build", "--flavor", "f", "--offline", "--recipes"])
        .arg(folder)
        .arg("--cache-dir")
        .arg(folder.join("cache"))
        .arg("--lock-file")
        .arg(folder.join("lock"))
        .arg("--out")
        .arg(folder.join("out"))
        .arg(format!("--mirror=set=file://{}", folder.join("mirror").display()))
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .unwrap()
}

fn text_of(tree: &Path, path: &str) -> String {
    let manifest = fs::read_to_string(tree.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == path).unwrap();
    file["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn the_root_is_what_apk_installs_and_recipes_declare() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), "[modules]");
    let output = build(folder.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let out = folder.path().join("out");
    let image = fs::read(out.join("root.img")).unwrap();
    let mut nodes = Vec::new();
    read_nodes(&mut Cursor::new(image), |node, _| {
        nodes.push(node);
        Ok::<(), Box<dyn std::error::Error>>(())
    })
    .unwrap();
    let lines: Vec<String> = nodes
        .into_iter()
        .map(|node| {
            let path = String::from_utf8(node.path).unwrap();
            let what = match node.kind {
                NodeKind::Directory => "/".to_owned(),
                NodeKind::Symlink(target) => {
                    format!(" -> {}", String::from_utf8(target).unwrap())
                }
                _ => String::new(),
            };
            let mode = if what.starts_with(" ->") { 0o777 } else { node.mode };
            format!("{mode:04o} {}:{} {path}{what}", node.uid, node.gid)
        })
        .filter(|line| !line.contains("lib/modules/"))
        .collect();
    let expected = "\
0755 0:0 /
0755 0:0 dev/
0755 0:0 etc/
0644 0:0 etc/fstab
0644 0:0 etc/group
0755 0:0 etc/init.d/
0755 0:0 etc/init.d/daemon
0755 0:0 etc/init.d/modules
0644 0:0 etc/inittab
0755 0:0 etc/modules-load.d/
0644 0:0 etc/modules-load.d/wifibox.conf
0644 0:0 etc/motd
0777 0:0 etc/mtab -> /proc/mounts
0644 0:0 etc/os-release
0644 0:0 etc/passwd
0755 0:0 etc/runlevels/
0755 0:0 etc/runlevels/boot/
0777 0:0 etc/runlevels/boot/modules -> /etc/init.d/modules
0755 0:0 etc/runlevels/default/
0777 0:0 etc/runlevels/default/daemon -> /etc/init.d/daemon
0640 0:0 etc/shadow
0777 0:0 etc/sysctl.d -> /media/etc/sysctl.d
0755 0:0 etc/wifibox/
0644 0:0 etc/wifibox/build-id
0755 0:0 lib/
0755 0:0 opt/
0750 0:0 opt/empty/
1777 0:0 tmp/
0755 0:0 usr/
0755 0:0 usr/sbin/
2755 0:42 usr/sbin/daemon";
    assert_eq!(lines.join("\n"), expected);
    let is = |path: &str, text: &str| {
        assert_eq!(text_of(&out, path), Sha256::of(text.as_bytes()).to_string(), "{path}");
    };
    is(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\ndaemon:x:101:101::/var:/sbin/nologin\n",
    );
    is("etc/group", "root:x:0:root\nshadow:x:42:\nnobody:x:65534:\ndaemon:x:101:\n");
    is("etc/shadow", "root:::0:::::\ndaemon:*:0:0:99999:7:::\n");
    is(
        "etc/fstab",
        "config /media/etc 9p trans=xen,ro 0 0\napp_config /etc/hostapd 9p trans=xen,rw 0 0\n",
    );
    is("etc/inittab", "hvc0::respawn:/sbin/getty hvc0\n");
    // The kernel carries its command line: it is what UEFI starts.
    let esp = fs::read(out.join("esp.img")).unwrap();
    assert!(
        esp.windows(0x1000).any(|window| window == kernel_image("6.18.1-0-lts")),
        "the bare kernel"
    );
    assert!(!out.join("initramfs.img").exists());
}

#[test]
fn a_service_without_a_script_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), "[modules, ghost]");
    let output = build(folder.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    for part in
        ["recipes/bases/set.yaml:", "the service ghost into the runlevel boot", "\"-ghost\""]
    {
        assert!(errors.contains(part), "{part:?} is not in:\n{errors}");
    }
}
