//! `wifibox-build show`: the merged recipe, and where each value came from.

use super::args::SelectArgs;
use super::context::Context;
use super::failure::Failure;
use wifibox_recipe::Composed;

/// Prints it.
///
/// # Errors
/// There is no such composition.
pub fn run(context: &Context, args: &SelectArgs) -> Result<(), Failure> {
    let selection = context.selection(args)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let show = composed.recipe.show();
    let text = if context.printer.json {
        serde_json::json!({ "format": 1, "rows": show.rows }).to_string() + "\n"
    } else {
        show.to_string()
    };
    context.printer.result(&text).map_err(Failure::failed)
}
