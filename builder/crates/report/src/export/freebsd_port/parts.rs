//! The parts of the flavor `default`: options by which its guest has the drivers and firmware of some other flavors
//! only, as `FW_*` of net/wifibox-alpine.
//!
//! Which files several flavors need together is not resolved for each of their sets: they are the files of each. The
//! conditions of `Makefile.distfiles.BASE` ask for `GUEST_FLAVORS`, which holds the flavors that were chosen.

use super::names::{Names, WHOLE};
use super::text::{assign, escape};
use wifibox_recipe::{Axes, FlavorChoice};

/// The flavors with an option, and whether the flavor `default` has all that they have.
fn parts<'a>(
    axes: &'a Axes,
    names: &'a Names,
) -> impl Iterator<Item = (&'a FlavorChoice, &'a str, bool)> {
    let whole = axes.flavors.iter().find(|flavor| flavor.choice.name == WHOLE);
    let both = axes.flavors.iter().zip(&names.parts);
    both.filter_map(move |(flavor, option)| {
        let mut chipsets = flavor.chipsets.iter();
        let is_on = chipsets.all(|name| whole.is_some_and(|whole| whole.chipsets.contains(name)));
        Some((flavor, option.as_deref()?, is_on))
    })
}

/// The options, for `Makefile.options.BASE`.
pub(super) fn options(axes: &Axes, names: &Names, has_extras: bool) -> String {
    let all: Vec<_> = parts(axes, names).collect();
    if all.is_empty() {
        return String::new();
    }
    let (alone, together): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(flavor, ..)| !flavor.kernels.is_empty());
    let owned = |list: &[(&FlavorChoice, &str, bool)]| -> Vec<String> {
        list.iter().map(|(_, option, _)| (*option).to_owned()).collect()
    };
    let mut text = "\n# What the guest of this flavor is made of.\n\
                    .if ${FLAVOR:U${FLAVORS:[1]}} == default\n"
        .to_owned();
    text += &assign("OPTIONS_GROUP+=", &["FIRMWARE".to_owned()]);
    text += &assign("OPTIONS_GROUP_FIRMWARE=", &owned(&together));
    let on: Vec<_> = together.iter().filter(|(.., on)| *on).copied().collect();
    text += &assign("OPTIONS_DEFAULT+=", &owned(&on));
    text += &assign("FIRMWARE_DESC=", &["Drivers and firmware".to_owned()]);
    if !alone.is_empty() {
        if !has_extras {
            text += &assign("OPTIONS_GROUP+=", &["EXTRAS".to_owned()]);
            text += &assign("EXTRAS_DESC=", &["Extras".to_owned()]);
        }
        text += &assign("OPTIONS_GROUP_EXTRAS+=", &owned(&alone));
    }
    for (flavor, option, _) in together.iter().chain(&alone) {
        let mut words = flavor.choice.summary.clone();
        if !flavor.kernels.is_empty() {
            words += " (in place of FW_*)";
        }
        text += &assign(&format!("{option}_DESC="), &[escape(&words)]);
    }
    text + ".endif\n"
}

/// `GUEST_FLAVORS`, and `GUEST_FLAVOR` as the builder is told it, for `Makefile.distfiles.BASE`.
pub(super) fn chosen(axes: &Axes, names: &Names) -> String {
    let mut text = "\n# The flavors that this guest is made of.\n".to_owned();
    let all: Vec<_> = parts(axes, names).collect();
    if !all.is_empty() {
        text += ".if ${FLAVOR} == default\n";
        let (alone, together): (Vec<_>, Vec<_>) =
            all.iter().partition(|(flavor, ..)| !flavor.kernels.is_empty());
        for (flavor, option, _) in &together {
            text += &format!(".  if ${{PORT_OPTIONS:M{option}}}\n");
            text += &assign("GUEST_FLAVORS+=", std::slice::from_ref(&flavor.choice.name));
            text += ".  endif\n";
        }
        for (flavor, option, _) in &alone {
            text += &format!(".  if ${{PORT_OPTIONS:M{option}}}\n");
            text += &assign("GUEST_FLAVORS=", std::slice::from_ref(&flavor.choice.name));
            text += ".  endif\n";
        }
        text += ".  if empty(GUEST_FLAVORS)\n";
        text += &assign("IGNORE?=", &["needs at least one of the options FW_*".to_owned()]);
        text += ".  endif\n";
        let mut whole: Vec<&str> = together
            .iter()
            .filter(|(.., on)| *on)
            .map(|(flavor, ..)| flavor.choice.name.as_str())
            .collect();
        whole.sort_unstable();
        text += &assign("GUEST_FLAVOR=", &["${GUEST_FLAVORS:O:ts+}".to_owned()]);
        text += &format!(".  if ${{GUEST_FLAVOR}} == {}\n", whole.join("+"));
        text += &assign("GUEST_FLAVOR=", &[WHOLE.to_owned()]);
        text += ".  endif\n.endif\n";
    }
    text += &assign("GUEST_FLAVORS?=", &["${FLAVOR}".to_owned()]);
    text += &assign("GUEST_FLAVOR?=", &["${FLAVOR}".to_owned()]);
    for flavor in axes.flavors.iter().filter(|flavor| !flavor.kernels.is_empty()) {
        let both = axes.kernels.iter().zip(&names.kernels);
        let with = both.filter(|(kernel, _)| flavor.goes_with(&kernel.name));
        let with: Vec<&str> = with.map(|(_, option)| option.as_str()).collect();
        let name = &flavor.choice.name;
        let none: Vec<String> =
            with.iter().map(|option| format!("empty(PORT_OPTIONS:M{option})")).collect();
        // One kernel is no choice.
        if axes.kernels.len() > 1 {
            text += &format!(".if ${{GUEST_FLAVORS:M{name}}} && {}\n", none.join(" && "));
            let words = format!("has {name} for the kernels of {} only", with.join(" and "));
            text += &assign("IGNORE?=", &[words]);
            text += ".endif\n";
        }
    }
    text
}

/// The condition that the guest has one of these flavors.
pub(super) fn condition(axes: &[&str], names: &Names) -> Vec<String> {
    let offered = names.parts.iter().any(Option::is_some);
    if !offered {
        return axes.iter().map(|flavor| format!("${{FLAVOR}} == {flavor}")).collect();
    }
    let parts: Vec<&&str> = axes.iter().filter(|flavor| **flavor != WHOLE).collect();
    if parts.is_empty() {
        return vec![format!("${{FLAVOR}} == {WHOLE}")];
    }
    parts.into_iter().map(|flavor| format!("${{GUEST_FLAVORS:M{flavor}}}")).collect()
}
