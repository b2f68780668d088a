//! `wifibox-build inspect`: what is in an image, and where its bytes are.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::render::{self, failure::Failure};
use wifibox_ground::progress::Progress as _;
use wifibox_report::inspect::{InspectError, Subject};

/// `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// The output folder, or a root.img (any SquashFS 4.0 image with gzip, xz, zstd or lz4)
    #[arg(value_name = "DIR|IMAGE")]
    pub path: PathBuf,
    /// Print where the bytes are: by part, package, folder and file, before and after compression
    #[arg(long)]
    pub sizes: bool,
    /// How many levels of folders are listed
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub depth: usize,
    /// Lines of a table at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
}

/// Prints what is in the image, and with `--sizes` where its bytes are.
///
/// # Errors
/// The image or its manifest cannot be read.
pub fn run(context: &Context, args: &InspectArgs) -> Result<(), Failure> {
    let failed = |error: InspectError| Failure::failed(error);
    let subject = Subject::open(&args.path).map_err(failed)?;
    if subject.foreign_manifest {
        context.printer.warn(&format!(
            "the manifest.json beside {} describes another image: it is not used",
            subject.image.display()
        ));
    }
    // An image without its manifest says nothing but where its bytes are.
    let sizes = args.sizes || subject.manifest.is_none();
    let sizes = if sizes { Some(subject.sizes(args.depth).map_err(failed)?) } else { None };
    let manifest = subject.manifest.as_ref();
    let fields = || {
        let overview = manifest.map(|manifest| {
            serde_json::json!({
                "build_id": manifest.build_id,
                "builder": manifest.builder,
                "recipe": manifest.recipe,
                "source_date_epoch": manifest.source_date_epoch,
                "kernel": manifest.kernel,
                "packages": manifest.packages,
                "modules": manifest.modules,
                "firmware": manifest.firmware,
                "outputs": manifest.outputs,
            })
        });
        serde_json::json!({
            "inspect": { "image": subject.image, "output": overview, "sizes": sizes },
        })
    };
    context.printer.result(fields, || {
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
