//! The image files of an output: root.img, the kernel's files and the UEFI boot disk.

use std::io::Write as _;

use wifibox_ground::cancel::Interrupted;
use wifibox_ground::content::{Content, ReadBack};
use wifibox_ground::digest::Sha256;
use wifibox_ground::failure::Kind;
use wifibox_ground::guest::{PERSISTENT_FEATURE, PERSISTENT_FILE};
use wifibox_ground::meter::Laps;
use wifibox_ground::output::{OutputError, OutputFolder};
use wifibox_ground::parallel::both;
use wifibox_ground::progress::Stage;
use wifibox_linux::drivers::Kernel;
use wifibox_linux::kernel::feature::InitramfsCodec;
use wifibox_recipe::{Composed, InitSystem, Recipe, RootCompressor, machine};
use wifibox_tree::{Context, Tree};

use crate::{esp, gpt, newc, padding, squashfs, uki};
use wifibox_squashfs::BlockStore;

/// Why the images of a guest cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// root.img cannot be written.
    #[error(transparent)]
    Squashfs(#[from] squashfs::Error),
    /// root.img is not what was to be written.
    #[error("root.img does not read back as it was written: {0}")]
    SquashfsVerify(#[from] squashfs::VerifyError),
    /// initramfs.img cannot be written.
    #[error(transparent)]
    Initramfs(#[from] newc::Error),
    /// The unified kernel image cannot be made.
    #[error(transparent)]
    Uki(#[from] uki::Error),
    /// esp.img cannot be written.
    #[error(transparent)]
    Esp(#[from] esp::Error),
    /// The output folder cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A content cannot be read again.
    #[error(transparent)]
    ReadBack(#[from] ReadBack),
    /// No image can be made that way.
    #[error("{0}")]
    Unsupported(String),
    /// The user ended it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl Error {
    /// Which kind of failure this is.
    pub fn kind(&self) -> Kind {
        match self {
            Error::Interrupted(_) => Kind::Interrupted,
            Error::Squashfs(_)
            | Error::SquashfsVerify(_)
            | Error::Initramfs(_)
            | Error::Uki(_)
            | Error::Esp(_)
            | Error::Output(_)
            | Error::ReadBack(_)
            | Error::Unsupported(_) => Kind::Failed,
        }
    }
}

/// The name by which OpenWrt finds its partition.
const DATA_PARTITION: &str = "rootfs_data";
/// How large the disk is, in bytes; most of them are never written.
const DATA_SIZE: u64 = 64 << 20;

/// Makes room for OpenWrt's overlay behind the file system that fills `file`.
fn pad(file: &mut std::fs::File) -> std::io::Result<()> {
    let used = file.metadata()?.len();
    padding::pad_for_overlay(file, used).map(drop)
}

/// The inputs of the images.
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
    /// Compressed blocks of earlier images.
    pub blocks: Option<&'a dyn BlockStore>,
    /// Measures the stages.
    pub laps: &'a Laps<'a>,
}

/// The kernel's command line.
pub fn cmdline(recipe: &Recipe) -> String {
    let words: Vec<&str> = recipe.cmdline.iter().map(|word| word.value.as_str()).collect();
    words.join(" ")
}

/// The machine that the images are for.
fn architecture(recipe: &Recipe) -> Result<esp::Architecture, Error> {
    let architecture = &recipe.architecture.value;
    match machine(architecture) {
        "x86_64" => Ok(esp::Architecture::X86_64),
        "aarch64" => Ok(esp::Architecture::Aarch64),
        _ => Err(Error::Unsupported(format!(
            "guests for {architecture} cannot be made: only those for x86_64 and aarch64"
        ))),
    }
}

fn codec(recipe: &Recipe, kernel: &Kernel) -> Result<squashfs::Codec, Error> {
    Ok(match recipe.compression.value {
        RootCompressor::Xz => squashfs::Codec::Xz {
            x86: architecture(recipe)? == esp::Architecture::X86_64
                && kernel.capabilities.reads_x86_filter(),
        },
        RootCompressor::Zstd => squashfs::Codec::ZSTD,
        RootCompressor::Gzip => squashfs::Codec::GZIP,
        RootCompressor::Lz4 => squashfs::Codec::Lz4,
        RootCompressor::Lzo => squashfs::Codec::Lzo,
    })
}

/// Writes root.img, the kernel's files and esp.img.
///
/// # Errors
/// [`Error`].
pub fn write_images(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    context: &Context<'_>,
) -> Result<(), Error> {
    context.work.progress.stage(&Stage::new("Writing", "images"));
    // Neither reads what the other writes.
    let root = || root_image(parts, folder, context);
    both(context.work.jobs, root, || boot_files(parts, folder, context))?;
    parts.laps.end("boot files");
    Ok(())
}

/// Writes root.img, and the disk that settings are kept on where there is one.
fn root_image(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    context: &Context<'_>,
) -> Result<(), Error> {
    let recipe = &parts.composed.recipe;
    let options = squashfs::Options {
        codec: codec(recipe, parts.kernel)?,
        block_size: parts.block_size,
        source_date_epoch: parts.source_date_epoch,
        jobs: context.work.jobs,
    };
    folder.write("root.img", 0o644, |file| {
        let progress = context.work.progress;
        let written = squashfs::write(parts.root, &options, parts.blocks, file, progress)?;
        parts.laps.end("root.img");
        let mut image = std::io::BufReader::new(&mut *file);
        written.verify(&mut image)?;
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
    Ok(context.work.check()?)
}

/// Writes vmlinuz, cmdline, initramfs.img and esp.img.
fn boot_files(
    parts: &Parts<'_>,
    folder: &OutputFolder,
    context: &Context<'_>,
) -> Result<(), Error> {
    let recipe = &parts.composed.recipe;
    let copy = |name: &str, content: &Content| {
        folder.copy(name, 0o644, content, |source| {
            Error::from(ReadBack { what: name.to_owned(), source })
        })
    };
    copy("vmlinuz", &parts.kernel.image)?;
    let line = cmdline(recipe);
    folder.write_bytes("cmdline", 0o644, format!("{line}\n").as_bytes())?;
    let initramfs = match parts.initramfs {
        Some(tree) => {
            let content = initramfs(tree, initramfs_compression(parts.kernel), context)?;
            copy("initramfs.img", &content)?;
            Some(content)
        }
        None => None,
    };
    let program = boot_program(parts, &line, initramfs.as_ref())?;
    let content = program.digests().map_err(ReadBack::of("esp.img"))?.sha256;
    let architecture = architecture(recipe)?;
    folder.write("esp.img", 0o644, |file| {
        let mut reader = program.open();
        let mut out = std::io::BufWriter::new(file);
        esp::write(&mut reader, program.len(), architecture, &content, &mut out)?;
        out.flush().map_err(OutputError::io("cannot write esp.img"))?;
        Ok::<(), Error>(())
    })?;
    Ok(())
}

/// The initramfs, packed: the same as an earlier one where the same was packed.
fn initramfs(
    tree: &Tree,
    compression: newc::InitramfsCompressor,
    context: &Context<'_>,
) -> Result<Content, Error> {
    let mut inputs = format!("initramfs\n{}\n{compression:?}\n", context.kept.tool());
    for (path, node) in tree.iter() {
        let content = match &node.kind {
            wifibox_tree::Kind::File(content) => {
                let digests = content.digests().map_err(ReadBack::of("the initramfs's files"))?;
                format!("file {}", digests.sha256)
            }
            other => format!("{other:?}"),
        };
        inputs += &format!("{path:?} {:?} {content}\n", node.meta);
    }
    context.kept.content(&Sha256::of(inputs.as_bytes()), || {
        let mut bytes = Vec::new();
        // Nobody reads its times, and with those of the build the same files would make another one in each update.
        newc::write(tree, compression, 0, &mut bytes)?;
        Ok(bytes)
    })
}

/// The program that UEFI starts: the kernel itself, or a unified kernel image where it needs a
/// stub.
fn boot_program(
    parts: &Parts<'_>,
    cmdline: &str,
    initramfs: Option<&Content>,
) -> Result<Content, Error> {
    let Some(stub) = &parts.kernel.efi_stub else { return Ok(parts.kernel.efi_image.clone()) };
    let stub = stub.read().map_err(ReadBack::of("the UEFI stub"))?;
    // Not the build's id, nor in the volume: the same kernel makes the same esp.img, which an update need not fetch.
    let os_release = "ID=wifibox\nNAME=\"wifibox guest\"\n";
    let uki = uki::Uki {
        stub: &stub,
        os_release,
        command_line: cmdline,
        kernel_release: Some(&parts.kernel.release),
        initramfs,
        kernel: &parts.kernel.efi_image,
        time: 0,
    };
    let mut bytes = Vec::new();
    uki::build(&uki, &mut bytes)?;
    Ok(Content::from_bytes(bytes))
}

/// The best initramfs compression that the kernel can read.
fn initramfs_compression(kernel: &Kernel) -> newc::InitramfsCompressor {
    let preferred = [
        (InitramfsCodec::Zstd, newc::InitramfsCompressor::Zstd),
        (InitramfsCodec::Xz, newc::InitramfsCompressor::Xz),
        (InitramfsCodec::Gzip, newc::InitramfsCompressor::Gzip),
    ];
    let known = kernel.capabilities.initramfs_codecs();
    preferred
        .into_iter()
        .find(|(codec, _)| known.as_ref().is_some_and(|known| known.contains(codec)))
        .map_or(newc::InitramfsCompressor::None, |(_, compression)| compression)
}
