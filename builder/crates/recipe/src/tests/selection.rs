//! Errors about builds that the recipes cannot make.

use super::*;

#[test]
fn a_kernel_may_bring_a_compression_of_its_own() {
    let own = format!("{KERNEL}compression: zstd\n");
    let changes = [("kernels/linux.yaml", own.as_str())];
    let recipe = compose(&changes);
    assert_eq!(recipe.compression.value, RootCompressor::Zstd);
    assert!(recipe.show().to_string().contains("compression: zstd "));
    assert_eq!(compose(&[]).compression.value, RootCompressor::Xz);
    // What is asked for goes before it.
    let selection = Selection { compression: Some(RootCompressor::Gzip), ..ask() };
    let recipe = catalog(&changes).compose(&selection).unwrap();
    assert_eq!(recipe.compression.value, RootCompressor::Gzip);
}

#[test]
fn what_cannot_be_chosen_is_refused() {
    insta::assert_snapshot!(refusal(&[], &Selection { base: "bas".into(), ..ask() }), @r#"
    there is no base "bas"
      = did you mean "base"?
      = expected "base"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { flavor: "wifi".into(), ..ask() }), @r#"
    there is no flavor "wifi"
      = expected "sim"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { release: Some("tow".into()), ..ask() }), @r#"
    base has no release "tow"
      = did you mean "two"?
      = expected one of: one, two
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { kernel: Some("bsd".into()), ..ask() }), @r#"
    base one has no kernel "bsd"
      = expected "linux"
    "#);
    insta::assert_snapshot!(refusal(&[], &Selection { with: vec!["extra".into()], ..ask() }), @r#"
    there is no feature "extra"
      = there is none to choose from
    "#);
    let host = ("recipes/roles/host.yaml", "summary: Host\napp_config: hostapd\n");
    let feature = (FEATURE, "summary: S\ndefault: false\nroles: [host]\n");
    insta::assert_snapshot!(
        refusal(&[host, feature], &Selection { with: vec!["extra".into()], ..ask() }), @r#"
    the feature "extra" does not go with the role station
      = it goes with: host
    "#
    );
    let both = Selection { with: vec!["extra".into()], without: vec!["extra".into()], ..ask() };
    insta::assert_snapshot!(refusal(&[(FEATURE, "summary: S\ndefault: true\n")], &both), @r#"
    the feature "extra" is asked for and refused at once
      = give either --with extra or --without extra
    "#);
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nrequires: [other]\n"),
        (OTHER, "summary: O\ndefault: false\n"),
    ]), @r#"
    the feature "extra" requires "other"
      --> recipes/features/extra.yaml:3:12
       |
     3 | requires: [other]
       |            ^
      = add --with other, or --without extra
    "#);
    insta::assert_snapshot!(error(&[
        (FEATURE, "summary: S\ndefault: true\nconflicts: [other]\n"),
        (OTHER, "summary: O\ndefault: true\n"),
    ]), @r#"
    the features "extra" and "other" exclude each other
      --> recipes/features/extra.yaml:3:13
       |
     3 | conflicts: [other]
       |             ^
    the other one is on because of
      --> recipes/features/other.yaml:2:10
       |
     2 | default: true
       |          ^
      = add --without extra or --without other
    "#);
    insta::assert_snapshot!(error(&[(
        "firmware-blobs/sim.yaml", "summary: B\nmodules: [b]\nfirmware: { rule: exact }\n"
    )]), @r#"
    the flavor "sim" needs firmware, and its chipset "sim" names no package of base that holds it
      --> firmware-blobs/sim.yaml:3:19
       |
     3 | firmware: { rule: exact }
       |                   ^
      = expected "base" under "packages" in firmware-blobs/sim.yaml
    "#);
}

const ARM: &str =
    "architecture: amd64\narchitectures: { arm64: { summary: Arm, packages: [only-arm] } }\n";

#[test]
fn an_architecture_is_chosen_by_any_of_its_names_and_kernel_and_hypervisor_must_have_it() {
    let base = BASE.replace("architecture: amd64\n", ARM);
    let base = ("recipes/bases/base.yaml", base.as_str());
    let kernel = KERNEL.replace("architecture: amd64", "architecture: [amd64, arm64]");
    let kernel = ("kernels/linux.yaml", kernel.as_str());
    let vmm = "summary: VMM\nshare_transport: virtio\nnic: e1000\nconsole: ttyS0\nroot_disk: vdb\n\
               machines: { aarch64: { console: ttyAMA0, packages: [arm-vmm] } }\n";
    let vmm = ("recipes/hypervisors/vmm.yaml", vmm);
    let arm = |name: &str| Selection { architecture: Some(name.into()), ..ask() };
    for name in ["arm64", "aarch64"] {
        let recipe = catalog(&[base, kernel, vmm]).compose(&arm(name)).unwrap();
        assert_eq!(recipe.architecture.value, "arm64");
        assert_eq!(values(&recipe.packages), ["shell", "net", "only-arm", "arm-vmm"]);
        assert_eq!(recipe.hypervisor.console.value, "ttyAMA0");
    }
    assert_eq!(catalog(&[base, kernel]).compose(&ask()).unwrap().architecture.value, "amd64");
    insta::assert_snapshot!(refusal(&[], &arm("arm64")), @r#"
    base has no architecture "arm64"
      = expected "amd64"
    "#);
    insta::assert_snapshot!(refusal(&[base, kernel], &arm("arm64")), @r#"
    the hypervisor "vmm" is not known to run aarch64 guests
      = it runs: x86_64
    "#);
    // The default kernel is there for every architecture, and no kernel for one that its base lacks.
    insta::assert_snapshot!(error(&[base]), @r#"
    the kernel "linux" is for another architecture
      --> recipes/bases/base.yaml:14:11
        |
     14 | kernels: [linux]
        |           ^
    its descriptor says
      --> kernels/linux.yaml:3:15
       |
     3 | architecture: amd64
       |               ^
    the base says
      --> recipes/bases/base.yaml:4:18
       |
     4 | architectures: { arm64: { summary: Arm, packages: [only-arm] } }
       |                  ^
    "#);
    insta::assert_snapshot!(error(&[kernel]), @r#"
    there is no architecture of its base "arm64"
      --> kernels/linux.yaml:3:15
       |
     3 | architecture: [amd64, arm64]
       |               ^
      = expected "amd64"
    "#);
}

/// A chipset and a flavor of it beside `sim`, with a second kernel that only one flavor goes with.
const SEVERAL: [(&str, &str); 6] = [
    ("firmware-blobs/wave.yaml", "summary: W\nmodules: [wave]\nlicences: [L]\n"),
    ("recipes/flavors/wave.yaml", "summary: W\nchipsets: [wave]\nmodules: [extra]\n"),
    ("recipes/flavors/both.yaml", "summary: B\nchipsets: [sim, wave]\n"),
    ("firmware-blobs/own.yaml", "summary: O\nmodules: [own]\n"),
    (
        "recipes/flavors/own.yaml",
        "summary: O\nchipsets: [own]\nkernels:\n  other: { packages: [own-driver] }\n",
    ),
    (
        "kernels/other.yaml",
        "summary: A kernel\nbase: base\narchitecture: amd64\npackage: other\nimage: boot/*\n\
         modules: lib/modules/*\nboots_with: initramfs\n",
    ),
];

#[test]
fn one_guest_can_have_several_flavors() {
    let base = BASE.replace("kernels: [linux]", "kernels: [linux, other]");
    let changes = [&SEVERAL[..], &[("recipes/bases/base.yaml", base.as_str())]].concat();
    let catalog = catalog(&changes);
    let of = |flavor: &str| catalog.compose(&Selection { flavor: flavor.into(), ..ask() });
    let recipe = of("wave+sim").unwrap();
    // In the order of names, whatever was typed, each chipset once.
    assert_eq!(recipe.flavor.value, "sim+wave");
    let chipsets = |recipe: &Recipe| -> Vec<String> {
        recipe.drivers.iter().map(|set| set.chipset.value.clone()).collect()
    };
    assert_eq!(chipsets(&recipe), ["sim", "wave"]);
    assert_eq!(chipsets(&of("both+wave").unwrap()), ["sim", "wave"]);
    let modules: Vec<String> =
        values(&recipe.modules).into_iter().map(|module| module.name).collect();
    assert!(modules.ends_with(&["wave".into(), "extra".into()]), "{modules:?}");
    assert_eq!(values(&recipe.licences).last().map(String::as_str), Some("L"));
    assert!(of("sim+wav").unwrap_err().to_string().contains("did you mean \"wave\"?"));
    assert!(of("sim+").is_err());
}

#[test]
fn chipsets_that_keep_each_other_away_make_no_guest() {
    let sim =
        ("firmware-blobs/sim.yaml", "summary: Simulated\nmodules: [sim]\nconflicts: [wave]\n");
    let changes = [&SEVERAL[..], &[sim]].concat();
    let of = |flavor: &str| Selection { flavor: flavor.into(), ..ask() };
    let recipes = catalog(&changes);
    for alone in ["sim", "wave"] {
        recipes.compose(&of(alone)).unwrap();
    }
    insta::assert_snapshot!(refusal(&changes, &of("wave+sim")), @r#"
    the chipsets "sim" and "wave" cannot be in one guest
      --> firmware-blobs/sim.yaml:3:13
       |
     3 | conflicts: [wave]
       |             ^
      = one of their drivers keeps the other away; build a guest for each
    "#);
    let unknown =
        ("firmware-blobs/sim.yaml", "summary: Simulated\nmodules: [sim]\nconflicts: [wav]\n");
    let changes = [&SEVERAL[..], &[unknown]].concat();
    assert!(error(&changes).starts_with("there is no chipset \"wav\""), "{}", error(&changes));
}

#[test]
fn a_flavor_may_need_a_kernel_and_add_to_it() {
    let base = BASE.replace("kernels: [linux]", "kernels: [linux, other]");
    let changes = [&SEVERAL[..], &[("recipes/bases/base.yaml", base.as_str())]].concat();
    let with = |flavor: &str, kernel: &str| Selection {
        flavor: flavor.into(),
        kernel: Some(kernel.into()),
        ..ask()
    };
    let recipes = catalog(&changes);
    let recipe = recipes.compose(&with("own", "other")).unwrap();
    assert!(values(&recipe.packages).contains(&"own-driver".to_owned()));
    let recipe = recipes.compose(&with("sim", "other")).unwrap();
    assert!(!values(&recipe.packages).contains(&"own-driver".to_owned()));
    insta::assert_snapshot!(refusal(&changes, &with("own+sim", "linux")), @r#"
    the flavor "own" does not exist with the kernel "linux"
      --> recipes/flavors/own.yaml:4:3
       |
     4 |   other: { packages: [own-driver] }
       |   ^
      = it exists with: other
    "#);
    // No composition of all has it with another kernel, and every one of them is allowed.
    let all = recipes.spanning_compositions("base", "one", "amd64");
    assert!(all.iter().any(|selection| selection.flavor == "own"));
    for selection in &all {
        recipes.compose(selection).unwrap_or_else(|error| panic!("{selection:?}: {error}"));
    }
    let text = SEVERAL[4].1.replace("other:", "nowhere:");
    let wrong = [&changes[..], &[("recipes/flavors/own.yaml", text.as_str())]].concat();
    assert!(error(&wrong).starts_with("there is no kernel \"nowhere\""), "{}", error(&wrong));
}
