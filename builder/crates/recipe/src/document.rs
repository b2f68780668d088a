//! One file of the recipes, read.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One file, and what it says.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// Its name: that of the file, without `.yaml`.
    pub name: String,
    /// Its path within the sources.
    pub file: Arc<str>,
    /// Its contents.
    pub value: T,
}

/// The documents of one kind, by name.
pub type Documents<T> = BTreeMap<String, Document<T>>;
