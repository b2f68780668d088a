//! Machines and their names: distributions spell one architecture differently, and so do the file
//! names of UEFI programs (UEFI Specification 2.10, 3.5.1.1).

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::scalars::Pattern;

/// The machine that recipes are about where they do not say another one.
pub const PC: &str = "x86_64";

/// The machine that an architecture runs on, as `uname -m` says: distributions spell it differently.
pub fn machine(architecture: &str) -> &str {
    match architecture {
        "amd64" => "x86_64",
        "arm64" | "aarch64_generic" => "aarch64",
        "mips_24kc" => "mips",
        "mipsel_24kc" => "mipsel",
        other => other,
    }
}

/// The names of one architecture, which recipes stand in for by `{architecture}` (as the base
/// calls it), `{machine}` (as `uname -m` says) and `{efi}` (in the names of UEFI programs).
pub(super) struct Spelling<'a>(pub &'a str);

impl Spelling<'_> {
    /// `text` with the names filled in.
    pub fn fill(&self, text: &str) -> String {
        let machine = machine(self.0);
        let efi = match machine {
            "x86_64" => "x64",
            "aarch64" => "aa64",
            other => other,
        };
        text.replace("{architecture}", self.0).replace("{machine}", machine).replace("{efi}", efi)
    }

    /// A glob with the names filled in.
    pub(crate) fn fill_pattern(&self, pattern: &Pattern) -> Pattern {
        pattern.with(&self.fill(pattern.as_str()))
    }
}

/// One name, or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Names(pub Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Names, A::Error> {
                let list = serde::de::value::SeqAccessDeserializer::new(seq);
                let names = Vec::<String>::deserialize(list)?;
                if names.is_empty() {
                    return Err(serde::de::Error::custom("at least one name is expected"));
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name, or a list of names.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_architecture_has_a_name_in_every_place() {
        for (name, text) in [
            ("amd64", "amd64 x86_64 x64"),
            ("arm64", "arm64 aarch64 aa64"),
            ("aarch64", "aarch64 aarch64 aa64"),
        ] {
            assert_eq!(Spelling(name).fill("{architecture} {machine} {efi}"), text);
        }
    }
}
