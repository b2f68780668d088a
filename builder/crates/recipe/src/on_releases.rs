//! Names that are for some releases of a base only: distributions divide their packages anew from
//! release to release.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::base::Base;
use super::document::Document;
use super::entries::Map;
use super::located::At;

/// A name, and the releases of its base that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(with = "OnReleasesForms")]
pub struct OnReleases {
    /// The name.
    pub name: String,
    /// The releases; all of them if there is none.
    pub releases: Vec<At<String>>,
}

/// Lists of names by base.
pub(crate) type ByBase = Map<String, Vec<At<OnReleases>>>;

/// The two ways to write an [`OnReleases`].
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum OnReleasesForms {
    /// The name, for all releases.
    Everywhere(String),
    /// The name, for some releases.
    Fields(OnReleasesFields),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnReleasesFields {
    /// The name.
    name: String,
    /// The releases of the base that it is for.
    releases: Vec<At<String>>,
}

impl<'de> Deserialize<'de> for OnReleases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> serde::de::Visitor<'de> for Forms {
            type Value = OnReleases;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a map with the keys name and releases")
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<OnReleases, E> {
                Ok(OnReleases { name: name.to_owned(), releases: Vec::new() })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                map: A,
            ) -> Result<OnReleases, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                let OnReleasesFields { name, releases } = OnReleasesFields::deserialize(map)?;
                Ok(OnReleases { name, releases })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

/// The names of `lists` that are for `base` in `release`, with their places; `None` if the base is
/// not among them.
pub fn here(lists: &ByBase, base: &Document<Base>, release: &str) -> Option<Vec<At<String>>> {
    let list = lists.get(&base.name)?;
    let series =
        |name: &str| base.value.release(name).map(|(release, _)| std::ptr::from_ref(release));
    let is_here = |entry: &&At<OnReleases>| {
        let mut releases = entry.releases.iter();
        entry.releases.is_empty() || releases.any(|known| series(known) == series(release))
    };
    let named = |entry: &At<OnReleases>| At {
        value: entry.name.clone(),
        line: entry.line,
        column: entry.column,
    };
    Some(list.iter().filter(is_here).map(named).collect())
}
