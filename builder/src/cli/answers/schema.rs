//! The schemas of the verbs' JSON, made from its types.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{
    Build, Bundle, Cache, ConfigDisk, Detect, Diff, Doctor, Export, FORMAT, Failed, Fetch, Host,
    Init, Inspect, Install, Lint, List, Lock, Pull, Push, Report, Show, Status, Verify, Why,
};
use wifibox_resolve::outdated::Outdated;

/// The schema of each verb's JSON by the verb's name; `error` is the one of failures. Without one are `boot`, which hands the
/// terminal to the guest, and `completions`, which prints a script.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("build", schema::<Build<'_>>()),
        ("bundle", schema::<Bundle<'_>>()),
        ("cache", schema::<Cache<'_>>()),
        ("config-disk", schema::<ConfigDisk<'_>>()),
        ("detect", schema::<Detect<'_>>()),
        ("diff", schema::<Diff<'_>>()),
        ("doctor", schema::<Doctor<'_>>()),
        ("error", schema::<Failed>()),
        ("export", schema::<Export<'_>>()),
        ("fetch", schema::<Fetch>()),
        ("host", schema::<Host<'_>>()),
        ("init", schema::<Init<'_>>()),
        ("inspect", schema::<Inspect<'_>>()),
        ("install", schema::<Install<'_>>()),
        ("lint", schema::<Lint<'_>>()),
        ("list", schema::<List<'_>>()),
        ("lock", schema::<Lock<'_>>()),
        ("outdated", schema::<Outdated>()),
        ("pull", schema::<Pull<'_>>()),
        ("push", schema::<Push<'_>>()),
        ("report", schema::<Report<'_>>()),
        ("show", schema::<Show<'_>>()),
        ("status", schema::<Status<'_>>()),
        ("uninstall", schema::<Install<'_>>()),
        ("verify", schema::<Verify<'_>>()),
        ("why", schema::<Why<'_>>()),
    ]
}

/// The schema of an answer: of what is written, with `format`, and with no other fields than it names.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    close(&mut schema);
    let form = json!({ "description": "The number of the form.", "const": FORMAT });
    let several = ["oneOf", "anyOf"].into_iter().find(|key| schema.get(key).is_some());
    match several.and_then(|key| schema[key].as_array_mut()) {
        Some(forms) => forms.iter_mut().for_each(|one| with_format(one, &form)),
        None => with_format(&mut schema, &form),
    }
    schema
}

fn with_format(object: &mut Value, form: &Value) {
    object["properties"]["format"] = form.clone();
    match &mut object["required"] {
        Value::Array(names) if names.iter().all(|name| name != "format") => {
            names.push("format".into());
        }
        Value::Array(_) => {}
        other => *other = json!(["format"]),
    }
}

/// Objects whose fields are named have no others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(close);
            if map.get("properties").is_some_and(Value::is_object) && map.contains_key("type") {
                map.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}
