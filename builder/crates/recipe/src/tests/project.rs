//! A user's project as a layer of a composition: what it may say, what decides, and what is refused.

use std::fs;

use super::*;

/// A catalog with the project of these files; `wifibox.yaml` is the first.
fn project(files: &[(&str, &str)]) -> Result<(Catalog, Sources), RecipeError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let sources = sources(&[]).with_project(&folder.keep(), "wifibox.yaml");
    Ok((Catalog::load(&sources)?, sources))
}

fn composed(files: &[(&str, &str)]) -> (Recipe, Sources) {
    let (catalog, sources) = project(files).unwrap_or_else(|error| panic!("{error}"));
    let guest = catalog.project().unwrap().guests().next().unwrap();
    let selection = guest.selections(Some("base")).remove(0);
    (catalog.compose(&selection).unwrap_or_else(|error| panic!("{error}")), sources)
}

/// The error of reading or composing.
fn refused(files: &[(&str, &str)]) -> String {
    let composed = project(files).and_then(|(catalog, _)| {
        let guest = catalog.project().unwrap().guests().next().unwrap();
        catalog.compose(&guest.selections(Some("base")).remove(0))
    });
    composed.expect_err("an error").to_string()
}

#[test]
fn a_project_is_the_last_layer_and_says_where_each_value_is_from() {
    let text = "\
flavor: sim
release: two
packages: [editor, -net]
load_modules: [-9p, dummy]
cmdline: [quiet]
services: [own]
files:
  etc/motd: { text: Hello }
  etc/sv/own: { from: own.sh }
  etc/other: { from: own.sh, mode: '0600' }
links: { etc/link: motd }
folders: [{ from: laid, modes: { 'usr/b*': '0700' } }]
samples: { app/x.sample: { text: x } }
repositories:
  base: [{ name: further, mirrors: ['https://x.example/{release}'], keys: [] }]
";
    let files = [
        ("wifibox.yaml", text),
        ("own.sh", "#!/bin/sh\n"),
        ("laid/usr/bin", "b"),
        ("laid/etc/motd", "not this one"),
    ];
    let (recipe, sources) = composed(&files);
    assert_eq!(recipe.release.to_string_of(), "two wifibox.yaml:2:10");
    assert_eq!(recipe.flavor.to_string_of(), "sim wifibox.yaml:1:9");
    assert_eq!(recipe.role.origin.file.as_ref(), "recipes/bases/base.yaml");
    assert_eq!(values(&recipe.packages), ["shell", "only-in-two", "editor"]);
    assert_eq!(recipe.packages[2].origin.to_string(), "wifibox.yaml:3:12");
    assert_eq!(values(&recipe.cmdline), ["quiet"]);
    let modules: Vec<String> = recipe.load_modules.iter().map(|m| m.value.to_string()).collect();
    assert_eq!(modules, ["virtio_net?", "dummy"]);
    assert_eq!(values(&recipe.services), ["daemon", "own"]);
    let own: Vec<String> = recipe
        .own
        .iter()
        .map(|(path, own)| match &own.value {
            Own::Link(target) => format!("{path} -> {target}"),
            Own::File(file) => {
                let bytes = file.read(&sources).unwrap();
                format!("{path} {} {}", file.mode, String::from_utf8_lossy(&bytes).trim_end())
            }
        })
        .collect();
    assert_eq!(
        own,
        [
            "/etc/link -> motd",
            "/etc/motd 0644 Hello",
            "/etc/other 0600 #!/bin/sh",
            "/etc/sv/own 0755 #!/bin/sh",
            "/usr/bin 0700 b",
        ]
    );
    assert_eq!(
        recipe.samples.keys().map(GuestPath::to_string).collect::<Vec<_>>(),
        ["/app/x.sample"]
    );
    let further = recipe.repositories.last().unwrap();
    assert_eq!(
        (further.name.as_str(), further.mirrors[0].as_str()),
        ("further", "https://x.example/two")
    );
    assert_eq!(further.origin.to_string(), "wifibox.yaml:15:10");
}

trait Said {
    fn to_string_of(&self) -> String;
}

impl Said for Sourced<String> {
    fn to_string_of(&self) -> String {
        format!("{} {}", self.value, self.origin)
    }
}

