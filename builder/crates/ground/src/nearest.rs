//! Suggestions for mistyped names: "did you mean ...".

/// The valid name nearest to `found`, if one is near enough to be what was meant.
pub fn nearest<'a>(found: &str, names: &[&'a str]) -> Option<&'a str> {
    let allowed = found.chars().count().max(3) / 3;
    names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(found, name), *name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let names = ["debian", "alpine", "openwrt"];
        assert_eq!(nearest("debain", &names), Some("debian"));
        assert_eq!(nearest("alpin", &names), Some("alpine"));
        assert_eq!(nearest("gentoo", &names), None);
        assert_eq!(nearest("", &[]), None);
    }
}
