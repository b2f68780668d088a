//! A cache that machines share: an S3-compatible bucket, or a folder of an HTTP server that takes PUT.
//!
//! It holds artefacts of the store by their hash (`store/sha256/ab/abcdef…`) and compressed blocks by their
//! key (`blocks/ab/abcdef…`). Nothing in it is trusted: an artefact counts only with the hash that it was
//! asked for by, and a block only when it decompresses to what it stands for. Nothing depends on it either:
//! the first failure is told as a warning, and from then on the work is done without it. Where putting is not allowed,
//! what others put there is still taken.

mod http;
#[cfg(feature = "s3")]
mod s3;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use super::http_options::HttpOptions;
use wifibox_ground::cancel::Cancel;
use wifibox_ground::digest::Sha256;
use wifibox_ground::progress::Progress;

/// The largest block that is taken, in bytes, with its hash before it.
const BLOCK_LIMIT: u64 = (4 << 20) + 32;

/// A remote cache that cannot be what was meant.
#[derive(Debug, thiserror::Error)]
#[error("{url} cannot be a remote cache: {why}; give s3://BUCKET/PREFIX, http://… or https://…")]
pub struct RemoteError {
    url: String,
    why: String,
}

/// Something that keeps objects by name. Errors are in words.
trait Objects: Send + Sync {
    /// Hands the object to `sink` piece by piece; `false` where there is none.
    fn get(&self, name: &str, sink: Sink<'_>) -> Result<bool, String>;
    /// Keeps bytes.
    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Put, String>;
    /// Keeps a file of this length.
    fn put_file(&self, name: &str, file: File, length: u64) -> Result<Put, String>;
}

/// What became of an object that was to be kept.
enum Put {
    Kept,
    /// We may not put anything there, in words.
    NotAllowed(String),
}

/// Takes the pieces of an object; an error ends the transfer.
type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), String>;

/// Counts of the objects that a remote cache delivered, missed and took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RemoteUse {
    /// Objects that were asked for and there.
    pub found: u64,
    /// Objects that were asked for and not there.
    pub missed: u64,
    /// Objects that were found and were not what they should be.
    pub wrong: u64,
    /// Objects that were put in.
    pub added: u64,
}

/// A remote cache. May be shared by threads.
pub struct Remote {
    objects: Box<dyn Objects>,
    /// Without anything secret.
    name: String,
    off: AtomicBool,
    /// Whether nothing is put in: it is only read, or does not let us.
    read_only: AtomicBool,
    failure: Mutex<Option<String>>,
    counts: [AtomicU64; 4],
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({})", self.name)
    }
}

