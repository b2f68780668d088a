//! FreeBSD's loader.conf(5), as its loader in Lua reads it (stand/lua/config.lua): one `NAME=VALUE` a line,
//! blanks anywhere round them; a value is text in double quotation marks, in which `$NAME` is replaced and `\`
//! takes the next character's meaning away, or one word of letters, digits, `-`, `_` and `.`. Behind it only a
//! comment may stand. Other lines are called malformed, and passed over.

use std::collections::BTreeMap;

use super::Problem;
use super::assignment::{Assignment, written};
use super::assignments::cards;

/// The document of what is odd, and not wrong.
const LUA: &str = "stand/lua/config.lua";
/// The longest `pptdevs` that the loader takes.
const LONGEST_PPTDEVS: usize = 127;

/// The problems of a file.
pub(super) fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut list: Vec<Assignment> = Vec::new();
    for (number, line) in written(text) {
        match assignment(line.trim()) {
            Ok((name, value, tight)) => {
                if !tight || line.starts_with([' ', '\t']) {
                    let what = format!(
                        "a blank round the name: {name}=\"{value}\" is what the loader before \
                         FreeBSD 12 reads, too"
                    );
                    problems.push(Problem::new(number, what).hint().from(LUA));
                }
                problems.extend(value_of(number, &name, &value));
                if let Some(other) = list.iter().find(|other| other.name == name) {
                    let what = format!("{name} is set in line {} already", other.line);
                    problems.push(Problem::new(number, what + "; the last one counts").hint());
                }
                list.push(Assignment { line: number, name, value });
            }
            Err(what) => problems.push(Problem::new(number, what).from(LUA)),
        }
    }
    meanings(&list, &mut problems);
    problems
}

/// A line's name and value, and whether nothing stands round the `=`.
fn assignment(line: &str) -> Result<(String, String, bool), String> {
    let (left, right) = line.split_once('=').ok_or("expected NAME=\"VALUE\"")?;
    let (name, rest) = (left.trim_end(), right.trim_start());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
        return Err(format!("{name:?} is no name of a variable"));
    }
    let (value, after) = if let Some(inside) = rest.strip_prefix('"') {
        closing(inside).ok_or_else(|| format!("the value of {name} has no closing \""))?
    } else {
        let end = rest.find(|c: char| !plain(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() || word.starts_with(['.', '_']) {
            return Err(match after.chars().next() {
                None => format!("{name} has no value: write {name}=\"\""),
                Some(bad) => format!(
                    "the value of {name} begins with {bad:?}: put it between double quotation marks"
                ),
            });
        }
        (word, after)
    };
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        let mark =
            if rest.starts_with('"') { "" } else { ": put it between double quotation marks" };
        return Err(format!("{after:?} stands behind the value of {name}{mark}"));
    }
    Ok((name.to_owned(), value.to_owned(), name == left && rest == right))
}

/// What is before the last quotation mark that only a comment follows, and what is behind it.
fn closing(text: &str) -> Option<(&str, &str)> {
    let ends = |(at, _): (usize, &str)| {
        let (value, after) = text.split_at(at);
        Some((value, after.get(1..)?))
    };
    let quiet = |after: &str| after.trim_start().is_empty() || after.trim_start().starts_with('#');
    let mut marks = text.match_indices('"').filter_map(ends);
    let first = text.match_indices('"').find_map(ends);
    marks.find(|(_, after)| quiet(after)).or(first)
}

/// What the loader makes of a value: a mark within it, a `$` or `\` without anything behind.
fn value_of(line: usize, name: &str, value: &str) -> Option<Problem> {
    let mut characters = value.chars().peekable();
    while let Some(c) = characters.next() {
        let fault = match c {
            '\\' => characters.next().is_none().then_some("ends with '\\'"),
            '"' => Some("holds a quotation mark: write \\\""),
            '$' if characters.peek() == Some(&'{') => {
                let rest: String = characters.clone().collect();
                (!rest.contains('}')).then_some("has no '}' behind '${'")
            }
            '$' => {
                let next = characters.peek().is_some_and(char::is_ascii_alphanumeric);
                (!next).then_some("has no name behind '$': write \\$")
            }
            _ => None,
        };
        if let Some(fault) = fault {
            return Some(Problem::new(line, format!("the value of {name} {fault}")).from(LUA));
        }
    }
    None
}

