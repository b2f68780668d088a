//! The texts in `licenses/`: each once, under a name that every file system can hold.

use std::collections::BTreeMap;

/// Texts by path below `licenses/`.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    files: BTreeMap<String, Vec<u8>>,
    /// Paths in lower case: hosts may not tell letters' cases apart.
    taken: BTreeMap<String, String>,
}

impl Texts {
    /// Puts a text at `path`, or beside it if another one is there. Returns where it is.
    pub(super) fn add(&mut self, path: &str, bytes: &[u8]) -> String {
        let mut path = path.to_owned();
        for number in 2.. {
            let lower = path.to_lowercase();
            match self.taken.get(&lower).and_then(|taken| self.files.get(taken)) {
                None => {
                    self.taken.insert(lower, path.clone());
                    self.files.insert(path.clone(), bytes.to_vec());
                    break;
                }
                Some(there) if there == bytes => {
                    return self.taken.get(&lower).cloned().unwrap_or(path);
                }
                Some(_) => path = format!("{path}.{number}"),
            }
        }
        path
    }

    /// Puts a text below `folder`, unless the same is there under any name. Returns where it is.
    pub(super) fn add_once(&mut self, path: &str, bytes: &[u8]) -> String {
        let same = self.files.iter().find(|(_, there)| there.as_slice() == bytes);
        match same.map(|(path, _)| path.clone()) {
            Some(path) => path,
            None => self.add(path, bytes),
        }
    }

    /// All of them, by path.
    pub(super) fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.files
    }
}

/// Names of `usr/share/common-licenses` that a text refers to.
pub(super) fn common_licences(text: &str) -> Vec<String> {
    const FOLDER: &str = "/usr/share/common-licenses/";
    let mut names: Vec<String> = text
        .match_indices(FOLDER)
        .filter_map(|(at, _)| {
            let rest = text.get(at + FOLDER.len()..)?;
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-.+".contains(c));
            let name = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches(['.', '-']);
            (!name.is_empty()).then(|| name.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_only_do_not_meet() {
        let mut texts = Texts::default();
        assert_eq!(texts.add("a/LICENSE", b"one"), "a/LICENSE");
        assert_eq!(texts.add("a/license", b"one"), "a/LICENSE");
        assert_eq!(texts.add("a/license", b"two"), "a/license.2");
        assert_eq!(texts.add_once("b/copyright", b"two"), "a/license.2");
        assert_eq!(texts.into_files().len(), 2);
    }

    #[test]
    fn references_are_found_amid_punctuation() {
        let text = "in `/usr/share/common-licenses/GPL-2'. And /usr/share/common-licenses/LGPL-2.1.\n\
                    /usr/share/common-licenses/GPL-2 /usr/share/common-licenses/";
        assert_eq!(common_licences(text), ["GPL-2", "LGPL-2.1"]);
    }
}
