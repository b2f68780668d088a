//! Blobs: asked for, and fetched into the store.

use std::fs::File;

use futures_util::StreamExt as _;
use oci_client::client::BlobResponse;
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::manifest::OciDescriptor;

use wifibox_ground::artefact::{Found, Identity};
use wifibox_ground::progress::Task;

use super::{Descriptor, Registry, RegistryError};
use crate::fetched::Fetched;
use crate::partial::{Partial, Target as _};
use crate::store::{Store, open_and_hash};

/// How a blob came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The store had it.
    Here,
    /// So many bytes of it were fetched now.
    Fetched(u64),
}

/// Why a request for a blob failed.
pub(super) enum Fault {
    /// Asking again may help.
    Again(String),
    /// It does not.
    Final(RegistryError),
}

impl From<RegistryError> for Fault {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Network { why, .. } => Fault::Again(why),
            error => Fault::Final(error),
        }
    }
}

impl From<crate::FetchError> for Fault {
    fn from(error: crate::FetchError) -> Self {
        Fault::Final(error.into())
    }
}

impl Registry<'_> {
    /// Whether the registry has this blob in this repository.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(crate) fn has_blob(&self, descriptor: &Descriptor) -> Result<bool, RegistryError> {
        let digest = format!("sha256:{}", descriptor.digest);
        let what = format!("{}@{digest}", self.name());
        self.repeat(&what, || {
            let asked = self.blobs.blob_exists(&self.image, &digest);
            match self.wait(&what, || 0, asked)? {
                Ok(there) => Ok(there),
                Err(error) => Err(self.fault(&what, error)),
            }
        })
    }

    /// Brings a blob, which messages call `name`, into the store, and says how it came. What an earlier attempt left of
    /// it is not fetched again. It has the size and the digest of its descriptor.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn blob(
        &self,
        store: &Store,
        descriptor: &Descriptor,
        name: &str,
    ) -> Result<(Fetched, Came), RegistryError> {
        let (sha256, cancel) = (descriptor.digest, self.settings.cancel);
        let identity = Identity { size: Some(descriptor.size), sha256: Some(sha256) };
        let path = store.path_of(&sha256);
        let known = |file: File, found: Found| Fetched::of(path.clone(), found.size, sha256, &file);
        let lock = store.lock(&sha256, cancel)?;
        if let Some((file, found)) = open_and_hash(&path, cancel)?
            && identity.accepts(&found)
        {
            return Ok((known(file, found)?, Came::Here));
        }
        let task = self.settings.progress.begin(name, Some(descriptor.size));
        let mut partial = store.partial(&sha256, cancel)?;
        if partial.length() > descriptor.size {
            partial.restart()?;
        }
        task.advance(partial.length());
        let (mut moved, mut resumed) = (0, partial.length() > 0);
        loop {
            self.repeat_while_it_grows(name, &mut partial, &mut |partial| {
                self.receive(descriptor, name, partial, &*task, &mut moved)
            })?;
            let found = partial.found();
            if identity.accepts(&found) {
                let fetched = store.keep(partial, &sha256, &lock)?;
                return Ok((fetched, Came::Fetched(moved)));
            }
            partial.restart()?;
            if !resumed {
                let (expected, found) = (Box::new(identity), Box::new(found));
                return Err(RegistryError::Changed { what: name.to_owned(), expected, found });
            }
            resumed = false;
            self.settings.progress.note(&format!(
                "{name}: what an earlier attempt left does not fit; fetched from the beginning"
            ));
        }
    }

    /// One request for the rest of a blob, which ends when all of it is there.
    fn receive(
        &self,
        descriptor: &Descriptor,
        name: &str,
        partial: &mut Partial,
        task: &dyn Task,
        moved: &mut u64,
    ) -> Result<(), Fault> {
        let size = descriptor.size;
        let offset = partial.length();
        if offset == size && size > 0 {
            return Ok(());
        }
        let asked = OciDescriptor {
            digest: format!("sha256:{}", descriptor.digest),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            ..OciDescriptor::default()
        };
        let answer = async {
            if offset == 0 {
                self.blobs.pull_blob_stream(&self.image, &asked).await.map(BlobResponse::Full)
            } else {
                self.blobs.pull_blob_stream_partial(&self.image, &asked, offset, None).await
            }
        };
        let mut stream = match self.wait(name, || 0, answer)? {
            Ok(BlobResponse::Partial(stream)) => stream,
            Ok(BlobResponse::Full(stream)) => {
                if offset > 0 {
                    partial.restart()?;
                }
                stream
            }
            Err(error) => return Err(self.fault(name, error)),
        };
        let other = |size: u64| {
            let expected =
                Identity { size: Some(descriptor.size), sha256: Some(descriptor.digest) };
            let (expected, found) = (Box::new(expected), Box::new(Found { size, sha256: None }));
            Fault::Final(RegistryError::Changed { what: name.to_owned(), expected, found })
        };
        // Another file is recognised before it is read.
        if let Some(length) = stream.content_length {
            let whole = partial.length().saturating_add(length);
            if whole != size {
                partial.restart()?;
                return Err(other(whole));
            }
        }
        while let Some(piece) = self.wait(name, || 0, stream.next())? {
            let piece = match piece {
                Ok(piece) => piece,
                // All of it came, and the digest is wrong: whoever called finds that, too.
                Err(_) if partial.length() == size => return Ok(()),
                Err(error) => return Err(Fault::Again(error.to_string())),
            };
            let length = partial.length().saturating_add(piece.len() as u64);
            if length > size {
                partial.restart()?;
                return Err(other(length));
            }
            partial.write(&piece)?;
            *moved += piece.len() as u64;
            task.advance(piece.len() as u64);
        }
        match partial.length() {
            length if length < size => {
                Err(Fault::Again(format!("the answer ended after {length} of {size} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Does something again as long as that may help.
    pub(super) fn repeat<T>(
        &self,
        what: &str,
        mut work: impl FnMut() -> Result<T, Fault>,
    ) -> Result<T, RegistryError> {
        let mut failures = 0;
        loop {
            match work() {
                Ok(done) => return Ok(done),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Again(why)) => {
                    failures += 1;
                    self.fails(what, why, failures)?;
                }
            }
        }
    }

    /// The same for a file: what brings it on is no failure, however often it is cut off.
    fn repeat_while_it_grows(
        &self,
        what: &str,
        partial: &mut Partial,
        work: &mut dyn FnMut(&mut Partial) -> Result<(), Fault>,
    ) -> Result<(), RegistryError> {
        let mut failures = 0;
        loop {
            let before = partial.length();
            match work(partial) {
                Ok(()) => return Ok(()),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Again(why)) => {
                    failures = if partial.length() > before { 1 } else { failures + 1 };
                    self.fails(what, why, failures)?;
                }
            }
        }
    }

    /// Waits after a failure; an error if it was the last one that is allowed.
    fn fails(&self, what: &str, why: String, failures: u32) -> Result<(), RegistryError> {
        match self.settings.options.retry.delay(failures, None) {
            Some(delay) => self.again(what, &why, delay),
            None => Err(RegistryError::Network { what: what.to_owned(), why }),
        }
    }

    /// What an error of the client means here.
    pub(super) fn fault(&self, what: &str, error: OciDistributionError) -> Fault {
        let (host, what) = (self.reference.host.clone(), what.to_owned());
        let logged_in = self.settings.login.is_some();
        let refused = |what, why| match logged_in {
            true => RegistryError::NotAllowed { host, what, why },
            false => RegistryError::NoLogin { host },
        };
        let status = |code: u16, what: String| {
            let why = format!("HTTP status {code}");
            match code {
                401 | 403 => Fault::Final(refused(what, why)),
                404 => Fault::Final(RegistryError::NotFound { what }),
                408 | 429 | 500..=599 => Fault::Again(why),
                _ => Fault::Final(RegistryError::Answer { what, why }),
            }
        };
        match error {
            OciDistributionError::UnauthorizedError { .. } => status(401, what),
            OciDistributionError::ServerError { code, .. } => status(code, what),
            OciDistributionError::RequestError(error) => match error.status() {
                Some(code) => status(code.as_u16(), what),
                None => Fault::Again(crate::http::chain(error)),
            },
            OciDistributionError::IoError(error) => Fault::Again(error.to_string()),
            OciDistributionError::RegistryError { envelope, .. } => {
                match envelope.errors.first().map(|error| &error.code) {
                    Some(
                        OciErrorCode::BlobUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound
                        | OciErrorCode::ManifestUnknown,
                    ) => status(404, what),
                    Some(OciErrorCode::Denied | OciErrorCode::Unauthorized) => status(403, what),
                    Some(OciErrorCode::Toomanyrequests) => status(429, what),
                    _ => {
                        let why = envelope.to_string();
                        Fault::Final(RegistryError::Answer { what, why })
                    }
                }
            }
            other => Fault::Final(RegistryError::Answer { what, why: other.to_string() }),
        }
    }
}
