//! `wifibox-build inspect`: what is in an image, and where its bytes are.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::{self, failure::Failure, page};
use wifibox_ground::device::PciAlias;
use wifibox_ground::progress::Progress as _;
use wifibox_host::detect::table::{Kind, Table};
use wifibox_report::Manifest;
use wifibox_report::html::{self, Driven};
use wifibox_report::inspect::{InspectError, Subject};

/// `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// The output folder, or a root.img (any SquashFS 4.0 image with gzip, xz, zstd, lz4 or lzo)
    #[arg(value_name = "DIR|IMAGE")]
    pub path: PathBuf,
    /// The image begins at this byte of the file, within a firmware file or a disk: decimal, or hexadecimal with 0x
    #[arg(long, value_name = "BYTES", value_parser = offset)]
    pub offset: Option<u64>,
    /// Print where the bytes are: by part, package, folder and file, before and after compression
    #[arg(long)]
    pub sizes: bool,
    /// How many levels of folders are listed
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub depth: usize,
    /// Lines of a table at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// Write a page for a browser: sizes as treemaps, packages with licences, firmware, cards, all files
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// Prints what is in the image, and with `--sizes` where its bytes are.
///
/// # Errors
/// The image or its manifest cannot be read.
pub fn run(context: &Context, args: &InspectArgs) -> Result<(), Failure> {
    let failed = |error: InspectError| Failure::failed(error);
    let subject = match args.offset {
        Some(_) if args.path.is_dir() => {
            let what = format!("--offset is for a file, and {} is a folder", args.path.display());
            return Err(Failure::usage(what));
        }
        Some(offset) => Subject::within(&args.path, offset),
        None => Subject::open(&args.path).map_err(failed)?,
    };
    if subject.foreign_manifest {
        context.printer.warn(&format!(
            "the manifest.json beside {} describes another image: it is not used",
            subject.image.display()
        ));
    }
    // An image without its manifest says nothing but where its bytes are.
    let sizes = args.sizes || args.html.is_some() || subject.manifest.is_none();
    let read = || subject.sizes(args.depth).map_err(|error| unreadable(error, &subject));
    let sizes = if sizes { Some(read()?) } else { None };
    let manifest = subject.manifest.as_ref();
    if let (Some(path), Some(sizes)) = (&args.html, &sizes) {
        let table = Table::load(&context.sources).map_err(Failure::failed)?;
        let driven = manifest.map(|manifest| driven(manifest, &table)).unwrap_or_default();
        page::write(path, &html::inspect(&name(&args.path), manifest, sizes, &driven))?;
    }
    let fields = || {
        let inspect = answers::Inspected {
            image: &subject.image,
            output: manifest.map(answers::Overview::from),
            sizes: sizes.as_ref(),
            page: args.html.as_deref(),
        };
        answers::Inspect { inspect }
    };
    context.printer.result(fields, || {
        if let Some(path) = &args.html {
            return format!("{}\n", path.display());
        }
        let mut text = String::new();
        if let Some(manifest) = manifest.filter(|_| !args.sizes) {
            render::inspect::overview(&mut text, manifest);
        }
        if let Some(sizes) = &sizes {
            render::inspect::tables(&mut text, sizes, args.top);
        }
        text
    })
}

/// A number of bytes.
fn offset(text: &str) -> Result<u64, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "a number of bytes is expected, such as 4096 or 0x1000".to_owned())
}

/// The error, with where the image seems to be.
fn unreadable(error: InspectError, subject: &Subject) -> Failure {
    let place = match &error {
        InspectError::Image { .. } => subject.begins_elsewhere(),
        InspectError::Load(_) => None,
    };
    let failure = Failure::failed(error);
    match place {
        Some(place) => failure.with_hint(format!(
            "an image seems to begin at byte {place}: --offset {place} reads it there"
        )),
        None => failure,
    }
}

/// What a page calls the image: the last names of its path.
fn name(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole
        .file_name()
        .map_or_else(|| whole.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// The cards that the guest's drivers know.
fn driven(manifest: &Manifest, table: &Table) -> Vec<Driven> {
    let of = |driver: &str| {
        let aliases =
            table.about(Kind::Alias, driver).filter_map(|(alias, _)| PciAlias::parse(alias));
        let ids = aliases
            .filter_map(|alias| Some(format!("{:04x}:{:04x}", alias.vendor?, alias.device?)));
        let mut cards: Vec<String> = ids.collect();
        cards.sort();
        cards.dedup();
        Driven { driver: driver.to_owned(), cards }
    };
    let all = manifest.modules.iter().map(|module| of(&module.name));
    all.filter(|driven| !driven.cards.is_empty()).collect()
}
