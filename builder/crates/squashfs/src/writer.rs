//! The writer, as callers see it.

use crate::sink::{ImageFile, Progress};
use crate::store::BlockStore;
use crate::{Archive, Error, Options, Written, check, image};

/// Writes images: with [`Options`], and where wanted with blocks of earlier images and somebody to tell how far it
/// is.
pub struct Writer<'w> {
    options: Options,
    cache: Option<&'w dyn BlockStore>,
    progress: Option<&'w mut dyn FnMut(Progress)>,
}

impl<'w> Writer<'w> {
    /// A writer without a cache.
    pub fn new(options: Options) -> Self {
        Writer { options, cache: None, progress: None }
    }

    /// Blocks that `cache` has are not compressed again, the others are put into it. The image has the same bytes with
    /// and without it.
    #[must_use]
    pub fn cache(mut self, cache: &'w dyn BlockStore) -> Self {
        self.cache = Some(cache);
        self
    }

    /// `progress` is called by the thread that writes: before the first block, and after every one.
    #[must_use]
    pub fn progress(mut self, progress: &'w mut dyn FnMut(Progress)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Writes `archive` to `out`, from its first byte on, and makes it exactly as long as the image.
    ///
    /// # Errors
    /// [`Error`]: an entry that an image cannot hold (before anything is written), a content that cannot be
    /// read, or `out` cannot be written.
    pub fn write<F: ImageFile>(self, archive: &Archive, out: &mut F) -> Result<Written, Error> {
        let Writer { options, cache, progress } = self;
        options.codec.check_level()?;
        check::check(archive)?;
        let mut quiet = |_| {};
        let progress = match progress {
            Some(progress) => progress,
            None => &mut quiet as &mut dyn FnMut(Progress),
        };
        image::write(archive, &options, cache, out, progress)
    }
}
