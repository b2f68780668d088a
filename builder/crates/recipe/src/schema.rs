//! The JSON schemas of the recipe files (draft 2020-12), for editors and for `docs/schema`.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use super::base::Base;
use super::kernel::Kernel;
use super::model::{Chipset, Feature, Flavor, Guest, Hypervisor, Role};
use super::project::ProjectFile;

/// The schema of each kind of file, as pairs of the kind's name and its schema; `docs/schema`
/// holds each as `KIND.json`.
pub fn schemas() -> Vec<(&'static str, Value)> {
    vec![
        ("base", schema::<Base>()),
        ("feature", schema::<Feature>()),
        ("flavor", schema::<Flavor>()),
        ("guest", schema::<Guest>()),
        ("hypervisor", schema::<Hypervisor>()),
        ("kernel", schema::<Kernel>()),
        ("chipset", schema::<Chipset>()),
        ("role", schema::<Role>()),
        ("project", schema::<ProjectFile>()),
    ]
}

/// The schema of a type.
pub fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}
