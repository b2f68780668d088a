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
mod contradiction;
mod depth;
mod explain;
mod lack;
pub mod policy;
mod prefer;
mod rank;
mod ranked;
mod reason;
mod request;
mod sat;
mod search;
mod solution;
mod universe;

pub use explain::Unsatisfiable;
pub use request::Request;
pub use solution::{Because, Chosen, Solution, StandInUse};
pub use universe::{Item, Repository, StandIn, Universe, UniverseError};

use search::Search;

/// Chooses the packages that satisfy all `requests`, preferring what the ecosystem's package manager
/// prefers.
///
/// # Errors
/// [`Unsatisfiable`] explains why no choice satisfies them.
pub fn resolve(universe: &Universe, requests: &[Request]) -> Result<Solution, Box<Unsatisfiable>> {
    let mut search = Search::new(universe, requests);
    match search.run() {
        Ok(chosen) => Ok(Solution::new(&search, &chosen)),
        Err(impossible) => Err(Box::new(explain::explain(&search, &impossible))),
    }
}
