//! The files of the output folder.

use std::io::Write as _;

use super::kernel::{Kernel, initramfs_compression};
use super::{Composed, Environment, Error};
use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::guest::PERSISTENT_FEATURE;
use wifibox_ground::guest::PERSISTENT_FILE;
use wifibox_ground::meter::Laps;
use wifibox_ground::parallel::both;
use wifibox_host::board::Board;
use wifibox_image::{esp, gpt, newc, padding, squashfs, uki};
use wifibox_recipe::{Compression, InitSystem, Recipe};
use wifibox_report::folder::{OutputError, OutputFolder};
use wifibox_report::manifest;
use wifibox_tree::Tree;

/// The name by which OpenWrt finds its partition.
const DATA_PARTITION: &str = "rootfs_data";
/// How large the disk is, in bytes; most of them are never written.
const DATA_SIZE: u64 = 64 << 20;

/// Makes room for OpenWrt's overlay behind the file system that fills `file`.
fn pad(file: &mut std::fs::File) -> std::io::Result<()> {
    let used = file.metadata()?.len();
    padding::pad_for_overlay(file, used).map(drop)
}

/// What the images are made of.
pub struct Parts<'a> {
    /// The composition.
    pub composed: &'a Composed<'a>,
    /// The guest's root.
    pub root: &'a Tree,
    /// Its kernel.
    pub kernel: &'a Kernel,
    /// Its initramfs, where the kernel needs one.
    pub initramfs: Option<&'a Tree>,
    /// Times are clamped to this.
    pub source_date_epoch: u32,
    /// Block size of root.img, in bytes.
    pub block_size: squashfs::BlockSize,
    /// Identifies the build.
    pub build_id: &'a Sha256,
    /// Measures the stages.
    pub laps: &'a Laps<'a>,
}

/// The kernel's command line.
pub fn cmdline(recipe: &Recipe) -> String {
    let words: Vec<&str> = recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
    words.join(" ")
}

fn board(recipe: &Recipe) -> Result<Board, Error> {
    let architecture = &recipe.architecture.value;
    Board::of_architecture(architecture).ok_or_else(|| {
        Error::Unsupported(format!(
            "guests for {architecture} cannot be made: only those for x86_64 and aarch64"
        ))
    })
}

fn codec(recipe: &Recipe, kernel: &Kernel) -> Result<squashfs::Codec, Error> {
    Ok(match recipe.compression.value {
        Compression::Xz => squashfs::Codec::Xz {
            x86: board(recipe)? == Board::Pc && kernel.capabilities.reads_x86_filter(),
        },
        Compression::Zstd => squashfs::Codec::ZSTD,
        Compression::Gzip => squashfs::Codec::GZIP,
        Compression::Lz4 => squashfs::Codec::Lz4,
        Compression::Lzo => {
            return Err(Error::Unsupported(
                "root.img cannot be compressed with lzo: choose xz, zstd, gzip or lz4".to_owned(),
            ));
        }
    })
}

/// Writes root.img, the kernel's files and esp.img.
///
/// # Errors
/// [`Error`].
pub fn write_images(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    // Neither reads what the other writes.
    let root = || root_image(parts, folder, environment);
    both(environment.jobs, root, || boot_files(parts, folder, environment))?;
    parts.laps.end("boot files");
    Ok(())
}

/// Writes root.img, and the disk that settings are kept on where there is one.
fn root_image(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    let recipe = &parts.composed.recipe;
    let options = squashfs::Options {
        codec: codec(recipe, parts.kernel)?,
        block_size: parts.block_size,
        source_date_epoch: parts.source_date_epoch,
        jobs: environment.jobs,
    };
    folder.write("root.img", 0o644, |file| {
        let (progress, blocks) =
            (environment.progress, environment.caches.blocks(environment.progress));
        let written = squashfs::write_cached(parts.root, &options, blocks, file, progress)?;
        parts.laps.end("root.img");
        let mut image = std::io::BufReader::new(&mut *file);
        squashfs::verify_written(parts.root, &options, &written, &mut image)?;
        parts.laps.end("root.img read back");
        if recipe.init_system.value == InitSystem::Procd {
            pad(file).map_err(OutputError::io("cannot pad root.img"))?;
        }
        Ok::<(), Error>(())
    })?;
    if recipe.features.iter().any(|feature| feature.value == PERSISTENT_FEATURE) {
        folder.write(PERSISTENT_FILE, 0o644, |file| {
            gpt::write(file, DATA_PARTITION, DATA_SIZE, parts.build_id)
                .map_err(OutputError::io("cannot write rootfs_data.img"))
        })?;
    }
    environment.check_cancelled()
}

