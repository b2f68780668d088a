//! A recipe's region in the guest: the file that says it, the scripts that keep to it, and nothing that leads past it.

use wifibox_ground::path::GuestPath;

use super::composed::Recipe;
use super::error::{Problem, RecipeError, Texts};
use super::kinds::InitSystem;
use super::located::Sourced;
use super::records::FileText;
use super::scalars::Mode;

/// Where the guest's scripts find it.
const FILE: &str = "etc/wifibox/region";
/// The overlay of the scripts that keep to it.
const OVERLAY: &str = "region";
/// A service that gives a shell to whoever reaches the console.
const CONSOLE: &str = "console";
/// Features by which the host's configuration has a way to the radio, and which.
const WAYS: [(&str, &str); 2] = [
    ("uds_passthru", "hands hostapd's controls to the host"),
    ("forwarding", "runs what the host's forwarding.conf says"),
];

/// Puts the recipe's region into the guest, and takes out of it what would give others a way to the radio.
///
/// # Errors
/// [`RecipeError::Invalid`] where nothing in the guest would keep to it.
pub(super) fn pin(texts: &Texts, recipe: &mut Recipe) -> Result<(), RecipeError> {
    let Some(region) = &recipe.region else { return Ok(()) };
    let refuse = |what: String, help: &str| {
        let problem = Problem::new(what).at(texts.place(&region.origin)).help(help);
        Err(RecipeError::invalid(problem))
    };
    if recipe.init_system.value != InitSystem::Supervised {
        let what = format!("guests of the base {} do not keep to a region", recipe.base.value);
        return refuse(what, "the bases alpine and debian do");
    }
    if recipe.role.value != "access-point" {
        let what = format!(
            "a guest with the role {} keeps to the rules of its access point",
            recipe.role.value
        );
        return refuse(what, "a region is for the role access-point");
    }
    let on = |name: &str| recipe.features.iter().any(|feature| feature.value == name);
    if let Some((feature, how)) = WAYS.iter().find(|(name, _)| on(name)) {
        let what = format!("the feature {feature} {how}, which leads past a region");
        return refuse(what, &format!("take it out: without: [{feature}]"));
    }
    let Ok(path) = GuestPath::new(FILE) else {
        return refuse(
            format!("{FILE} is no path in a guest"),
            "no guest is made that would not keep to it",
        );
    };
    let file = FileText { text: region.value.text(), mode: Mode::file() };
    let origin = region.origin.clone();
    recipe.files.insert(path, Sourced { value: file, origin: origin.clone() });
    recipe.overlays.push(Sourced { value: OVERLAY.to_owned(), origin });
    recipe.services.retain(|service| service.value != CONSOLE);
    Ok(())
}