#[test]
fn several_guests_share_what_stands_outside() {
    let text = "\
base: base
flavor: sim
with: [extra]
out: all
packages: [shared]
files: { etc/a: { text: shared }, etc/b: { text: shared } }
guests:
  one: { without: [extra], packages: [-shared, own], files: { etc/b: { text: own } } }
  two: { release: two, flavor: [sim, sim], out: elsewhere }
";
    let (catalog, _) = project(&[("wifibox.yaml", text)]).unwrap_or_else(|error| panic!("{error}"));
    let project = catalog.project().unwrap();
    let one = project.guest("one").unwrap();
    assert_eq!((one.flavors(), one.out()), (vec!["sim".to_owned()], Some("all/one".to_owned())));
    assert_eq!(one.features(), (vec![], vec!["extra".to_owned()]));
    let two = project.guest("two").unwrap();
    assert_eq!((two.flavors().len(), two.out()), (2, Some("elsewhere".to_owned())));
    assert_eq!(two.features(), (vec!["extra".to_owned()], vec![]));
    let selection = Selection { without: vec![], ..one.selections(None).remove(0) };
    let recipe = catalog.compose(&selection).unwrap();
    assert_eq!(values(&recipe.packages), ["shell", "net", "own"]);
    let text = |path: &str| match &recipe.own[&GuestPath::new(path).unwrap()].value {
        Own::File(OwnFile { content: OwnContent::Text(text), .. }) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((text("etc/a"), text("etc/b")), ("shared".to_owned(), "own".to_owned()));
    // The lock is for those of its release.
    let own = |release: &str| {
        let all = catalog.spanning_compositions("base", release, "amd64");
        all.iter().filter_map(|selection| selection.guest.clone()).collect::<Vec<_>>()
    };
    assert_eq!(own("one"), ["one"]);
    assert_eq!(own("two"), ["two", "two"]);
    insta::assert_snapshot!(project.guest("tow").unwrap_err(), @r#"
    there is no guest "tow" in wifibox.yaml
      = did you mean "two"?
      = expected one of: one, two
    "#);
}

#[test]
fn secrets_are_refused_unless_they_are_meant() {
    let wpa = ("wpa.conf", "network={\n  psk=\"open sesame\"\n}\n");
    insta::assert_snapshot!(
        refused(&[("wifibox.yaml", "flavor: sim\nfiles:\n  etc/wpa.conf: { from: wpa.conf }\n"), wpa]), @r#"
    /etc/wpa.conf looks like a secret: line 2 has a value of psk
      --> wifibox.yaml:3:3
       |
     3 |   etc/wpa.conf: { from: wpa.conf }
       |   ^
      = everybody who has the output can read it: keep it in the host's configuration
      = if it is meant to be in the output: secret: true
    "#);
    composed(&[
        ("wifibox.yaml", "flavor: sim\nfiles: { etc/w: { from: wpa.conf, secret: true } }\n"),
        wpa,
    ]);
    let folder = |more: &str| {
        let text = format!("flavor: sim\nfolders: [{{ from: d, over: samples{more} }}]\n");
        let key = ("d/x/id_rsa", "anything");
        project(&[("wifibox.yaml", &text), key]).map(drop)
    };
    let error = folder("").expect_err("a secret").to_string();
    assert!(error.contains("d/x/id_rsa looks like a secret"), "{error}");
    assert!(error.contains("secrets: [x/id_rsa]"), "{error}");
    folder(", secrets: ['x/*']").unwrap_or_else(|error| panic!("{error}"));
    let error = folder(", secrets: ['*.key']").expect_err("no such file").to_string();
    assert!(error.contains("no file of d matches \"*.key\""), "{error}");
}

#[test]
fn what_would_have_no_effect_is_refused() {
    let said = |more: &str| refused(&[("wifibox.yaml", &format!("flavor: sim\n{more}\n"))]);
    for (more, what, help) in [
        ("files: { etc/passwd: { text: x } }", "/etc/passwd is made by the builder", "accounts"),
        ("files: { run/x: { text: x } }", "/run/x would not be seen: /run is made", "service"),
        ("services: [mine]", "no overlay holds root/etc/sv/mine", "overlays"),
        ("files: { etc/x: { } }", "a file has either a text, or a file", "{ from: FILE }"),
        ("files: { etc/x: { from: ../y } }", "\"../y\" does not lead to something below", ".."),
        ("files: { etc/x: { from: gone } }", "cannot read", "wifibox.yaml:2:10"),
        ("folders: [{ from: gone }]", "there is no file in the folder gone", "starts"),
        ("files: { etc/x: { text: x } }\nlinks: { etc/x: y }", "both a file and a link", "3:10"),
        ("packages: [-gone]", "no entry \"gone\" to remove", "2:12"),
        ("guests: { Home: {} }", "\"Home\" cannot be the name of a guest", "lower-case"),
        ("overlays: [gone]", "there is no folder of overlays \"gone\"", "common"),
        ("repositories: { bas: [] }", "there is no base \"bas\"", "did you mean \"base\"?"),
        ("pakages: [x]", "unknown key \"pakages\"", "did you mean \"packages\"?"),
    ] {
        let error = said(more);
        assert!(error.contains(what) && error.contains(help), "{more}: {error}");
        assert!(error.contains("wifibox.yaml:"), "{more}: {error}");
    }
}

#[test]
fn a_region_is_for_access_points_to_which_no_other_way_leads() {
    let region = "region: { country: DE, channels: [36, 40], power: 20 }";
    let roles = [
        ("recipes/roles/access-point.yaml", "summary: AP\napp_config: hostapd\n"),
        ("recipes/features/uds_passthru.yaml", "summary: Sockets\ndefault: true\n"),
        ("recipes/features/forwarding.yaml", "summary: socat\ndefault: false\n"),
        ("recipes/guest.yaml", "summary: All\noverlays: [common]\nservices: [daemon, console]\n"),
        ("overlays/common/root/etc/sv/daemon", "#!/bin/sh\n"),
        ("overlays/common/root/etc/sv/console", "#!/bin/sh\n"),
    ];
    let compose = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("wifibox.yaml"), format!("flavor: sim\n{text}\n")).unwrap();
        let sources = sources(&roles).with_project(folder.path(), "wifibox.yaml");
        let catalog = Catalog::load(&sources)?;
        let guest = catalog.project().unwrap().guests().next().unwrap();
        catalog.compose(&guest.selections(Some("base")).remove(0))
    };
    let quiet = "role: access-point\nwithout: [uds_passthru]";
    let recipe = compose(&format!("{quiet}\n{region}")).unwrap_or_else(|error| panic!("{error}"));
    let file = &recipe.files[&GuestPath::new("etc/wifibox/region").unwrap()].value;
    assert!(file.text.ends_with("\ncountry=DE\nchannels='36 40'\npower=20\n"), "{}", file.text);
    assert_eq!(values(&recipe.services), ["daemon"]);
    assert!(values(&recipe.overlays).contains(&"region".to_owned()));
    let without = compose(quiet).unwrap();
    assert_eq!(values(&without.services), ["daemon", "console"]);

    for (text, what) in [
        (format!("role: access-point\n{region}"), "without: [uds_passthru]"),
        (format!("{quiet}\nwith: [forwarding]\n{region}"), "without: [forwarding]"),
        (format!("without: [uds_passthru]\n{region}"), "for the role access-point"),
        (format!("{quiet}\n{}", region.replace("DE", "de")), "\"de\" is no country"),
        (format!("{quiet}\n{}", region.replace("36", "37")), "37 is no channel"),
        (format!("{quiet}\n{}", region.replace("36, 40", "")), "name at least one"),
        (format!("{quiet}\n{}", region.replace("20 }", "200 }")), "200 dBm is no limit"),
        (format!("{quiet}\n{}", region.replace("36", "300")), "300"),
    ] {
        let error = compose(&text).expect_err("an error").to_string();
        assert!(error.contains(what) && error.contains("wifibox.yaml:"), "{text}: {error}");
    }
}

#[test]
fn files_that_change_are_noticed() {
    let files = [("wifibox.yaml", "flavor: sim\nfiles: { etc/x: { from: x } }\n"), ("x", "before")];
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let sources = sources(&[]).with_project(folder.path(), "wifibox.yaml");
    let catalog = Catalog::load(&sources).unwrap();
    let selection = Selection { guest: Some(String::new()), ..ask() };
    let recipe = catalog.compose(&selection).unwrap();
    let Some(Own::File(file)) = recipe.own.values().next().map(|own| &own.value) else { panic!() };
    assert_eq!(file.read(&sources).unwrap(), b"before");
    fs::write(folder.path().join("x"), "after").unwrap();
    let error = file.read(&sources).unwrap_err().to_string();
    assert!(error.contains("has changed while it was used"), "{error}");
}
