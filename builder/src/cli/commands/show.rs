//! `wifibox-build show`: the merged recipe, and where each value came from.

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::options::SelectArgs;
use crate::cli::render::failure::Failure;
use wifibox_recipe::Composed;

/// Prints it.
///
/// # Errors
/// There is no such composition.
pub fn run(context: &Context, args: &SelectArgs) -> Result<(), Failure> {
    let selection = context.one(args)?;
    let composed = Composed::new(&context.sources, &context.catalog, &selection)?;
    let show = composed.recipe.show();
    context.printer.result(|| answers::Show { rows: &show.rows }, || show.to_string())
}
