//! Reads one YAML file into a type of the model, and says what is wrong with it by line and column.
//!
//! Recipes are small and flat: anchors, aliases, merge keys and several documents in one file are
//! refused, and sizes and depth are bounded.

mod node;
pub(crate) mod read;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{DuplicateKeyPolicy, Error, MergeKeyPolicy, MessageFormatter, Options};

use crate::error::{Place, Problem, RecipeError, Texts};
use crate::located::Origin;
use node::{Node, Value};
use read::Reader;

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

/// Keys at the top of a file that have another name now, by the folder of the file: each works for one more release.
const RENAMED: &[(&str, &str, &str)] = &[("recipes/flavors/", "manifests", "chipsets")];

/// Reads `text`, which is the content of `file`. Keys by their former names are noted in `warnings`.
///
/// # Errors
/// [`RecipeError::Invalid`] with the place of the first thing that is wrong.
pub fn parse<T: DeserializeOwned>(
    file: &Arc<str>,
    text: &str,
    warnings: &mut Vec<Problem>,
) -> Result<T, RecipeError> {
    if text.len() > SIZE_LIMIT {
        let why = format!("has {} bytes; at most {SIZE_LIMIT} are expected", text.len());
        return Err(RecipeError::Unfit { path: file.to_string(), why });
    }
    let mut root = serde_yaml::from_str_with_options::<Node>(text, options())
        .map_err(|error| RecipeError::invalid(explain(file, text, &error)))?;
    for (folder, old, new) in RENAMED {
        let Some(key) = root.key(old).filter(|_| file.starts_with(folder)) else { continue };
        let origin = Origin { file: file.clone(), line: key.line, column: key.column };
        key.value = Value::Text((*new).to_owned());
        warnings.push(
            Problem::new(format!("the key \"{old}\" is called \"{new}\" now"))
                .at(place_of(file, text, &origin))
                .help("the next release will not know the old name"),
        );
    }
    T::deserialize(Reader { node: &root, text }).map_err(|error| {
        let place = match error.place {
            Some((line, column)) => Origin { file: file.clone(), line, column },
            None => Origin::whole(file.clone()),
        };
        RecipeError::invalid(error.problem.at(place_of(file, text, &place)))
    })
}

fn place_of(file: &Arc<str>, text: &str, origin: &Origin) -> Place {
    let mut texts = Texts::default();
    texts.keep(file.clone(), text.into());
    texts.place(origin)
}

/// The problem of a text that is not YAML, or that exceeds the limits for recipes.
fn explain(file: &Arc<str>, text: &str, error: &Error) -> Problem {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let origin = match error.location() {
        Some(at) if at.line() > 0 => {
            Origin { file: file.clone(), line: small(at.line()), column: small(at.column()) }
        }
        _ => Origin::whole(file.clone()),
    };
    describe(error.without_snippet()).at(place_of(file, text, &origin))
}

fn describe(error: &Error) -> Problem {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            Problem::new(format!("the key \"{key}\" appears twice"))
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
        Error::Message { msg, .. } => Problem::new(msg.clone()),
        other => Problem::new(serde_yaml::UserMessageFormatter.format_message(other).into_owned()),
    }
}
