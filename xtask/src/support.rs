//! What chores share with the builder's tests: writers of packages and feeds, and throw-away keys.

#[path = "../../builder/tests/support/adbkeys.rs"]
pub mod adbkeys;
#[path = "../../builder/tests/support/adbrepo.rs"]
pub mod adbrepo;
#[path = "../../builder/tests/support/adbwriter.rs"]
pub mod adbwriter;
#[path = "../../builder/tests/support/opkgrepo.rs"]
pub mod opkgrepo;
#[path = "../../builder/tests/support/tarball.rs"]
pub mod tarball;
