//! `wifibox-build cache`: how much is kept between builds, and less of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::answers;
use crate::cli::context::{Context, cache_folder, mebibytes};
use crate::cli::render::failure::Failure;
use wifibox_pipeline::Kept;

/// `cache`.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// Where downloads are kept [default: the user's cache folder]
    // With the name of the builds' own one, clap would take it for theirs, given before the verb.
    #[arg(
        id = "kept_in",
        long = "cache-dir",
        value_name = "DIR",
        env = "WIFIBOX_BUILD_CACHE",
        global = true
    )]
    pub cache_dir: Option<PathBuf>,
    #[command(subcommand)]
    /// The action.
    pub action: CacheAction,
}

/// Actions on the caches.
#[derive(Debug, Clone, Subcommand)]
pub enum CacheAction {
    /// Show the size of each: downloads, unpacked packages, compressed blocks
    Size,
    /// Remove the least recently used blocks and unpacked packages until they are below a size
    Prune {
        /// For compressed blocks, in MiB
        #[arg(long, value_name = "MIB", env = "WIFIBOX_BUILD_BLOCK_CACHE", default_value_t = 2048)]
        block_cache: u32,
        /// For unpacked packages, in MiB
        #[arg(long, value_name = "MIB", default_value_t = 4096)]
        unpacked: u32,
    },
    /// Remove all blocks and unpacked packages; downloads stay
    Clear,
}

/// Shows, limits or empties the caches. Any number of builds may be running.
///
/// # Errors
/// A folder cannot be read or written.
pub fn run(context: &Context, args: &CacheArgs) -> Result<(), Failure> {
    let folder = cache_folder(args.cache_dir.as_deref())?;
    let kept = match args.action {
        CacheAction::Size => Kept::of(&folder),
        CacheAction::Prune { block_cache, unpacked } => {
            Kept::pruned(&folder, mebibytes(block_cache), mebibytes(unpacked))
        }
        CacheAction::Clear => Kept::pruned(&folder, 0, 0),
    };
    let kept = kept.map_err(Failure::failed)?;
    context.printer.result(|| answers::Cache { cache: &kept }, || text(&kept))
}

fn text(kept: &Kept) -> String {
    let mut text =
        format!("{}\n  {:<12} {:>8} {:>14}\n", kept.folder.display(), "what", "count", "bytes");
    let rows =
        [("downloads", kept.downloads), ("unpacked", kept.unpacked), ("blocks", kept.blocks)];
    for (what, amount) in rows {
        text += &format!("  {what:<12} {:>8} {:>14}\n", amount.count, amount.bytes);
    }
    text
}
