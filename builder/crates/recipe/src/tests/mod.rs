//! Small recipes for the tests of this layer, by subject in the files beside this one.

use std::collections::BTreeMap;

use super::*;
use wifibox_ground::path::GuestPath;

mod composition;
mod contradictions;
mod files;
mod openrc;
mod project;
mod selection;
mod shown;

const BASE: &str = "\
summary: A base
format: dpkg
architecture: amd64
default: { release: one, kernel: linux, role: station, hypervisor: vmm, compression: xz }
releases:
  one: { summary: The first }
  two: { summary: The second, packages: [only-in-two] }
repositories:
  - name: main
    mirrors: ['https://mirror.example/{release}']
    suites: ['{release}']
    keys: [{ name: Key, fingerprint: '00' }]
kernels: [linux]
init: sbin/init
initramfs: { overlay: early, programs: [bin/busybox] }
packages: [shell, net]
";

const KERNEL: &str = "\
summary: A kernel
base: base
architecture: amd64
package: linux-image
image: boot/vmlinuz-*
modules: lib/modules/*
boots_with: initramfs
needs:
  initramfs_modules: [squashfs]
";

const GUEST: &str = "\
summary: Every guest
overlays: [common]
services: [daemon]
accounts:
  groups: [{ name: root, gid: 0 }]
  users: [{ name: root, uid: 0, group: root, home: root, shell: bin/sh, password: empty }]
links: { etc/mtab: /proc/mounts }
load_modules: [9p, virtio-net?]
memory: { smallest: 64 }
";

fn files() -> BTreeMap<String, Vec<u8>> {
    let files = [
        ("recipes/guest.yaml", GUEST),
        ("recipes/bases/base.yaml", BASE),
        ("kernels/linux.yaml", KERNEL),
        ("recipes/roles/station.yaml", "summary: Station\napp_config: wpa_supplicant\n"),
        (
            "recipes/hypervisors/vmm.yaml",
            "summary: VMM\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n",
        ),
        ("recipes/flavors/sim.yaml", "summary: Simulated\nchipsets: [sim]\n"),
        ("firmware-blobs/sim.yaml", "summary: Simulated\nmodules: [sim]\n"),
        ("firmware-blobs/local/README.md", "Mine.\n"),
        ("overlays/common/root/etc/sv/daemon", "#!/bin/sh\n"),
        ("overlays/early/init", "#!/bin/sh\n"),
    ];
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn sources(changes: &[(&str, &str)]) -> Sources {
    let mut files = files();
    for (path, text) in changes {
        files.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    Sources::memory(files)
}

fn catalog(changes: &[(&str, &str)]) -> Catalog {
    Catalog::load(&sources(changes)).unwrap_or_else(|error| panic!("{error}"))
}

fn ask() -> Selection {
    Selection { base: "base".into(), flavor: "sim".into(), ..Selection::default() }
}

fn compose(changes: &[(&str, &str)]) -> Recipe {
    catalog(changes).compose(&ask()).unwrap_or_else(|error| panic!("{error}"))
}

/// The error of loading, or else of composing.
fn error(changes: &[(&str, &str)]) -> String {
    Catalog::load(&sources(changes))
        .and_then(|catalog| catalog.compose(&ask()))
        .expect_err("an error")
        .to_string()
}

fn refusal(changes: &[(&str, &str)], selection: &Selection) -> String {
    catalog(changes).compose(selection).expect_err("an error").to_string()
}

const FEATURE: &str = "recipes/features/extra.yaml";
const OTHER: &str = "recipes/features/other.yaml";

fn values<T: Clone>(list: &[Sourced<T>]) -> Vec<T> {
    list.iter().map(|sourced| sourced.value.clone()).collect()
}
