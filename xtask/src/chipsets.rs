//! `cargo xtask chipsets FOLDER`: writes docs/chipsets.md from the manifests of guests that were built,
//! one of each flavor (`FOLDER/FLAVOR/manifest.json`, as ci/flavors.sh leaves them).

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use wifibox_recipe::{Catalog, Selection, Sources};
use wifibox_report::manifest::{Firmware, FirmwareCounts, Manifest};

/// Write the table of chipsets.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Folder with one output folder for each flavor.
    folder: PathBuf,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "docs/chipsets.md")]
    out: PathBuf,
}

/// The flavor that holds all drivers.
const WHOLE: &str = "default";

/// The flavor without firmware of its own.
const SIMULATED: &str = "hwsim";

/// Runs the chore.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut guests = Vec::new();
    for entry in fs::read_dir(&arguments.folder)? {
        let path = entry?.path().join("manifest.json");
        if path.is_file() {
            let text = fs::read_to_string(&path)?;
            let manifest: Manifest = serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            guests.push(manifest);
        }
    }
    guests.sort_by(|a, b| a.recipe.flavor.cmp(&b.recipe.flavor));
    let catalog = Catalog::load(&Sources::embedded())?;
    let text = page(&guests, &catalog)?;
    fs::write(&arguments.out, text)
        .map_err(|error| format!("cannot write {}: {error}", arguments.out.display()))?;
    Ok(())
}

fn page(guests: &[Manifest], catalog: &Catalog) -> Result<String, Box<dyn Error>> {
    let known: BTreeSet<&str> = guests.iter().map(|guest| guest.recipe.flavor.as_str()).collect();
    let listing = catalog.list();
    let lacking: Vec<&str> = listing
        .flavors
        .iter()
        .map(|flavor| flavor.name.as_str())
        .filter(|name| !known.contains(name))
        .collect();
    if !lacking.is_empty() {
        return Err(format!("no guest was built of {}", lacking.join(", ")).into());
    }
    let whole = guests.iter().find(|guest| guest.recipe.flavor == WHOLE);
    let whole = whole.ok_or("no guest of the whole driver set")?;
    let kernels: BTreeSet<&str> = guests.iter().map(|g| g.kernel.release.as_str()).collect();
    let kernels: Vec<&str> = kernels.into_iter().collect();
    let mut text = String::from(
        "# Chipsets\n\n\
         <!-- Written by `cargo xtask chipsets`; see ci/flavors.sh. -->\n\n\
         What the guest of each flavor holds. *Drivers* are the flavor's modules without those that every\n\
         guest has; *firmware* counts files without the regulatory database; *kept* to *missing* count the\n\
         names that modules and chipsets ask for. A *missing* name is no fault by itself: drivers name\n\
         files that were never published, for cards that were never sold. What a flavor promises is\n\
         there, or the build fails.\n\n",
    );
    let base = &whole.recipe;
    writeln!(
        text,
        "Built on {} {} ({}) as {}, kernel {}, root.img by {}.\n",
        base.base,
        base.release,
        base.architecture,
        base.role,
        kernels.join(", "),
        base.compression
    )?;
    text += "| flavor | cards | drivers | firmware files | MiB | kept | older | left out | missing \
             | root.img, MiB | of all drivers | memory, MiB |\n";
    text += "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    let common = common_modules(guests);
    for guest in guests {
        row(&mut text, guest, whole, &common, catalog)?;
    }
    text += "\n*Memory* is the recommended one. The guest of b43 was built with stand-ins for the firmware that\n\
             its users bring.\n\n## Packages\n\n| package | version |\n|---|---|\n";
    let own = guests.iter().find(|guest| guest.recipe.flavor == SIMULATED);
    let everywhere: BTreeSet<&str> = own
        .iter()
        .flat_map(|guest| guest.packages.iter().map(|package| package.name.as_str()))
        .filter(|name| !name.starts_with("linux-image") && *name != "wireless-regdb")
        .collect();
    let mut packages: BTreeSet<(&str, &str)> = BTreeSet::new();
    for guest in guests {
        packages.extend(
            guest
                .packages
                .iter()
                .filter(|package| !everywhere.contains(package.name.as_str()))
                .map(|package| (package.name.as_str(), package.version.as_str())),
        );
    }
    for (name, version) in packages {
        writeln!(text, "| {name} | {version} |")?;
    }
    text += "\n## Missing firmware\n\n\
             Names that a driver gives and no package holds.\n\n| flavor | missing |\n|---|---|\n";
    for guest in guests.iter().filter(|guest| guest.recipe.flavor != WHOLE) {
        let missing: BTreeSet<&str> = lines(guest, "missing").map(|l| l.wanted.as_str()).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            writeln!(text, "| {} | {} |", guest.recipe.flavor, names.join(" "))?;
        }
    }
    Ok(text)
}

fn lines<'a>(guest: &'a Manifest, state: &'a str) -> impl Iterator<Item = &'a Firmware> {
    guest.firmware.iter().filter(move |line| line.state == state)
}

/// Modules that every guest has.
fn common_modules(guests: &[Manifest]) -> BTreeSet<&str> {
    let names = |guest: &'_ Manifest| -> BTreeSet<String> {
        guest.modules.iter().map(|module| module.name.clone()).collect()
    };
    let sets: Vec<BTreeSet<String>> = guests.iter().map(names).collect();
    let Some(first) = guests.first() else { return BTreeSet::new() };
    let everywhere = |name: &str| sets.iter().all(|set| set.contains(name));
    first.modules.iter().map(|module| module.name.as_str()).filter(|n| everywhere(n)).collect()
}

fn row(
    text: &mut String,
    guest: &Manifest,
    whole: &Manifest,
    common: &BTreeSet<&str>,
    catalog: &Catalog,
) -> Result<(), Box<dyn Error>> {
    let recipe = &guest.recipe;
    let listing = catalog.list();
    let listed = listing.flavors.iter().find(|flavor| flavor.name == recipe.flavor);
    let firmware: Vec<u64> = guest
        .files
        .iter()
        .filter(|file| file.kind == "file" && below_firmware(&file.path))
        .filter_map(|file| file.size)
        .collect();
    let counts = FirmwareCounts::of(&guest.firmware);
    let size = |guest: &Manifest| {
        guest.outputs.iter().find(|file| file.path == "root.img").map_or(0, |file| file.size)
    };
    let composed = catalog.compose(&Selection {
        base: recipe.base.clone(),
        release: Some(recipe.release.clone()),
        flavor: recipe.flavor.clone(),
        ..Selection::default()
    })?;
    let memory = composed.memory_recommended.map_or(0, |memory| memory.value);
    let drivers =
        guest.modules.iter().filter(|module| !common.contains(module.name.as_str())).count();
    writeln!(
        text,
        "| {} | {} | {drivers} | {} | {:.1} | {} | {} | {} | {} | {:.1} | {:.0} % | {memory} |",
        recipe.flavor,
        listed.map_or("", |flavor| flavor.summary.as_str()),
        firmware.len(),
        mebibytes(firmware.iter().sum()),
        counts.kept,
        counts.replaced + counts.superseded,
        counts.dropped,
        counts.missing,
        mebibytes(size(guest)),
        size(guest) as f64 / size(whole) as f64 * 100.0,
    )?;
    Ok(())
}

fn below_firmware(path: &str) -> bool {
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path.contains("lib/firmware/") && !name.starts_with("regulatory.db")
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
