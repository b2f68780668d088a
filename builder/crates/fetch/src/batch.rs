//! Many artefacts at once, by a fixed number of threads.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::FetchError;
use super::fetched::Fetched;
use super::fetcher::Fetcher;
use wifibox_ground::artefact::Artefact;
use wifibox_ground::progress::Stage;

impl Fetcher<'_> {
    /// Gets all artefacts, `jobs` at a time, and returns them in the order given.
    ///
    /// When some are missing or wrong the others are still tried, so that one error tells all;
    /// a dead network, a full disk or a cancellation ends the work at once.
    ///
    /// # Errors
    /// The error of the one that failed, or [`FetchError::Several`].
    pub fn fetch_all(
        &self,
        artefacts: &[Artefact],
        jobs: usize,
    ) -> Result<Vec<Fetched>, FetchError> {
        self.tell(artefacts);
        parallel(artefacts, jobs, |artefact| self.fetch(artefact))
    }

    /// Says how much is to be fetched, and what an earlier run left.
    fn tell(&self, artefacts: &[Artefact]) {
        let store = self.store();
        let digest = |artefact: &Artefact| artefact.identity.sha256;
        let is_here = |artefact: &&Artefact| {
            digest(artefact).is_some_and(|sha256| store.get(&sha256).is_some())
        };
        let (here, missing): (Vec<&Artefact>, Vec<&Artefact>) = artefacts.iter().partition(is_here);
        if missing.is_empty() {
            return;
        }
        let sizes: Option<u64> = missing.iter().map(|artefact| artefact.identity.size).sum();
        let begun = missing.iter().filter_map(|artefact| digest(artefact));
        let begun = begun.filter(|sha256| store.has_begun(sha256)).count();
        let mut done = Vec::new();
        if !here.is_empty() {
            done.push(format!("{} more are here", here.len()));
        }
        if begun > 0 {
            done.push(format!("resuming {begun} where an earlier run was interrupted"));
        }
        self.progress().stage(&Stage {
            verb: "Fetching",
            what: if missing.len() == 1 { "package" } else { "packages" },
            count: missing.len() as u64,
            bytes: sizes.unwrap_or_default(),
            done: &done.join(", "),
        });
    }

    /// The same by `Fetcher::fetch_checked`: `check` is given what came with each artefact and the
    /// file that was found.
    ///
    /// # Errors
    /// As for [`Fetcher::fetch_all`].
    pub fn fetch_all_checked<T: Sync>(
        &self,
        artefacts: &[(Artefact, T)],
        check: &(dyn Fn(&T, &Path) -> Result<(), String> + Sync),
        jobs: usize,
    ) -> Result<Vec<Fetched>, FetchError> {
        parallel(artefacts, jobs, |(artefact, with)| {
            self.fetch_checked(artefact, &|path| check(with, path))
        })
    }
}

fn parallel<T: Sync>(
    items: &[T],
    jobs: usize,
    fetch: impl Fn(&T) -> Result<Fetched, FetchError> + Sync,
) -> Result<Vec<Fetched>, FetchError> {
    let results: Vec<OnceLock<Result<Fetched, FetchError>>> =
        items.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let (Some(item), Some(result)) = (items.get(index), results.get(index)) else {
                return;
            };
            let outcome = fetch(item);
            if outcome.as_ref().is_err_and(FetchError::stops_all) {
                next.store(items.len(), Ordering::SeqCst);
            }
            // Each index is taken once, so its place is free.
            let _ = result.set(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.clamp(1, items.len().max(1)) {
            // Where the system has no more threads, those that there are do it.
            drop(std::thread::Builder::new().spawn_scoped(scope, work));
        }
        work();
    });
    let mut fetched = Vec::with_capacity(items.len());
    let mut errors = Vec::new();
    for result in results {
        match result.into_inner() {
            Some(Ok(file)) => fetched.push(file),
            Some(Err(error)) => errors.push(error),
            None => {}
        }
    }
    match errors.len() {
        0 => Ok(fetched),
        1 => Err(errors.swap_remove(0)),
        _ => Err(FetchError::Several(errors)),
    }
}
