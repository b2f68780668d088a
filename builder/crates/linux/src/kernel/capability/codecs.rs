//! Which codecs a kernel reads: of SquashFS, of an initramfs, of firmware files.

use std::fmt;

use super::{Capabilities, Impossible};
use crate::kernel::config::Value;
use crate::kernel::feature::{Feature, InitramfsCodec, SquashfsCodec};
use wifibox_ground::codec::Compression;

impl Capabilities {
    fn check_symbols(
        &self,
        choice: String,
        symbols: &[&str],
        cure: impl FnOnce() -> String,
    ) -> Result<(), Impossible> {
        let Some(config) = &self.config else { return Ok(()) };
        match symbols.iter().find(|symbol| !config.is_yes(symbol)) {
            None => Ok(()),
            Some(missing) => Err(Impossible {
                choice,
                need: format!("CONFIG_{missing}=y"),
                kernel: self.kernel.clone(),
                found: match config.get(missing) {
                    Value::Module => format!("CONFIG_{missing}=m"),
                    _ => format!("CONFIG_{missing}=n"),
                },
                cure: cure(),
            }),
        }
    }

    /// Requires that the kernel can read a SquashFS compressed this way.
    ///
    /// # Errors
    /// [`Impossible`], which lists what this kernel reads.
    pub fn check_squashfs(&self, codec: SquashfsCodec) -> Result<(), Impossible> {
        self.check_feature("a SquashFS root", Feature::Squashfs)?;
        self.check_symbols(format!("SquashFS compression {codec}"), &[codec.symbol()], || {
            one_of("--compression", self.squashfs_codecs().unwrap_or_default())
        })
    }

    /// The codecs that the kernel's SquashFS reads; `None` when the configuration is not known.
    pub fn squashfs_codecs(&self) -> Option<Vec<SquashfsCodec>> {
        let config = self.config.as_ref()?;
        Some(SquashfsCodec::ALL.into_iter().filter(|c| config.is_yes(c.symbol())).collect())
    }

    /// Whether XZ blocks may go through the x86 branch filter (`XZ_DEC_X86`). Where the configuration
    /// is not known they may: that is the default of kernels for x86 that read XZ.
    pub fn reads_x86_filter(&self) -> bool {
        self.config.as_ref().is_none_or(|config| config.is_yes("XZ_DEC_X86"))
    }

    /// Requires that the kernel can unpack an initramfs compressed this way.
    ///
    /// # Errors
    /// [`Impossible`].
    pub fn check_initramfs(&self, codec: InitramfsCodec) -> Result<(), Impossible> {
        self.check_symbols("an initramfs".to_owned(), &["BLK_DEV_INITRD"], || {
            "boot this kernel with what it needs for the root built in".to_owned()
        })?;
        let Some(symbol) = codec.symbol() else { return Ok(()) };
        self.check_symbols(format!("initramfs compression {codec}"), &[symbol], || {
            one_of("initramfs compression", self.initramfs_codecs().unwrap_or_default())
        })
    }

    /// How an initramfs may be compressed, best first; `None` when the configuration is not known.
    /// Empty when the kernel takes no initramfs.
    pub fn initramfs_codecs(&self) -> Option<Vec<InitramfsCodec>> {
        let config = self.config.as_ref()?;
        if !config.is_yes("BLK_DEV_INITRD") {
            return Some(Vec::new());
        }
        let reads = |codec: &InitramfsCodec| codec.symbol().is_none_or(|s| config.is_yes(s));
        Some(InitramfsCodec::ALL.into_iter().filter(reads).collect())
    }

    /// Whether firmware files may stay compressed this way: `FW_LOADER_COMPRESS` and, since Linux
    /// 5.19, one symbol per codec (before, it meant xz). Not when the configuration is not known.
    pub fn reads_firmware(&self, kind: Compression) -> bool {
        let Some(config) = &self.config else { return kind == Compression::None };
        let on = config.is_yes("FW_LOADER_COMPRESS");
        match kind {
            Compression::None => true,
            Compression::Gzip => false,
            Compression::Xz => {
                let old = !config.mentions("FW_LOADER_COMPRESS_XZ")
                    && !config.mentions("FW_LOADER_COMPRESS_ZSTD");
                on && (old || config.is_yes("FW_LOADER_COMPRESS_XZ"))
            }
            Compression::Zstd => on && config.is_yes("FW_LOADER_COMPRESS_ZSTD"),
        }
    }
}

fn one_of(what: &str, codecs: Vec<impl fmt::Display>) -> String {
    if codecs.is_empty() {
        return "choose another kernel".to_owned();
    }
    let names: Vec<String> = codecs.iter().map(ToString::to_string).collect();
    format!("choose {what} {}", names.join(", "))
}