/// Values whose meaning is known.
fn meanings(list: &[Assignment], problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for Assignment { line, name, value } in list {
        let yes_or_no = ["YES", "NO"].contains(&value.to_ascii_uppercase().as_str());
        if name.ends_with("_load") && !yes_or_no {
            let what = format!("{name} is {value:?}: expected YES or NO");
            problems.push(Problem::new(*line, what).warning());
        }
        // pptdevs, pptdevs2, pptdevs3: the kernel reads each.
        let rest = name.strip_prefix("pptdevs");
        if !rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit())) || value.contains('$')
        {
            continue;
        }
        if !["pptdevs", "pptdevs2", "pptdevs3"].contains(&name.as_str()) {
            let what = format!("the kernel reads pptdevs, pptdevs2 and pptdevs3, and no {name}");
            problems.push(Problem::new(*line, what).warning().from("vmm_is_pptdev, vmm.c"));
        }
        match cards(value) {
            Ok(cards) => {
                for card in cards {
                    if let Some(other) = seen.insert(card.clone(), name) {
                        let what = format!("the card {card} is in {other} and in {name}");
                        problems.push(Problem::new(*line, what).warning());
                    }
                }
            }
            Err(what) => problems.push(Problem::new(*line, format!("{name}: {what}"))),
        }
        if value.len() > LONGEST_PPTDEVS {
            let what = format!("{name} has more than {LONGEST_PPTDEVS} characters");
            problems.push(Problem::new(*line, what + ": go on in pptdevs2"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Level;

    #[test]
    fn what_the_loader_takes_is_taken() {
        for text in [
            "vmm_load=\"YES\"\nhw.vmm.amdvi.enable=\"1\"\npptdevs=\"3/0/0 0/20/3\"\n",
            "kern.vty=vt\nautoboot_delay=-1\nhint.p4tcc.0.disabled=1 # throttling\n",
            "exec=\"echo hello\"\nkernels=\"kernel kernel.old\"\nx=\"a # b\" # c\n",
            "hostname=\"${dhcp.host-name}\"\ny=\"a\\\"b\"\nloader_menu_title=\"\"\n",
            "geli_ada0p4_keyfile0_type=\"ada0p4:geli_keyfile0\"\n",
        ] {
            assert_eq!(lint(text), [], "{text}");
        }
        let odd = lint("a = \"b\"\n\tc=1\na=2\n");
        assert_eq!(odd.len(), 3);
        assert!(odd.iter().all(|problem| problem.level == Level::Hint), "{odd:?}");
    }

    #[test]
    fn each_mistake_is_found() {
        for (bad, words) in [
            ("a", "expected NAME"),
            ("a=\"b", "no closing"),
            ("a=\"b\" c", "stands behind"),
            ("a=\"$\"", "no name behind"),
            ("a=\"${b\"", "no '}'"),
            ("a=\"b\"c\"", "holds a quotation mark"),
            ("a=b c", "quotation marks"),
            ("a=/b", "quotation marks"),
            ("a='b'", "quotation marks"),
            ("a=", "has no value"),
            ("#a=1\n!a=b", "is no name"),
            ("a=1\na=2", "set in line 1 already"),
            ("vmm_load=\"ja\"", "expected YES or NO"),
            ("vmm_load=\"YES\";", "stands behind"),
            ("pptdevs=\"3:0:0\"", "is no card"),
            ("pptdevs=\"3/0/8\"", "is no card"),
            ("pptdevs=\"3/0/0 3/0/0\"", "is listed twice"),
            ("pptdevs=\"3/0/0\"\npptdevs2=\"3/0/0\"", "is in pptdevs and in pptdevs2"),
            ("pptdevs4=\"3/0/0\"", "and no pptdevs4"),
        ] {
            let problems = lint(bad);
            assert!(problems.iter().any(|p| p.what.contains(words)), "{bad}: {problems:?}");
        }
        let long: Vec<String> = (0..30).map(|bus| format!("{bus}/0/0")).collect();
        let problems = lint(&format!("pptdevs=\"{}\"", long.join(" ")));
        assert!(problems[0].what.contains("pptdevs2"), "{problems:?}");
    }
}
