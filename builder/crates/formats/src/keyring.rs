//! Keyrings: keys from files, none of them trusted by itself.
//!
//! A keyring only provides key material. The keys that are trusted are those whose fingerprints a recipe
//! pins, whatever else the keyring holds. How a key is read from a file is the business of its format.

use crate::fingerprint::Fingerprint;

/// A key that a keyring can hold.
pub trait PublicKey {
    /// Its kind, which decides the form of its fingerprint.
    type Kind: PartialEq;

    /// The fingerprint by which it is pinned.
    fn fingerprint(&self) -> Fingerprint<Self::Kind>;

    /// Whether `other` is the same key, under the same name where signatures name keys.
    fn is_same(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }

    /// Takes in what another copy of the same key says beside the key itself.
    fn merge(&mut self, _: Self)
    where
        Self: Sized,
    {
    }
}

/// Keys, each of them once, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring<K> {
    keys: Vec<K>,
}

impl<K> Default for Keyring<K> {
    fn default() -> Self {
        Keyring { keys: Vec::new() }
    }
}

impl<K: PublicKey> Keyring<K> {
    /// Adds a key, or what it says of itself where the key is there.
    pub fn insert(&mut self, key: K) {
        match self.keys.iter_mut().find(|known| known.is_same(&key)) {
            Some(known) => known.merge(key),
            None => self.keys.push(key),
        }
    }

    /// Adds the keys of another keyring.
    pub fn extend(&mut self, other: Self) {
        other.keys.into_iter().for_each(|key| self.insert(key));
    }

    /// All keys.
    pub fn keys(&self) -> std::slice::Iter<'_, K> {
        self.keys.iter()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys with one of these fingerprints.
    pub fn trusted<'k>(
        &'k self,
        pinned: &'k [Fingerprint<K::Kind>],
    ) -> impl Iterator<Item = &'k K> {
        self.keys.iter().filter(|key| pinned.contains(&key.fingerprint()))
    }

    /// Whether a key with one of these fingerprints is there.
    pub fn has_any(&self, pinned: &[Fingerprint<K::Kind>]) -> bool {
        self.trusted(pinned).next().is_some()
    }

    /// The keyring without the keys that have none of these fingerprints.
    #[must_use]
    pub fn pinned(mut self, pinned: &[Fingerprint<K::Kind>]) -> Self {
        self.keys.retain(|key| pinned.contains(&key.fingerprint()));
        self
    }
}
