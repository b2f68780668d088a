//! The servers of one run, as they have shown themselves: silent ones are asked last and only once, slow ones after all
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wifibox_ground::location::Location;

/// What is known of the servers. May be shared by threads.
#[derive(Debug, Default)]
pub(super) struct Servers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    silent: BTreeSet<String>,
    /// In bytes a second.
    slow: BTreeMap<String, u64>,
}

impl Servers {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A set that is only ever added to is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It did not answer.
    pub(super) fn is_silent(&self, location: &Location) {
        self.known().silent.extend(location.server());
    }

    /// It answers with so few bytes a second.
    pub(super) fn is_slow(&self, location: &Location, rate: u64) {
        self.known().slow.extend(location.server().map(|server| (server, rate)));
    }

    /// Whether it did not answer before.
    pub(super) fn was_silent(&self, location: &Location) -> bool {
        location.server().is_some_and(|server| self.known().silent.contains(&server))
    }

    /// Whether it was not found to be slow.
    pub(super) fn may_be_fast(&self, location: &Location) -> bool {
        location.server().is_none_or(|server| !self.known().slow.contains_key(&server))
    }

    /// In the order in which they are asked.
    pub(super) fn sort(&self, locations: &mut [&Location]) {
        let known = self.known();
        locations.sort_by_key(|location| match location.server() {
            None => (false, 0),
            Some(server) => {
                let slow = known.slow.get(&server).map_or(0, |rate| u64::MAX.saturating_sub(*rate));
                (known.silent.contains(&server), slow)
            }
        });
    }
}
