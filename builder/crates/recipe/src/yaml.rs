//! Reads one YAML file into a type of the model, and says what is wrong with it by line and column.
//!
//! Recipes are small and flat: anchors, aliases, merge keys and several documents in one file are
//! refused, and sizes and depth are bounded.

use std::sync::Arc;

use serde::Deserialize;
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{DuplicateKeyPolicy, Error, MergeKeyPolicy, MessageFormatter, Options};

use super::error::{Place, Problem, RecipeError, Texts};
use super::located::Origin;

/// Largest recipe file, in bytes.
pub const SIZE_LIMIT: usize = 256 * 1024;

fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: 16,
            max_nodes: 50_000,
            max_documents: 1,
            max_anchors: 0,
            max_aliases: 0,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Reads `text`, which is the content of `file`.
///
/// # Errors
/// [`RecipeError::Invalid`] with the place of the first thing that is wrong.
pub fn parse<'a, T: Deserialize<'a>>(file: &Arc<str>, text: &'a str) -> Result<T, RecipeError> {
    if text.len() > SIZE_LIMIT {
        let why = format!("has {} bytes; at most {SIZE_LIMIT} are expected", text.len());
        return Err(RecipeError::Unfit { path: file.to_string(), why });
    }
    serde_yaml::from_str_with_options(text, options())
        .map_err(|error| RecipeError::invalid(explain(file, text, &error)))
}

fn explain(file: &Arc<str>, text: &str, error: &Error) -> Problem {
    let mut texts = Texts::default();
    texts.keep(file.clone(), text.into());
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let origin = match error.location() {
        Some(at) if at.line() > 0 => {
            Origin { file: file.clone(), line: small(at.line()), column: small(at.column()) }
        }
        _ => Origin::whole(file.clone()),
    };
    let place = texts.place(&origin);
    describe(error.without_snippet(), &place).at(place)
}

fn describe(error: &Error, place: &Place) -> Problem {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            Problem::new(format!("unknown key \"{field}\""))
                .expected(field, expected.iter().copied())
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            Problem::new(format!("unknown value \"{variant}\""))
                .expected(variant, expected.iter().copied())
        }
        Error::SerdeMissingField { field, .. } => {
            Problem::new(format!("the key \"{field}\" is missing"))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            Problem::new(format!("the key \"{key}\" appears twice"))
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            Problem::new(format!("found {}", plain(unexpected)))
                .help(format!("expected {expected}"))
        }
        Error::Unexpected { expected, .. } => Problem::new(format!("found {}", found(place)))
            .help(format!("expected {}", plain(expected))),
        Error::InvalidScalar { ty, .. } => {
            Problem::new(format!("found {}", found(place))).help(format!("expected {}", plain(ty)))
        }
        Error::InvalidBooleanStrict { .. } => {
            Problem::new(format!("found {}", found(place))).help("expected true or false")
        }
        Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        }
        | Error::UnknownAnchor { .. }
        | Error::MergeKeyNotAllowed { .. } => Problem::new("found an anchor, alias or merge key")
            .help("expected none: recipes are flat"),
        Error::Budget { .. } => {
            Problem::new("the file is too large or too deep").help("expected a small, flat recipe")
        }
        Error::NullIntoString { .. } => Problem::new("found nothing").help("expected text"),
        Error::Message { msg, .. } => Problem::new(msg.clone()),
        other => Problem::new(serde_yaml::UserMessageFormatter.format_message(other).into_owned()),
    }
}

/// The parser's words for kinds of nodes, in the words of recipes.
fn plain(words: &str) -> String {
    match words.strip_prefix("string ").unwrap_or(words) {
        "sequence start" | "sequence" => "a list".to_owned(),
        "mapping start" | "mapping" | "map" => "a map".to_owned(),
        "string scalar" | "string" | "scalar" => "text".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "integer" => "a whole number".to_owned(),
        other => other.to_owned(),
    }
}

/// What stands at a place, in words.
fn found(place: &Place) -> String {
    let column = usize::try_from(place.origin.column).unwrap_or(1).saturating_sub(1);
    let before: String = place.excerpt.chars().take(column).collect();
    let rest: String = place.excerpt.chars().skip(column).collect();
    let mut rest = rest.split(" #").next().unwrap_or_default().trim();
    if before.contains(['{', '[']) && !rest.starts_with(['{', '[', '"', '\'']) {
        rest = rest.split([',', ']', '}']).next().unwrap_or_default().trim();
    }
    match rest.chars().next() {
        None => "nothing".to_owned(),
        Some('[') => "a list".to_owned(),
        Some('{') => "a map".to_owned(),
        Some('-') if rest == "-" || rest.starts_with("- ") => "a list".to_owned(),
        Some('|' | '>') => "text of several lines".to_owned(),
        Some(_) if rest.ends_with(':') || rest.contains(": ") => "a map".to_owned(),
        Some(_) => format!("\"{}\"", rest.trim_matches(['"', '\''])),
    }
}
