//! One solver for three package ecosystems.
