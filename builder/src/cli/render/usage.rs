//! Errors of the command line, which the parser finds: in the style of all others.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::failure::{Failure, question};

/// The failure of a command line that makes no sense.
pub fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut failure = match missing(error) {
        Some(missing) => Failure::usage(missing),
        None => Failure::usage(message(&text)),
    };
    if failure.error.to_string().contains("--flavor")
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        failure = failure.with_hint(
            "'wifibox-build detect' says which one a card needs; 'wifibox-build list' shows all",
        );
    }
    let known = text.lines().map(str::trim).filter_map(|line| {
        let values =
            line.strip_prefix("[possible values: ").and_then(|line| line.strip_suffix(']'));
        let tip = line.strip_prefix("tip: ").map(as_question);
        tip.or_else(|| Some(format!("possible values: {}", values?)))
    });
    failure.hints.extend(known);
    failure.with_hint(format!("'{} --help' describes what it takes", command(&text)))
}

/// The parser's tip as all other near names are told: "some similar subcommands exist: 'lint', 'list'".
fn as_question(tip: &str) -> String {
    let names = tip.split_once("exist: ").or_else(|| tip.split_once("exists: "));
    let Some((_, names)) = names.filter(|(what, _)| what.contains("similar")) else {
        return tip.to_owned();
    };
    let names: Vec<&str> = names.split(", ").collect();
    question(&names).unwrap_or_else(|| tip.to_owned())
}

/// The missing arguments, by name.
fn missing(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::MissingRequiredArgument {
        return None;
    }
    match error.get(ContextKind::InvalidArg)? {
        ContextValue::Strings(names) => match names.as_slice() {
            [] => None,
            [only] => Some(format!("{only} is missing")),
            several => Some(format!("{} are missing", several.join(" and "))),
        },
        ContextValue::String(name) => Some(format!("{name} is missing")),
        _ => None,
    }
}

/// The first paragraph without its label; lists of values and tips go elsewhere.
fn message(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let lines = lines.filter(|line| !line.trim_start().starts_with('['));
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The command that the usage is of: `wifibox-build cache prune`.
fn command(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let words = usage.unwrap_or("wifibox-build").split(' ');
    let name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    words.take_while(name).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn said(words: &[&str]) -> (String, Vec<String>) {
        let shade = Arg::new("shade").long("shade").value_parser(["light", "dark"]);
        let paint = Command::new("paint").arg(shade).arg(Arg::new("wall").required(true));
        let command = Command::new("wifibox-build").subcommand(paint);
        let failure = failure(&command.try_get_matches_from(words).expect_err("no error"));
        assert_eq!(failure.code(), 2);
        (failure.error.to_string(), failure.hints)
    }

    #[test]
    fn what_is_wrong_and_what_is_near_are_told_apart() {
        let (message, hints) = said(&["wifibox-build", "paint", "x", "--shade", "lihgt"]);
        assert_eq!(message, "invalid value 'lihgt' for '--shade <shade>'");
        assert_eq!(hints[0], "possible values: light, dark");
        assert!(hints.iter().any(|hint| hint == "did you mean 'light'?"), "{hints:?}");
        let (message, hints) = said(&["wifibox-build", "piant"]);
        assert_eq!(message, "unrecognized subcommand 'piant'");
        assert_eq!(hints[0], "did you mean 'paint'?");
        assert_eq!(hints[1], "'wifibox-build --help' describes what it takes");
    }

    #[test]
    fn what_is_missing_is_named() {
        let (message, hints) = said(&["wifibox-build", "paint"]);
        assert_eq!(message, "<wall> is missing");
        assert_eq!(hints, ["'wifibox-build paint --help' describes what it takes"]);
    }
}
