//! `wifibox-build init`: writes a project, `wifibox.yaml`, for the card of this machine or the flavor that is named.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCandidates as Candidates;

use crate::cli::answers;
use crate::cli::candidates;
use crate::cli::cards;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::progress::Progress as _;
use wifibox_host::detect::answer::Oracle;
use wifibox_host::detect::offer::{self, Wanted};
use wifibox_host::detect::table::Table;
use wifibox_recipe::{Listed, Selection};

/// `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The file to write, or the folder for it
    #[arg(default_value = "wifibox.yaml")]
    pub file: PathBuf,
    /// The chipset [default: what the card of this machine needs]
    #[arg(long, add = Candidates::new(candidates::flavors))]
    pub flavor: Option<String>,
    /// The base: where packages come from
    #[arg(long, add = Candidates::new(candidates::bases))]
    pub base: Option<String>,
    /// What the guest does
    #[arg(long, add = Candidates::new(candidates::roles))]
    pub role: Option<String>,
    /// What the guest runs under
    #[arg(long, add = Candidates::new(candidates::hypervisors))]
    pub hypervisor: Option<String>,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
}

/// Writes it, and says what to do next.
///
/// # Errors
/// There is one; no flavor is named and no card is found; there is no such guest.
pub fn run(context: &Context, args: &InitArgs) -> Result<(), Failure> {
    let file = match args.file.is_dir() {
        true => args.file.join("wifibox.yaml"),
        false => args.file.clone(),
    };
    if file.exists() && !args.force {
        return Err(Failure::usage(format!("{} is there already", file.display()))
            .with_hint("edit it, or replace it with --force"));
    }
    let found = match &args.flavor {
        Some(_) => None,
        None => of_this_machine(context, args),
    };
    let mut selection = Selection {
        base: match (&args.base, &found) {
            (Some(base), _) => base.clone(),
            (None, Some(found)) => found.base.clone(),
            (None, None) => context.base(None)?,
        },
        flavor: args.flavor.clone().or(found.map(|found| found.flavor)).unwrap_or_default(),
        role: args.role.clone(),
        hypervisor: args.hypervisor.clone(),
        ..Selection::default()
    };
    // Nothing waits for an answer that nobody can give.
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        ask(context, args, &mut selection)?;
    } else if selection.flavor.is_empty() {
        return Err(Failure::usage(
            "no wireless card is found here: name the flavor with --flavor",
        )
        .with_hint("'wifibox-build list' shows all; hwsim has simulated radios, to try it out"));
    }
    let recipe = context.catalog.compose(&selection)?;
    let summary = |list: &[Listed], name: &str| {
        let listed = list.iter().find(|listed| listed.name == name);
        listed.map(|listed| listed.summary.clone()).unwrap_or_default()
    };
    let listing = context.catalog.list();
    let text = text(&Choices {
        base: (&selection.base, &summary(&listing.bases, &selection.base)),
        flavor: (&selection.flavor, &summary(&listing.flavors, &selection.flavor)),
        role: (&recipe.role.value, selection.role.is_some()),
        hypervisor: (&recipe.hypervisor.name.value, selection.hypervisor.is_some()),
    });
    write(&file, &text, args.force)?;
    let fields =
        || answers::Init { project: &file, base: &selection.base, flavor: &selection.flavor };
    context.printer.result(fields, || {
        let file = file.display();
        let (flavor, base) = (&selection.flavor, &selection.base);
        format!("{file}: {flavor} on {base}\nbuild it with: wifibox-build\n")
    })
}

/// What the card of this machine needs.
struct Found {
    base: String,
    flavor: String,
}

/// The guest for the first card of this machine that one can drive.
fn of_this_machine(context: &Context, args: &InitArgs) -> Option<Found> {
    let wanted = Wanted {
        base: args.base.clone(),
        release: None,
        role: args.role.clone(),
        hypervisor: args.hypervisor.clone(),
    };
    let table = Table::load(&context.sources).ok()?;
    let offers = offer::offers(&context.catalog, &table, &wanted).ok()?;
    let oracle = Oracle {
        table: &table,
        offers: &offers,
        arguments: String::new(),
        base: args.base.as_deref(),
        hypervisor: args.hypervisor.as_deref(),
    };
    let (_, cards) = cards::host(context).ok()?;
    let answers = oracle.answers(&cards);
    let guest = answers.iter().find_map(|answer| {
        let guest = answer.guests.first()?;
        let name = answer.name.clone().unwrap_or_else(|| guest.summary.clone());
        Some((name, guest))
    });
    let (name, guest) = guest?;
    context.printer.note(&format!("found {name}"));
    Some(Found { base: guest.base.clone(), flavor: guest.flavor.clone() })
}