/// Writes vmlinuz, cmdline, initramfs.img and esp.img.
fn boot_files(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    environment: &Environment<'_>,
) -> Result<(), Error> {
    let recipe = &parts.composed.recipe;
    let epoch = parts.source_date_epoch;
    let copy = |name: &str, content: &Content| {
        folder
            .copy(name, 0o644, content, |source| Error::ReadBack { what: name.to_owned(), source })
    };
    copy("vmlinuz", &parts.kernel.image)?;
    let line = cmdline(recipe);
    folder.write_bytes("cmdline", 0o644, format!("{line}\n").as_bytes())?;
    let initramfs = match parts.initramfs {
        Some(tree) => {
            let content = initramfs(tree, initramfs_compression(parts.kernel), epoch, environment)?;
            copy("initramfs.img", &content)?;
            Some(content)
        }
        None => None,
    };
    let program = boot_program(parts, &line, initramfs.as_ref())?;
    let architecture = match board(recipe)? {
        Board::Pc => esp::Architecture::X86_64,
        Board::Arm => esp::Architecture::Aarch64,
    };
    folder.write("esp.img", 0o644, |file| {
        let mut reader = program.open();
        let mut out = std::io::BufWriter::new(file);
        esp::write(&mut reader, program.len(), architecture, parts.build_id, &mut out)?;
        out.flush().map_err(OutputError::io("cannot write esp.img"))?;
        Ok::<(), Error>(())
    })?;
    Ok(())
}

/// The initramfs, packed: the same as an earlier one where the same was packed.
fn initramfs(
    tree: &Tree,
    compression: newc::Compression,
    epoch: u32,
    environment: &Environment<'_>,
) -> Result<Content, Error> {
    let what = || "the initramfs's files".to_owned();
    let files = manifest::files(tree).map_err(|source| Error::ReadBack { what: what(), source })?;
    let times: Vec<u32> = tree.iter().map(|(_, node)| node.meta.mtime).collect();
    let tool = &environment.tool;
    let inputs = format!("initramfs\n{tool}\n{compression:?}\n{epoch}\n{times:?}\n{files:?}");
    environment.caches.content(&Sha256::of(inputs.as_bytes()), environment.progress, || {
        let mut bytes = Vec::new();
        newc::write(tree, compression, epoch, &mut bytes)?;
        Ok(bytes)
    })
}

/// What UEFI starts: the kernel itself, or a unified kernel image where it needs a stub.
fn boot_program(
    parts: &Parts<'_>,
    cmdline: &str,
    initramfs: Option<&Content>,
) -> Result<Content, Error> {
    let Some(stub) = &parts.kernel.efi_stub else { return Ok(parts.kernel.image.clone()) };
    let stub = stub
        .read()
        .map_err(|source| Error::ReadBack { what: "the UEFI stub".to_owned(), source })?;
    let os_release = format!("ID=wifibox\nNAME=\"wifibox guest\"\nBUILD_ID={}\n", parts.build_id);
    let uki = uki::Uki {
        stub: &stub,
        os_release: &os_release,
        command_line: cmdline,
        kernel_release: Some(&parts.kernel.release),
        initramfs,
        kernel: &parts.kernel.image,
        time: 0,
    };
    let mut bytes = Vec::new();
    uki::build(&uki, &mut bytes)?;
    Ok(Content::from_bytes(bytes))
}
