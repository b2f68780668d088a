//! Command lines in documents: taken apart as a shell would, and parsed by the programs' own definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;
use wifibox_build::cli::command::Cli;
use wifibox_recipe::{Catalog, Listed, Sources};

/// The verdict on a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It can be typed.
    Fine,
    /// It asks for what the page says is about to come.
    Pending(String),
    /// It cannot be typed.
    Wrong(String),
}

/// Words that stand before a command and are not ours.
const BEFORE: [&str; 11] =
    ["sudo", "doas", "time", "exec", "if", "then", "else", "while", "until", "do", "!"];

/// Options whose value has its own form, and one that they take: it stands for a script's variable.
const SAMPLES: [(&str, &str); 3] =
    [("--device", "8086:2725"), ("--passthru", "3/0/0"), ("--jobs", "1")];

/// Knows what there is.
pub struct Checker {
    root: PathBuf,
    /// Names that an option takes.
    names: BTreeMap<&'static str, BTreeSet<String>>,
    /// Names of recipes in examples, for commands that say where their recipes are.
    in_examples: BTreeSet<String>,
}

impl Checker {
    /// For the sources in `root`.
    pub fn new(root: &Path) -> Result<Self, Box<dyn Error>> {
        let listing = Catalog::load(&Sources::folder(root)?)?.list();
        let set = |list: &[Listed]| list.iter().map(|item| item.name.clone()).collect();
        let names = BTreeMap::from([
            ("--base", set(&listing.bases)),
            ("--flavor", set(&listing.flavors)),
            ("--role", set(&listing.roles)),
            ("--with", set(&listing.features)),
            ("--without", set(&listing.features)),
            ("--kernel", set(&listing.kernels)),
            ("--hypervisor", set(&listing.hypervisors)),
        ]);
        let in_examples = super::examples::names(&root.join("examples"))?;
        Ok(Checker { root: root.to_owned(), names, in_examples })
    }

    /// The outcomes of the commands in `line` that are ours.
    pub fn line(&self, line: &str, pending: &BTreeSet<String>) -> Vec<Outcome> {
        let line = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# ")).unwrap_or(line);
        let commands = match split(line) {
            Ok(commands) => commands,
            // Prose in an indented paragraph may have an apostrophe.
            Err(_) if !line.contains("wifibox-build ") => return Vec::new(),
            Err(why) => return vec![Outcome::Wrong(format!("{why}: {line}"))],
        };
        commands.iter().filter_map(|words| self.command(words, pending)).collect()
    }

    fn command(&self, words: &[String], pending: &BTreeSet<String>) -> Option<Outcome> {
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .skip_while(|word| BEFORE.contains(word) || is_assignment(word))
            .collect();
        let (program, rest) = words.split_first()?;
        let name = program.rsplit('/').next().unwrap_or(program);
        match name {
            "wifibox-build" => Some(self.tool(rest, pending)),
            "cargo" if rest.first() == Some(&"xtask") => {
                let rest = rest.get(1..).unwrap_or_default();
                Some(parsed(
                    crate::Chore::try_parse_from([&["cargo xtask"], rest].concat()),
                    pending,
                ))
            }
            "cargo" if rest.first() == Some(&"run") && rest.contains(&"wifibox-build") => {
                let rest = rest.iter().skip_while(|word| **word != "--").skip(1).copied();
                Some(self.tool(&rest.collect::<Vec<_>>(), pending))
            }
            _ if program.starts_with("ci/") => Some(if self.root.join(program).is_file() {
                Outcome::Fine
            } else if pending.contains(*program) {
                Outcome::Pending((*program).to_owned())
            } else {
                Outcome::Wrong(format!("there is no {program}"))
            }),
            _ => None,
        }
    }

    fn tool(&self, arguments: &[&str], pending: &BTreeSet<String>) -> Outcome {
        let own_recipes = arguments.contains(&"--recipes");
        for pair in arguments.windows(2) {
            let [option, value] = pair else { continue };
            let Some(names) = self.names.get(option) else { continue };
            // Not what a guest is built for, but whose files are written: libvirt is one of them, too.
            if *option == "--hypervisor" && arguments.first() == Some(&"host") {
                continue;
            }
            for value in value.split(',') {
                // Words in capitals stand for any, and so do a script's variables.
                let stands_for_any =
                    value.starts_with('$') || !value.chars().any(char::is_lowercase);
                let of_example = own_recipes && self.in_examples.contains(value);
                if names.contains(value) || of_example || stands_for_any {
                    continue;
                }
                if pending.contains(value) {
                    return Outcome::Pending(value.to_owned());
                }
                return Outcome::Wrong(format!("there is no {option} {value}"));
            }
        }
        let mut words = vec!["wifibox-build"];
        for argument in arguments {
            let sample = SAMPLES.iter().find(|(option, _)| words.last() == Some(option));
            words.push(match sample {
                Some((_, sample)) if argument.starts_with('$') => sample,
                _ => argument,
            });
        }
        parsed(Cli::read(words), pending)
    }
}

