//! `modules.list` of L4Re's build system: entries that list boot modules. The format is that of L4Re's
//! `conf/modules.list` (documented in its own head, and read by `tool/lib/L4/ModList.pm`).

use std::collections::BTreeSet;

use super::{Problem, did_you_mean};

/// The keywords that a line may begin with; some take options, as in `module[shell]`.
const KEYWORDS: [&str; 21] = [
    "entry",
    "kernel",
    "roottask",
    "sigma0",
    "moe",
    "module",
    "module-shell",
    "module-perl",
    "module-glob",
    "bin",
    "bin-nostrip",
    "data",
    "data-nostrip",
    "include",
    "default-kernel",
    "default-bootstrap",
    "group",
    "use-group",
    "modaddr",
    "searchpath",
    "set",
];
/// Options in brackets that decide how a module is found or packed.
const OPTIONS: [&str; 10] =
    ["shell", "perl", "glob", "nostrip", "uncompress", "arch", "opts", "attrs", "rename", "fname"];

/// The lines that say something: number, keyword, options, rest.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, Vec<&str>, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let (head, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (keyword, options) = head.split_once('[').unwrap_or((head, ""));
        let options = options.trim_end_matches(']').split(',').filter(|o| !o.is_empty()).collect();
        (!line.is_empty()).then_some((index + 1, keyword, options, rest.trim()))
    })
}

/// The names by which all modules of a list are found in `rom/`.
#[must_use]
pub fn names(text: &str) -> BTreeSet<String> {
    let modules = lines(text).filter(|(_, keyword, ..)| keyword.starts_with("module"));
    let name = |(_, _, options, rest): (usize, &str, Vec<&str>, &str)| {
        // `module[shell] echo PATH`: what the command prints.
        let words: Vec<&str> = rest.split_whitespace().collect();
        let word = if options.contains(&"shell") { words.last() } else { words.first() };
        let word = word.copied().unwrap_or_default();
        word.rsplit('/').next().unwrap_or(word).to_owned()
    };
    modules.map(name).filter(|name| !name.is_empty()).collect()
}

/// The problems of a file.
pub(super) fn lint(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut entry: Option<(usize, &str)> = None;
    let (mut entries, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut roots: Vec<(usize, String)> = Vec::new();
    for (line, keyword, options, rest) in lines(text) {
        if !KEYWORDS.contains(&keyword) {
            let near = did_you_mean(keyword, KEYWORDS);
            problems.push(Problem::new(line, format!("{keyword:?} is no keyword{near}")));
            continue;
        }
        for option in &options {
            let name = option.split(['=', ':']).next().unwrap_or(option);
            if !OPTIONS.contains(&name) {
                let near = did_you_mean(name, OPTIONS);
                problems.push(Problem::new(line, format!("[{option}] is no option{near}")));
            }
        }
        if rest.is_empty() {
            problems.push(Problem::new(line, format!("{keyword} of what? A name is missing")));
            continue;
        }
        if keyword == "entry" {
            if !entries.insert(rest) {
                problems.push(Problem::new(line, format!("there is another entry {rest:?} above")));
            }
            entry = Some((line, rest));
            seen.clear();
            continue;
        }
        if keyword.starts_with("default") || keyword == "include" {
            continue;
        }
        let Some((_, name)) = entry else {
            problems.push(Problem::new(line, format!("{keyword} stands before the first entry")));
            continue;
        };
        let once = matches!(keyword, "kernel" | "roottask" | "sigma0");
        let key = if once { keyword } else { rest };
        if !seen.insert(key) {
            let what = if once { keyword } else { "this module" };
            problems.push(Problem::new(line, format!("entry {name:?} has {what} twice")));
        }
        if keyword == "roottask" {
            let scripts = rest.split_whitespace().filter_map(|word| word.strip_prefix("rom/"));
            roots.extend(scripts.map(|script| (line, script.to_owned())));
        }
    }
    let names = names(text);
    for (line, script) in roots {
        if !names.contains(&script) {
            problems.push(Problem::new(line, format!("rom/{script} is started and is no module")));
        }
    }
    if entries.is_empty() {
        problems.push(Problem::new(0, "it has no entry"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# a comment\nentry x\nkernel fiasco -serial_esc\nroottask moe rom/x.ned\n\
                         module ned # behind\nmodule[uncompress] Image.gz\n\
                         module[shell] echo $SRC/a/x.ned\n";

    #[test]
    fn a_sound_list_passes_and_its_modules_are_known() {
        assert_eq!(lint(SOUND), []);
        let names = names(SOUND);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["Image.gz", "ned", "x.ned"]);
    }

    #[test]
    fn what_the_build_would_trip_over_is_found() {
        for (from, to, word) in [
            ("module ned", "modul ned", "did you mean module"),
            ("[uncompress]", "[uncompres]", "did you mean uncompress"),
            ("module ned", "module", "name is missing"),
            ("entry x\n", "", "before the first entry"),
            ("module ned", "module Image.gz\nmodule Image.gz", "twice"),
            ("kernel fiasco", "kernel other\nkernel fiasco", "kernel twice"),
            ("rom/x.ned", "rom/y.ned", "no module"),
            ("module ned", "entry x\nmodule ned", "another entry"),
        ] {
            let text = SOUND.replacen(from, to, 1);
            let found = lint(&text);
            assert!(
                found.iter().any(|problem| problem.what.contains(word)),
                "{word:?} for {text}: {found:?}"
            );
        }
        assert_eq!(lint("# nothing\n").len(), 1);
    }
}
