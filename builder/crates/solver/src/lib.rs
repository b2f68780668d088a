//! Chooses packages: one solver for apk, apt and opkg, with explanations.
//!
//! In: the indexes of all repositories ([`Universe`]) and what is asked for ([`Request`]s). Out: the
//! packages to install, each with why it is there ([`Solution`]), or why there is no such set
//! ([`Unsatisfiable`]). The rules are those of the ecosystem's own package manager on an empty root;
//! [`policy`] lists how they differ. Unlike those programs the solver always finds a solution if there
//! is one: where the preferred choice leads nowhere it learns why and tries the next.
//!
//! Nothing is read or written, and the same input gives the same answer.

mod build;
mod by_rank;
mod contradiction;
mod depth;
mod explain;
mod pick;
pub mod policy;
mod prefer;
mod rank;
mod reached;
mod reason;
mod request;
mod run;
mod sat;
mod search;
mod solution;
mod step;
mod universe;
mod unmet;
mod walk;

pub use explain::Unsatisfiable;
pub use request::Request;
pub use solution::{Because, Chosen, Solution, StandInUse};
pub use universe::{Item, Repository, StandIn, Universe, UniverseError};

use search::Search;

/// Chooses the packages that satisfy all `requests`, preferring what the ecosystem's package manager
/// prefers.
///
/// The answer stands by itself: resolving the same requests over nothing but the chosen packages, as
/// the lock file does, chooses them again.
///
/// # Errors
/// [`Unsatisfiable`] explains why no choice satisfies them.
pub fn resolve(universe: &Universe, requests: &[Request]) -> Result<Solution, Box<Unsatisfiable>> {
    let mut search = Search::new(universe, requests);
    match run::run(&mut search) {
        Ok(chosen) => Ok(Solution::new(&search, &self_sufficient(universe, requests, chosen))),
        Err(impossible) => Err(Box::new(explain::explain(&search, &impossible))),
    }
}

/// Leaves out what is not chosen again when there is nothing else to choose from. That happens where a
/// preference hung on something that was not chosen.
fn self_sufficient(universe: &Universe, requests: &[Request], mut chosen: Vec<Item>) -> Vec<Item> {
    loop {
        let Ok(restricted) = universe.restricted(&chosen) else { return chosen };
        let Ok(again) = run::run(&mut Search::new(&restricted, requests)) else { return chosen };
        if again.len() >= chosen.len() {
            return chosen;
        }
        let is_chosen = |item: &Item| {
            again
                .iter()
                .any(|other| std::ptr::eq(universe.package(*item), restricted.package(*other)))
        };
        chosen.retain(is_chosen);
    }
}

#[cfg(test)]
mod tests;
