//! Gets artefacts: from the store, from folders of downloaded files, from their locations.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::distdir;
use super::error::{FetchError, Outcome, Tried};
use super::fetched::Fetched;
use super::http::LazyClient;
use super::ledger::{Got, Ledger};
use super::options::{Network, Options};
use super::partial::{Memory, Partial, Target};
use super::remote::Remote;
use super::retry::RetryPolicy;
use super::store::{Store, open_and_hash};
use super::transfer::{Bound, Failure, Transfer};
use wifibox_ground::artefact::Artefact;
use wifibox_ground::cancel::Cancel;
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_ground::progress::Progress;

/// Gets artefacts. May be shared by threads.
pub struct Fetcher<'a> {
    store: &'a Store,
    options: &'a Options,
    progress: &'a dyn Progress,
    cancel: &'a Cancel,
    client: LazyClient,
    ledger: Option<&'a Ledger>,
    /// Servers that did not answer: they are asked last, and only once.
    silent: Mutex<BTreeSet<String>>,
}

impl<'a> Fetcher<'a> {
    /// A fetcher that keeps what it fetches in `store`. Nothing is connected yet.
    pub fn new(
        store: &'a Store,
        options: &'a Options,
        progress: &'a dyn Progress,
        cancel: &'a Cancel,
    ) -> Self {
        let client = LazyClient::new(&options.http);
        Fetcher { store, options, progress, cancel, client, ledger: None, silent: Mutex::default() }
    }

