//! The version order of Alpine's apk-tools (2.14 and 3).
//!
//! Grammar: `digits {.digits} [letter] {_suffix[digits]} [~hash] [-rdigits]`. The first number
//! compares as a number; later ones too, unless one of the two starts with `0`: then they compare as
//! text, like decimal fractions. Suffixes order as `_alpha _beta _pre _rc`, none, `_cvs _svn _git
//! _hg _p`; of two versions that agree as far as the shorter one goes, the longer is the newer unless
//! it goes on with one of the first four.

use std::cmp::Ordering;

use super::compare_digits;

/// The parts that come before "no suffix"; their rank is their place in [`SUFFIXES`].
const PRE_RELEASES: usize = 4;

/// Every suffix, oldest first.
const SUFFIXES: [&[u8]; 9] =
    [b"alpha", b"beta", b"pre", b"rc", b"cvs", b"svn", b"git", b"hg", b"p"];

/// One part of a version. The order of the kinds matters: of two parts of different kinds, the
/// *earlier* kind makes the newer version (`1.1` > `1a` > `1_p` > `1~ab` > `1-r1` > `1`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    First(&'a [u8]),
    Number(&'a [u8]),
    Letter(u8),
    Suffix(usize),
    SuffixNumber(&'a [u8]),
    Hash(&'a [u8]),
    Revision(&'a [u8]),
    End,
}

impl Part<'_> {
    fn kind(self) -> u8 {
        match self {
            Part::First(_) => 0,
            Part::Number(_) => 1,
            Part::Letter(_) => 2,
            Part::Suffix(_) => 3,
            Part::SuffixNumber(_) => 4,
            Part::Hash(_) => 5,
            Part::Revision(_) => 6,
            Part::End => 7,
        }
    }

    fn is_pre_release(self) -> bool {
        matches!(self, Part::Suffix(rank) if rank < PRE_RELEASES)
    }

    /// The order of two parts of one kind.
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Part::Number(a), Part::Number(b)) if a.starts_with(b"0") || b.starts_with(b"0") => {
                a.cmp(b)
            }
            (Part::Number(a), Part::Number(b))
            | (Part::First(a), Part::First(b))
            | (Part::SuffixNumber(a), Part::SuffixNumber(b))
            | (Part::Revision(a), Part::Revision(b)) => compare_digits(a, b),
            (Part::Letter(a), Part::Letter(b)) => a.cmp(&b),
            (Part::Suffix(a), Part::Suffix(b)) => a.cmp(&b),
            (Part::Hash(a), Part::Hash(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }
}

/// Splits a version into its parts.
struct Parts<'a> {
    rest: &'a [u8],
    last: Option<Part<'a>>,
}

impl<'a> Parts<'a> {
    fn new(version: &'a str) -> Self {
        Parts { rest: version.as_bytes(), last: None }
    }

    /// Takes the longest prefix whose bytes are all `wanted`; `None` when that is empty.
    fn take(&mut self, wanted: impl Fn(&u8) -> bool) -> Option<&'a [u8]> {
        let length = self.rest.iter().take_while(|b| wanted(b)).count();
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        (length > 0).then_some(taken)
    }

    fn digits(&mut self) -> Option<&'a [u8]> {
        self.take(u8::is_ascii_digit)
    }

    /// The next part, [`Part::End`] after the last; `None` when the text is no version.
    fn next(&mut self) -> Option<Part<'a>> {
        let part = match self.last {
            None => Part::First(self.digits()?),
            Some(last) => self.follow(last)?,
        };
        self.last = Some(part);
        Some(part)
    }

    fn follow(&mut self, last: Part<'a>) -> Option<Part<'a>> {
        let Some((&first, rest)) = self.rest.split_first() else { return Some(Part::End) };
        let numeric = matches!(last, Part::First(_) | Part::Number(_));
        match first {
            b'a'..=b'z' if numeric => {
                self.rest = rest;
                Some(Part::Letter(first))
            }
            b'.' if numeric => {
                self.rest = rest;
                Some(Part::Number(self.digits()?))
            }
            b'0'..=b'9' if matches!(last, Part::Suffix(_)) => {
                Some(Part::SuffixNumber(self.digits()?))
            }
            b'_' if last.kind() <= Part::SuffixNumber(b"").kind() => {
                self.rest = rest;
                let name = self.take(u8::is_ascii_lowercase)?;
                Some(Part::Suffix(SUFFIXES.iter().position(|known| *known == name)?))
            }
            b'~' if last.kind() < Part::Hash(b"").kind() => {
                self.rest = rest;
                let hash = self.take(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))?;
                Some(Part::Hash(hash))
            }
            b'-' if last.kind() < Part::Revision(b"").kind() => {
                self.rest = rest.strip_prefix(b"r")?;
                Some(Part::Revision(self.digits()?))
            }
            _ => None,
        }
    }
}

