//! The order of Debian's versions (Debian Policy, 5.6.12), as `dpkg --compare-versions` asks for it.

use std::cmp::Ordering;

/// Compares two versions.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let parts = |version: &str| -> (u64, String, String) {
        let (epoch, rest) = match version.split_once(':') {
            Some((epoch, rest)) => (epoch.trim().parse().unwrap_or(0), rest),
            None => (0, version),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, upstream.trim().to_owned(), revision.trim().to_owned())
    };
    let (left, right) = (parts(left), parts(right));
    left.0
        .cmp(&right.0)
        .then_with(|| compare_part(&left.1, &right.1))
        .then_with(|| compare_part(&left.2, &right.2))
}

fn order(c: Option<char>) -> i64 {
    match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_digit() => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 0x11_0000,
    }
}

fn compare_part(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let (mut l, mut r) = (0, 0);
    let is_digit = |chars: &[char], at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    while l < left.len() || r < right.len() {
        while (l < left.len() && !is_digit(&left, l)) || (r < right.len() && !is_digit(&right, r)) {
            match order(left.get(l).copied()).cmp(&order(right.get(r).copied())) {
                Ordering::Equal => {}
                other => return other,
            }
            l += 1;
            r += 1;
        }
        let number = |chars: &[char], at: &mut usize| {
            let mut digits = String::new();
            while let Some(c) = chars.get(*at).filter(|c| c.is_ascii_digit()) {
                if !(digits.is_empty() && *c == '0') {
                    digits.push(*c);
                }
                *at += 1;
            }
            digits
        };
        let (a, b) = (number(&left, &mut l), number(&right, &mut r));
        match a.len().cmp(&b.len()).then_with(|| a.cmp(&b)) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    Ordering::Equal
}

/// The result of a `dpkg --compare-versions` operator; `None` for an unknown one. An empty version
/// sorts before all others, or after them for the operators in `-nl`.
pub(super) fn holds(left: &str, operator: &str, right: &str) -> Option<bool> {
    let late = operator.ends_with("-nl");
    let order = match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => {
            if late {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, true) => {
            if late {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, false) => compare(left, right),
    };
    Some(match operator.trim_end_matches("-nl") {
        "lt" | "<<" => order.is_lt(),
        "le" | "<=" | "<" => order.is_le(),
        "eq" | "=" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" | ">=" | ">" => order.is_ge(),
        "gt" | ">>" => order.is_gt(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_dpkgs_order() {
        for pair in [
            ("1.0~rc1", "1.0"),
            ("1.0", "1.0-1"),
            ("1.0-1", "1.0-1+b1"),
            ("9", "10"),
            ("1.9", "1:0.1"),
            ("1.0a", "1.0+"),
            ("2.36-9+deb12u1", "2.36-9+deb12u10"),
        ] {
            assert_eq!(compare(pair.0, pair.1), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair.1, pair.0), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("1.00", "1.0"), Ordering::Equal);
    }

    #[test]
    fn no_version_is_before_all_or_after_all() {
        assert_eq!(holds("", "lt", "1.0"), Some(true));
        assert_eq!(holds("", "lt-nl", "1.0"), Some(false));
        assert_eq!(holds("", "ge", "1.0"), Some(false));
        assert_eq!(holds("1.0", "is", "1.0"), None);
    }
}
