//! Gets artefacts: from the store, from folders of downloaded files, from their locations.

use std::collections::VecDeque;
use std::path::Path;

use super::distdir;
use super::error::{FetchError, Outcome, Tried};
use super::fetched::Fetched;
use super::http::LazyClient;
use super::ledger::{Got, Ledger};
use super::options::{Network, Options};
use super::partial::{Memory, Partial, Target};
use super::remote::Remote;
use super::retry::RetryPolicy;
use super::servers::Servers;
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
    servers: Servers,
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
        let servers = Servers::default();
        Fetcher { store, options, progress, cancel, client, ledger: None, servers }
    }

    /// The same, which notes in `ledger` what it gets.
    #[must_use]
    pub fn noting(mut self, ledger: &'a Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    pub(super) fn store(&self) -> &Store {
        self.store
    }

    pub(super) fn progress(&self) -> &dyn Progress {
        self.progress
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
            ledger.note(&artefact.path, Got::File(fetched.clone()));
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
        if let Some((file, found)) = open_and_hash(&path, self.cancel)?
            && identity.accepts(&found)
        {
            return Fetched::of(path, found.size, sha256, &file);
        }
        let task = self.progress.begin(&artefact.name, identity.size);
        let mut partial = self.store.partial(&sha256, self.cancel)?;
        let limit = self.options.unknown_size_limit;
        if let Some(remote) = remote {
            if self.take_from(remote, artefact, &mut partial)? {
                return self.store.keep(partial, &sha256, &lock);
            }
            remote.tell_failure(self.progress);
        }
        let bound = Bound { exact: identity.size, limit };
        if partial.length() > identity.size.unwrap_or(limit) {
            partial.restart()?;
        }
        let mut transfer = self.transfer(&artefact.name, bound, &*task);
        let mut locations = VecDeque::from(locations);
        let mut slow = Vec::new();
        loop {
            // When all others have failed, the slow ones are good enough, the fastest first.
            transfer.may_leave = locations.iter().skip(1).any(|l| self.servers.may_be_fast(l));
            let Some(location) = locations.pop_front().or_else(|| fastest(&mut slow)) else {
                break;
            };
            match self.complete(&mut transfer, location, &mut partial, artefact)? {
                None => {
                    self.servers_rate(&mut transfer, location);
                    let fetched = self.store.keep(partial, &sha256, &lock)?;
                    if let Some(remote) = remote {
                        remote.keep_artefact(&sha256, &fetched.path);
                        remote.tell_failure(self.progress);
                    }
                    return Ok(fetched);
                }
                Some(Outcome::Slow(rate)) => {
                    self.servers_rate(&mut transfer, location);
                    self.progress
                        .note(&format!("{location}: {}; another one", Outcome::Slow(rate)));
                    slow.push((rate, location));
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
            if partial.length().saturating_add(piece.len() as u64) > limit {
                return Err(format!("what it has of {sha256} is longer than {limit} bytes"));
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
                Ok(()) => self.servers_rate(&mut transfer, location),
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
            let Some(sha256) = partial.found().sha256 else {
                return Err(FetchError::Unrecognisable { name: artefact.name.clone() });
            };
            let lock = self.store.lock(&sha256, self.cancel)?;
            return self.store.keep(partial, &sha256, &lock);
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
                "{}: what an earlier attempt left does not fit; fetched from the beginning",
                artefact.name
            ));
        }
    }

    fn stored(&self, sha256: &Sha256, size: Option<u64>) -> Result<Option<Fetched>, FetchError> {
        let file = self.store.open_verified(sha256, size, self.progress, self.cancel)?;
        let path = self.store.path_of(sha256);
        file.map(|file| {
            let size = file.metadata().map_err(FetchError::disk("look at", &path))?.len();
            Fetched::of(path.clone(), size, *sha256, &file)
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
        self.servers.sort(&mut usable);
        usable
    }

    fn note(&self, location: &Location, outcome: Outcome, tried: &mut Vec<Tried>) {
        self.progress.note(&format!("{location}: {outcome}"));
        if matches!(outcome, Outcome::Failed(_)) {
            self.servers.is_silent(location);
        }
        tried.push(Tried { location: location.to_string(), outcome });
    }

    /// Remembers a server that was found to be slow.
    fn servers_rate(&self, transfer: &mut Transfer<'_>, location: &Location) {
        if let Some(rate) = transfer.rate.take() {
            self.servers.is_slow(location, rate);
        }
    }

    /// How often this location is asked.
    fn patience(&self, location: &Location) -> RetryPolicy {
        let mut policy = self.options.retry.clone();
        if self.servers.was_silent(location) {
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
            slow: self.options.http.slow,
            may_leave: false,
            rate: None,
            told: 0,
        }
    }
}

/// Takes the location out that sent the most bytes a second.
fn fastest<'l>(slow: &mut Vec<(u64, &'l Location)>) -> Option<&'l Location> {
    let best = (0..slow.len()).max_by_key(|at| slow.get(*at).map(|(rate, _)| *rate))?;
    Some(slow.swap_remove(best).1)
}
