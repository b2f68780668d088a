//! The texts for a small set of variants.

use std::collections::BTreeSet;

use super::files;
use wifibox_ground::digest::Sha256;
use wifibox_recipe::{Axes, Choice, FeatureChoice, FlavorChoice, RootCompressor};
use wifibox_resolve::lock::Target;
use wifibox_resolve::{Variant, VariantFile, Variants};

fn choice(name: &str) -> Choice {
    Choice { name: name.to_owned(), summary: format!("What {name} is for $1") }
}

fn file(repository: &str, path: &str) -> VariantFile {
    VariantFile {
        repository: repository.to_owned(),
        mirrors: vec!["https://example.org/a".to_owned(), "https://example.net/b/".to_owned()],
        path: path.to_owned(),
        size: 7,
        sha256: Sha256::of(path.as_bytes()),
    }
}

/// Two flavors, two kernels, two roles, a feature that is on by itself, and one that needs it and goes
/// with stations only.
fn variants() -> Variants {
    let flavor = |name: &str, own: &[&str]| FlavorChoice {
        choice: choice(name),
        chipsets: Vec::new(),
        kernels: Vec::new(),
        firmware_of_users: own.iter().map(|name| (*name).to_owned()).collect(),
        agreements: Vec::new(),
    };
    let feature = |name: &str, default, roles: &[&str], requires: &[&str]| FeatureChoice {
        choice: choice(name),
        default,
        roles: roles.iter().map(|name| (*name).to_owned()).collect(),
        requires: requires.iter().map(|name| (*name).to_owned()).collect(),
        conflicts: Vec::new(),
    };
    let axes = Axes {
        flavors: vec![flavor("default", &[]), flavor("b43", &["b43"])],
        kernels: vec![choice("distro-lts"), choice("edge")],
        roles: vec![choice("station"), choice("access-point")],
        features: vec![
            feature("ipv6", true, &["station", "access-point"], &[]),
            feature("extra", false, &["station"], &["ipv6"]),
        ],
        compressions: vec![RootCompressor::Zstd, RootCompressor::Xz],
        has_firmware_packages: false,
    };
    let paths = ["pool/base_1~2+b.deb", "pool/lts.deb", "pool/edge.deb", "pool/extra.deb"];
    let mut list: Vec<VariantFile> = paths.iter().map(|path| file("distro", path)).collect();
    list.push(file("linux-firmware", "linux-firmware-1.tar.xz"));
    let mut all = Vec::new();
    for flavor in 0..2 {
        for kernel in 0..2 {
            for role in 0..2 {
                for features in [[false, false], [true, false], [true, true]] {
                    if features[1] && role == 1 {
                        continue;
                    }
                    let mut files = BTreeSet::from([0, 1 + kernel]);
                    files.extend(features[1].then_some(3));
                    files.extend((flavor == 0).then_some(4));
                    let features = features.to_vec();
                    all.push(Variant { flavor, kernel, role, features, files, host_files: role });
                }
            }
        }
    }
    let set = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    Variants {
        target: Target {
            base: "distro".into(),
            release: "1".into(),
            architecture: "x86_64".into(),
        },
        axes,
        files: list,
        variants: all,
        host_files: vec![
            set(&["etc/wifibox/app_config", "etc/wifibox/s/s.conf.sample", "var/lib/.keep"]),
            set(&["etc/wifibox/app_config", "var/lib/.keep", "var/lib/more/file"]),
        ],
        locks: vec![("distro-1-x86_64.lock".to_owned(), "{}\n".to_owned())],
        source_date_epoch: 1_700_000_000,
    }
}

fn text(name: &str) -> String {
    files(&variants()).expect("files").remove(name).expect(name)
}

