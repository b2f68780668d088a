//! Limits that the system sets for this process.

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// Files that a build may have open: each unpacked package that the tree points into is one, and a guest
/// with all drivers has several hundred modules.
const FILES: rlim_t = 8192;

/// Raises the limit of open files as far as it is needed and allowed: macOS begins with 256.
pub(crate) fn raise_open_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < FILES
    {
        // Where it is refused, contents are copied instead of pointed to.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, FILES.min(hard), hard);
    }
}
