//! debconf's confmodule: each question has the answer of its template, as without anybody to ask.

use std::collections::BTreeMap;

use crate::eval::{Machine, Run};

/// The file that scripts read in to ask questions.
const CONFMODULE: [&str; 2] = ["/usr/share/debconf/confmodule", "/usr/share/debconf/confmodule.sh"];

/// Reading in the module makes its commands known: here they are known always.
pub(super) fn source(machine: &mut Machine<'_>, path: &str) -> Run<Option<i32>> {
    if !CONFMODULE.contains(&path) {
        return Ok(None);
    }
    // Its standard output goes to debconf from now on; what was it is descriptor 3.
    Ok(Some(machine.nothing("nobody is asked: each question has its default answer")?))
}

pub(super) fn run(machine: &mut Machine<'_>, name: &str, words: &[String]) -> Run<Option<i32>> {
    let Some(command) = name.strip_prefix("db_") else { return Ok(None) };
    let first = words.first().cloned().unwrap_or_default();
    // Templates and answers are copied.
    let templates = machine.script.templates.map_or(0, str::len);
    machine.spend(templates + machine.answers.get(&first).map_or(0, String::len))?;
    let status = match command {
        "get" => match answer(machine, &first)? {
            Some(value) => {
                machine.shell.set("RET", value);
                0
            }
            None => {
                machine.shell.set("RET", format!("10 {first} doesn't exist"));
                10
            }
        },
        "set" => {
            let value = words.get(1..).unwrap_or_default().join(" ");
            machine.answers.insert(first, value);
            machine.shell.set("RET", "value set");
            0
        }
        "reset" => {
            machine.answers.remove(&first);
            0
        }
        "fget" => {
            // Nothing was ever shown to anybody.
            machine.shell.set("RET", "false");
            0
        }
        "input" => {
            machine.shell.set("RET", "question skipped");
            30
        }
        "go" => {
            machine.shell.set("RET", "ok");
            0
        }
        "version" => {
            machine.shell.set("RET", "2.0");
            0
        }
        "capb" => {
            machine.shell.set("RET", "multiselect backup escape");
            0
        }
        "metaget" => match (template(machine, &first), words.get(1)) {
            (Some(fields), Some(field)) => {
                let key = field.to_ascii_lowercase();
                match fields.get(&key) {
                    Some(value) => {
                        machine.shell.set("RET", value.clone());
                        0
                    }
                    None => 10,
                }
            }
            _ => 10,
        },
        "title" | "settitle" | "beginblock" | "endblock" | "fset" | "subst" | "register"
        | "unregister" | "purge" | "stop" | "progress" | "info" | "x_loadtemplatefile" => {
            machine.shell.set("RET", "");
            0
        }
        _ => return Ok(None),
    };
    Ok(Some(status))
}

/// The answer to a question: what the script has set, or its template's default.
fn answer(machine: &mut Machine<'_>, question: &str) -> Run<Option<String>> {
    if let Some(answer) = machine.answers.get(question) {
        return Ok(Some(answer.clone()));
    }
    let fields = template(machine, question);
    Ok(fields.map(|fields| fields.get("default").cloned().unwrap_or_default()))
}

/// The fields of a question's template, by name in small letters.
fn template(machine: &Machine<'_>, question: &str) -> Option<BTreeMap<String, String>> {
    let text = machine.script.templates?;
    text.split("\n\n").find_map(|block| {
        let fields: BTreeMap<String, String> = block
            .lines()
            .filter(|line| !line.starts_with([' ', '\t', '#']))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        (fields.get("template").map(String::as_str) == Some(question)).then_some(fields)
    })
}