/// Whether `version` follows the grammar.
pub fn is_valid(version: &str) -> bool {
    let mut parts = Parts::new(version);
    loop {
        match parts.next() {
            None => return false,
            Some(Part::End) => return true,
            Some(_) => {}
        }
    }
}

/// Compares `a` with `b`; with `fuzzy`, every `a` that starts with the parts of `b` equals it.
fn order(a: &str, b: &str, fuzzy: bool) -> Option<Ordering> {
    if !is_valid(a) || !is_valid(b) {
        return None;
    }
    let (mut parts_a, mut parts_b) = (Parts::new(a), Parts::new(b));
    loop {
        let (pa, pb) = (parts_a.next()?, parts_b.next()?);
        if pa.kind() != pb.kind() {
            return Some(if fuzzy && pb == Part::End {
                Ordering::Equal
            } else if pa.is_pre_release() {
                Ordering::Less
            } else if pb.is_pre_release() {
                Ordering::Greater
            } else {
                pb.kind().cmp(&pa.kind())
            });
        }
        let by_part = pa.compare(pb);
        if by_part.is_ne() || pa == Part::End {
            return Some(by_part);
        }
    }
}

/// The order of two versions; `None` when one does not follow the grammar.
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    order(a, b, false)
}

/// The order that apk's fuzzy operators (`~`, `>~`, `<~`) use: `Equal` when `version` starts with
/// all the parts of `prefix` (`1.2.3-r0` fuzzily equals `1.2`); `None` when one is not a version.
pub fn compare_fuzzy(version: &str, prefix: &str) -> Option<Ordering> {
    order(version, prefix, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_older_than_the_next() {
        let ladder = [
            "0.1_alpha",
            "0.1_alpha1",
            "0.1_beta",
            "0.1_pre2",
            "0.1_rc",
            "0.1",
            "0.1-r1",
            "0.1~1",
            "0.1~a0-r3",
            "0.1_cvs",
            "0.1_svn",
            "0.1_git",
            "0.1_git20240101",
            "0.1_hg",
            "0.1_p",
            "0.1_p1_rc1",
            "0.1_p1",
            "0.1_p1-r1",
            "0.1_p10",
            "0.1a",
            "0.1b-r9",
            "0.1.01",
            "0.1.09",
            "0.1.1",
            "0.1.2",
            "0.1.10",
            "0.2",
            "0.20",
            "1",
            "9",
            "10",
            "18446744073709551616",
        ];
        for (i, a) in ladder.iter().enumerate() {
            for (j, b) in ladder.iter().enumerate() {
                assert_eq!(compare(a, b), Some(i.cmp(&j)), "{a} against {b}");
            }
        }
    }

    #[test]
    fn a_leading_zero_makes_a_fraction() {
        assert_eq!(compare("1.010", "1.02"), Some(Ordering::Less));
        assert_eq!(compare("1.10", "1.02"), Some(Ordering::Greater));
        assert_eq!(compare("1.0", "1.00"), Some(Ordering::Less));
        assert_eq!(compare("01", "1"), Some(Ordering::Equal), "the first number is no fraction");
        assert_eq!(compare("1-r01", "1-r1"), Some(Ordering::Equal));
    }

    #[test]
    fn the_grammar_is_enforced() {
        for good in
            ["0", "1.2.3", "1.2b_p3_git4~0af-r7", "1_p", "3.0_alpha_beta", "1~0", "20240101"]
        {
            assert!(is_valid(good), "{good}");
        }
        let bad = [
            "", "a", ".1", "1.", "1..2", "1.a", "1ab", "1a1", "1a.1", "1_", "1_foo", "1_P", "1~",
            "1~xyz", "1~ab~cd", "1-r", "1-1", "1-r1-r2", "1-r1~ab", "1-r1_p1", "1.2 ", "1:2",
            "1_p~A", "1é",
        ];
        for bad in bad {
            assert!(!is_valid(bad), "{bad}");
            assert_eq!(compare(bad, "1"), None, "{bad}");
        }
    }

    #[test]
    fn fuzzy_equality_is_by_prefix_of_parts() {
        for (version, prefix) in
            [("1.2.3-r0", "1.2"), ("1.2", "1.2"), ("1.2a", "1.2"), ("1_rc1", "1")]
        {
            assert_eq!(compare_fuzzy(version, prefix), Some(Ordering::Equal), "{version}~{prefix}");
        }
        assert_eq!(compare_fuzzy("1.20", "1.2"), Some(Ordering::Greater));
        assert_eq!(compare_fuzzy("1.2", "1.2.3"), Some(Ordering::Less));
        assert_eq!(compare_fuzzy("1.2", "bad"), None);
    }
}
