//! devd.conf(5), as far as it goes without the grammar of its values: statements with a priority and a
//! block of `match`, `device-name`, `media-type` and `action`, each ended by a semicolon.

use super::Problem;

const BLOCKS: [&str; 4] = ["attach", "detach", "nomatch", "notify"];

/// What is wrong with the text.
pub(super) fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    // The line where the block began, and whether it says what to do.
    let mut open: Option<(usize, bool)> = None;
    for (index, line) in text.split('\n').enumerate() {
        let number = index + 1;
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') || words.starts_with("//") {
            continue;
        }
        let mut problem = |what: &str| problems.push(Problem::new(number, what));
        open = match open {
            None => {
                let mut parts = words.split_whitespace();
                let (kind, priority) = (parts.next().unwrap_or_default(), parts.next());
                if kind == "options" {
                    Some((number, true))
                } else if !BLOCKS.contains(&kind) {
                    problem("expected attach, detach, nomatch, notify or options");
                    None
                } else {
                    let priority = priority.and_then(|text| text.parse::<u32>().ok());
                    if priority.is_none_or(|priority| priority == 0) {
                        problem("expected a priority above 0 behind the kind of event");
                    }
                    if !words.ends_with('{') {
                        problem("expected '{' at the end of the line");
                    }
                    Some((number, false))
                }
            }
            Some((_, acts)) if words == "};" => {
                if !acts {
                    problem("the block ends, and no action says what to do");
                }
                None
            }
            Some((begun, acts)) => {
                if !words.ends_with(';') {
                    problem("the statement does not end with ';'");
                }
                if words.matches('"').count() % 2 != 0 {
                    problem("a quotation mark is not closed");
                }
                let kind = words.split_whitespace().next().unwrap_or_default();
                let known = ["match", "action", "device-name", "media-type", "directory"];
                if !known.contains(&kind) && !["pid-file", "set"].contains(&kind) {
                    problem("expected match, device-name, media-type or action");
                }
                Some((begun, acts || kind == "action"))
            }
        };
    }
    if let Some((begun, _)) = open {
        problems.push(Problem::new(begun, "the block that begins here has no end ('};')"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# x\nnotify 11 {\n\tmatch \"system\" \"ACPI\";\n\taction \"true\";\n};\n";

    #[test]
    fn each_mistake_is_found() {
        assert_eq!(lint(SOUND), []);
        for (old, new, words) in [
            ("notify 11", "notify", "expected a priority"),
            ("notify 11", "notice 11", "expected attach"),
            ("\"ACPI\";", "\"ACPI\"", "does not end"),
            ("\"ACPI\";", "\"ACPI;", "not closed"),
            ("};", "", "has no end"),
            ("\taction \"true\";\n", "", "no action"),
            ("\tmatch", "\tmach", "expected match"),
            ("{", "", "expected '{'"),
        ] {
            let problems = lint(&SOUND.replacen(old, new, 1));
            assert!(problems.iter().any(|p| p.what.contains(words)), "{new}: {problems:?}");
        }
    }
}
