//! `wifibox-build cache`: how much is kept between builds, and less of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::{Context, cache_folder, mebibytes};
use super::failure::Failure;
use wifibox_fetch::Store;
use wifibox_image::block_cache::BlockCache;
use wifibox_pipeline::BLOCKS;
use wifibox_tree::cache::FOLDER as UNPACKED;
use wifibox_tree::unpacked::Unpacked;

/// `cache`.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// Where downloads are kept [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "WIFIBOX_BUILD_CACHE", global = true)]
    pub cache_dir: Option<PathBuf>,
    #[command(subcommand)]
    /// What to do with it.
    pub action: CacheAction,
}

/// What can be done with what is kept between builds.
#[derive(Debug, Clone, Subcommand)]
pub enum CacheAction {
    /// Print how much is kept: downloads, unpacked packages, compressed blocks
    Size,
    /// Remove what was not used for longest until blocks and unpacked packages are below a size
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

/// Prints, bounds or empties the caches. Any number of builds may be running.
///
/// # Errors
/// A folder cannot be read or written.
pub fn run(context: &Context, args: &CacheArgs) -> Result<(), Failure> {
    let folder = cache_folder(args.cache_dir.as_deref())?;
    let (blocks, unpacked) = (folder.join(BLOCKS), folder.join(UNPACKED));
    let prune = |block_limit, unpacked_limit| {
        BlockCache::prune(&blocks, block_limit).map_err(Failure::failed)?;
        Unpacked::prune(&unpacked, unpacked_limit).map_err(Failure::failed)
    };
    match args.action {
        CacheAction::Size => {}
        CacheAction::Prune { block_cache, unpacked } => {
            prune(mebibytes(block_cache), mebibytes(unpacked))?;
        }
        CacheAction::Clear => prune(0, 0)?,
    }
    let downloads = match folder.join("store").is_dir() {
        true => Store::open(&folder).and_then(|store| store.entries()).map_err(Failure::failed)?,
        false => Vec::new(),
    };
    let bytes: u64 = downloads.iter().map(|(_, size)| size).sum();
    let blocks = BlockCache::size(&blocks).map_err(Failure::failed)?;
    let unpacked = Unpacked::size(&unpacked).map_err(Failure::failed)?;
    let rows = [
        ("downloads", downloads.len() as u64, bytes),
        ("unpacked", unpacked.packages, unpacked.bytes),
        ("blocks", blocks.blocks, blocks.bytes),
    ];
    if context.printer.json {
        let row = |(_, count, bytes): &(&str, u64, u64)| serde_json::json!({ "count": count, "bytes": bytes });
        let [downloads, unpacked, blocks] = rows.each_ref().map(row);
        let text = serde_json::json!({
            "format": 1,
            "cache": {
                "folder": folder, "downloads": downloads, "unpacked": unpacked, "blocks": blocks,
            },
        });
        return context.printer.result(&format!("{text}\n")).map_err(Failure::failed);
    }
    let mut text =
        format!("{}\n  {:<12} {:>8} {:>14}\n", folder.display(), "what", "count", "bytes");
    for (what, count, bytes) in rows {
        text += &format!("  {what:<12} {count:>8} {bytes:>14}\n");
    }
    context.printer.result(&text).map_err(Failure::failed)
}
