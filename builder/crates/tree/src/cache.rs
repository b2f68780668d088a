//! The cache of unpacked packages and other made contents, opened when it is first wanted.
//!
//! No cache decides a byte of an output: what is in it is checked when it is read, and what cannot be
//! read or kept is made again. So its failures are warnings.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wifibox_ground::content::Content;
use wifibox_ground::digest::Sha256;
use wifibox_ground::memo::Memo;
use wifibox_ground::progress::Progress;
use wifibox_ground::secret::LazySecret;

use crate::unpacked::Unpacked;

/// The size that the cache is kept below where nothing else is asked for: 4 GiB.
pub const LIMIT: u64 = 4 << 30;

/// The cache's folder, below the cache folder.
pub const FOLDER: &str = "unpacked";

/// The cache of one run of the program; all its builds share it.
pub struct Cache<'p> {
    folder: Option<PathBuf>,
    secret: Arc<LazySecret>,
    limit: u64,
    tool: String,
    progress: &'p dyn Progress,
    unpacked: OnceLock<Option<Unpacked>>,
}

impl<'p> Cache<'p> {
    /// The cache below `folder`, kept below `limit` bytes. `secret` seals what is in it. `tool` says which program
    /// this is: another one may make other bytes of the same inputs. `progress` hears of failures.
    pub fn new(
        folder: &Path,
        secret: Arc<LazySecret>,
        limit: u64,
        tool: String,
        progress: &'p dyn Progress,
    ) -> Self {
        let (folder, unpacked) = (Some(folder.join(FOLDER)), OnceLock::new());
        Cache { folder, secret, limit, tool, progress, unpacked }
    }

    /// None at all.
    pub fn none(tool: String, progress: &'p dyn Progress) -> Self {
        let secret = Arc::new(LazySecret::new(None));
        Cache { folder: None, secret, limit: 0, tool, progress, unpacked: OnceLock::new() }
    }

    /// Which program this is.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// The unpacked packages, if the cache can be had.
    pub fn unpacked(&self) -> Option<&Unpacked> {
        let open = || {
            let folder = self.folder.as_ref()?;
            match Unpacked::open(folder, self.secret.get(self.progress)?) {
                Ok(cache) => Some(cache),
                Err(error) => {
                    self.progress.warn(&format!("{error}: the build goes on without it"));
                    None
                }
            }
        };
        self.unpacked.get_or_init(open).as_ref()
    }

    /// A content that is made of `inputs`: a hash of all that decides its bytes. It is taken from
    /// the cache, or made and kept.
    ///
    /// # Errors
    /// The error of `make`.
    pub fn content<E>(
        &self,
        inputs: &Sha256,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Content, E> {
        let cache = self.unpacked();
        if let Some(known) = cache.and_then(|cache| cache.content(inputs)) {
            return Ok(known);
        }
        let bytes = make()?;
        let kept = cache.and_then(|cache| match cache.keep(inputs, &bytes) {
            Ok(content) => Some(content),
            Err(error) => {
                self.progress.note(&format!("not kept for the next build: {error}"));
                None
            }
        });
        Ok(kept.unwrap_or_else(|| Content::from_bytes(bytes)))
    }

    /// Whether what was built met a damaged content, which is gone now: another attempt is worth it.
    pub fn damaged(&self) -> bool {
        self.unpacked.get().and_then(Option::as_ref).is_some_and(Unpacked::damaged)
    }

    /// Keeps the cache below its limit. Call it when the work is done.
    pub fn tidy(&self) {
        if let Some(cache) = self.unpacked.get().and_then(Option::as_ref)
            && let Err(error) = cache.tidy(self.limit)
        {
            self.progress.warn(&error.to_string());
        }
    }
}

impl Memo for Cache<'_> {
    fn knows(&self, key: &Sha256) -> bool {
        self.unpacked().is_some_and(|cache| cache.content(key).is_some())
    }

    fn note(&self, key: &Sha256) {
        drop(self.unpacked().map(|cache| cache.keep(key, b"")));
    }
}
