//! Guests that OpenRC starts: runlevels, and what does not count for them.

use super::*;

const OPENRC: &str = "init: sbin/init\ninit_system: openrc\naccounts_from: packages\n";
const STATION: &str = "recipes/roles/station.yaml";

/// The base of the other tests, started by OpenRC.
fn base() -> String {
    let boot = "runlevels: { boot: [modules, urandom], default: [acpid] }\n";
    format!("{}{boot}", BASE.replace("init: sbin/init\n", OPENRC))
}

#[test]
fn runlevels_add_up_and_services_do_not_count() {
    let role = "summary: Station\napp_config: wpa_supplicant\nservices: [-daemon]\n\
                on: { base: { runlevels: { boot: [-urandom, wpa_supplicant] } } }\n";
    let guest = format!(
        "{GUEST}started_by:\n  openrc: {{ files: {{ etc/issue: {{ text: OpenRC }} }} }}\n  \
         supervised: {{ files: {{ etc/issue: {{ text: rc }} }} }}\n"
    );
    let base = base();
    let changes =
        [("recipes/bases/base.yaml", &*base), (STATION, role), ("recipes/guest.yaml", &*guest)];
    let recipe = compose(&changes);
    assert_eq!(values(&recipe.services), [""; 0]);
    assert_eq!(values(&recipe.runlevels["boot"]), ["modules", "wpa_supplicant"]);
    assert_eq!(values(&recipe.runlevels["default"]), ["acpid"]);
    assert_eq!(recipe.files.values().next().map(|file| &*file.value.text), Some("OpenRC"));
    let shown = recipe.show().to_string();
    assert!(shown.contains("\n  - boot/wpa_supplicant "), "{shown}");

    let supervised = compose(&[("recipes/guest.yaml", &guest)]);
    assert_eq!(values(&supervised.services), ["daemon"]);
    assert_eq!(supervised.files.values().next().map(|file| &*file.value.text), Some("rc"));
}

#[test]
fn runlevels_need_openrc() {
    let role = "summary: Station\napp_config: wpa_supplicant\nrunlevels: { boot: [ghost] }\n";
    let message = error(&[(STATION, role)]);
    assert!(message.contains("the service ghost is in a runlevel, without OpenRC"), "{message}");
    assert!(message.contains("recipes/roles/station.yaml:3:"), "{message}");
}

#[test]
fn a_runlevel_that_lacks_a_service_cannot_lose_it() {
    let role = "summary: Station\napp_config: wpa_supplicant\nrunlevels: { boot: [-moduls] }\n";
    let base = base();
    let message = error(&[("recipes/bases/base.yaml", &*base), (STATION, role)]);
    assert!(message.contains("\"moduls\"") && message.contains("modules"), "{message}");
}

#[test]
fn accounts_of_packages_are_not_looked_for_in_recipes() {
    let guest = "summary: Every guest\noverlays: [common]\n\
                 directories: [{ path: srv, user: somebody }]\n";
    let base = base();
    compose(&[("recipes/bases/base.yaml", &*base), ("recipes/guest.yaml", guest)]);
    let message = error(&[("recipes/guest.yaml", guest)]);
    assert!(message.contains("\"somebody\" is not declared"), "{message}");
}
