//! The lists and maps of recipes. Lists are made of [`Entry`], so that a later file can take away
//! what an earlier one added; maps keep the order and the place of their keys ([`Map`]).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{BoolDeserializer, I64Deserializer, MapAccessDeserializer, StrDeserializer};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::located::At;

/// An item of a recipe's list: it has a name by which a later file can remove it.
pub trait Item: Clone + PartialEq {
    /// The noun for such an item in errors.
    const WHAT: &'static str;
    /// Whether it is written as one word rather than as a map.
    const WORD: bool;

    /// The name that identifies it in its list.
    fn key(&self) -> String;

    /// The key that `-name` means.
    fn removal_key(name: &str) -> String {
        name.to_owned()
    }

    /// The union of `self`, which is there already, and `other`, of the same name; `None` if they
    /// contradict each other.
    fn unite(&self, other: &Self) -> Option<Self> {
        (self == other).then(|| self.clone())
    }
}

/// One entry of a list: something to add, or `-name` to remove what an earlier file added.
#[derive(Debug, Clone)]
pub enum Entry<T> {
    /// Adds this.
    Add(At<T>),
    /// Removes what has this name.
    Remove(At<String>),
}

impl<'de, T: Item + Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let At { value, line, column } = At::<Body<T>>::deserialize(deserializer)?;
        Ok(match value {
            Body::Add(value) => Entry::Add(At { value, line, column }),
            Body::Remove(value) => Entry::Remove(At { value, line, column }),
        })
    }
}

enum Body<T> {
    Add(T),
    Remove(String),
}

impl<'de, T: Item + Deserialize<'de>> Deserialize<'de> for Body<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = BodyVisitor(PhantomData);
        if T::WORD {
            // Asked for a string, so that `1.2` or `on` stay the words that they are.
            deserializer.deserialize_str(visitor)
        } else {
            deserializer.deserialize_any(visitor)
        }
    }
}

struct BodyVisitor<T>(PhantomData<T>);

impl<'de, T: Item + Deserialize<'de>> Visitor<'de> for BodyVisitor<T> {
    type Value = Body<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}, or \"-NAME\" to remove one", T::WHAT)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match text.strip_prefix('-') {
            Some("") => Err(E::custom("a name is expected after '-'")),
            Some(name) => Ok(Body::Remove(name.to_owned())),
            None => T::deserialize(StrDeserializer::new(text)).map(Body::Add),
        }
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        T::deserialize(BoolDeserializer::new(value)).map(Body::Add)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        T::deserialize(I64Deserializer::new(value)).map(Body::Add)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Body::Add)
    }
}

impl<T: Item + JsonSchema> JsonSchema for Entry<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("EntryOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, {
            "type": "string",
            "pattern": "^-.",
            "description": "Removes what an earlier file added under this name."
        }] })
    }
}

/// A map in the order of its file, which knows the place of every key.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<K, V>(Vec<(At<K>, At<V>)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Map(Vec::new())
    }
}

impl<K, V> Map<K, V> {
    /// The entries, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&At<K>, &At<V>)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The value of `key`.
    pub fn get<Q: ?Sized + PartialEq>(&self, key: &Q) -> Option<&At<V>>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.iter().find(|(candidate, _)| candidate.value.borrow() == key).map(|(_, value)| value)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K, V> Deserialize<'de> for Map<K, V>
where
    K: Deserialize<'de> + PartialEq + fmt::Debug,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MapVisitor(PhantomData))
    }
}

struct MapVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for MapVisitor<K, V>
where
    K: Deserialize<'de> + PartialEq + fmt::Debug,
    V: Deserialize<'de>,
{
    type Value = Map<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(At<K>, At<V>)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<At<K>, At<V>>()? {
            // The parser refuses equal keys; different spellings of one path come here.
            if entries.iter().any(|(known, _)| known.value == key.value) {
                return Err(A::Error::custom(format_args!("{:?} appears twice", key.value)));
            }
            entries.push((key, value));
        }
        Ok(Map(entries))
    }
}

impl<K, V: JsonSchema> JsonSchema for Map<K, V> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
