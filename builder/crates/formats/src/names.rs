//! A bound on what is kept of a package beside its contents: the paths of its members and of the folders that they are
//! in, owners, targets of links, attributes. A few packed bytes can stand for a thousand long paths.

use wifibox_ground::path::GuestPath;

/// The most bytes of paths, owners, targets and attributes of one package. The largest packages of the distributions
/// have a tenth of it.
const NAMES_LIMIT: usize = 32 << 20;

/// Counts what is kept.
pub struct Names {
    left: usize,
    last: GuestPath,
}

impl Default for Names {
    fn default() -> Self {
        Names { left: NAMES_LIMIT, last: GuestPath::root() }
    }
}

impl Names {
    /// Takes in a member with `more` bytes beside its path. Each folder on the way that the member before it was not in
    /// counts with its own path: whoever unpacks makes it.
    ///
    /// # Errors
    /// In words: there is too much.
    pub fn take(&mut self, path: &GuestPath, more: usize) -> Result<(), String> {
        let (bytes, last) = (path.as_bytes(), self.last.as_bytes());
        let same = bytes.iter().zip(last).take_while(|(one, other)| one == other).count();
        let folders = bytes.iter().enumerate().filter(|(at, byte)| **byte == b'/' && *at >= same);
        let new: usize = folders.map(|(at, _)| at).sum();
        let cost = bytes.len().saturating_add(new).saturating_add(more);
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            format!("paths, owners, links and attributes of the package have more than {NAMES_LIMIT} bytes")
        })?;
        self.last = path.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_count_once_where_members_share_them() {
        let path = |text: &str| GuestPath::new(text).expect("a path");
        let cost = |paths: &[&str]| {
            let mut names = Names::default();
            paths.iter().for_each(|text| names.take(&path(text), 0).expect("small"));
            NAMES_LIMIT - names.left
        };
        assert_eq!(cost(&["usr/bin/a"]), 9 + 3 + 7);
        assert_eq!(cost(&["usr/bin/a", "usr/bin/b"]), 19 + 9);
        assert_eq!(cost(&["usr/bin/a", "usr/lib/b"]), 19 + 9 + 7);
    }

    #[test]
    fn deep_paths_use_the_limit_up() {
        let mut names = Names::default();
        let mut taken = 0;
        let refused = loop {
            let deep = format!("{taken}/").repeat(100);
            match names.take(&GuestPath::new(deep).expect("a path"), 10) {
                Ok(()) => taken += 1,
                Err(why) => break why,
            }
        };
        assert!(refused.contains("33554432 bytes"), "{refused}");
        assert!((500..3000).contains(&taken), "{taken}");
        assert!(Names::default().take(&GuestPath::root(), NAMES_LIMIT + 1).is_err());
    }
}
