//! `Makefile.distfiles.BASE` and `distinfo.BASE`: what the port fetches, for every flavor and every set
//! of options, and how each file is recognised.
//!
//! Names are paths below the mirror, so that one group of MASTER_SITES serves a whole repository; ports'
//! fetch makes the folders, and `wifibox-build --distdir` finds files by the same paths.

use std::collections::{BTreeMap, BTreeSet};

use super::cover::{Condition, Point, cover};
use super::names::{Names, compressor};
use super::parts;
use super::text::assign;
use super::{DIST_SUBDIR, ExportError};
use wifibox_resolve::{VariantFile, Variants};

/// The axes of [`Point`]s: flavor, kernel, role, and from here on features.
pub(crate) const FEATURES: usize = 3;

/// The combinations of `variants`, in their order.
pub fn points(variants: &Variants) -> Vec<Point> {
    let point = |variant: &wifibox_resolve::Variant| {
        let features = variant.features.iter().map(|on| usize::from(*on));
        [variant.flavor, variant.kernel, variant.role].into_iter().chain(features).collect()
    };
    variants.variants.iter().map(point).collect()
}

/// The group of MASTER_SITES that a repository's mirrors are.
fn group(repository: &str) -> String {
    repository.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A path that ports can fetch and find again.
fn checked(file: &VariantFile) -> Result<&str, ExportError> {
    let good = |c: char| c.is_ascii_alphanumeric() || "+-._~/%@,=".contains(c);
    let parts = file.path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if parts && file.path.chars().all(good) {
        Ok(&file.path)
    } else {
        Err(ExportError::Name { repository: file.repository.clone(), path: file.path.clone() })
    }
}

/// The text of `Makefile.distfiles.BASE`.
///
/// # Errors
/// [`ExportError::Name`].
pub fn makefile(variants: &Variants, names: &Names, header: &str) -> Result<String, ExportError> {
    let points = points(variants);
    let mut text = header.to_owned();
    text += "\n";
    text += &assign("DIST_SUBDIR=", &[DIST_SUBDIR.to_owned()]);
    text += "\n";
    text += &sites(variants);
    text += "\n# What 'make makesum' sums up: all of it.\n\
             .if make(makesum) || make(fetch-url-list-int) || make(distclean)\n\
             _ALL_DISTFILES=\tyes\n.endif\n";
    text += &parts::chosen(&variants.axes, names);
    let mut listed: BTreeMap<Vec<Condition>, BTreeSet<String>> = BTreeMap::new();
    for (place, file) in variants.files.iter().enumerate() {
        let inside = |number: usize| {
            variants.variants.get(number).is_some_and(|variant| variant.files.contains(&place))
        };
        let name = format!("{}:{}", checked(file)?, group(&file.repository));
        listed.entry(cover(&points, &inside)).or_default().insert(name);
    }
    for (conditions, files) in listed {
        let files: Vec<String> = files.into_iter().collect();
        let words: Vec<String> = conditions.iter().map(|c| words(c, names)).collect();
        text += "\n";
        match words.as_slice() {
            [] => {}
            [always] if always.is_empty() => text += &assign("DISTFILES+=", &files),
            words => {
                let either = words.join(" \\\n\t|| ");
                text += &format!(".if defined(_ALL_DISTFILES) \\\n\t|| {either}\n");
                text += &assign("DISTFILES+=", &files);
                text += ".endif\n";
            }
        }
    }
    text += &arguments(variants, names);
    Ok(text)
}

fn sites(variants: &Variants) -> String {
    let mut sites: BTreeMap<String, &[String]> = BTreeMap::new();
    for file in &variants.files {
        sites.entry(group(&file.repository)).or_insert(&file.mirrors);
    }
    let mut urls = Vec::new();
    for (group, mirrors) in &sites {
        let mirrors = mirrors.iter().map(|url| url.trim_end_matches('/'));
        urls.extend(mirrors.clone().map(|url| format!("{url}/:{group}")));
        let archives = mirrors.filter_map(|url| archive(url, variants.source_date_epoch));
        let archives: BTreeSet<String> = archives.collect();
        urls.extend(archives.into_iter().map(|url| format!("{url}/:{group}")));
    }
    assign("MASTER_SITES=", &urls)
}

/// Where the files of a Debian mirror are for ever: mirrors delete what is not the newest. The archive gives out
/// the state before a time; the newest thing of the lock was everywhere a day after it was made.
pub(super) fn archive(mirror: &str, newest: u32) -> Option<String> {
    let (host, path) = mirror.split_once("://")?.1.split_once('/')?;
    let name = path.trim_end_matches('/');
    if !host.ends_with(".debian.org") || !["debian", "debian-security"].contains(&name) {
        return None;
    }
    let day = jiff::Timestamp::from_second(i64::from(newest) + 24 * 60 * 60).ok()?;
    let day = day.strftime("%Y%m%dT%H%M%SZ");
    Some(format!("https://snapshot.debian.org/archive/{name}/{day}"))
}

/// A conjunction in the words of make(1); empty if it always holds.
fn words(condition: &Condition, names: &Names) -> String {
    let any = |options: Vec<String>| match options.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(" || ")),
    };
    let options = |list: &[String], values: &BTreeSet<usize>| {
        let chosen = values.iter().filter_map(|value| list.get(*value));
        any(chosen.map(|option| format!("${{PORT_OPTIONS:M{option}}}")).collect())
    };
    let words = condition.iter().map(|(axis, values)| match *axis {
        0 => {
            let chosen = values.iter().filter_map(|value| names.flavors.get(*value));
            let chosen: Vec<&str> = chosen.map(String::as_str).collect();
            any(parts::condition(&chosen, names))
        }
        1 => options(&names.kernels, values),
        2 => options(&names.roles, values),
        axis => {
            let option = names.features.get(axis - FEATURES).map_or("", String::as_str);
            if values.contains(&1) {
                format!("${{PORT_OPTIONS:M{option}}}")
            } else {
                format!("empty(PORT_OPTIONS:M{option})")
            }
        }
    });
    words.collect::<Vec<_>>().join(" && ")
}

