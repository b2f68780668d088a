//! `pkg-plist.BASE`: what the port installs, with the options on which it depends.
//!
//! Samples come from the share `config` and `app_config`; the skeleton of the share `var` lies where
//! net/wifibox-core shares it from. Modes and places are the contract's (`wifibox-guest(5)`).

use std::collections::{BTreeMap, BTreeSet};

use super::ExportError;
use super::cover::{Condition, cover};
use super::distfiles::{FEATURES, points};
use super::names::Names;
use wifibox_resolve::Variants;

/// Where net/wifibox-core takes the share `var` from.
const VAR: &str = "/var/run/wifibox/appliance";

/// The files that every guest installs, below PREFIX. The man page has the name that net/wifibox-core links
/// `wifibox-guest.5.gz` to.
const ALWAYS: [&str; 4] = [
    "share/man/man5/wifibox-alpine.5.gz",
    "share/wifibox/esp.img",
    "share/wifibox/manifest.json",
    "share/wifibox/root.img",
];

/// The text of `pkg-plist.BASE`.
///
/// # Errors
/// [`ExportError::Flavored`] if a file depends on the flavor or the kernel.
pub fn plist(variants: &Variants, names: &Names) -> Result<String, ExportError> {
    let points = points(variants);
    let mut files: BTreeMap<String, Vec<Condition>> = BTreeMap::new();
    let mut folders: BTreeMap<String, Vec<Condition>> = BTreeMap::new();
    let of = |number: usize| {
        let variant = variants.variants.get(number)?;
        variants.host_files.get(variant.host_files)
    };
    for path in variants.host_files.iter().flatten().collect::<BTreeSet<_>>() {
        let there = cover(&points, &|number| of(number).is_some_and(|set| set.contains(path)));
        let folder = path.strip_suffix("/.keep");
        let Some(below_var) = folder.unwrap_or(path).strip_prefix("var/") else {
            if folder.is_none() {
                files.insert(path.clone(), there);
            }
            continue;
        };
        if folder.is_none() {
            files.insert(format!("{VAR}/{below_var}"), there);
        }
        // The folder itself if it is one, and all above.
        let mut name = below_var;
        if folder.is_none() {
            name = name.rsplit_once('/').map_or("", |(above, _)| above);
        }
        while !name.is_empty() {
            let within = |set: &BTreeSet<String>| {
                set.iter().any(|path| path.starts_with(&format!("var/{name}/")))
            };
            let there = cover(&points, &|number| of(number).is_some_and(within));
            folders.insert(format!("{VAR}/{name}"), there);
            name = name.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    files.extend(ALWAYS.map(|path| (path.to_owned(), vec![Condition::new()])));
    let mut text = String::new();
    // Below PREFIX first.
    let (below, elsewhere): (Vec<_>, Vec<_>) =
        files.iter().partition(|(path, _)| !path.starts_with('/'));
    for (path, conditions) in below.into_iter().chain(elsewhere) {
        let keyword = if path.ends_with(".sample") { "@sample(,,640) " } else { "" };
        for prefix in prefixes(path, conditions, names)? {
            text += &format!("{prefix}{keyword}{path}\n");
        }
    }
    for (path, conditions) in folders.iter().rev() {
        for prefix in prefixes(path, conditions, names)? {
            text += &format!("{prefix}@dir {path}\n");
        }
    }
    text += &format!("@dir {VAR}\n@dir /var/run/wifibox\n");
    Ok(text)
}

/// `%%OPTION%%` or `%%NO_OPTION%%` for each option that matters; one text to each way to have it.
fn prefixes(
    path: &str,
    conditions: &[Condition],
    names: &Names,
) -> Result<Vec<String>, ExportError> {
    let mut all = Vec::new();
    for condition in conditions {
        let mut texts = vec![String::new()];
        for (axis, values) in condition {
            let words: Vec<String> = match *axis {
                0 | 1 => return Err(ExportError::Flavored { path: path.to_owned() }),
                2 => values
                    .iter()
                    .filter_map(|value| names.roles.get(*value))
                    .map(|option| format!("%%{option}%%"))
                    .collect(),
                axis => {
                    let option = names.features.get(axis - FEATURES).map_or("", String::as_str);
                    let no = if values.contains(&1) { "" } else { "NO_" };
                    vec![format!("%%{no}{option}%%")]
                }
            };
            texts = texts
                .iter()
                .flat_map(|text| words.iter().map(move |word| format!("{text}{word}")))
                .collect();
        }
        all.extend(texts);
    }
    all.sort();
    Ok(all)
}
