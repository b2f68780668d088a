//! What recipes say about packages instead of running their scripts: packages that the builder
//! stands in for, and known scripts with what is done in their place.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::entries::{Item, Map};
use super::located::At;
use super::records::{Directory, FileText, Group, User};
use wifibox_ground::digest::Sha256;
use wifibox_ground::path::GuestPath;

/// A package that the builder stands in for: what it would do is done otherwise, or not needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "StandInForms")]
pub struct StandIn {
    /// Why the package is not needed.
    pub reason: String,
    /// The version that it counts as, where a dependency asks for one.
    pub version: Option<String>,
    /// Globs over names that it is not for although its own glob matches them.
    pub except: Vec<String>,
}

/// The two ways to write a [`StandIn`].
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum StandInForms {
    /// Why the package is not needed.
    Reason(String),
    /// Why, and the version that it counts as.
    Full(StandInFields),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StandInFields {
    /// Why the package is not needed.
    reason: String,
    /// The version that it counts as, where a dependency asks for one.
    #[serde(default)]
    version: Option<String>,
    /// Globs over names that it is not for although its own glob matches them.
    #[serde(default)]
    except: Vec<String>,
}

impl<'de> Deserialize<'de> for StandIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = StandIn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reason, or a map with the keys reason, version and except")
            }
            fn visit_str<E: serde::de::Error>(self, reason: &str) -> Result<StandIn, E> {
                Ok(StandIn { reason: reason.to_owned(), version: None, except: Vec::new() })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<StandIn, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                let StandInFields { reason, version, except } = StandInFields::deserialize(map)?;
                Ok(StandIn { reason, version, except })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

/// When a package manager would run a script.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptName {
    /// dpkg, opkg: before the files are unpacked.
    Preinst,
    /// dpkg, opkg: after the files are unpacked.
    Postinst,
    /// dpkg: asks questions.
    Config,
    /// apk: before the files are unpacked.
    PreInstall,
    /// apk: after the files are unpacked.
    PostInstall,
    /// apk: when files of other packages come into watched directories.
    Trigger,
}

/// The effects of a script on the guest, declared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Effects {
    /// Users and groups that it would make.
    pub accounts: EffectAccounts,
    /// Directories that it would make or change.
    pub directories: Vec<At<Directory>>,
    /// Links that it would make, by path.
    pub links: Map<GuestPath, String>,
    /// Files that it would write, by path.
    pub files: Map<GuestPath, FileText>,
    /// Text that it would add to the end of files, by path.
    pub append: Map<GuestPath, String>,
}

/// Users and groups that a script would make.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EffectAccounts {
    /// Users.
    pub users: Vec<At<User>>,
    /// Groups.
    pub groups: Vec<At<Group>>,
}

/// A maintainer script that was read, and what is done instead of running it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptRule {
    /// The packages whose script this is: a name, or a glob over names.
    pub package: String,
    /// Which of the package's scripts.
    pub script: ScriptName,
    /// The SHA-256 of every known version of the script's normalised text.
    #[serde(default)]
    pub sha256: Vec<Sha256>,
    /// Why it need not run.
    pub why: String,
    /// The part of its work that the guest needs.
    #[serde(default)]
    pub does: Effects,
}

impl Item for ScriptRule {
    const WHAT: &'static str = "rule for a script";
    const WORD: bool = false;
    fn key(&self) -> String {
        let hashes: Vec<String> = self.sha256.iter().map(Sha256::to_string).collect();
        format!("{}:{:?}:{}", self.package, self.script, hashes.join(","))
    }
}
