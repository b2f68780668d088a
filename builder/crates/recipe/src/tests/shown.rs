//! How recipes are listed and shown.

use super::*;

#[test]
fn a_recipe_is_shown_as_yaml_that_says_where_from() {
    let show = compose(&[]).show();
    insta::assert_snapshot!(show, @r#"
    base: base                                                 # command line
    format: dpkg                                               # recipes/bases/base.yaml:2:9
    architecture: amd64                                        # recipes/bases/base.yaml:3:15
    release: one                                               # recipes/bases/base.yaml:4:21
    flavor: sim                                                # command line
    role: station                                              # recipes/bases/base.yaml:4:47
    app_config: wpa_supplicant                                 # recipes/roles/station.yaml:2:13
    kernel:
      name: linux                                              # recipes/bases/base.yaml:4:34
      package: linux-image                                     # kernels/linux.yaml:4:10
      image: "boot/vmlinuz-*"                                  # kernels/linux.yaml:5:8
      modules: "lib/modules/*"                                 # kernels/linux.yaml:6:10
      boots_with: initramfs                                    # kernels/linux.yaml:7:13
    hypervisor:
      name: vmm                                                # recipes/bases/base.yaml:4:68
      share_transport: virtio                                  # recipes/hypervisors/vmm.yaml:2:18
      nic: e1000                                               # recipes/hypervisors/vmm.yaml:3:6
      console: ttyS0                                           # recipes/hypervisors/vmm.yaml:4:10
      root_disk: vdb                                           # recipes/hypervisors/vmm.yaml:5:12
    compression: xz                                            # recipes/bases/base.yaml:4:86
    init: sbin/init                                            # recipes/bases/base.yaml:14:7
    init_system: supervised                                    # recipes/bases/base.yaml:14:7
    accounts_from: recipes                                     # recipes/bases/base.yaml:14:7
    keep_empty_directories: false                              # recipes/bases/base.yaml:14:7
    regulatory_database: true                                  # recipes/bases/base.yaml:14:7
    initramfs: {"overlay":"early","programs":["bin/busybox"]}  # recipes/bases/base.yaml:15:12
    memory:
      smallest: 64                                             # recipes/guest.yaml:9:21
    repositories:
      - {"components":[],"keyrings":[],"keys":[{"fingerprint":"00","name":"Key"}],"mirrors":["https://mirror.example/one"],"name":"main","suites":["one"]}  # recipes/bases/base.yaml:9:5
    packages:
      - shell                                                  # recipes/bases/base.yaml:16:12
      - net                                                    # recipes/bases/base.yaml:16:19
    initramfs_modules:
      - squashfs                                               # kernels/linux.yaml:9:23
    load_modules:
      - "9p"                                                   # recipes/guest.yaml:8:16
      - "virtio_net?"                                          # recipes/guest.yaml:8:20
    modules:
      - sim                                                    # firmware-blobs/sim.yaml:2:11
    overlays:
      - common                                                 # recipes/guest.yaml:2:12
    services:
      - daemon                                                 # recipes/guest.yaml:3:12
    users:
      - {"gecos":"","group":"root","groups":[],"home":"root","name":"root","password":"empty","shell":"bin/sh","uid":0}  # recipes/guest.yaml:6:11
    groups:
      - {"gid":0,"name":"root"}                                # recipes/guest.yaml:5:12
    links:
      /etc/mtab: /proc/mounts                                  # recipes/guest.yaml:7:10
    "#);
    let rows = serde_json::to_value(&show).unwrap();
    insta::assert_snapshot!(rows[0], @r#"{"key":"base","origin":{"column":0,"file":"command line","line":0},"shape":"scalar","value":"base"}"#);
    // The text is YAML, and says the same.
    let read: BTreeMap<String, serde_json::Value> =
        serde_yaml::from_str(&show.to_string()).unwrap();
    for row in &show.rows {
        let there = &read[row.key];
        match (row.shape, &row.name) {
            (Shape::Scalar, _) => assert_eq!(there, &row.value),
            (Shape::Entry, Some(name)) => assert_eq!(there[name], row.value),
            _ => assert!(there.as_array().unwrap().contains(&row.value), "{row:?}"),
        }
    }
}

#[test]
fn the_list_names_everything() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&catalog(&[]).list().kernels).unwrap(), @r#"
    [
      {
        "name": "linux",
        "summary": "A kernel",
        "only_with": [
          "base"
        ],
        "default_with": [
          "base"
        ],
        "architectures": [
          "amd64"
        ]
      }
    ]
    "#);
}
