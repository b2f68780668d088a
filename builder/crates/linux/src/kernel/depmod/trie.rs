//! The binary index files of kmod (`modules.dep.bin` and the like): a trie of keys with values.
//!
//! The format is described in kmod's libkmod/libkmod-index.c. Numbers are 32 bits, big-endian. A file
//! is a magic number, a version, the root's offset, and nodes. A node is its prefix (NUL-terminated;
//! left out when empty), its children (first and last byte, then an offset for each byte between;
//! left out without children) and its values (a count, then priority and NUL-terminated text of each;
//! left out without values). The upper four bits of an offset say which parts its node has. Nodes are
//! written parents first, as kmod does since version 34.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xB007_F457;
const VERSION: u32 = 0x0002_0001;
const HAS_PREFIX: u32 = 0x8000_0000;
const HAS_VALUES: u32 = 0x4000_0000;
const HAS_CHILDREN: u32 = 0x2000_0000;
/// Offsets have 28 bits.
const OFFSET_LIMIT: u64 = 0x0FFF_FFFF;

/// An index under construction.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    prefix: Vec<u8>,
    children: BTreeMap<u8, usize>,
    /// By priority; of equal ones, the newest first.
    values: Vec<(u32, Vec<u8>)>,
}

/// An index that its format cannot hold.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IndexError {
    /// Keys are 7-bit ASCII.
    #[error("the index key {0:?} is not plain ASCII")]
    NotAscii(String),
    /// Offsets have 28 bits.
    #[error("an index of more than 256 MiB cannot be written")]
    TooLarge,
}

impl Trie {
    pub(super) fn new() -> Self {
        Trie { nodes: vec![Node::default()] }
    }

    /// Adds a value to a key; lower priorities come first.
    pub(super) fn insert(
        &mut self,
        key: &str,
        value: &str,
        priority: u32,
    ) -> Result<(), IndexError> {
        if !key.is_ascii() || key.contains('\0') {
            return Err(IndexError::NotAscii(key.to_owned()));
        }
        let mut rest = key.as_bytes();
        let mut at = 0;
        loop {
            self.split(at, rest);
            let Some(node) = self.nodes.get_mut(at) else { return Ok(()) };
            rest = rest.get(node.prefix.len()..).unwrap_or_default();
            let Some((byte, tail)) = rest.split_first() else {
                let place = node.values.partition_point(|(other, _)| *other < priority);
                node.values.insert(place, (priority, value.as_bytes().to_vec()));
                return Ok(());
            };
            match node.children.get(byte) {
                Some(child) => at = *child,
                None => {
                    let child = self.nodes.len();
                    self.nodes.push(Node { prefix: tail.to_vec(), ..Node::default() });
                    if let Some(node) = self.nodes.get_mut(at) {
                        node.children.insert(*byte, child);
                    }
                    at = child;
                }
            }
            rest = tail;
        }
    }

    /// Makes the node's prefix a prefix of `key`: what goes beyond it moves into a new child.
    fn split(&mut self, at: usize, key: &[u8]) {
        let fresh = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return };
        let common = node.prefix.iter().zip(key).take_while(|(a, b)| a == b).count();
        let Some(byte) = node.prefix.get(common).copied() else { return };
        let lower = Node {
            prefix: node.prefix.split_off(common + 1),
            children: std::mem::take(&mut node.children),
            values: std::mem::take(&mut node.values),
        };
        node.prefix.truncate(common);
        node.children.insert(byte, fresh);
        self.nodes.push(lower);
    }

    /// The index file's bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>, IndexError> {
        let order = self.parents_first();
        let mut offsets: Vec<u32> = vec![0; self.nodes.len()];
        let mut end: u64 = 12;
        for index in &order {
            let Some(node) = self.nodes.get(*index) else { continue };
            if end > OFFSET_LIMIT {
                return Err(IndexError::TooLarge);
            }
            let offset = u32::try_from(end).map_err(|_| IndexError::TooLarge)?;
            if let Some(slot) = offsets.get_mut(*index) {
                *slot = offset | node.flags();
            }
            end += node.size();
        }
        let offset_of = |index: usize| offsets.get(index).copied().unwrap_or(0).to_be_bytes();
        let mut out = Vec::new();
        out.extend(MAGIC.to_be_bytes());
        out.extend(VERSION.to_be_bytes());
        out.extend(offset_of(0));
        for index in order {
            let Some(node) = self.nodes.get(index) else { continue };
            if !node.prefix.is_empty() {
                out.extend_from_slice(&node.prefix);
                out.push(0);
            }
            if let Some((first, last)) = node.range() {
                out.extend([first, last]);
                for byte in first..=last {
                    let child = node.children.get(&byte);
                    out.extend(child.map_or([0; 4], |child| offset_of(*child)));
                }
            }
            if !node.values.is_empty() {
                let count = u32::try_from(node.values.len()).map_err(|_| IndexError::TooLarge)?;
                out.extend(count.to_be_bytes());
                for (priority, value) in &node.values {
                    out.extend(priority.to_be_bytes());
                    out.extend_from_slice(value);
                    out.push(0);
                }
            }
        }
        Ok(out)
    }

    fn parents_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut todo = vec![0];
        while let Some(index) = todo.pop() {
            order.push(index);
            if let Some(node) = self.nodes.get(index) {
                todo.extend(node.children.values().rev());
            }
        }
        order
    }
}

