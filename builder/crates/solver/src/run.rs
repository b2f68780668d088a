//! The loop of a resolution: conclusions, what they reach, and the walk's next choice.

use super::sat::{Impossible, Lit};
use super::search::Search;
use super::step::Step;
use super::universe::Item;
use super::walk::Walk;

/// Looks for the preferred solution; gives the packages of one, in the order they were settled.
///
/// # Errors
/// [`Impossible`] when there is none.
pub(super) fn run(search: &mut Search<'_>) -> Result<Vec<Item>, Impossible> {
    search.begin();
    let mut walk = Walk::new(search);
    loop {
        if search.propagate()? {
            walk.restart();
        }
        if search.expand() {
            continue;
        }
        match walk.next(search) {
            Step::Try(item) => search.sat.decide(Lit::yes(item.0)),
            Step::Again => {}
            Step::Done => return Ok(walk.chosen()),
        }
    }
}
