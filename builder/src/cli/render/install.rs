//! What `install` and `uninstall` did to a host, or would do, and what is left to its owner.

use crate::cli::answers;

use super::failure::Failure;
use super::printer::Printer;
use wifibox_host::install::{Action, Outcome, Step, Task};

/// Prints it. `verb` names the object in JSON.
///
/// # Errors
/// Stdout cannot be written.
pub fn report(
    printer: &Printer,
    verb: &str,
    outcome: &Outcome,
    dry_run: bool,
) -> Result<(), Failure> {
    let Outcome { guest, previous, steps, to_do } = outcome;
    let what = match verb {
        "uninstall" => "Removing",
        "rollback" => "Rolling back",
        _ => "Installing",
    };
    let note = if dry_run { " (nothing is changed: --dry-run)" } else { "" };
    let title = match (verb, previous) {
        ("rollback", Some(previous)) => format!("{} to {}", previous.title, guest.title),
        _ => guest.title.clone(),
    };
    printer.status(what, &format!("{title}{note}"));
    let fields = || {
        let change = answers::Change { dry_run, guest, previous: previous.as_ref(), steps, to_do };
        match verb {
            "uninstall" => answers::Install::Uninstall(change),
            "rollback" => answers::Install::Rollback(change),
            _ => answers::Install::Install(change),
        }
    };
    printer.result(fields, || text(steps, to_do))
}

fn text(steps: &[Step], to_do: &[Task]) -> String {
    let mut text = String::new();
    for Step { action, path, note } in steps.iter().filter(|step| step.action != Action::Same) {
        text += &format!("{:<6} {path}", action.name());
        match (note, action) {
            (Some(note), Action::Keep) => text += &format!(" ({note})"),
            (Some(note), _) => text += &format!(" {note}"),
            (None, _) => {}
        }
        text += "\n";
    }
    let same = steps.iter().filter(|step| step.action == Action::Same).count();
    match same {
        0 => {}
        1 => text += "same   1 file that is there already\n",
        same => text += &format!("same   {same} files that are there already\n"),
    }
    if !to_do.is_empty() {
        text += "\nLeft to do:\n";
    }
    for Task { why, commands } in to_do {
        text += &format!("  {why}\n");
        for command in commands {
            text += &format!("      {command}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_says_why_and_what_is_left_is_to_be_typed() {
        let step = |action, path: &str, note: Option<&str>| Step {
            action,
            path: path.to_owned(),
            note: note.map(str::to_owned),
        };
        let steps = [
            step(Action::Add, "/a", None),
            step(Action::Move, "/b", Some("to /previous/b")),
            step(Action::Keep, "/c", Some("you changed it")),
            step(Action::Same, "/d", None),
        ];
        let task = Task { why: "It must run.".to_owned(), commands: vec!["run it".to_owned()] };
        assert_eq!(
            text(&steps, &[task]),
            "add    /a\nmove   /b to /previous/b\nkeep   /c (you changed it)\n\
             same   1 file that is there already\n\nLeft to do:\n  It must run.\n      run it\n"
        );
    }
}
