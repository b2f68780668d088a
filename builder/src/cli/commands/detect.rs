//! `wifibox-build detect`: which flavor a wireless card needs, and how to hand the card over.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCandidates as Candidates;

use crate::cli::answers;
use crate::cli::candidates;
use crate::cli::cards::{host, unreadable};
use crate::cli::context::Context;
use crate::cli::render;
use crate::cli::render::{failure::Failure, page};
use wifibox_ground::device::DeviceId;
use wifibox_host::detect::answer::{Answer, Oracle};
use wifibox_host::detect::offer::{self, Wanted};
use wifibox_host::detect::table::Table;
use wifibox_host::detect::{self, Card, DetectError, Ident, LISTING_LIMIT, by_flavor, sysfs};
use wifibox_report::html;

/// `detect`.
#[derive(Debug, Clone, Args)]
pub struct DetectArgs {
    /// Listings of hardware (pciconf -lv, lspci -nnk, ...), - for standard input, or ids such as
    /// 8086:2725 [default: this host]
    pub listing: Vec<String>,
    /// Read sys/ below this folder, that of a Linux machine
    #[arg(long, value_name = "DIR", conflicts_with = "listing")]
    pub root: Option<PathBuf>,
    /// Write a page for a browser that says which flavor a pasted listing's card needs
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listing", "root"])]
    pub html: Option<PathBuf>,
    /// Only guests of this base
    #[arg(long, add = Candidates::new(candidates::bases))]
    pub base: Option<String>,
    /// Only guests of this release
    #[arg(long, add = Candidates::new(candidates::releases))]
    pub release: Option<String>,
    /// The role that the guest is built with
    #[arg(long, add = Candidates::new(candidates::roles))]
    pub role: Option<String>,
    /// The hypervisor that the guest is built for
    #[arg(long, add = Candidates::new(candidates::hypervisors))]
    pub hypervisor: Option<String>,
}

/// Prints the answers.
///
/// # Errors
/// A listing cannot be read (exit code 2), or names no card that a guest could drive (1).
pub fn run(context: &Context, args: &DetectArgs) -> Result<(), Failure> {
    let wanted = Wanted {
        base: args.base.clone(),
        release: args.release.clone(),
        role: args.role.clone(),
        hypervisor: args.hypervisor.clone(),
    };
    let table = Table::load(&context.sources).map_err(Failure::failed)?;
    let offers = offer::offers(&context.catalog, &table, &wanted)?;
    let named = [("--role", &args.role), ("--hypervisor", &args.hypervisor)];
    let named = named.iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
    let hypervisor = args.hypervisor.as_deref();
    let oracle = Oracle {
        table: &table,
        offers: &offers,
        arguments: named.map(|(flag, value)| format!(" {flag} {value}")).collect(),
        base: args.base.as_deref(),
        hypervisor,
    };
    if let Some(path) = &args.html {
        let (flavors, without) = by_flavor(&oracle);
        page::write(path, &html::detect(&flavors, &without))?;
        let fields = || answers::Detect::Page { page: path };
        return context.printer.result(fields, || format!("{}\n", path.display()));
    }
    let (source, cards) = cards(context, args)?;
    let answers = oracle.answers(&cards);
    let fields = || {
        let kernels = table.kernels.iter().map(|kernel| kernel.release.as_str()).collect();
        let devices = cards.len();
        answers::Detect::Cards { source: &source, devices, kernels, cards: &answers }
    };
    context.printer.result(fields, || render::detect::text(&answers, cards.len(), &source))?;
    if answers.iter().any(Answer::is_supported) {
        Ok(())
    } else {
        Err(Failure::failed(format!("{source}: no wireless card that a guest could drive")))
    }
}

/// The devices that the arguments are about, and where they were found.
fn cards(context: &Context, args: &DetectArgs) -> Result<(String, Vec<Card>), Failure> {
    if let Some(root) = &args.root {
        let cards = sysfs::read(root).map_err(|error| unreadable("--root", &error))?;
        return Ok((root.join("sys").display().to_string(), cards));
    }
    if args.listing.is_empty() {
        return host(context);
    }
    let mut all = Vec::new();
    let mut sources = Vec::new();
    for listing in &args.listing {
        let name = if listing == "-" { "standard input" } else { listing };
        let cards = match listing.parse::<DeviceId>() {
            Ok(id) if !Path::new(listing).exists() => {
                let mut card = Card::new(Ident::Pci { id, class: None });
                card.asked = true;
                vec![card]
            }
            _ => {
                let text = if listing == "-" {
                    read(name, std::io::stdin().lock())?
                } else {
                    let path = PathBuf::from(listing);
                    let file = File::open(&path);
                    read(
                        name,
                        file.map_err(|source| unreadable(name, &DetectError::Io { path, source }))?,
                    )?
                };
                detect::read(&text).map_err(|error| unreadable(name, &error))?
            }
        };
        all.extend(cards);
        sources.push(name);
    }
    Ok((sources.join(", "), all))
}

/// A text, which need not be UTF-8 everywhere: boards have odd names.
fn read(name: &str, reader: impl std::io::Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LISTING_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    let read = reader.take(limit).read_to_end(&mut bytes);
    read.map_err(|source| unreadable(name, &DetectError::Io { path: name.into(), source }))?;
    Ok(detect::tidy::decode(&bytes))
}
