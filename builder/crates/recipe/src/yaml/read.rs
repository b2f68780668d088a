//! The types of the model, read from a tree of nodes. What is wrong is known by line and column.

use std::fmt::Display;

use serde::de::value::{BorrowedStrDeserializer, U32Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::node::{Node, Value};
use crate::error::Problem;

/// The name of the type that asks for a node's place beside its value ([`crate::located::At`]).
pub(crate) const PLACED: &str = "$place of a value";

/// A problem, and where it is as soon as that is known.
#[derive(Debug)]
pub(super) struct Error {
    /// The problem itself.
    pub(super) problem: Box<Problem>,
    /// Line and column, from 1.
    pub(super) place: Option<(u32, u32)>,
    /// The value is of the wrong kind: what it is, its node knows.
    mismatch: bool,
}

impl Error {
    fn new(problem: Problem) -> Self {
        Error { problem: Box::new(problem), place: None, mismatch: false }
    }

    fn mismatch(expected: &str) -> Self {
        let problem = Problem::new("").help(format!("expected {}", plain(expected)));
        Error { mismatch: true, ..Error::new(problem) }
    }

    /// Says that it is of `node`, unless an inner one is known already.
    fn at(mut self, node: &Node, text: &str) -> Self {
        if self.mismatch {
            self.problem.message = format!("found {}", found(node, text));
            self.mismatch = false;
        }
        self.place.get_or_insert((node.line, node.column));
        self
    }
}

impl std::error::Error for Error {}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl serde::de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Error::new(Problem::new(message.to_string()))
    }
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::mismatch(&expected.to_string())
    }
    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        Error::mismatch(largest(&expected).as_deref().unwrap_or(&expected))
    }
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let problem = Problem::new(format!("unknown value \"{variant}\""));
        Error::new(problem.expected(variant, expected.iter().copied()))
    }
    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let problem = Problem::new(format!("unknown key \"{field}\""));
        Error::new(problem.expected(field, expected.iter().copied()))
    }
    fn missing_field(field: &'static str) -> Self {
        Error::new(Problem::new(format!("the key \"{field}\" is missing")))
    }
    fn duplicate_field(field: &'static str) -> Self {
        Error::new(Problem::new(format!("the key \"{field}\" appears twice")))
    }
}

/// The expectation of serde's derived code, in the words of recipes.
fn plain(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a string" => "text",
        "a boolean" => "true or false",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        _ if expected.starts_with("struct ") => "a map",
        _ => expected,
    }
}

/// A type of whole numbers, for somebody who has written one that does not fit.
fn largest(expected: &str) -> Option<String> {
    let largest = match expected {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" | "usize" => u64::MAX,
        _ => return None,
    };
    Some(format!("a whole number from 0 to {largest}"))
}

/// The value at a node, in words.
fn found(node: &Node, text: &str) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Number => node.written(text).unwrap_or("a number").to_owned(),
        Value::Text(text) if text.trim_end().contains('\n') => "text of several lines".to_owned(),
        Value::Text(text) => format!("\"{text}\""),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// A node of a file, and the whole file's text.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) text: &'a str,
}

impl<'de> Reader<'de> {
    /// The same file at another node.
    fn of(self, node: &'de Node) -> Self {
        Reader { node, ..self }
    }

    /// Reads this node as a value. It may be wrong although each part of it is right.
    fn seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self).map_err(|error| error.at(self.node, self.text))
    }

    /// A scalar that is wanted as text: numbers and words are as they are written.
    fn scalar(self) -> Option<&'de str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Bool(_) | Value::Integer(_) | Value::Number => self.node.written(self.text),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    fn any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visitor.visit_i64(*value),
            Value::Number => Err(Error::mismatch(&(&visitor as &dyn Expected).to_string())),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(nodes) => visitor.visit_seq(List { nodes: nodes.iter(), reader: self }),
            Value::Map(entries) => {
                visitor.visit_map(Map { entries: entries.iter(), value: None, reader: self })
            }
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(Error::mismatch("text")),
        }
    }
}

macro_rules! any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.any(visitor).map_err(|error| error.at(self.node, self.text))
        })*
    };
}

macro_rules! text {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.text(visitor).map_err(|error| error.at(self.node, self.text))
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Error;

    any! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map
        deserialize_ignored_any
    }
    text! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let value = match (&self.node.value, name) {
            (_, PLACED) => visitor.visit_seq(Placed { step: 0, reader: self }),
            (Value::Map(_), _) => self.any(visitor),
            _ => Err(Error::mismatch("a map")),
        };
        value.map_err(|error| error.at(self.node, self.text))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self).map_err(|error| error.at(self.node, self.text))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self).map_err(|error| error.at(self.node, self.text))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }
}

/// The values of recipes' enumerations are words.
impl<'de> EnumAccess<'de> for Reader<'de> {
    type Error = Error;
    type Variant = Word;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Word), Error> {
        let word = self.scalar().ok_or_else(|| Error::mismatch("a word"))?;
        Ok((seed.deserialize(BorrowedStrDeserializer::new(word))?, Word))
    }
}

/// A variant without a content.
pub(super) struct Word;

impl<'de> VariantAccess<'de> for Word {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Error> {
        Err(Error::custom("a value that needs a content"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a value that needs a list"))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(Error::custom("a value that needs a map"))
    }
}

struct List<'de> {
    nodes: std::slice::Iter<'de, Node>,
    reader: Reader<'de>,
}

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.nodes.next().map(|node| self.reader.of(node).seed(seed)).transpose()
    }
}

struct Map<'de> {
    entries: std::slice::Iter<'de, (Node, Node)>,
    value: Option<&'de Node>,
    reader: Reader<'de>,
}

impl<'de> MapAccess<'de> for Map<'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        self.reader.of(key).seed(seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        self.reader.of(value).seed(seed)
    }
}

/// Line, column and value of a node.
struct Placed<'de> {
    step: u8,
    reader: Reader<'de>,
}

impl<'de> SeqAccess<'de> for Placed<'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.step += 1;
        let number = |number: u32| -> U32Deserializer<Error> { number.into_deserializer() };
        match self.step {
            1 => seed.deserialize(number(self.reader.node.line)).map(Some),
            2 => seed.deserialize(number(self.reader.node.column)).map(Some),
            3 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}