/// The verdict from the parser's result.
fn parsed<T>(result: Result<T, clap::Error>, pending: &BTreeSet<String>) -> Outcome {
    let Err(error) = result else { return Outcome::Fine };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Outcome::Fine;
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let unknown =
        [ErrorKind::InvalidSubcommand, ErrorKind::UnknownArgument, ErrorKind::InvalidValue];
    if unknown.contains(&error.kind())
        && let Some(name) = pending.iter().find(|name| first.contains(&format!("'{name}")))
    {
        return Outcome::Pending(name.clone());
    }
    Outcome::Wrong(text.lines().map(str::trim).take(3).collect::<Vec<_>>().join(" "))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

/// The commands of a line as lists of words. Ends at a comment, or at three blanks, after which prose
/// explains the command.
fn split(line: &str) -> Result<Vec<Vec<String>>, String> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut redirected = false;
    let mut chars = line.chars().peekable();
    let mut blanks = 0;
    while let Some(c) = chars.next() {
        if let Some(end) = quote {
            match c {
                c if c == end => quote = None,
                c => word.get_or_insert_default().push(c),
            }
            continue;
        }
        blanks = if c == ' ' { blanks + 1 } else { 0 };
        match c {
            '#' if word.is_none() => break,
            '\'' | '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            ' ' | '\t' | '|' | ';' | '&' | '>' | '<' | '(' | ')' => {
                if let Some(done) = word.take() {
                    if redirected {
                        redirected = false;
                    } else if let Some(last) = commands.last_mut() {
                        last.push(done);
                    }
                }
                match c {
                    '>' | '<' => redirected = true,
                    '|' | ';' | '&' | '(' | ')' => commands.push(Vec::new()),
                    _ if blanks >= 3 && commands.iter().any(|words| !words.is_empty()) => break,
                    _ => {}
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(format!("a quote {quote} is not closed"));
    }
    if let (Some(word), false, Some(last)) = (word, redirected, commands.last_mut()) {
        last.push(word);
    }
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_as_a_shell_would() {
        let words = |line: &str| split(line).expect("split");
        assert_eq!(words("a 'b c' \"d\"e\\ f # g"), [["a", "b c", "de f"]]);
        assert_eq!(words("a | b && c > d"), [vec!["a"], vec!["b"], vec!["c"]]);
        assert_eq!(words("a b     and what it is for"), [["a", "b"]]);
        assert!(split("a 'b").is_err());
    }

    #[test]
    fn what_cannot_be_typed_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let checker = Checker::new(&root).expect("recipes");
        let one = |line: &str, pending: &[&str]| {
            let pending = pending.iter().map(|name| (*name).to_owned()).collect();
            let mut outcomes = checker.line(line, &pending);
            assert_eq!(outcomes.len(), 1, "{line}");
            outcomes.remove(0)
        };
        for fine in [
            "wifibox-build --flavor iwlwifi --base debian",
            "$ pciconf -lv | wifibox-build detect -",
            "X=y sudo wifibox-build --json list",
            "wifibox-build --flavor iwlwifi,ath10k --with ipv6",
            "cargo run --release --bin wifibox-build -- --flavor hwsim",
            "cargo xtask boot-test out/debian-hwsim --uefi",
            "target/release/wifibox-build verify DIR --public-key FILE",
            "ci/test.sh",
            "if ! wifibox-build verify \"$out\"; then",
            "exec wifibox-build --flavor $flavor --device $device",
            "wifibox-build --flavor lab --recipes DIR",
        ] {
            assert_eq!(one(fine, &[]), Outcome::Fine, "{fine}");
        }
        for wrong in [
            "wifibox-build --flavor nonsense",
            "wifibox-build --flavor iwlwifi,nonsense",
            "wifibox-build --flavor iwlwifi list",
            "wifibox-build frobnicate",
            "wifibox-build list --frobnicate",
            "cargo xtask frobnicate",
            "cargo run --bin wifibox-build -- frobnicate",
            "ci/frobnicate.sh",
            "while wifibox-build verify --frobnicate $out; do",
            "wifibox-build --flavor lab",
            "wifibox-build --flavor $flavor --device nonsense",
        ] {
            assert!(matches!(one(wrong, &["other"]), Outcome::Wrong(_)), "{wrong}");
        }
        let pending = ["frobnicate", "--frob"];
        assert!(matches!(one("wifibox-build frobnicate", &pending), Outcome::Pending(_)));
        assert!(matches!(one("wifibox-build list --frob", &pending), Outcome::Pending(_)));
        // What is there is checked, whatever the page says.
        assert!(matches!(one("wifibox-build list --no", &["list"]), Outcome::Wrong(_)));
        assert!(checker.line("it's nothing of ours", &BTreeSet::new()).is_empty());
    }
}
