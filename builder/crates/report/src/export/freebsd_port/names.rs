//! The port's names for what can be chosen.

use std::collections::BTreeSet;

use wifibox_recipe::{Axes, FlavorChoice, RootCompressor};
use wifibox_resolve::Variants;

/// How the port calls the axes that the builder has.
#[derive(Debug, Clone)]
pub struct Names {
    /// Flavors, as they are.
    pub flavors: Vec<String>,
    /// For each flavor, the option by which the guest of the flavor `default` has it.
    pub parts: Vec<Option<String>>,
    /// `KERN_...`; a kernel's name without that of its base.
    pub kernels: Vec<String>,
    /// `APP_...`.
    pub roles: Vec<String>,
    /// The feature's own name where it is on by itself, `XX_...` for extras.
    pub features: Vec<String>,
    /// `COMP_...`.
    pub compressions: Vec<String>,
}

/// The name of a compressor on the builder's command line.
pub fn compressor(compression: RootCompressor) -> &'static str {
    match compression {
        RootCompressor::Xz => "xz",
        RootCompressor::Zstd => "zstd",
        RootCompressor::Gzip => "gzip",
        RootCompressor::Lz4 => "lz4",
        RootCompressor::Lzo => "lzo",
    }
}

fn option(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", name.to_uppercase().replace('-', "_"))
}

/// The option of a role, by the name that users of net/wifibox-alpine have in their files of options.
fn role(name: &str) -> String {
    match name {
        "station" => "APP_SUPPLICANT".to_owned(),
        name => option("APP_", name),
    }
}

impl Names {
    /// The names for what `variants` were chosen among.
    pub fn of(variants: &Variants) -> Names {
        let axes = &variants.axes;
        let own = format!("{}-", variants.target.base);
        let kernel = |name: &str| option("KERN_", name.strip_prefix(&own).unwrap_or(name));
        Names {
            flavors: axes.flavors.iter().map(|flavor| flavor.choice.name.clone()).collect(),
            parts: parts(axes),
            kernels: axes.kernels.iter().map(|choice| kernel(&choice.name)).collect(),
            roles: axes.roles.iter().map(|choice| role(&choice.name)).collect(),
            features: axes
                .features
                .iter()
                .map(|f| option(if f.default { "" } else { "XX_" }, &f.choice.name))
                .collect(),
            compressions: axes
                .compressions
                .iter()
                .map(|compression| option("COMP_", compressor(*compression)))
                .collect(),
        }
    }
}

/// The flavor whose parts can be chosen.
pub(super) const WHOLE: &str = "default";
/// Simulated radios are of no use beside real ones.
const SIMULATED: &str = "hwsim";

/// For each flavor the option that makes it a part of the guest; none at all where the flavor `default` could not be
/// put together of the others.
fn parts(axes: &Axes) -> Vec<Option<String>> {
    let is_part = |flavor: &&FlavorChoice| ![WHOLE, SIMULATED].contains(&&*flavor.choice.name);
    let whole = axes.flavors.iter().find(|flavor| flavor.choice.name == WHOLE);
    let wanted: BTreeSet<&String> = whole.iter().flat_map(|flavor| &flavor.chipsets).collect();
    let all = axes.flavors.iter().filter(is_part).filter(|flavor| flavor.kernels.is_empty());
    let had: BTreeSet<&String> = all.flat_map(|flavor| &flavor.chipsets).collect();
    if wanted.is_empty() || !wanted.is_subset(&had) {
        return vec![None; axes.flavors.len()];
    }
    let name = |flavor: &FlavorChoice| {
        // A driver from outside the kernel excludes the others.
        let prefix = if flavor.kernels.is_empty() { "FW_" } else { "XX_DRIVER_" };
        is_part(&flavor).then(|| option(prefix, &flavor.choice.name))
    };
    axes.flavors.iter().map(name).collect()
}
