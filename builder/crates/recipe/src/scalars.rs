//! The words that recipes are written in: names, globs, kernel modules, permission bits.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::entries::Item;

impl Item for String {
    const WHAT: &'static str = "entry";
    const WORD: bool = true;
    fn key(&self) -> String {
        self.clone()
    }
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

    /// The same pattern, if `text` is no glob, and else `text`.
    pub fn with(&self, text: &str) -> Pattern {
        let new = Pattern(text.to_owned());
        if new.glob().is_ok() { new } else { self.clone() }
    }

    /// The glob, ready to match paths without a leading `/`.
    ///
    /// # Errors
    /// None for a pattern that was parsed; the type is that of the matcher's constructor.
    pub fn glob(&self) -> Result<globset::Glob, globset::Error> {
        globset::GlobBuilder::new(&self.0)
            .literal_separator(true)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
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
    pub(super) fn file() -> Self {
        Mode(0o644)
    }
    pub(super) fn directory() -> Self {
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