/// Asks what the command line does not say; what is found, or the recipes' default, is offered.
fn ask(context: &Context, args: &InitArgs, selection: &mut Selection) -> Result<(), Failure> {
    let listing = context.catalog.list();
    if args.flavor.is_none() {
        selection.flavor = choose("flavor", &listing.flavors, &selection.flavor)?;
    }
    if args.base.is_none() {
        selection.base = choose("base", &listing.bases, &selection.base)?;
    }
    if args.role.is_none() {
        let mut usual = Selection { role: None, ..selection.clone() };
        usual.hypervisor = None;
        let usual = context.catalog.compose(&usual)?.role.value;
        let role = choose("role", &listing.roles, &usual)?;
        selection.role = (role != usual).then_some(role);
    }
    Ok(())
}

/// Asks until the answer is one of `list`; nothing means `usual`, if there is that.
fn choose(what: &str, list: &[Listed], usual: &str) -> Result<String, Failure> {
    let names: Vec<&str> = list.iter().map(|listed| listed.name.as_str()).collect();
    let failed = |error: io::Error| Failure::failed(format!("cannot ask for the {what}: {error}"));
    loop {
        let offer = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
        let mut terminal = io::stderr();
        write!(terminal, "{what} ({}){offer}: ", names.join(", ")).map_err(failed)?;
        terminal.flush().map_err(failed)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).map_err(failed)? == 0 {
            return Err(Failure::usage(format!("the {what} is not said")));
        }
        match line.trim() {
            "" if !usual.is_empty() => return Ok(usual.to_owned()),
            answer if names.contains(&answer) => return Ok(answer.to_owned()),
            _ => {}
        }
    }
}

fn write(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(file).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))
}

/// What a project begins with: names, with summaries, or with whether they were chosen.
struct Choices<'a> {
    base: (&'a str, &'a str),
    flavor: (&'a str, &'a str),
    role: (&'a str, bool),
    hypervisor: (&'a str, bool),
}

fn text(choices: &Choices<'_>) -> String {
    let line = |key: &str, (value, chosen): (&str, bool)| {
        let mark = if chosen { "" } else { "#" };
        format!("{mark}{key}: {value}\n")
    };
    let first = |key: &str, (value, summary): (&str, &str)| {
        format!("{:<20}  # {}\n", format!("{key}: {value}"), summary.trim_end())
    };
    format!(
        "# yaml-language-server: $schema={}/raw/main/docs/schema/project.json\n\
         # Which guest wifibox-build makes here, and what is in it besides. 'wifibox-build' builds it,\n\
         # 'wifibox-build show' prints all of it and where each value is from. Commit locks/ beside this file.\n\n",
        env!("CARGO_PKG_REPOSITORY")
    ) + &first("base", choices.base)
        + &first("flavor", choices.flavor)
        + &line("role", choices.role)
        + &line("hypervisor", choices.hypervisor)
        + MORE
}

/// What else there may be; each line is right without its mark.
const MORE: &str = "\
#with: [ipv6]         # features: see 'wifibox-build list'

# What is in it besides. '-NAME' takes out what the recipes have.
#packages: [tcpdump]
#load_modules: [dummy]
#cmdline: [loglevel=4]

# Files of your own, laid over everything else; what begins with #! is a program. No secrets: who has the guest reads them.
#files:
#  etc/motd: { text: \"Hello\\n\" }
#  etc/sv/hello: { text: \"#!/bin/sh\\nexec sleep 1000\\n\" }
#services: [hello]
";

#[cfg(test)]
mod tests {
    use super::*;
    use wifibox_recipe::{Catalog, Sources};

    fn project(text: &str) -> Catalog {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("p.yaml"), text).expect("written");
        let sources = Sources::embedded().with_project(folder.path(), "p.yaml");
        Catalog::load(&sources).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn what_it_writes_composes_with_and_without_the_marks() {
        let text = text(&Choices {
            base: ("alpine", "Alpine Linux"),
            flavor: ("hwsim", "Simulated radios"),
            role: ("station", false),
            hypervisor: ("qemu", true),
        });
        for (text, packages) in [(text.clone(), 0), (text.replace("\n#", "\n"), 1)] {
            // A comment is one word and a blank.
            let text: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with(' ') || line.starts_with("  e"))
                .collect();
            let catalog = project(&text.join("\n"));
            let guest = catalog.project().expect("read").guests().next().expect("one");
            let selections = guest.selections(None);
            let recipe = catalog.compose(&selections[0]).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(recipe.hypervisor.name.value, "qemu");
            let own =
                |package: &&wifibox_recipe::Sourced<String>| &*package.origin.file == "p.yaml";
            assert_eq!(recipe.packages.iter().filter(own).count(), packages);
            assert_eq!(recipe.own.len(), packages * 2);
        }
    }
}