/// The builder's arguments for the chosen options.
fn arguments(variants: &Variants, names: &Names) -> String {
    let axes = &variants.axes;
    let target = &variants.target;
    let mut text = "\n# What the builder is told of all this.\n".to_owned();
    let lock = variants.locks.first().map(|(name, _)| name.as_str()).unwrap_or_default();
    text += &assign("GUEST_LOCK=", &[format!("${{FILESDIR}}/{lock}")]);
    let mut fixed = vec![
        format!("--base {}", target.base),
        format!("--release {}", target.release),
        format!("--arch {}", target.architecture),
    ];
    let kernels = axes.kernels.iter().map(|choice| ("--kernel", choice.name.as_str()));
    let roles = axes.roles.iter().map(|choice| ("--role", choice.name.as_str()));
    let codecs = axes.compressions.iter().map(|c| ("--compression", compressor(*c)));
    let single = [
        (kernels.collect::<Vec<_>>(), &names.kernels),
        (roles.collect(), &names.roles),
        (codecs.collect(), &names.compressions),
    ];
    let mut chosen = String::new();
    for (arguments, options) in &single {
        match arguments.as_slice() {
            [(flag, name)] => fixed.push(format!("{flag} {name}")),
            several => {
                for ((flag, name), option) in several.iter().zip(options.iter()) {
                    chosen += &format!(".if ${{PORT_OPTIONS:M{option}}}\n");
                    chosen += &assign("GUEST_ARGS+=", &[format!("{flag} {name}")]);
                    chosen += ".endif\n";
                }
            }
        }
    }
    if !axes.has_firmware_packages {
        fixed.push("${GUEST_FIRMWARE_ARCHIVE}".to_owned());
    }
    text += &assign("GUEST_ARGS=", &fixed);
    text += &chosen;
    for (feature, option) in axes.features.iter().zip(&names.features) {
        let name = &feature.choice.name;
        let mut condition = format!("${{PORT_OPTIONS:M{option}}}");
        text += &format!(".if {condition}\n");
        text += &assign("GUEST_ARGS+=", &[format!("--with {name}")]);
        // A role that it does not go with has no say in it.
        if feature.roles.len() == axes.roles.len() {
            text += ".else\n";
        } else {
            let both = axes.roles.iter().zip(&names.roles);
            let with = both.filter(|(role, _)| feature.roles.contains(&role.name));
            let with: Vec<String> =
                with.map(|(_, option)| format!("${{PORT_OPTIONS:M{option}}}")).collect();
            condition = with.join(" || ");
            text += &format!(".elif {condition}\n");
        }
        text += &assign("GUEST_ARGS+=", &[format!("--without {name}")]);
        text += ".endif\n";
    }
    if !axes.has_firmware_packages {
        let archive = "GUEST_FIRMWARE_ARCHIVE=";
        text += "# The archive of linux-firmware, where this guest needs it.\n\
                 .if !empty(DISTFILES:M*\\:linux_firmware)\n";
        text += &assign(archive, &["--firmware-archive upstream".to_owned()]);
        text += ".endif\n";
    }
    text
}

/// The text of `distinfo.BASE`.
///
/// # Errors
/// [`ExportError::Name`].
pub fn distinfo(variants: &Variants) -> Result<String, ExportError> {
    let mut files: Vec<&VariantFile> = variants.files.iter().collect();
    files.sort_by_key(|file| &file.path);
    let mut text = format!("TIMESTAMP = {}\n", variants.source_date_epoch);
    for file in files {
        let path = checked(file)?;
        text += &format!("SHA256 ({DIST_SUBDIR}/{path}) = {}\n", file.sha256);
        text += &format!("SIZE ({DIST_SUBDIR}/{path}) = {}\n", file.size);
    }
    Ok(text)
}
