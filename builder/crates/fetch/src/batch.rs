//! Many artefacts at once, by a fixed number of threads.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::error::FetchError;
use super::fetched::Fetched;
use super::fetcher::Fetcher;
use wifibox_ground::artefact::Artefact;

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
        parallel(artefacts, jobs, |artefact| self.fetch(artefact))
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
