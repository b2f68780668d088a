//! How much an image takes.

/// The longest symlink target, in bytes, that the reader takes; Linux would follow 4095.
pub(crate) const LINK_LIMIT: usize = 255;
/// The most distinct user and group ids: the reader knows only the first metadata block of them.
pub(crate) const OWNER_LIMIT: usize = 2048;
/// The deepest directory: readers descend by recursion.
pub(crate) const DEPTH_LIMIT: usize = 256;
