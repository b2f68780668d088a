//! What a walk says to do next.

use super::universe::Item;

/// What to do next.
pub(super) enum Step {
    /// Choose this package.
    Try(Item),
    /// The choice was refuted; a clause says why.
    Again,
    /// Everything needed is there.
    Done,
}
