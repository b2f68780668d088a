//! The options with which the guest's scripts call busybox's applets, held against what the busybox of each
//! base's release takes. The tables are what `ci/applets.py` prints for the busybox in that release's
//! package: busybox-static 1.35.0-4 of Debian 12 and 1.37.0-6 of Debian 13.

use std::collections::BTreeMap;

use super::*;

const TABLES: [(&str, &str); 2] = [
    ("Debian 12", include_str!("applets/debian-12.txt")),
    ("Debian 13", include_str!("applets/debian-13.txt")),
];

/// Each applet's options, as getopt(3) writes them.
fn table(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
}

/// One word of a command: its text, and whether any of it was quoted or comes from a variable.
pub(super) type Word = (String, bool);

/// The simple commands of a shell script. Good enough for finding options: what is in quotes is one word,
/// and commands in `$(...)` are commands of their own.
pub(super) fn commands(text: &str) -> Vec<Vec<Word>> {
    let mut all: Vec<Vec<Word>> = Vec::new();
    let (mut command, mut word): (Vec<Word>, Option<Word>) = (Vec::new(), None);
    let mut open: Vec<bool> = Vec::new();
    let mut double = false;
    let characters: Vec<char> = text.replace("\\\n", " ").chars().collect();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        at += 1;
        match character {
            '\\' => {
                word.get_or_insert_default().1 = true;
                at += 1;
            }
            '\'' if !double => {
                let end = characters[at..].iter().position(|c| *c == '\'').unwrap_or(0);
                let word = word.get_or_insert_default();
                word.0.extend(&characters[at..at + end]);
                word.1 = true;
                at += end + 1;
            }
            '"' => {
                double = !double;
                word.get_or_insert_default().1 = true;
            }
            '$' if next == '(' && characters.get(at + 1) != Some(&'(') => {
                word.get_or_insert_default().1 = true;
                command.extend(word.take());
                all.push(std::mem::take(&mut command));
                open.push(double);
                double = false;
                at += 1;
            }
            ')' if !double => {
                command.extend(word.take());
                all.push(std::mem::take(&mut command));
                double = open.pop().unwrap_or(false);
            }
            '#' if !double && word.is_none() => {
                while characters.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            ' ' | '\t' if !double => command.extend(word.take()),
            '\n' | ';' | '|' | '&' | '(' if !double => {
                command.extend(word.take());
                all.push(std::mem::take(&mut command));
            }
            '$' => {
                let word = word.get_or_insert_default();
                word.0.push('$');
                word.1 = true;
            }
            other => word.get_or_insert_default().0.push(other),
        }
    }
    command.extend(word);
    all.push(command);
    all.retain(|command| !command.is_empty());
    all
}

/// The options of one call that this table's busybox does not take.
fn unknown(command: &[Word], table: &BTreeMap<&str, &str>) -> Vec<String> {
    const BEFORE: [&str; 11] =
        ["if", "then", "else", "elif", "while", "until", "do", "!", "{", "exec", "command"];
    let mut words = command.iter().skip_while(|(text, _)| {
        BEFORE.contains(&text.as_str()) || text.contains('=') || text.starts_with(['<', '>'])
    });
    let Some((name, _)) = words.next() else { return Vec::new() };
    let Some(&options) = table.get(name.rsplit('/').next().unwrap_or(name)) else {
        return Vec::new();
    };
    let mut bad = Vec::new();
    for (text, loose) in words {
        let Some(letters) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            continue;
        };
        if *loose || letters == "-" {
            continue;
        }
        for letter in letters.chars() {
            match options.find(letter).filter(|_| letter.is_alphanumeric()) {
                None => bad.push(format!("{name} -{letter}")),
                Some(place) if options[place + 1..].starts_with(':') => break,
                Some(_) => continue,
            }
            break;
        }
    }
    bad
}

/// Builtins of the shell, and programs whose options busybox's help does not list one by one.
const OTHERS: [&str; 9] = ["echo", "kill", "printf", "read", "test", "ip", "set", "umask", "expr"];

/// The scripts below a folder.
pub(super) fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let sourced = path.parent().unwrap().ends_with("etc/wifibox");
            if text.starts_with("#!/bin/sh") || sourced || path.ends_with("etc/profile") {
                found.push(path);
            }
        }
    }
}

#[test]
fn options_are_those_of_every_releases_busybox() {
    let mut found = Vec::new();
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("../overlays");
    for entry in fs::read_dir(overlays).unwrap() {
        let folder = entry.unwrap().path();
        for kind in ["root", "all"] {
            if folder.join(kind).is_dir() {
                scripts(&folder.join(kind), &mut found);
            }
        }
        if folder.ends_with("initramfs") {
            scripts(&folder, &mut found);
        }
    }
    assert!(found.len() > 25, "only {} scripts found", found.len());
    let (mut bad, mut seen) = (Vec::new(), 0);
    for (release, text) in TABLES {
        let mut table = table(text);
        table.retain(|name, _| !OTHERS.contains(name));
        for path in &found {
            let text = fs::read_to_string(path).unwrap();
            for command in commands(&text) {
                seen += command.iter().filter(|word| word.0.starts_with('-')).count();
                for option in unknown(&command, &table) {
                    bad.push(format!("{}: {option} is not in {release}", path.display()));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} options found");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn the_option_that_debian_12_lacks_is_found() {
    let script = "#!/bin/sh\n# comment -z\nservice x\nif [ -f y ]; then exec syslogd -n -s 256 -b 2; fi\n\
                  text=$(tail -n 3 f | sed -n \"s/-q//p\")\n";
    let found = |text| -> Vec<String> {
        commands(script).iter().flat_map(|command| unknown(command, &table(text))).collect()
    };
    assert_eq!(found(TABLES[0].1), ["syslogd -s", "syslogd -b"]);
    assert!(found(TABLES[1].1).is_empty());
}