impl Remote {
    /// The cache at `url`: `s3://BUCKET/PREFIX`, or the URL of a folder. `settings` are those of AWS's
    /// tools by the names of their environment variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
    /// Nothing is connected yet. `read_only` puts nothing in. `cancel` ends transfers.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn new(
        url: &str,
        read_only: bool,
        settings: &BTreeMap<String, String>,
        options: &HttpOptions,
        cancel: &Cancel,
    ) -> Result<Self, RemoteError> {
        let bad = |why: String| RemoteError { url: without_secrets(url), why };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        let objects: Box<dyn Objects> = match parsed.scheme() {
            #[cfg(feature = "s3")]
            "s3" => {
                let place = s3::Signed::new(url, settings).map_err(bad)?;
                Box::new(http::Server::new(place, options, cancel).map_err(bad)?)
            }
            #[cfg(not(feature = "s3"))]
            "s3" => {
                let _ = settings;
                return Err(bad("this program was built without the feature s3".to_owned()));
            }
            "http" | "https" => {
                let place = http::Folder::new(parsed).map_err(bad)?;
                Box::new(http::Server::new(place, options, cancel).map_err(bad)?)
            }
            other => return Err(bad(format!("{other}: is not known"))),
        };
        Ok(Remote {
            objects,
            name: without_secrets(url),
            off: AtomicBool::new(false),
            read_only: AtomicBool::new(read_only),
            failure: Mutex::default(),
            counts: Default::default(),
        })
    }

    /// The counts so far.
    pub fn used(&self) -> RemoteUse {
        let [found, missed, wrong, added] =
            [0, 1, 2, 3].map(|at: usize| match self.counts.get(at) {
                Some(count) => count.load(Ordering::Relaxed),
                None => 0,
            });
        RemoteUse { found, missed, wrong, added }
    }

    fn count(&self, what: usize) {
        if let Some(count) = self.counts.get(what) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks the cache for something unless it failed before; notes the first failure, which ends its use.
    fn attempt<T>(&self, work: impl FnOnce() -> Result<T, String>) -> Option<T> {
        if self.off.load(Ordering::Relaxed) {
            return None;
        }
        work().map_err(|why| self.note(&self.off, "is not used any more", &why)).ok()
    }

    /// Puts something in unless that is not wanted or was not allowed before.
    fn put(&self, work: impl FnOnce() -> Result<Put, String>) {
        if self.read_only.load(Ordering::Relaxed) {
            return;
        }
        match self.attempt(work) {
            Some(Put::Kept) => self.count(3),
            Some(Put::NotAllowed(why)) => {
                self.note(&self.read_only, "is only read from here on", &why);
            }
            None => {}
        }
    }

    /// Notes from when on something is not done any more, and why.
    fn note(&self, off: &AtomicBool, then: &str, why: &str) {
        if !off.swap(true, Ordering::Relaxed) {
            let text = format!("the remote cache {} {then}: {why}", self.name);
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(text);
        }
    }

    /// Tells the failure that made an end to its use, once.
    pub fn tell_failure(&self, progress: &dyn Progress) {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(text) = failure {
            progress.warn(&text);
        }
    }

    /// Hands an artefact of the store to `sink`; `false` where there is none. Its bytes are not
    /// checked here.
    pub(super) fn artefact(&self, sha256: &Sha256, sink: Sink<'_>) -> bool {
        let found = self.attempt(|| self.objects.get(&name("store/sha256", sha256), sink));
        let found = found.unwrap_or(false);
        self.count(usize::from(!found));
        found
    }

    /// An artefact was not what it should be.
    pub(super) fn was_wrong(&self) {
        self.count(2);
    }

    /// Keeps an artefact of the store.
    pub(super) fn keep_artefact(&self, sha256: &Sha256, path: &Path) {
        self.put(|| {
            let file = File::open(path).map_err(|error| error.to_string())?;
            let length = file.metadata().map_err(|error| error.to_string())?.len();
            self.objects.put_file(&name("store/sha256", sha256), file, length)
        });
    }

    /// A block that some machine put under `key`, whole as it was put. Whether it is what it says must
    /// be found out by decompressing it.
    pub fn block(&self, key: &Sha256) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let found = self.attempt(|| {
            self.objects.get(&name("blocks", key), &mut |piece| {
                bytes.extend_from_slice(piece);
                let fits = bytes.len() as u64 <= BLOCK_LIMIT;
                fits.then_some(()).ok_or_else(|| format!("block {key} is too large"))
            })
        });
        let found = found.unwrap_or(false);
        self.count(usize::from(!found));
        if !found {
            return None;
        }
        let value = bytes.get(32..).unwrap_or_default();
        if bytes.get(..32) == Some(Sha256::of(value).as_bytes()) {
            return Some(value.to_vec());
        }
        self.count(2);
        None
    }

    /// Keeps a block.
    pub fn keep_block(&self, key: &Sha256, value: &[u8]) {
        self.put(|| {
            let bytes = [Sha256::of(value).as_bytes(), value].concat();
            self.objects.put(&name("blocks", key), bytes)
        });
    }
}

fn name(folder: &str, key: &Sha256) -> String {
    let key = key.to_string();
    format!("{folder}/{}/{key}", key.get(..2).unwrap_or_default())
}

/// A URL as it may be shown.
fn without_secrets(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            let _ = url.set_password(None);
            let _ = url.set_username("");
            url.to_string()
        }
        _ => url.to_owned(),
    }
}
