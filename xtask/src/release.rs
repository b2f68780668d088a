//! `cargo xtask release FOLDER`: writes index.html, provenance.json, index.json and SHA256SUMS of a release folder,
//! whose guests, locks and programs lie in it already. `ci/release.sh` calls it, and signs SHA256SUMS.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::PathBuf;

use wifibox_host::detect::answer::Oracle;
use wifibox_host::detect::by_flavor;
use wifibox_host::detect::offer::{Wanted, offers};
use wifibox_host::detect::table::Table;
use wifibox_recipe::{Catalog, Listed, Sources};
use wifibox_report::html::{self, FlavorCards};
use wifibox_report::release::{Description, Omitted, Source, seal};

/// Seal a release folder.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The release folder.
    folder: PathBuf,
    /// The release's version [default: the builder's].
    #[arg(long, default_value = env!("CARGO_PKG_VERSION"))]
    version: String,
    /// Where the builder and its recipes are from: URL@COMMIT.
    #[arg(long, value_name = "URL@COMMIT", value_parser = parse_source)]
    source: Option<Source>,
    /// A URI that says who runs the build.
    #[arg(long, value_name = "URI",
        default_value = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/ci/release.sh"))]
    builder_id: String,
    /// A guest, and a URI of the machine that built it.
    #[arg(long, value_name = "GUEST=URI", value_parser = parse_pair)]
    built_by: Vec<(String, String)>,
    /// A guest that passed its boot test, and how: direct, uefi or modules.
    #[arg(long, value_name = "GUEST=HOW", value_parser = parse_pair)]
    boot_tested: Vec<(String, String)>,
    /// A guest that is not in the release, and why.
    #[arg(long, value_name = "GUEST=WHY", value_parser = parse_pair)]
    omitted: Vec<(String, String)>,
}

/// Runs the chore; prints what the release holds.
pub fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut boot_tested: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (guest, how) in arguments.boot_tested {
        boot_tested.entry(guest).or_default().insert(how);
    }
    let omitted = arguments.omitted.into_iter().map(|(name, why)| Omitted { name, why });
    let sources = Sources::embedded();
    let (flavors, without) = cards(&sources)?;
    let description = Description {
        version: arguments.version,
        source: arguments.source,
        builder_id: arguments.builder_id,
        built_by: arguments.built_by.into_iter().collect(),
        boot_tested,
        omitted: omitted.collect(),
        recipes: &sources,
        page: &|index| html::release(index, &flavors, &without),
    };
    let index = seal(&arguments.folder, description)?;
    let (files, bytes) =
        index.artefacts().fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.size));
    print(&format!(
        "release {}: {} guests, {} programs, {files} files, {bytes} bytes",
        index.version,
        index.guests.len(),
        index.tools.len()
    ));
    Ok(())
}

/// The cards of all flavors, and those that no guest drives.
type Cards = (Vec<FlavorCards>, BTreeMap<String, Vec<String>>);

fn cards(sources: &Sources) -> Result<Cards, Box<dyn Error>> {
    let (catalog, table) = (Catalog::load(sources)?, Table::load(sources)?);
    let all = Wanted { base: None, release: None, role: None, hypervisor: None };
    let offers = offers(&catalog, &table, &all)?;
    let (arguments, table) = (String::new(), &table);
    let (mut flavors, without) =
        by_flavor(&Oracle { table, offers: &offers, arguments, base: None, hypervisor: None });
    // Some are for no card: simulated radios, and all chipsets at once.
    for Listed { name, summary, .. } in catalog.list().flavors {
        if flavors.iter().all(|known| known.flavor != name) {
            let (command, ids) = (format!("wifibox-build --flavor {name}"), Vec::new());
            flavors.push(FlavorCards { flavor: name, summary, command, ids });
        }
    }
    Ok((flavors, without))
}

#[expect(clippy::print_stdout, reason = "a chore prints")]
fn print(text: &str) {
    println!("{text}");
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() && !rest.is_empty() => {
            Ok((name.to_owned(), rest.to_owned()))
        }
        _ => Err("expected GUEST=TEXT".to_owned()),
    }
}

fn parse_source(text: &str) -> Result<Source, String> {
    let hexadecimal = |commit: &str| commit.bytes().all(|b| b.is_ascii_hexdigit());
    match text.rsplit_once('@') {
        Some((uri, commit)) if [40, 64].contains(&commit.len()) && hexadecimal(commit) => {
            Ok(Source { uri: uri.to_owned(), commit: commit.to_ascii_lowercase() })
        }
        _ => Err("expected URL@COMMIT, with all of the commit's digits".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked() {
        let commit = "0123456789ABCDEF0123456789abcdef01234567";
        let source = parse_source(&format!("https://u@example.org/x@{commit}")).expect("parsed");
        assert_eq!(source.uri, "https://u@example.org/x");
        assert_eq!(source.commit, commit.to_lowercase());
        assert!(parse_source("https://example.org@main").is_err());
        assert_eq!(parse_pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parse_pair("a=").is_err() && parse_pair("=b").is_err());
    }
}
