//! Blobs that are put: only those that the registry has not, in one request each.

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream;
use oci_client::errors::OciDistributionError;

use super::blobs::Fault;
use super::{Descriptor, Registry, RegistryError};
use wifibox_ground::progress::Task;

/// How much is read of a file at a time.
const PIECE: u64 = 256 << 10;

/// What became of a blob that was to be put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was there.
    There,
    /// The registry took it from another repository of its own.
    Mounted,
    /// It was sent.
    Sent,
}

impl Registry<'_> {
    /// Puts a blob, which messages call `name`, unless the registry has it; `open` gives its bytes from the beginning.
    /// `from` are other repositories of the registry that may have it.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn put_blob(
        &self,
        descriptor: &Descriptor,
        name: &str,
        from: &[String],
        open: &dyn Fn() -> io::Result<Box<dyn Read + Send>>,
    ) -> Result<Sent, RegistryError> {
        if self.has_blob(descriptor)? {
            return Ok(Sent::There);
        }
        for repository in from {
            if self.mount(descriptor, repository)? {
                return Ok(Sent::Mounted);
            }
        }
        let task = self.settings.progress.begin(name, Some(descriptor.size));
        let told = Cell::new(0);
        let mut begun = false;
        self.repeat(name, || {
            // An attempt whose answer was lost may have been enough.
            if begun && self.has_blob(descriptor)? {
                return Ok(());
            }
            begun = true;
            self.send_blob(descriptor, name, open, &*task, &told)
        })?;
        Ok(Sent::Sent)
    }

    /// Whether the registry takes the blob from another of its repositories.
    fn mount(&self, descriptor: &Descriptor, from: &str) -> Result<bool, RegistryError> {
        let (host, from) = (self.reference.host.clone(), from.to_owned());
        let source = oci_client::Reference::with_tag(host, from, String::new());
        let digest = format!("sha256:{}", descriptor.digest);
        let asked = self.blobs.mount_blob(&self.image, &source, &digest);
        match self.wait(&self.name(), || 0, asked)? {
            Ok(()) => Ok(true),
            // It has been taken, and its address is not told.
            Err(OciDistributionError::RegistryNoLocationError) => self.has_blob(descriptor),
            // Registries need not do this, and whoever asks may not read there: then it is sent.
            Err(_) => Ok(false),
        }
    }

    fn send_blob(
        &self,
        descriptor: &Descriptor,
        name: &str,
        open: &dyn Fn() -> io::Result<Box<dyn Read + Send>>,
        task: &dyn Task,
        told: &Cell<u64>,
    ) -> Result<(), Fault> {
        let unreadable = |error: io::Error| {
            let why = error.to_string();
            Fault::Final(RegistryError::Answer { what: format!("reading {name}"), why })
        };
        let reader = open().map_err(unreadable)?;
        let count = Arc::<AtomicU64>::default();
        let pieces = Pieces { reader, count: Arc::clone(&count) };
        let pieces = pieces.map(|piece| piece.map(Into::into).map_err(OciDistributionError::from));
        let digest = format!("sha256:{}", descriptor.digest);
        let sent = self.blobs.push_blob_stream(
            &self.image,
            stream::iter(pieces),
            &digest,
            Some(descriptor.size),
        );
        // Told once, also where it is sent again.
        let moved = &|| {
            let now = count.load(Ordering::Relaxed);
            let before = told.get();
            task.advance(now.saturating_sub(before));
            told.set(now.max(before));
            now
        };
        let answer = self.wait(name, moved, sent);
        moved();
        match answer? {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fault(name, error)),
        }
    }
}

/// The pieces of a file, counted as they go.
struct Pieces {
    reader: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Iterator for Pieces {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = Vec::new();
        match (&mut self.reader).take(PIECE).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(read) => {
                self.count.fetch_add(read as u64, Ordering::Relaxed);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