#[test]
fn options_have_the_ports_names() {
    let text = text("Makefile.options.distro");
    for line in [
        "GUEST_DATE=\t20231114\n",
        "ONLY_FOR_ARCHS=\tamd64\n",
        "FLAVORS=\tdefault \\\n\t\tb43\n",
        "OPTIONS_SINGLE_COMPRESSION=\tCOMP_ZSTD \\\n\t\tCOMP_XZ\n",
        "OPTIONS_SINGLE_APPLICATION=\tAPP_SUPPLICANT \\\n\t\tAPP_ACCESS_POINT\n",
        // Without the name of its base.
        "OPTIONS_SINGLE_KERNEL=\tKERN_LTS \\\n\t\tKERN_EDGE\n",
        "OPTIONS_DEFINE=\tDOCS \\\n\t\tIPV6\n",
        "OPTIONS_GROUP_EXTRAS=\tXX_EXTRA\n",
        "OPTIONS_DEFAULT=\tCOMP_ZSTD \\\n\t\tAPP_SUPPLICANT \\\n\t\tKERN_LTS \\\n\t\tIPV6\n",
        "XX_EXTRA_DESC=\tWhat extra is for $$1\n",
        "XX_EXTRA_IMPLIES=\tIPV6\n",
        "XX_EXTRA_PREVENTS=\tAPP_ACCESS_POINT\n",
        "GUEST_FIRMWARE_OF_USERS_b43=\tb43\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn distfiles_depend_on_flavor_and_options() {
    let text = text("Makefile.distfiles.distro");
    for lines in [
        "MASTER_SITES=\thttps://example.org/a/:distro \\\n\t\thttps://example.net/b/:distro \\\n\
         \t\thttps://example.org/a/:linux_firmware \\\n",
        "\nDISTFILES+=\tpool/base_1~2+b.deb:distro\n",
        ".if defined(_ALL_DISTFILES) \\\n\t|| ${PORT_OPTIONS:MKERN_EDGE}\n\
         DISTFILES+=\tpool/edge.deb:distro\n.endif\n",
        "\t|| ${FLAVOR} == default\nDISTFILES+=\tlinux-firmware-1.tar.xz:linux_firmware\n",
        // With whom it cannot be is not said: such a set cannot be chosen.
        "\t|| ${PORT_OPTIONS:MXX_EXTRA}\nDISTFILES+=\tpool/extra.deb:distro\n",
        "GUEST_LOCK=\t${FILESDIR}/distro-1-x86_64.lock\n",
        "GUEST_ARGS+=\t--kernel distro-lts\n",
        ".if !empty(DISTFILES:M*\\:linux_firmware)\n",
        ".elif ${PORT_OPTIONS:MAPP_SUPPLICANT}\nGUEST_ARGS+=\t--without extra\n",
    ] {
        assert!(text.contains(lines), "{lines:?} is not in\n{text}");
    }
}

#[test]
fn distinfo_has_every_file_once() {
    let text = text("distinfo.distro");
    assert!(text.starts_with("TIMESTAMP = 1700000000\nSHA256 (wifibox-guest/linux-firmware-1"));
    assert_eq!(text.lines().count(), 1 + 2 * 5);
    assert!(text.contains("\nSIZE (wifibox-guest/pool/base_1~2+b.deb) = 7\n"), "{text}");
}

#[test]
fn the_packing_list_knows_samples_folders_and_options() {
    assert_eq!(
        text("pkg-plist.distro"),
        "etc/wifibox/app_config\n\
         %%APP_SUPPLICANT%%@sample(,,640) etc/wifibox/s/s.conf.sample\n\
         share/man/man5/wifibox-alpine.5.gz\n\
         share/wifibox/esp.img\n\
         share/wifibox/manifest.json\n\
         share/wifibox/root.img\n\
         %%APP_ACCESS_POINT%%/var/run/wifibox/appliance/lib/more/file\n\
         %%APP_ACCESS_POINT%%@dir /var/run/wifibox/appliance/lib/more\n\
         @dir /var/run/wifibox/appliance/lib\n\
         @dir /var/run/wifibox/appliance\n\
         @dir /var/run/wifibox\n"
    );
}

#[test]
fn what_ports_cannot_say_is_refused() {
    let mut odd = variants();
    odd.files[0].path = "pool/epoch:1.deb".to_owned();
    let error = files(&odd).expect_err("a colon separates the group").to_string();
    assert!(error.contains("pool/epoch:1.deb"), "{error}");
    odd.files[0].path = "../x".to_owned();
    files(&odd).expect_err("leads out of the folder");
    let mut flavored = variants();
    for variant in &mut flavored.variants {
        variant.host_files = variant.flavor;
    }
    let error = files(&flavored).expect_err("a sample of one flavor").to_string();
    assert!(error.contains("depends on the flavor"), "{error}");
}

#[test]
fn what_mirrors_of_debian_delete_is_in_its_archive() {
    use super::distfiles::archive;
    assert_eq!(
        archive("http://ftp.de.debian.org/debian", 1_700_000_000).as_deref(),
        Some("https://snapshot.debian.org/archive/debian/20231115T221320Z")
    );
    for other in ["https://mirror.example/debian", "http://ftp.de.debian.org/other", "no url"] {
        assert_eq!(archive(other, 1), None, "{other}");
    }
}

/// The flavor `default` of two others, a third one beside it, and a driver from outside for one kernel.
fn of_parts() -> Variants {
    let mut variants = variants();
    let flavor = |name: &str, chipsets: &[&str], kernels: &[&str]| FlavorChoice {
        choice: choice(name),
        chipsets: chipsets.iter().map(|name| (*name).to_owned()).collect(),
        firmware_of_users: Vec::new(),
        agreements: Vec::new(),
        kernels: kernels.iter().map(|name| (*name).to_owned()).collect(),
    };
    variants.axes.flavors = vec![
        flavor("default", &["x", "y"], &[]),
        flavor("x", &["x"], &[]),
        flavor("y", &["y"], &[]),
        flavor("old", &["old"], &[]),
        flavor("own", &["own"], &["edge"]),
    ];
    variants.files.push(file("distro", "pool/firmware-x.deb"));
    let mut all = Vec::new();
    for (flavor, files) in
        [(0, vec![0, 4, 5]), (1, vec![0, 5]), (2, vec![0, 4]), (3, vec![0]), (4, vec![0])]
    {
        for kernel in 0..2 {
            if flavor == 4 && kernel == 0 {
                continue;
            }
            let files = files.iter().copied().collect();
            let features = vec![false, false];
            all.push(Variant { flavor, kernel, role: 0, features, files, host_files: 0 });
        }
    }
    variants.variants = all;
    variants
}

#[test]
fn one_guest_can_have_some_parts_of_the_flavor_with_all() {
    let written = files(&of_parts()).expect("files");
    let options = &written["Makefile.options.distro"];
    let choice = ".if ${FLAVOR:U${FLAVORS:[1]}} == default\n\
                  OPTIONS_GROUP+=\tFIRMWARE\n\
                  OPTIONS_GROUP_FIRMWARE=\tFW_X \\\n\t\tFW_Y \\\n\t\tFW_OLD\n\
                  OPTIONS_DEFAULT+=\tFW_X \\\n\t\tFW_Y\n\
                  FIRMWARE_DESC=\tDrivers and firmware\n\
                  OPTIONS_GROUP_EXTRAS+=\tXX_DRIVER_OWN\n";
    assert!(options.contains(choice), "{options}");
    let distfiles = &written["Makefile.distfiles.distro"];
    for lines in [
        ".  if ${PORT_OPTIONS:MFW_OLD}\nGUEST_FLAVORS+=\told\n.  endif\n",
        // In place of all others.
        ".  if ${PORT_OPTIONS:MXX_DRIVER_OWN}\nGUEST_FLAVORS=\town\n.  endif\n",
        ".  if ${GUEST_FLAVOR} == x+y\nGUEST_FLAVOR=\tdefault\n.  endif\n",
        ".if ${GUEST_FLAVORS:Mown} && empty(PORT_OPTIONS:MKERN_EDGE)\nIGNORE?=\t",
        "\t|| ${GUEST_FLAVORS:Mx}\nDISTFILES+=\tpool/firmware-x.deb:distro\n",
        "\t|| ${GUEST_FLAVORS:My}\nDISTFILES+=\tlinux-firmware-1.tar.xz:linux_firmware\n",
    ] {
        assert!(distfiles.contains(lines), "{lines:?} is not in\n{distfiles}");
    }
    // A part of it that is not exported cannot be chosen.
    let mut limited = of_parts();
    limited.axes.flavors.remove(2);
    limited.variants.retain(|variant| variant.flavor < 2);
    let options = &files(&limited).expect("files")["Makefile.options.distro"];
    assert!(!options.contains("FW_"), "{options}");
}
