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

/// How many names are shown at most.
const SHOWN: usize = 5;
/// Shorter words are in too many names.
const SHORTEST_PART: usize = 3;

/// The names that may have been meant by `found`, the likeliest first: mistyped ones, and those that it is a
/// part of (`firmware-iwlwifi` for `iwlwifi`).
pub fn near<'a>(found: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = found.chars().count();
    let allowed = length.max(3) / 3;
    let mut near: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let distance = strsim::damerau_levenshtein(found, name);
            let part = length >= SHORTEST_PART && name.contains(found);
            (part || distance <= allowed).then_some((distance, name))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(SHOWN).collect()
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

    #[test]
    fn parts_of_names_are_near_and_the_mistyped_ones_go_first() {
        let names =
            ["linux-image-6.12-amd64", "linux-image", "initramfs-base", "libc6", "linux-image"];
        assert_eq!(near("linux-imgae", names), ["linux-image"]);
        assert_eq!(near("linux-image", names), ["linux-image", "linux-image-6.12-amd64"]);
        assert_eq!(near("base", names), ["initramfs-base"]);
        assert!(near("l", names).is_empty() && near("systemd", names).is_empty());
    }
}
