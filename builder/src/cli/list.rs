//! `wifibox-build list`: what there is to compose.

use super::context::Context;
use super::failure::Failure;
use wifibox_recipe::Listed;

/// Prints it, one section for each axis.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(context: &Context) -> Result<(), Failure> {
    let listing = context.catalog.list();
    if context.printer.json {
        let text = serde_json::json!({ "format": 1, "list": listing }).to_string();
        return context.printer.result(&(text + "\n")).map_err(Failure::failed);
    }
    let sections: [(&str, &[Listed]); 6] = [
        ("bases", &listing.bases),
        ("flavors", &listing.flavors),
        ("roles", &listing.roles),
        ("features", &listing.features),
        ("kernels", &listing.kernels),
        ("hypervisors", &listing.hypervisors),
    ];
    let width = sections.iter().flat_map(|(_, items)| *items).map(|item| item.name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, items) in sections {
        text += &format!("{name}:\n");
        for item in items {
            text += &format!("  {:width$}  {}", item.name, item.summary);
            if item.architectures.len() > 1 {
                text += &format!(" ({})", item.architectures.join(", "));
            }
            text.push('\n');
        }
    }
    context.printer.result(&text).map_err(Failure::failed)
}
