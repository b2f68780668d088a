//! `Makefile.options.BASE`: FLAVORS and OPTIONS as
//! <https://docs.freebsd.org/en/books/porters-handbook/> describes them.

use super::names::{Names, compressor};
use super::parts;
use super::text::{assign, escape};
use super::{day, machine};
use wifibox_recipe::Choice;
use wifibox_resolve::Variants;

/// The text of `Makefile.options.BASE`.
pub fn makefile(variants: &Variants, names: &Names, header: &str) -> String {
    let axes = &variants.axes;
    let mut text = header.to_owned();
    text += "\n# The day of the newest thing in the lock.\n";
    text += &assign("GUEST_DATE=", &[day(variants.source_date_epoch.into())]);
    text += &assign("GUEST_BUILDER_VERSION=", &[env!("CARGO_PKG_VERSION").to_owned()]);
    text += &assign("ONLY_FOR_ARCHS=", &[machine(&variants.target.architecture).to_owned()]);
    text += "\n";
    text += &assign("FLAVORS=", &names.flavors);

    // What is a choice between one thing is none.
    let single = [
        ("COMPRESSION", "Compression of the root image", &names.compressions),
        ("APPLICATION", "What the guest does", &names.roles),
        ("KERNEL", "Linux", &names.kernels),
    ];
    let single: Vec<_> = single.into_iter().filter(|(_, _, options)| options.len() > 1).collect();
    let groups: Vec<String> = single.iter().map(|(group, ..)| (*group).to_owned()).collect();
    text += "\n";
    text += &assign("OPTIONS_SINGLE=", &groups);
    for (group, _, options) in &single {
        text += &assign(&format!("OPTIONS_SINGLE_{group}="), options);
    }
    let both = || axes.features.iter().zip(&names.features);
    let on: Vec<String> = both().filter(|(f, _)| f.default).map(|(_, o)| o.clone()).collect();
    let extras: Vec<String> = both().filter(|(f, _)| !f.default).map(|(_, o)| o.clone()).collect();
    text += "\n";
    text += &assign("OPTIONS_DEFINE=", &[vec!["DOCS".to_owned()], on.clone()].concat());
    if !extras.is_empty() {
        text += &assign("OPTIONS_GROUP=", &["EXTRAS".to_owned()]);
        text += &assign("OPTIONS_GROUP_EXTRAS=", &extras);
    }
    let defaults = single.iter().filter_map(|(_, _, options)| options.first().cloned());
    text += &assign("OPTIONS_DEFAULT=", &defaults.chain(on).collect::<Vec<_>>());

    text += "\n";
    let mut describe = |option: &str, words: &str| {
        text += &assign(&format!("{option}_DESC="), &[escape(words)]);
    };
    for (group, words, _) in &single {
        describe(group, words);
    }
    if !extras.is_empty() {
        describe("EXTRAS", "Extras");
    }
    let codecs = axes.compressions.iter().map(|codec| compressor(*codec));
    let summaries = |choices: &'_ [Choice]| choices.iter().map(|c| c.summary.clone()).collect();
    let words: [Vec<String>; 3] =
        [codecs.map(str::to_owned).collect(), summaries(&axes.roles), summaries(&axes.kernels)];
    let options = [&names.compressions, &names.roles, &names.kernels];
    for (options, words) in options.into_iter().zip(&words).filter(|(options, _)| options.len() > 1)
    {
        for (option, words) in options.iter().zip(words) {
            describe(option, words);
        }
    }
    for (feature, option) in both() {
        describe(option, &feature.choice.summary);
    }
    text += &parts::options(axes, names, !extras.is_empty());
    text + &relations(variants, names)
}

/// The variables by which options imply or prevent others, and each flavor's agreements and
/// user-supplied firmware.
fn relations(variants: &Variants, names: &Names) -> String {
    let axes = &variants.axes;
    let mut text = String::new();
    let options = |wanted: &[String]| -> Vec<String> {
        let both = axes.features.iter().zip(&names.features);
        both.filter(|(f, _)| wanted.contains(&f.choice.name)).map(|(_, o)| o.clone()).collect()
    };
    for (feature, option) in axes.features.iter().zip(&names.features) {
        let implied = options(&feature.requires);
        if !implied.is_empty() {
            text += &assign(&format!("{option}_IMPLIES="), &implied);
        }
        let without = axes.roles.iter().zip(&names.roles);
        let without = without.filter(|(role, _)| !feature.roles.contains(&role.name));
        let mut prevented = options(&feature.conflicts);
        prevented.extend(without.map(|(_, option)| option.clone()));
        if !prevented.is_empty() {
            text += &assign(&format!("{option}_PREVENTS="), &prevented);
            let words = format!("{option} does not go with {}", prevented.join(", "));
            text += &assign(&format!("{option}_PREVENTS_MSG="), &[escape(&words)]);
        }
    }
    for flavor in &axes.flavors {
        let name = &flavor.choice.name;
        if !flavor.agreements.is_empty() {
            text += &assign(&format!("GUEST_AGREEMENTS_{name}="), &flavor.agreements);
        }
        if !flavor.firmware_of_users.is_empty() {
            text += &assign(&format!("GUEST_FIRMWARE_OF_USERS_{name}="), &flavor.firmware_of_users);
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}
