//! `wifibox-build list`: what there is to compose.

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_recipe::{Listed, Listing};

/// Prints it, one section for each axis.
///
/// # Errors
/// Stdout cannot be written.
pub fn run(context: &Context) -> Result<(), Failure> {
    let listing = context.catalog.list();
    context.printer.result(|| answers::List { list: &listing }, || text(&listing))
}

fn text(listing: &Listing) -> String {
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
    text
}
