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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::ApkKey;

    /// A key and how often it came.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Key(u8, usize);

    fn print(key: u8) -> Fingerprint<ApkKey> {
        Fingerprint::of_bytes(&[key; 32])
    }

    impl PublicKey for Key {
        type Kind = ApkKey;
        fn fingerprint(&self) -> Fingerprint<ApkKey> {
            print(self.0)
        }
        fn merge(&mut self, other: Self) {
            self.1 += other.1;
        }
    }

    fn keyring(keys: &[u8]) -> Keyring<Key> {
        let mut keyring = Keyring::default();
        keys.iter().for_each(|key| keyring.insert(Key(*key, 1)));
        keyring
    }

    #[test]
    fn each_key_is_held_once_and_only_pinned_ones_are_trusted() {
        let mut keys = keyring(&[1, 2, 1]);
        assert!(!keys.is_empty() && keyring(&[]).is_empty());
        keys.extend(keyring(&[3, 2]));
        assert_eq!(keys.keys().cloned().collect::<Vec<_>>(), [Key(1, 2), Key(2, 2), Key(3, 1)]);
        let pinned = [print(2), print(9)];
        assert_eq!(keys.trusted(&pinned).collect::<Vec<_>>(), [&Key(2, 2)]);
        assert!(keys.has_any(&pinned) && !keys.has_any(&[print(9)]) && !keys.has_any(&[]));
        assert_eq!(keys.pinned(&pinned), Keyring { keys: vec![Key(2, 2)] });
    }
}
