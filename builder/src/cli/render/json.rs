//! The JSON of results and errors: one object on one line, with the number of its form.

use serde_json::Value;

/// The form of all JSON. It changes only when a program that reads it would have to.
const FORMAT: u64 = 1;

/// The line of these fields, which are an object's.
pub fn line(mut fields: Value) -> String {
    if let Value::Object(map) = &mut fields {
        map.insert("format".to_owned(), FORMAT.into());
    }
    format!("{fields}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_says_its_form() {
        let text = line(serde_json::json!({ "list": [1], "a": null }));
        assert_eq!(text, "{\"a\":null,\"format\":1,\"list\":[1]}\n");
    }
}
