//! The metadata of packages, beside their files: scripts, and whose files they may take.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::archive;
use super::licences::{self, Collector};
use super::{ChosenPackage, Claim, Error};
use crate::Context;
use crate::openwrt::{self, PackageFacts};
use crate::scripts::Script;
use wifibox_formats::deb822::Reader;
use wifibox_formats::reader::{Metadata, Source};
use wifibox_ground::digest::Sha256;
use wifibox_recipe::Format;

/// Scripts that do not run when a package is installed on an empty system.
const OTHER_SCRIPTS: [&str; 6] =
    ["prerm", "postrm", "pre-upgrade", "post-upgrade", "pre-deinstall", "post-deinstall"];

/// The metadata of one package.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Control {
    /// The scripts that would run when it is installed on an empty system.
    pub scripts: Vec<Script>,
    /// apk: the folders for whose changes the script `trigger` is run, as patterns.
    #[serde(default)]
    pub triggers: Vec<String>,
    /// Debian: the questions that its scripts may ask.
    #[serde(default)]
    pub templates: Option<String>,
    /// Debian: whether it has dependencies that must be there before it is unpacked.
    #[serde(default)]
    pub pre_depends: bool,
    /// Whose files it may take.
    pub claim: Claim,
    /// The metadata of an `.ipk` that only OpenWrt has.
    pub openwrt: Option<PackageFacts>,
}

/// The metadata of one package, and of its source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Said {
    control: Control,
    source: Option<licences::Control>,
}

/// Reads the metadata of `packages`, in their order; their sources go to `licences`.
///
/// # Errors
/// [`Error`]: a package is damaged.
pub fn read(
    packages: &[ChosenPackage],
    licences: &mut Collector,
    context: &Context<'_>,
) -> Result<Vec<Control>, Error> {
    let mut controls = Vec::with_capacity(packages.len());
    for package in packages {
        let Said { control, source } = match &package.said {
            Some(said) => said.clone(),
            None => {
                let said = read_one(package, context)?;
                keep(package, &said, context);
                said
            }
        };
        if let Some(source) = source {
            licences.said(&package.name, source);
        }
        controls.push(control);
    }
    Ok(controls)
}

/// The metadata of `package` as an earlier build read it; `None` unless the cache has its content, too.
pub fn known(package: &ChosenPackage, context: &Context<'_>) -> Option<Said> {
    let cache = context.kept.unpacked()?;
    if !cache.has(&package.file.sha256) {
        return None;
    }
    let text = cache.content(&key(package, context)?)?.read().ok()?;
    serde_json::from_slice(&text).ok()
}

/// Where it cannot be kept, the next build reads the package again.
fn keep(package: &ChosenPackage, said: &Said, context: &Context<'_>) {
    let Some(cache) = context.kept.unpacked() else { return };
    if let (Some(key), Ok(text)) = (key(package, context), serde_json::to_vec(said)) {
        let _ = cache.keep(&key, &text);
    }
}

/// All that decides what is made of what a package says: its bytes, and its record in the index.
fn key(package: &ChosenPackage, context: &Context<'_>) -> Option<Sha256> {
    let ChosenPackage { format, record, file, .. } = package;
    let (tool, sha256) = (&context.kept.tool(), file.sha256);
    let record = serde_json::to_string(record).ok()?;
    Some(Sha256::of(
        format!("said, with pre-dependencies\n{tool}\n{format:?}\n{sha256}\n{record}").as_bytes(),
    ))
}

fn read_one(package: &ChosenPackage, context: &Context<'_>) -> Result<Said, Error> {
    let Some(reader) = archive::open(package, context, NonZeroUsize::MIN)? else {
        return Ok(Said::default());
    };
    let Metadata {
        scripts,
        triggers,
        templates,
        replaces,
        replaces_priority,
        source,
        itself,
        opkg,
    } = reader.metadata();
    let name = &package.name;
    if itself.name != package.record.name || itself.version != package.record.version {
        return Err(Error::Another {
            package: name.clone(),
            version: package.record.version.clone(),
            name: itself.name,
            found: itself.version,
        });
    }
    let claim = match package.format {
        Format::Dpkg => Claim { replaces: package.record.replaces.clone(), ..Claim::default() },
        Format::Opkg => Claim { replaces, ..Claim::default() },
        // An index does not say what its packages replace; they themselves do.
        Format::Apk | Format::Adb => {
            let origin = match &source {
                Source::Origin { origin, .. } => origin.clone(),
                Source::Fields(_) => String::new(),
            };
            Claim { replaces, priority: replaces_priority, origin }
        }
    };
    let scripts = match package.format {
        Format::Dpkg | Format::Apk => plain(name, &scripts),
        // OpenWrt's standard script is part of each.
        Format::Opkg | Format::Adb => openwrt::scripts::own(name, &scripts),
    };
    let openwrt = opkg.as_ref().map(PackageFacts::of_ipk);
    let pre_depends = match &source {
        Source::Fields(fields) => has_field(fields, "Pre-Depends"),
        Source::Origin { .. } => false,
    };
    let source = licences::Control::of_source(&source);
    let templates = templates.map(|text| String::from_utf8_lossy(&text).into_owned());
    let templates = templates.filter(|_| !scripts.is_empty());
    let control = Control { scripts, triggers, templates, pre_depends, claim, openwrt };
    Ok(Said { control, source })
}

fn has_field(fields: &[u8], name: &str) -> bool {
    let mut reader = Reader::new(fields);
    let Ok(Some(record)) = reader.next_record() else { return false };
    record.get(name).is_some()
}

/// The scripts of a package that would run when it is installed on an empty system.
fn plain(package: &str, scripts: &BTreeMap<String, Vec<u8>>) -> Vec<Script> {
    let wanted = scripts.iter().filter(|(name, _)| !OTHER_SCRIPTS.contains(&name.as_str()));
    let of = |(name, text): (&String, &Vec<u8>)| Script {
        package: package.to_owned(),
        name: name.clone(),
        text: text.clone(),
    };
    wanted.map(of).collect()
}
