//! A simple command's words: which program they call, or what they do that a caller has to know.

use super::{Call, Calls, Source};
use crate::syntax::{Piece, Word, parse};

/// Programs that start the one that their first operand names: the options that have a value of their own, and
/// how many operands come before the program.
const STARTERS: [(&str, &str, usize); 7] = [
    ("busybox", "", 0),
    ("env", "uCS", 0),
    ("nice", "n", 0),
    ("nohup", "", 0),
    ("setsid", "", 0),
    ("timeout", "sk", 1),
    ("xargs", "EILPdens", 0),
];

impl Calls {
    /// A simple command without its assignments and redirections.
    pub(super) fn simple(&mut self, line: usize, words: &[Word]) {
        let Some((first, operands)) = words.split_first() else { return };
        let Some(name) = text_of(first) else { return };
        match name.as_str() {
            "exec" => self.simple(line, operands),
            "command" => self.by_command(line, operands),
            "type" | "which" | "hash" => self.asked.extend(operands.iter().filter_map(text_of)),
            "." | "source" => self.source(line, operands),
            "[" | "test" => self.tested(operands),
            "alias" => {
                let names = operands.iter().filter_map(text_of);
                let names = names.filter_map(|text| Some(text.split_once('=')?.0.to_owned()));
                self.functions.extend(names);
            }
            "trap" => self.trap(line, operands),
            "export" => {
                for word in operands {
                    if let Some(Piece::Text(text)) = word.first()
                        && text.starts_with("PATH=")
                    {
                        self.path(word);
                    }
                }
            }
            _ => self.program(line, name, operands),
        }
    }

    fn program(&mut self, line: usize, name: String, operands: &[Word]) {
        let short = name.rsplit('/').next().unwrap_or_default();
        let starter = STARTERS.iter().find(|(starter, ..)| *starter == short);
        if !name.contains(['*', '?']) {
            self.calls.push(Call { line, name: name.clone(), applet: false });
        }
        let Some((starter, with_value, before)) = starter else { return };
        let Some(started) = started(operands, with_value, *before) else { return };
        match (*starter, started.first().and_then(text_of)) {
            (_, None) => {}
            ("busybox", Some(name)) => self.calls.push(Call { line, name, applet: true }),
            _ => self.simple(line, started),
        }
    }

    fn by_command(&mut self, line: usize, operands: &[Word]) {
        let Some((option, rest)) = operands.split_first() else { return };
        match text_of(option).as_deref() {
            Some("-v" | "-V") => self.asked.extend(rest.iter().filter_map(text_of)),
            Some("-p" | "--") => self.simple(line, rest),
            _ => self.simple(line, operands),
        }
    }

    fn source(&mut self, line: usize, operands: &[Word]) {
        let Some(word) = operands.first() else { return };
        let written = text_of(word);
        let certain = written.is_some();
        let path = written.or_else(|| behind_variable(word));
        match path.filter(|path| path.starts_with('/')) {
            Some(path) => self.sources.push(Source { line, path, certain }),
            None => self.open = true,
        }
    }

    /// `[ -x PATH ]` and the like, anywhere among the operands.
    fn tested(&mut self, operands: &[Word]) {
        for (operator, path) in operands.iter().zip(operands.iter().skip(1)) {
            if text_of(operator).is_some_and(|operator| tests_file(&operator)) {
                self.asked.extend(text_of(path));
            }
        }
    }

    fn trap(&mut self, line: usize, operands: &[Word]) {
        // "-" is no command: it takes a trap away.
        let text = operands.first().and_then(text_of).filter(|text| text != "-");
        let Some(text) = text else { return };
        // What is no script here is no script when the signal comes; that is not looked for.
        let Ok(list) = parse(&text) else { return };
        let known = self.calls.len();
        self.list(&list);
        self.calls.iter_mut().skip(known).for_each(|call| call.line += line - 1);
    }

    /// The folders of a search path that are written out.
    pub(super) fn path(&mut self, word: &Word) {
        let texts = word.iter().filter_map(|piece| text_of(std::slice::from_ref(piece)));
        for text in texts {
            let text = text.strip_prefix("PATH=").unwrap_or(&text);
            let folders = text.split(':').filter(|folder| folder.starts_with('/'));
            self.folders.extend(folders.map(str::to_owned));
        }
        self.open |= word.iter().any(is_another_path);
    }
}

/// The command that a starter's operands name, behind its own options and operands.
fn started<'a>(operands: &'a [Word], with_value: &str, before: usize) -> Option<&'a [Word]> {
    let (mut at, mut passed) = (0, 0);
    loop {
        let word = text_of(operands.get(at)?);
        let option = word.as_deref().and_then(|word| word.strip_prefix('-'));
        let assigns = word.as_ref().is_some_and(|word| word.contains('='));
        if let Some(letters) = option.filter(|letters| !letters.is_empty()) {
            let valued = letters.chars().last().is_some_and(|c| with_value.contains(c));
            at += if valued && letters.len() == 1 { 2 } else { 1 };
        } else if assigns {
            at += 1;
        } else if passed < before {
            (at, passed) = (at + 1, passed + 1);
        } else {
            return operands.get(at..);
        }
    }
}

/// Whether a piece of a search path is made while the script runs, and is not what it was before.
fn is_another_path(piece: &Piece) -> bool {
    match piece {
        Piece::Parameter(parameter) => parameter.name != "PATH",
        Piece::Double(word) => word.iter().any(is_another_path),
        Piece::Command(_) => true,
        _ => false,
    }
}

/// Whether an operator of `test` asks for a file.
pub(super) fn tests_file(operator: &str) -> bool {
    let letter = operator.strip_prefix('-').filter(|letters| letters.len() == 1);
    letter.is_some_and(|letter| "bcdefghkLprSsuwx".contains(letter))
}

/// The text of a word in which nothing is expanded.
pub(super) fn text_of(word: impl AsRef<[Piece]>) -> Option<String> {
    let mut out = String::new();
    for piece in word.as_ref() {
        match piece {
            Piece::Text(text) | Piece::Quoted(text) => out.push_str(text),
            Piece::Double(word) => out.push_str(&text_of(word)?),
            _ => return None,
        }
    }
    Some(out)
}

/// The path behind a variable: `$ROOT/lib/functions.sh`, `"${ROOT}"/lib/functions.sh`.
fn behind_variable(word: &Word) -> Option<String> {
    match word.as_slice() {
        [Piece::Double(inner)] => behind_variable(inner),
        [Piece::Double(inner), rest @ ..] if matches!(inner[..], [Piece::Parameter(_)]) => {
            text_of(rest)
        }
        [Piece::Parameter(_), rest @ ..] if !rest.is_empty() => text_of(rest),
        _ => None,
    }
}
