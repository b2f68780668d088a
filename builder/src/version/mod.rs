//! Version order of the three package ecosystems.
