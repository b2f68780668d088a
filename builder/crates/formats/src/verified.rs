//! A type that says that a signature was checked.

use std::ops::Deref;

/// Something read from bytes whose signature was verified. Only the verifying code of
/// [`crate`] can make one, so a function that takes it cannot be given anything unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    signers: Vec<String>,
}

impl<T> Verified<T> {
    /// To be called with what was read from the very bytes that the signature covers.
    /// `signers` are the keys whose signatures are good, as they are pinned; at least one.
    pub fn new(value: T, signers: Vec<String>) -> Self {
        Verified { value, signers }
    }

    /// The pinned keys whose signatures are good.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
