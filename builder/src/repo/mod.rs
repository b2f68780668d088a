//! Package sources: indexes, signatures and package readers.
