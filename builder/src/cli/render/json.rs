//! The JSON of results and errors: one object on one line, with the number of its form.

use serde::Serialize;
use serde_json::Value;

use super::failure::Failure;
use crate::cli::answers::FORMAT;

/// The line of these fields, which are an object's.
///
/// # Errors
/// A path is not UTF-8.
pub fn line(fields: &impl Serialize) -> Result<String, Failure> {
    let failed = |error| Failure::failed(format!("this cannot be said as JSON: {error}"));
    let mut fields = serde_json::to_value(fields).map_err(failed)?;
    if let Value::Object(map) = &mut fields {
        map.insert("format".to_owned(), FORMAT.into());
    }
    Ok(format!("{fields}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_says_its_form() {
        let text = line(&serde_json::json!({ "list": [1], "a": null })).expect("JSON");
        assert_eq!(text, "{\"a\":null,\"format\":1,\"list\":[1]}\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_an_error() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"\xff"));
        assert!(line(&path).is_err());
    }
}
