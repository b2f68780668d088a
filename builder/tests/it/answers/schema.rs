//! The part of JSON Schema that the schemas of the verbs use. Whatever else a schema says is a failure, so that nothing is
//! passed over.

use serde_json::Value;

/// What of `value` is not as `schema` says; `root` has the definitions.
pub fn faults(root: &Value, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
    let map = match schema {
        Value::Bool(true) => return,
        Value::Object(map) => map,
        other => return faults.push(format!("{place}: the schema {other} allows nothing")),
    };
    let mut fault = |what: String| faults.push(format!("{place}: {what}"));
    let mut nested = Vec::new();
    for (key, rule) in map {
        match key.as_str() {
            "$schema" | "$defs" | "title" | "description" | "required" | "default" => {}
            "format" => {
                assert!(rule.as_str().is_some_and(|name| name.starts_with(['u', 'd', 'i'])))
            }
            "type" if !is_of(rule, value) => fault(format!("{value} is no {rule}")),
            "const" if rule != value => fault(format!("{value} is not {rule}")),
            "enum" if !list(rule).contains(value) => fault(format!("{value} is none of {rule}")),
            "minimum" if value.as_f64() < rule.as_f64() => fault(format!("{value} is too small")),
            "maximum" if value.as_f64() > rule.as_f64() => fault(format!("{value} is too large")),
            "minItems" if (list(value).len() as u64) < rule.as_u64().unwrap() => {
                fault("too few items".to_owned());
            }
            "maxItems" if (list(value).len() as u64) > rule.as_u64().unwrap() => {
                fault("too many items".to_owned());
            }
            "type" | "const" | "enum" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "pattern" => {
                let digest = "^[0-9a-f]{64}$";
                let text = value.as_str().unwrap();
                assert!(rule == digest || rule.as_str().unwrap().contains("4}:["), "{rule}");
                if rule == digest
                    && (text.len() != 64 || text.contains(|c: char| !c.is_ascii_hexdigit()))
                {
                    fault(format!("{text} is no SHA-256"));
                }
            }
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches("#/$defs/");
                nested.push((&root["$defs"][name], value, String::new()));
            }
            "items" => nested.extend(
                list(value)
                    .iter()
                    .skip(list(&schema["prefixItems"]).len())
                    .map(|item| (rule, item, "[]".to_owned())),
            ),
            "prefixItems" => nested.extend(
                list(rule)
                    .iter()
                    .zip(list(value))
                    .map(|(rule, item)| (rule, item, "[]".to_owned())),
            ),
            "properties" => {
                let there = rule.as_object().unwrap().iter();
                let there = there
                    .filter_map(|(name, rule)| Some((rule, value.get(name)?, format!(".{name}"))));
                nested.extend(there);
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object();
                let Some(fields) = value.as_object() else { continue };
                let more = fields
                    .iter()
                    .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                nested.extend(more.map(|(name, field)| (rule, field, format!(".{name}"))));
            }
            "propertyNames" => {}
            "oneOf" | "anyOf" => {
                let fits = list(rule).iter().filter(|rule| {
                    let mut found = Vec::new();
                    self::faults(root, rule, value, place, &mut found);
                    found.is_empty()
                });
                match fits.count() {
                    0 => fault(format!("{value} has none of the forms")),
                    1 => {}
                    _ if key == "anyOf" => {}
                    count => fault(format!("{value} has {count} of the forms")),
                }
            }
            other => fault(format!("the schema says {other}, which is not checked here")),
        }
    }
    let needed = list(&schema["required"]).iter().filter_map(Value::as_str);
    for name in needed.filter(|name| value.get(name).is_none()) {
        faults.push(format!("{place}: there is no {name}"));
    }
    for (rule, value, name) in nested {
        self::faults(root, rule, value, &format!("{place}{name}"), faults);
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn is_of(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type {other}"),
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}

#[test]
fn faults_are_found() {
    let root = serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": { "a": { "type": "integer", "minimum": 0 }, "b": { "items": { "$ref": "#/$defs/C" } } },
        "$defs": { "C": { "oneOf": [{ "const": "x" }, { "type": "null" }] } },
    });
    let count = |value: Value| {
        let mut found = Vec::new();
        faults(&root, &root, &value, "", &mut found);
        found.len()
    };
    assert_eq!(count(serde_json::json!({ "a": 1, "b": ["x", null] })), 0);
    assert_eq!(count(serde_json::json!({ "b": ["y", 1] })), 3);
    assert_eq!(count(serde_json::json!({ "a": -1, "c": 0 })), 2);
    assert_eq!(count(serde_json::json!([])), 2);
}
