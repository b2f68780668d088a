//! The steps of a walk.

use super::universe::Item;

/// The next step of a walk.
pub(super) enum Step {
    /// Choose this package.
    Try(Item),
    /// The choice was refuted; a clause says why.
    Again,
    /// Everything needed is there.
    Done,
}
