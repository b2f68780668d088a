//! Fetching from servers that lie, stall and lose connections.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A fault of a test ends it.

mod fetch_faults;
