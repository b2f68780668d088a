//! References to other variables in values: `%(name)`, as in bhyve's config.c.

use std::collections::BTreeMap;

/// How deep references may go.
const DEPTH: usize = 15;
/// How long a value may become.
const LENGTH: usize = 64 * 1024;
/// How many references are followed for one value.
const STEPS: usize = 1000;

/// A value with its references replaced.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// The value.
    pub value: String,
    /// The variables that it refers to.
    pub referred: Vec<String>,
    /// Warnings, as bhyve would give them.
    pub problems: Vec<String>,
    steps: usize,
}

/// Replaces the references in `raw` by the values of `variables`.
pub(super) fn expand(raw: &str, variables: &BTreeMap<String, String>) -> Expanded {
    let mut expanded = Expanded::default();
    if raw.contains('%') {
        expanded.append(raw, variables, 0);
    } else {
        raw.clone_into(&mut expanded.value);
    }
    expanded
}

impl Expanded {
    fn problem(&mut self, what: String) {
        if !self.problems.contains(&what) {
            self.problems.push(what);
        }
    }

    fn append(&mut self, raw: &str, variables: &BTreeMap<String, String>, depth: usize) {
        let mut rest = raw;
        while let Some(first) = rest.chars().next() {
            if self.value.len() > LENGTH {
                return self.problem(format!("its references make more than {LENGTH} bytes"));
            }
            if let Some(behind) = rest.strip_prefix("%(") {
                let Some((name, after)) = behind.split_once(')') else {
                    self.problem(format!("the reference %({behind} has no end"));
                    return;
                };
                rest = after;
                if name.is_empty() {
                    self.problem("the reference %() names no variable".to_owned());
                } else if depth >= DEPTH || self.steps >= STEPS {
                    return self.problem(format!(
                        "references go deeper than {DEPTH} or are more than {STEPS}, perhaps round in a \
                         circle: %({name})"
                    ));
                } else if let Some(value) = variables.get(name) {
                    self.steps += 1;
                    if !self.referred.iter().any(|known| known == name) {
                        self.referred.push(name.to_owned());
                    }
                    self.append(value, variables, depth + 1);
                } else {
                    self.problem(format!("%({name}) refers to a variable that is not set"));
                }
            } else if first == '%' {
                self.problem(
                    "a '%' that begins no reference %(name): bhyve's manual and its reader disagree \
                     about what it means, so leave it out"
                        .to_owned(),
                );
                self.value.push('%');
                rest = rest.get(1..).unwrap_or_default();
            } else if first == '\\' {
                // It takes the meaning of the next character away, but only in values with a '%'.
                let mut after = rest.chars();
                after.next();
                match after.next() {
                    Some(next) => self.value.push(next),
                    None => self.problem("a '\\' at the end of a value with references".to_owned()),
                }
                rest = after.as_str();
            } else {
                self.value.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
}
