//! The small types that recipes are written in: globs, modules, modes, and the records of accounts,
//! directories, shares and maintainer scripts.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::located::{At, Item, Map};
use crate::digest::Sha256;
use crate::path::GuestPath;

impl Item for String {
    const WHAT: &'static str = "name";
    const WORD: bool = true;
    fn key(&self) -> String {
        self.clone()
    }
}

/// One spelling of a path, so that `-/srv/` removes `srv`.
fn path_key(name: &str) -> String {
    GuestPath::new(name).map_or_else(|_| name.to_owned(), |path| path.to_string())
}

/// Writes a type as text, and gives it the JSON schema of a string with a description.
macro_rules! text_type {
    ($name:ident, $description:literal, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    };
}

/// A glob over paths in the guest, without a leading `/`: `*` and `?` stay within one name, `**`
/// crosses directories, `[...]` and `{a,b}` choose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

text_type!(
    Pattern,
    "A glob over paths in the guest, without a leading '/': '*' stays within one name, '**' crosses \
     directories. A path that matches takes everything below it along.",
    "^[^/]"
);

impl Pattern {
    /// The glob as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The glob, ready to match paths without a leading `/`.
    ///
    /// # Errors
    /// None for a pattern that was parsed; the type is that of the matcher's constructor.
    pub fn glob(&self) -> Result<globset::Glob, globset::Error> {
        globset::GlobBuilder::new(&self.0).literal_separator(true).backslash_escape(true).build()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() || text.starts_with('/') {
            return Err(D::Error::custom("a glob without a leading '/' is expected"));
        }
        let pattern = Pattern(text);
        pattern.glob().map_err(|error| D::Error::custom(format_args!("bad glob: {error}")))?;
        Ok(pattern)
    }
}

impl Item for Pattern {
    const WHAT: &'static str = "glob";
    const WORD: bool = true;
    fn key(&self) -> String {
        self.0.clone()
    }
}

/// A kernel module by name; written `name`, or `name?` if a kernel may lack it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// The name, with `_` for `-`, as the kernel itself spells it.
    pub name: String,
    /// Whether the build goes on if the kernel has no such module.
    pub optional: bool,
}

text_type!(
    Module,
    "A kernel module; with a trailing '?' it may be missing from the kernel.",
    "^[A-Za-z0-9_-]+[?]?$"
);

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, if self.optional { "?" } else { "" })
    }
}

impl<'de> Deserialize<'de> for Module {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = text.strip_suffix('?').unwrap_or(&text);
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(good) {
            return Err(D::Error::custom(format_args!("\"{text}\" is not the name of a module")));
        }
        Ok(Module { name: name.replace('-', "_"), optional: name.len() < text.len() })
    }
}

impl Item for Module {
    const WHAT: &'static str = "module";
    const WORD: bool = true;
    fn key(&self) -> String {
        self.name.clone()
    }
    fn removal_key(name: &str) -> String {
        name.strip_suffix('?').unwrap_or(name).replace('-', "_")
    }
    fn unite(&self, other: &Self) -> Option<Self> {
        Some(Module { name: self.name.clone(), optional: self.optional && other.optional })
    }
}

/// Permission bits, written in octal: `"0755"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u16);

text_type!(Mode, "Permission bits in octal, such as \"0755\".", "^[0-7]{3,4}$");

impl Mode {
    fn file() -> Self {
        Mode(0o644)
    }
    fn directory() -> Self {
        Mode(0o755)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        match u16::from_str_radix(&text, 8) {
            Ok(mode) if octal => Ok(Mode(mode)),
            _ => Err(D::Error::custom(format_args!(
                "\"{text}\" is not a mode: three or four octal digits are expected"
            ))),
        }
    }
}

/// What a user's password is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Password {
    /// No password matches: nobody can log in with one (`*`).
    #[default]
    None,
    /// The account is locked (`!`).
    Locked,
    /// Anyone who reaches a login prompt gets in.
    Empty,
}

/// A user of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Numeric id.
    pub uid: u32,
    /// Primary group, by name; it is declared in `groups`.
    pub group: String,
    /// Further groups, by name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Home directory.
    pub home: GuestPath,
    /// Login shell.
    pub shell: GuestPath,
    /// Full name or purpose.
    #[serde(default)]
    pub gecos: String,
    /// What the password is.
    #[serde(default)]
    pub password: Password,
}

impl Item for User {
    const WHAT: &'static str = "user";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.name.clone()
    }
}

/// A group of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Numeric id.
    pub gid: u32,
}

impl Item for Group {
    const WHAT: &'static str = "group";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.name.clone()
    }
}

fn root() -> String {
    "root".to_owned()
}

/// A directory to make, or whose owner and permissions to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Its path.
    pub path: GuestPath,
    /// Permissions; 0755 if not given.
    #[serde(default = "Mode::directory")]
    pub mode: Mode,
    /// Owner, by name; root if not given.
    #[serde(default = "root")]
    pub user: String,
    /// Group, by name; root if not given.
    #[serde(default = "root")]
    pub group: String,
}

impl Item for Directory {
    const WHAT: &'static str = "directory";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.path.to_string()
    }
    fn removal_key(name: &str) -> String {
        path_key(name)
    }
}

/// A small file with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileText {
    /// The content.
    pub text: String,
    /// Permissions; 0644 if not given.
    #[serde(default = "Mode::file")]
    pub mode: Mode,
}

/// A program that is many programs: a link is made for each of its applets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applets {
    /// The program, such as `usr/bin/busybox`.
    pub program: GuestPath,
    /// Where the links go; a file that is there already stays.
    pub directory: GuestPath,
}

impl Item for Applets {
    const WHAT: &'static str = "program with applets";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.program.to_string()
    }
    fn removal_key(name: &str) -> String {
        path_key(name)
    }
}

/// What the guest may do with a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write.
    ReadWrite,
}

/// A 9P share of the host that the guest mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The tag under which the host offers it.
    pub tag: String,
    /// Where the guest mounts it.
    pub path: GuestPath,
    /// What the guest may do with it.
    pub access: Access,
}

impl Item for Share {
    const WHAT: &'static str = "share";
    const WORD: bool = false;
    fn key(&self) -> String {
        self.tag.clone()
    }
}

/// A package that the builder stands in for: what it would do is done otherwise, or not needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "StandInForms")]
pub struct StandIn {
    /// Why the package is not needed.
    pub reason: String,
    /// The version that it counts as, where a dependency asks for one.
    pub version: Option<String>,
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
}

impl<'de> Deserialize<'de> for StandIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = StandIn;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reason, or a map with the keys reason and version")
            }
            fn visit_str<E: serde::de::Error>(self, reason: &str) -> Result<StandIn, E> {
                Ok(StandIn { reason: reason.to_owned(), version: None })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<StandIn, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                let StandInFields { reason, version } = StandInFields::deserialize(map)?;
                Ok(StandIn { reason, version })
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

/// What a script would do to the guest, declared.
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
    /// What of its work the guest needs.
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