    /// The same, which notes in `ledger` what it gets.
    #[must_use]
    pub fn noting(mut self, ledger: &'a Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Gets an artefact that has a digest.
    ///
    /// A store entry that is damaged is removed and fetched again; a wrong file in a folder of
    /// downloaded files is left alone, with a warning, and the next place is asked.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Unrecognisable`] for an artefact without a digest.
    pub fn fetch(&self, artefact: &Artefact) -> Result<Fetched, FetchError> {
        let fetched = self.find(artefact)?;
        if let Some(ledger) = self.ledger {
            ledger.note(&artefact.path, Got::File(fetched.path.clone()));
        }
        Ok(fetched)
    }

    fn find(&self, artefact: &Artefact) -> Result<Fetched, FetchError> {
        let identity = &artefact.identity;
        let Some(sha256) = identity.sha256 else {
            return Err(FetchError::Unrecognisable { name: artefact.name.clone() });
        };
        if let Some(fetched) = self.stored(&sha256, identity.size)? {
            return Ok(fetched);
        }
        let mut tried = Vec::new();
        for folder in &self.options.distdirs {
            match distdir::look(artefact, folder, self.progress, self.cancel)? {
                Ok(fetched) => return Ok(fetched),
                Err(trial) => tried.push(trial),
            }
        }
        let locations = self.usable(&artefact.locations, &mut tried);
        let online = self.options.network == Network::Online;
        let remote = self.options.remote.as_deref().filter(|_| online);
        if locations.is_empty() && remote.is_none() {
            return Err(FetchError::from_trials(&artefact.name, identity, tried));
        }
        let lock = self.store.lock(&sha256, self.cancel)?;
        // Whoever had the lock before may have fetched it.
        let path = self.store.path_of(&sha256);
        if let Some((_, found)) = open_and_hash(&path, self.cancel)?
            && identity.accepts(&found)
        {
            return Ok(Fetched { path, size: found.size, sha256 });
        }
        let task = self.progress.begin(&artefact.name, identity.size);
        let mut partial = self.store.partial(&sha256, self.cancel)?;
        let limit = self.options.unknown_size_limit;
        if let Some(remote) = remote {
            if self.take_from(remote, artefact, &mut partial)? {
                let size = partial.length();
                let path = self.store.keep(partial, &sha256, &lock)?;
                return Ok(Fetched { path, size, sha256 });
            }
            remote.tell_failure(self.progress);
        }
        let bound = Bound { exact: identity.size, limit };
        if partial.length() > identity.size.unwrap_or(limit) {
            partial.restart()?;
        }
        let mut transfer = self.transfer(&artefact.name, bound, &*task);
        for location in locations {
            match self.complete(&mut transfer, location, &mut partial, artefact)? {
                None => {
                    let size = partial.length();
                    let path = self.store.keep(partial, &sha256, &lock)?;
                    if let Some(remote) = remote {
                        remote.keep_artefact(&sha256, &path);
                        remote.tell_failure(self.progress);
                    }
                    return Ok(Fetched { path, size, sha256 });
                }
                Some(outcome) => self.note(location, outcome, &mut tried),
            }
        }
        if partial.length() == 0 {
            partial.discard()?;
        }
        Err(FetchError::from_trials(&artefact.name, identity, tried))
    }

    /// Brings `partial` to the artefact's bytes from the remote cache, if it has them.
    fn take_from(
        &self,
        remote: &Remote,
        artefact: &Artefact,
        partial: &mut Partial,
    ) -> Result<bool, FetchError> {
        let Some(sha256) = artefact.identity.sha256 else { return Ok(false) };
        let limit = artefact.identity.size.unwrap_or(self.options.unknown_size_limit);
        let (mut begun, mut disk) = (false, None);
        let found = remote.artefact(&sha256, &mut |piece| {
            if self.cancel.is_cancelled() {
                return Err("interrupted".to_owned());
            }
            let restarted = if begun { Ok(()) } else { partial.restart() };
            begun = true;
            // What is longer than it should be is wrong, and is not taken further.
            if partial.length() > limit {
                return Ok(());
            }
            restarted.and_then(|()| partial.write(piece)).map_err(|error| {
                let why = error.to_string();
                disk = Some(error);
                why
            })
        });
        if self.cancel.is_cancelled() {
            return Err(FetchError::Interrupted { name: artefact.name.clone() });
        }
        if let Some(error) = disk {
            return Err(error);
        }
        if found && artefact.identity.accepts(&partial.found()) {
            return Ok(true);
        }
        if found {
            remote.was_wrong();
            self.progress.warn(&format!(
                "{}: what the remote cache has of it is not what it should be ({})",
                artefact.name,
                partial.found()
            ));
        }
        if begun {
            partial.restart()?;
        }
        Ok(false)
    }

    /// Gets an artefact that has no digest, and takes it into the store if `check` has nothing against
    /// it: a package of an index that knows it by another kind of hash. `check` reads the file as it
    /// arrived and says what is wrong with it. Folders of downloaded files are looked into first; a
    /// file there that does not pass is left alone, with a warning.
    ///
    /// # Errors
    /// [`FetchError`]; [`FetchError::Unfit`] when `check` refuses what was found.
    pub(crate) fn fetch_checked(
        &self,
        artefact: &Artefact,
        check: &dyn Fn(&Path) -> Result<(), String>,
    ) -> Result<Fetched, FetchError> {
        let mut tried = Vec::new();
        for folder in &self.options.distdirs {
            match distdir::look(artefact, folder, self.progress, self.cancel)? {
                Ok(fetched) => match check(&fetched.path) {
                    Ok(()) => return Ok(fetched),
                    Err(why) => {
                        let location = fetched.path.display().to_string();
                        self.progress.warn(&format!("{location} is not used: {why}"));
                        tried.push(Tried { location, outcome: Outcome::Unfit(why) });
                    }
                },
                Err(trial) => tried.push(trial),
            }
        }
        let bound = Bound { exact: artefact.identity.size, limit: self.options.unknown_size_limit };
        let task = self.progress.begin(&artefact.name, artefact.identity.size);
        let mut transfer = self.transfer(&artefact.name, bound, &*task);
        // Nothing says whether the halves of two files belong together, so none is resumed.
        let temporary = self.store.temporary()?;
        for location in self.usable(&artefact.locations, &mut tried) {
            let mut partial = Partial::open(temporary.to_path_buf(), self.cancel)?;
            partial.restart()?;
            match transfer.read(location, &self.patience(location), &mut partial) {
                Ok(()) => {}
                Err(Failure::Next(outcome)) => {
                    self.note(location, outcome, &mut tried);
                    continue;
                }
                Err(Failure::Fatal(error)) => return Err(error),
            }
            if let Err(why) = check(&temporary) {
                self.note(location, Outcome::Unfit(why), &mut tried);
                continue;
            }
            let (size, Some(sha256)) = (partial.found().size, partial.found().sha256) else {
                return Err(FetchError::Unrecognisable { name: artefact.name.clone() });
            };
            let lock = self.store.lock(&sha256, self.cancel)?;
            let path = self.store.keep(partial, &sha256, &lock)?;
            return Ok(Fetched { path, size, sha256 });
        }
        Err(FetchError::from_trials(&artefact.name, &artefact.identity, tried))
    }

    /// Reads a small file that has no digest, of at most `limit` bytes: a signed index. What it
    /// holds must be verified by its signature. Neither the store nor folders of downloaded files
    /// are looked into.
    ///
    /// # Errors
    /// [`FetchError`].
    pub fn read_unverified(&self, artefact: &Artefact, limit: u64) -> Result<Vec<u8>, FetchError> {
        let bound = Bound { exact: artefact.identity.size, limit };
        let task = self.progress.begin(&artefact.name, artefact.identity.size);
        let mut transfer = self.transfer(&artefact.name, bound, &*task);
        let mut memory = Memory::default();
        let mut tried = Vec::new();
        for location in self.usable(&artefact.locations, &mut tried) {
            // Without a digest, the halves of two locations must never be put together.
            memory.restart()?;
            match transfer.read(location, &self.patience(location), &mut memory) {
                Ok(()) => {
                    if let Some(ledger) = self.ledger {
                        ledger.note(&artefact.path, Got::Bytes(memory.0.clone()));
                    }
                    return Ok(memory.0);
                }
                Err(Failure::Next(outcome)) => self.note(location, outcome, &mut tried),
                Err(Failure::Fatal(error)) => return Err(error),
            }
        }
        Err(FetchError::from_trials(&artefact.name, &artefact.identity, tried))
    }

    /// Brings `partial` to the artefact's bytes from one location; `None` is success.
    fn complete(
        &self,
        transfer: &mut Transfer<'_>,
        location: &Location,
        partial: &mut Partial,
        artefact: &Artefact,
    ) -> Result<Option<Outcome>, FetchError> {
        loop {
            // What an earlier run left may be complete already, or the beginning of something else.
            let resumed = partial.length() > 0;
            let complete = artefact.identity.accepts(&partial.found());
            if !complete && resumed && artefact.identity.size == Some(partial.length()) {
                partial.restart()?;
                continue;
            }
            if !complete {
                match transfer.read(location, &self.patience(location), partial) {
                    Ok(()) => {}
                    Err(Failure::Next(outcome)) => return Ok(Some(outcome)),
                    Err(Failure::Fatal(error)) => return Err(error),
                }
            }
            let found = partial.found();
            if artefact.identity.accepts(&found) {
                return Ok(None);
            }
            partial.restart()?;
            if !resumed {
                return Ok(Some(Outcome::Mismatch(found)));
            }
            self.progress.note(&format!(
                "{}: what an earlier attempt left does not fit; fetched from the begin",
                artefact.name
            ));
        }
    }

    fn stored(&self, sha256: &Sha256, size: Option<u64>) -> Result<Option<Fetched>, FetchError> {
        let file = self.store.open_verified(sha256, size, self.progress, self.cancel)?;
        let path = self.store.path_of(sha256);
        file.map(|file| {
            let size = file.metadata().map_err(FetchError::disk("look at", &path))?.len();
            Ok(Fetched { path, size, sha256: *sha256 })
        })
        .transpose()
    }

    /// The locations that may be asked, servers that kept silent last. Those that may not be asked
    /// are noted as such.
    fn usable<'l>(&self, all: &'l [Location], tried: &mut Vec<Tried>) -> Vec<&'l Location> {
        let may = |l: &&Location| self.options.network == Network::Online || !l.is_remote();
        for location in all.iter().filter(|l| !may(l)) {
            tried.push(Tried { location: location.to_string(), outcome: Outcome::Skipped });
        }
        let mut usable: Vec<&Location> = all.iter().filter(may).collect();
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        usable.sort_by_key(|location| location.server().is_some_and(|s| silent.contains(&s)));
        usable
    }

    fn note(&self, location: &Location, outcome: Outcome, tried: &mut Vec<Tried>) {
        self.progress.note(&format!("{location}: {outcome}"));
        if let (Outcome::Failed(_), Some(server)) = (&outcome, location.server()) {
            self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(server);
        }
        tried.push(Tried { location: location.to_string(), outcome });
    }

    /// How often this location is asked.
    fn patience(&self, location: &Location) -> RetryPolicy {
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut policy = self.options.retry.clone();
        if location.server().is_some_and(|server| silent.contains(&server)) {
            policy.attempts = 1;
        }
        policy
    }

    fn transfer<'t>(
        &'t self,
        name: &'t str,
        bound: Bound,
        task: &'t dyn wifibox_ground::progress::Task,
    ) -> Transfer<'t> {
        Transfer {
            name,
            bound,
            client: &self.client,
            progress: self.progress,
            cancel: self.cancel,
            task,
            told: 0,
        }
    }
}
