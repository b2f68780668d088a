//! SPDX expressions as text: joined, and taken apart at their outermost operators.

/// The operands between the outermost `operator`s (` AND `, ` OR `) of an expression.
fn split<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut depth, mut begin, mut at) = (0usize, 0, 0);
    let mut parts = Vec::new();
    while let Some(rest) = expression.get(at..).filter(|rest| !rest.is_empty()) {
        if depth == 0 && rest.starts_with(operator) {
            parts.push(expression.get(begin..at).unwrap_or_default());
            at += operator.len();
            begin = at;
            continue;
        }
        match rest.as_bytes().first() {
            Some(b'(') => depth += 1,
            Some(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    parts.push(expression.get(begin..).unwrap_or_default());
    parts
}

/// The outermost terms that AND joins in `expression`, in parentheses where it is a choice.
fn conjuncts(expression: &str) -> Vec<String> {
    if split(expression, " OR ").len() > 1 {
        return vec![format!("({expression})")];
    }
    split(expression, " AND ").into_iter().map(str::to_owned).collect()
}

/// `expressions` all together, each part once, in the order in which they come.
pub(super) fn all_of<'a>(expressions: impl IntoIterator<Item = &'a str>) -> String {
    let mut terms: Vec<String> = Vec::new();
    for part in expressions.into_iter().flat_map(conjuncts) {
        if !terms.contains(&part) {
            terms.push(part);
        }
    }
    match terms.as_slice() {
        // The only part needs no parentheses.
        [only] => match only.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(bare) if split(bare, " OR ").len() > 1 => bare.to_owned(),
            _ => only.clone(),
        },
        several => several.join(" AND "),
    }
}

/// `left` and `right` joined by `AND` or `OR`.
pub(super) fn join(left: &str, operator: &str, right: &str) -> String {
    match operator {
        "AND" => all_of([left, right]),
        // AND binds before OR.
        _ => format!("{left} {operator} {right}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_add_up_without_repeating() {
        for (parts, whole) in [
            (vec!["MIT", "ISC", "MIT"], "MIT AND ISC"),
            (vec!["MIT AND ISC", "ISC"], "MIT AND ISC"),
            (vec!["MIT OR ISC"], "MIT OR ISC"),
            (vec!["MIT OR ISC", "Zlib"], "(MIT OR ISC) AND Zlib"),
            (vec!["(MIT OR ISC) AND Zlib", "0BSD"], "(MIT OR ISC) AND Zlib AND 0BSD"),
            (vec!["(MIT OR ISC) AND Zlib", "ISC OR MIT"], "(MIT OR ISC) AND Zlib AND (ISC OR MIT)"),
            (vec!["(MIT OR ISC)", "MIT OR ISC"], "MIT OR ISC"),
            (vec!["(MIT OR ISC) AND (Zlib OR 0BSD)"], "(MIT OR ISC) AND (Zlib OR 0BSD)"),
        ] {
            assert_eq!(all_of(parts.iter().copied()), whole, "{parts:?}");
            assert!(spdx::Expression::parse(whole).is_ok(), "{whole}");
        }
        assert_eq!(join("MIT AND ISC", "OR", "Zlib"), "MIT AND ISC OR Zlib");
    }
}
