//! Variables of the guest's scripts, which in a shell are everybody's: a function that a service sources
//! must not change one that the service still needs.

use std::collections::{BTreeMap, BTreeSet};

use super::applets::{commands, scripts};
use super::*;

/// A function of a sourced file.
struct Function {
    /// The comment before it.
    comment: String,
    /// Its commands.
    body: String,
}

/// The functions of a script, and what of it is outside of them.
fn parts(text: &str) -> (BTreeMap<String, Function>, String) {
    let (mut functions, mut outside, mut comment) = (BTreeMap::new(), String::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some((name, rest)) = line.split_once("() {") {
            let mut body = rest.to_owned();
            if !rest.ends_with('}') {
                for line in lines.by_ref().take_while(|line| *line != "}") {
                    body.push('\n');
                    body.push_str(line);
                }
            }
            let comment = std::mem::take(&mut comment);
            functions.insert(name.to_owned(), Function { comment, body });
        } else {
            comment.clear();
            outside.push_str(line);
            outside.push('\n');
        }
    }
    (functions, outside)
}

/// Whether a shell's variable may be called so.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && text != "_"
}

/// The variables that these commands set: by assignment, `read` and `for`. `local` ones are not among them,
/// and none that is set for one command only.
fn set_by(text: &str) -> BTreeSet<String> {
    let (mut set, mut own) = (BTreeSet::new(), BTreeSet::new());
    for command in commands(text) {
        let mut words = command.iter().map(|(text, _)| text.as_str());
        let mut assigned = BTreeSet::new();
        while let Some(word) = words.next() {
            match word {
                "local" => own.extend(
                    words.by_ref().map(|word| word.split('=').next().unwrap_or(word).to_owned()),
                ),
                "read" => set.extend(
                    words
                        .by_ref()
                        .take_while(|word| !word.starts_with('<'))
                        .filter(|word| is_name(word))
                        .map(str::to_owned),
                ),
                "for" => set.extend(words.by_ref().take(1).map(str::to_owned)),
                "if" | "then" | "else" | "elif" | "while" | "until" | "do" | "{" | "!" => continue,
                _ => match word.split_once('=') {
                    Some((name, _)) if is_name(name) => {
                        assigned.insert(name.to_owned());
                        continue;
                    }
                    _ => {}
                },
            }
            assigned.clear();
            break;
        }
        set.append(&mut assigned);
    }
    set.retain(|name| !own.contains(name));
    set
}

/// The files of `/etc/wifibox` that a script sources, and those that they source.
fn sourced(text: &str, all: &BTreeMap<String, String>, found: &mut BTreeSet<String>) {
    for part in text.split(". /etc/wifibox/").skip(1) {
        let name = part.split(|c: char| c.is_whitespace() || c == ';').next().unwrap_or(part);
        if found.insert(name.to_owned())
            && let Some(text) = all.get(name)
        {
            sourced(text, all, found);
        }
    }
}

/// Functions that change a script's own variables without saying so in their comments.
fn changed(script: &str, library: &BTreeMap<String, String>) -> Vec<String> {
    let (_, outside) = parts(script);
    let own = set_by(&outside);
    let mut files = BTreeSet::new();
    sourced(script, library, &mut files);
    let mut bad = Vec::new();
    for file in files {
        let Some(text) = library.get(&file) else { continue };
        for (name, function) in parts(text).0 {
            for variable in set_by(&function.body).intersection(&own) {
                if !function.comment.contains(&format!("`{variable}`")) {
                    bad.push(format!("{file}: {name} changes ${variable}"));
                }
            }
        }
    }
    bad
}

#[test]
fn no_shared_function_changes_a_scripts_own_variables() {
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays");
    let mut found = Vec::new();
    for entry in fs::read_dir(overlays).unwrap() {
        let folder = entry.unwrap().path();
        for kind in ["root", "all"] {
            if folder.join(kind).is_dir() {
                scripts(&folder.join(kind), &mut found);
            }
        }
    }
    let (mut library, mut programs) = (BTreeMap::new(), Vec::new());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        if text.starts_with("#!") {
            programs.push((path, text));
        } else {
            library.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), text);
        }
    }
    assert!(library.len() > 10 && programs.len() > 15, "{} {}", library.len(), programs.len());
    let mut bad = Vec::new();
    for (path, text) in &programs {
        let changes = changed(text, &library);
        bad.extend(changes.iter().map(|change| format!("{}: {change}", path.display())));
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn a_function_that_changes_a_services_file_is_found() {
    let library = |body: &str| {
        let text = format!("# Functions.\n\n# one: says why.\none() {{\n{body}\n}}\n");
        BTreeMap::from([("functions".to_owned(), text)])
    };
    let service = ". /etc/wifibox/functions\nfile=$config/x\nservice x \"$file\"\n";
    for (body, bad) in [
        ("\tfile=${2##*/}", true),
        ("\tif read -r file _ <y; then :; fi", true),
        ("\tfor file; do :; done", true),
        ("\tlocal file\n\tfile=${2##*/}", false),
        ("\techo \"file=$2\"", false),
    ] {
        assert_eq!(!changed(service, &library(body)).is_empty(), bad, "{body}");
    }
}
