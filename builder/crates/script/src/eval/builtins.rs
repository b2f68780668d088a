//! Simple commands: assignments, functions, and the commands that are part of the shell.

use std::rc::Rc;

use super::machine::{Machine, Run, Stop};
use super::shell::Variable;
use crate::error::Reason;
use crate::syntax::{Assignment, Command, Word, is_name};

/// Special commands, whose assignments stay (POSIX.1-2024, 2.15).
const SPECIAL: [&str; 14] = [
    ":", ".", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set",
    "shift", "trap", "unset",
];

impl Machine<'_> {
    /// A simple command with its redirections.
    pub(crate) fn simple(
        &mut self,
        command: &Command,
        assignments: &[Assignment],
        words: &[Word],
    ) -> Run {
        let before = self.shell.status;
        self.shell.status = 0;
        let substituted = words.is_empty();
        if !substituted {
            self.shell.status = before;
        }
        let fields = self.fields(words)?;
        self.line = command.line;
        let saved = self.shell.handles.clone();
        if !self.redirect(&command.redirections)? {
            self.shell.handles = saved;
            return Ok(1);
        }
        let Some((name, arguments)) = fields.split_first() else {
            let done = self.assign(assignments);
            self.shell.handles = saved;
            done?;
            return Ok(self.shell.status);
        };
        if name == "exec" && arguments.is_empty() {
            return self.assign(assignments).map(|()| 0);
        }
        let special = SPECIAL.contains(&name.as_str());
        let hidden: Vec<(String, Option<Variable>)> = assignments
            .iter()
            .map(|a| (a.name.clone(), self.shell.variables.get(&a.name).cloned()))
            .collect();
        let value = |(_, old): &(String, Option<Variable>)| {
            old.as_ref().and_then(|old| old.value.as_ref()).map_or(0, String::len)
        };
        self.spend(hidden.iter().map(value).sum())?;
        let outer = std::mem::replace(&mut self.command, fields.join(" "));
        self.spend(self.command.len())?;
        let done = self.assign(assignments).and_then(|()| {
            for assignment in assignments {
                self.shell.export(&assignment.name);
            }
            self.run(name, arguments)
        });
        if !special {
            for (name, old) in hidden {
                match old {
                    Some(variable) => self.shell.variables.insert(name, variable),
                    None => self.shell.variables.remove(&name),
                };
            }
        }
        self.shell.handles = saved;
        let status = done?;
        self.command = outer;
        Ok(status)
    }

    fn assign(&mut self, assignments: &[Assignment]) -> Run<()> {
        for Assignment { name, value, append } in assignments {
            // Also one without a value is work.
            self.spend(8)?;
            let mut text = self.text(value)?;
            if *append {
                text.insert_str(0, self.shell.get(name).unwrap_or_default());
            }
            self.spend(text.len())?;
            self.shell.set(name, text);
        }
        Ok(())
    }

    /// Runs a command by its name: a function, a part of the shell, or one of the vocabulary.
    pub(crate) fn run(&mut self, name: &str, arguments: &[String]) -> Run {
        if let Some(body) = self.shell.functions.get(name).cloned() {
            return self.call(&body, arguments);
        }
        if let Some(status) = self.builtin(name, arguments)? {
            return Ok(status);
        }
        (self.vocabulary.run)(self, name, arguments)
    }

    fn builtin(&mut self, name: &str, arguments: &[String]) -> Run<Option<i32>> {
        let first = arguments.first().map(String::as_str);
        Ok(Some(match name {
            ":" | "true" => 0,
            "false" => 1,
            "[" => match arguments.split_last() {
                Some((last, arguments)) if last == "]" => self.test(arguments)?,
                _ => self.fail(2, "[: missing ]")?,
            },
            "test" => self.test(arguments)?,
            "echo" => self.echo(arguments)?,
            "printf" => self.printf(arguments)?,
            "exit" => return Err(Stop::Exit(self.status_argument(first)?)),
            "return" => return Err(Stop::Return(self.status_argument(first)?)),
            "break" | "continue" => {
                let levels = first.map_or(Some(1), |text| text.parse().ok());
                match (levels, name) {
                    (Some(0) | None, _) => return self.unsupported(format!("{name} {first:?}")),
                    (Some(levels), "break") => return Err(Stop::Break(levels)),
                    (Some(levels), _) => return Err(Stop::Continue(levels)),
                }
            }
            "set" => self.set_options(arguments)?,
            "shift" => {
                let count = first.map_or(Ok(1), str::parse).unwrap_or(usize::MAX);
                if count > self.shell.arguments.len() {
                    // dash ends the script here.
                    self.write_to(2, "shift: can't shift that many\n")?;
                    return Err(Stop::Exit(2));
                }
                self.shell.arguments.drain(..count);
                self.spend(self.shell.arguments.len())?;
                0
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                self.declare(name, arguments)?
            }
            "unset" => {
                let functions = first == Some("-f");
                for name in arguments.iter().filter(|name| !name.starts_with('-')) {
                    if functions {
                        self.shell.functions.remove(name);
                    } else {
                        self.shell.variables.remove(name);
                    }
                }
                0
            }
            "eval" => return self.unsupported("eval, whose text is made while the script runs"),
            "exec" => {
                let Some((name, arguments)) = arguments.split_first() else { return Ok(Some(0)) };
                let status = self.run(name, arguments)?;
                return Err(Stop::Exit(status));
            }
            "trap" => self.trap(arguments)?,
            "." | "source" => self.source(arguments)?,
            "cd" => self.change_directory(first)?,
            "pwd" => {
                let directory = self.shell.directory.clone();
                self.out(&format!("{directory}\n"))?;
                0
            }
            "umask" => self.umask(first)?,
            "read" => self.read_line(arguments)?,
            "getopts" => self.getopts(arguments)?,
            "command" => match first {
                Some("-v" | "-V") => (self.vocabulary.which)(self, &arguments[1..], "command")?,
                Some("-p") | None => return self.unsupported("command -p"),
                Some(name) => match self.builtin(name, &arguments[1..])? {
                    Some(status) => status,
                    None => (self.vocabulary.run)(self, name, &arguments[1..])?,
                },
            },
            "type" | "hash" => (self.vocabulary.which)(self, arguments, name)?,
            "wait" | "ulimit" | "times" => 0,
            _ => return Ok(None),
        }))
    }

    fn status_argument(&mut self, argument: Option<&str>) -> Run {
        match argument.map(|text| text.trim().parse::<i32>()) {
            None => Ok(self.shell.status),
            Some(Ok(status)) => Ok(status & 0xff),
            Some(Err(_)) => self.unsupported("a status that is no number"),
        }
    }

    fn set_options(&mut self, arguments: &[String]) -> Run {
        let mut at = 0;
        while let Some(argument) = arguments.get(at) {
            let on = argument.starts_with('-');
            if argument == "--" || argument == "-" {
                at += 1;
                break;
            }
            if !on && !argument.starts_with('+') {
                break;
            }
            at += 1;
            for c in argument[1..].chars() {
                match c {
                    'e' => self.shell.options.errexit = on,
                    'u' => self.shell.options.nounset = on,
                    'f' => self.shell.options.noglob = on,
                    // What is run is shown, exported or remembered: nothing to the tree.
                    'x' | 'v' | 'h' | 'b' | 'm' | 'E' | 'C' => {}
                    'a' => {}
                    'o' => {
                        let option = arguments.get(at).map_or("", String::as_str);
                        at += 1;
                        match option {
                            "errexit" => self.shell.options.errexit = on,
                            "nounset" => self.shell.options.nounset = on,
                            "noglob" => self.shell.options.noglob = on,
                            "pipefail" => self.shell.options.pipefail = on,
                            "posix" | "xtrace" | "verbose" | "" => {}
                            other => return self.unsupported(format!("set -o {other}")),
                        }
                    }
                    other => return self.unsupported(format!("set -{other}")),
                }
            }
            if at >= arguments.len() {
                return Ok(0);
            }
        }
        if arguments.is_empty() {
            return self.unsupported("set without arguments");
        }
        self.shell.arguments = arguments.get(at..).unwrap_or_default().to_vec();
        Ok(0)
    }

    fn declare(&mut self, command: &str, arguments: &[String]) -> Run {
        for argument in arguments {
            if argument.starts_with('-') {
                match argument.as_str() {
                    "-r" | "-x" | "-g" | "--" => continue,
                    other => return self.unsupported(format!("{command} {other}")),
                }
            }
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (argument.as_str(), None),
            };
            if !is_name(name) {
                return self.unsupported(format!("{command} of {name:?}"));
            }
            let hides = matches!(command, "local" | "declare" | "typeset");
            let kept = self.shell.locals.last().map_or(0, Vec::len);
            self.spend(kept + self.shell.get(name).map_or(0, str::len))?;
            if hides && !self.shell.hide(name) && command == "local" {
                return self.fail(2, "local: not in a function");
            }
            if let Some(value) = value {
                self.shell.set(name, value);
            } else if command == "local" && self.is_bash {
                self.shell.variables.remove(name);
            }
            if command == "export" {
                self.shell.export(name);
            }
        }
        Ok(0)
    }

    fn trap(&mut self, arguments: &[String]) -> Run {
        let words = match arguments.split_first() {
            Some((first, rest)) if first == "--" => rest,
            _ => arguments,
        };
        let Some((action, signals)) = words.split_first() else { return Ok(0) };
        if signals.iter().any(|signal| matches!(signal.as_str(), "EXIT" | "0")) {
            self.exit_trap = (!matches!(action.as_str(), "" | "-")).then(|| action.clone());
        }
        Ok(0)
    }

    /// Runs what `trap ... EXIT` asked for.
    pub(crate) fn run_exit_trap(&mut self) -> Run<()> {
        let Some(text) = self.exit_trap.take() else { return Ok(()) };
        match self.parsed(&text)? {
            Ok(list) => match self.list(&list) {
                Ok(_) | Err(Stop::Exit(_) | Stop::Return(_)) => Ok(()),
                Err(stop) => Err(stop),
            },
            Err(error) => self.refuse(Reason::Syntax(error.to_string())),
        }
    }

    fn source(&mut self, arguments: &[String]) -> Run {
        let Some((path, rest)) = arguments.split_first() else {
            return self.unsupported("\".\" without a file");
        };
        if let Some(status) = (self.vocabulary.source)(self, path)? {
            return Ok(status);
        }
        match self.read_text(path)? {
            Some(text) => {
                let saved = (!rest.is_empty())
                    .then(|| std::mem::replace(&mut self.shell.arguments, rest.to_vec()));
                let result = self.text_of_script(path, &text);
                if let Some(saved) = saved {
                    self.shell.arguments = saved;
                }
                match result {
                    Err(Stop::Return(status)) => Ok(status),
                    other => other,
                }
            }
            None => {
                self.write_to(2, &format!(".: cannot open {path}: No such file\n"))?;
                // A special command that fails ends a shell that is not bash.
                if self.is_bash { Ok(1) } else { Err(Stop::Exit(2)) }
            }
        }
    }

    /// Runs the text of a script in the tree, in this shell.
    pub(crate) fn text_of_script(&mut self, path: &str, text: &str) -> Run {
        let parsed = self.parsed(text)?;
        let source = self.source.replace(path.to_owned());
        let line = self.line;
        let result = match parsed {
            Ok(list) => self.nested(|machine| machine.list(&list)),
            Err(error) => {
                self.line = error.line;
                self.refuse(Reason::Syntax(error.to_string()))
            }
        };
        self.source = source;
        self.line = line;
        result
    }

    fn change_directory(&mut self, path: Option<&str>) -> Run {
        let home = self.shell.get("HOME").unwrap_or("/root").to_owned();
        let path = path.unwrap_or(&home).to_owned();
        if path == "-" {
            return self.unsupported("cd -");
        }
        if self.is_directory(&path)? {
            if let Some(real) = self.resolve(&path, true)? {
                self.shell.set("PWD", real.clone());
                self.shell.directory = real;
            }
            return Ok(0);
        }
        self.fail(2, &format!("cd: can't cd to {path}"))
    }

    fn umask(&mut self, mask: Option<&str>) -> Run {
        match mask.map(|mask| u16::from_str_radix(mask, 8)) {
            None => {
                let text = format!("{:04o}\n", self.shell.umask);
                self.out(&text)?;
            }
            Some(Ok(mask)) => self.shell.umask = mask & 0o777,
            Some(Err(_)) => return self.unsupported("a symbolic umask"),
        }
        Ok(0)
    }

    /// The function that a name stands for, if any.
    pub(crate) fn function(&self, name: &str) -> Option<Rc<Command>> {
        self.shell.functions.get(name).cloned()
    }
}

/// Whether a name is a command of the shell itself.
pub(crate) fn is_builtin(name: &str) -> bool {
    const OTHERS: [&str; 18] = [
        "true", "false", "[", "test", "echo", "printf", "local", "source", "cd", "pwd", "umask",
        "read", "getopts", "command", "type", "hash", "wait", "declare",
    ];
    SPECIAL.contains(&name) || OTHERS.contains(&name)
}