impl Node {
    fn range(&self) -> Option<(u8, u8)> {
        Some((*self.children.first_key_value()?.0, *self.children.last_key_value()?.0))
    }

    fn flags(&self) -> u32 {
        let part = |there: bool, flag: u32| if there { flag } else { 0 };
        part(!self.prefix.is_empty(), HAS_PREFIX)
            | part(!self.values.is_empty(), HAS_VALUES)
            | part(!self.children.is_empty(), HAS_CHILDREN)
    }

    /// How many bytes the node takes.
    fn size(&self) -> u64 {
        let prefix = if self.prefix.is_empty() { 0 } else { self.prefix.len() as u64 + 1 };
        let children = self
            .range()
            .map_or(0, |(first, last)| 2 + 4 * (u64::from(last) - u64::from(first) + 1));
        let values: u64 = self.values.iter().map(|(_, value)| 5 + value.len() as u64).sum();
        prefix + children + if self.values.is_empty() { 0 } else { 4 + values }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every key with its values in order, from an index file of any kmod version.
    pub(in crate::kernel) fn dump(index: &[u8]) -> Vec<(String, Vec<(u32, String)>)> {
        let mut out = Vec::new();
        if !index.is_empty() {
            walk(index, number(index, 8), String::new(), &mut out);
        }
        out
    }

    fn number(index: &[u8], at: usize) -> u32 {
        u32::from_be_bytes(index[at..at + 4].try_into().expect("four bytes"))
    }

    fn text(index: &[u8], at: &mut usize) -> String {
        let end = index[*at..].iter().position(|byte| *byte == 0).expect("an end") + *at;
        let text = String::from_utf8(index[*at..end].to_vec()).expect("ASCII");
        *at = end + 1;
        text
    }

    fn walk(
        index: &[u8],
        offset: u32,
        mut key: String,
        out: &mut Vec<(String, Vec<(u32, String)>)>,
    ) {
        let mut at = (offset & 0x0FFF_FFFF) as usize;
        if offset & HAS_PREFIX != 0 {
            key.push_str(&text(index, &mut at));
        }
        let mut children = Vec::new();
        if offset & HAS_CHILDREN != 0 {
            let (first, last) = (index[at], index[at + 1]);
            at += 2;
            for byte in first..=last {
                children.push((byte, number(index, at)));
                at += 4;
            }
        }
        if offset & HAS_VALUES != 0 {
            let count = number(index, at);
            at += 4;
            let mut values = Vec::new();
            for _ in 0..count {
                let priority = number(index, at);
                at += 4;
                values.push((priority, text(index, &mut at)));
            }
            out.push((key.clone(), values));
        }
        for (byte, child) in children.into_iter().filter(|(_, child)| *child != 0) {
            walk(index, child, format!("{key}{}", char::from(byte)), out);
        }
    }

    #[test]
    fn an_empty_index_is_a_bare_root() {
        let bytes = Trie::new().write().expect("written");
        assert_eq!(bytes, [0xB0, 0x07, 0xF4, 0x57, 0, 2, 0, 1, 0, 0, 0, 12]);
    }

    #[test]
    fn keys_that_share_a_beginning_split_their_node() {
        let mut trie = Trie::new();
        for (key, value, priority) in
            [("abcd", "1", 5), ("abxy", "2", 0), ("ab", "3", 1), ("abcd", "4", 2), ("abcd", "5", 5)]
        {
            trie.insert(key, value, priority).expect("inserted");
        }
        let value = |text: &str, priority| (priority, text.to_owned());
        assert_eq!(
            dump(&trie.write().expect("written")),
            [
                ("ab".to_owned(), vec![value("3", 1)]),
                ("abcd".to_owned(), vec![value("4", 2), value("5", 5), value("1", 5)]),
                ("abxy".to_owned(), vec![value("2", 0)]),
            ]
        );
        assert!(trie.insert("ä", "", 0).is_err());
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(keys in prop::collection::vec("[ab:*]{0,6}", 0..40)) {
            let mut trie = Trie::new();
            let mut expected: BTreeMap<String, Vec<(u32, String)>> = BTreeMap::new();
            for (number, key) in keys.iter().enumerate() {
                let number = u32::try_from(number).expect("small");
                trie.insert(key, &format!("v{number}"), number).expect("inserted");
                expected.entry(key.clone()).or_default().push((number, format!("v{number}")));
            }
            prop_assert_eq!(dump(&trie.write().expect("written")), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
