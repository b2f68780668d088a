//! Lists, pipelines and compound commands.

use std::rc::Rc;

use super::handles::Handle;
use super::machine::{Machine, Run, Stop};
use super::pattern::Pattern;
use crate::error::Reason;
use crate::syntax::{AndOr, Arm, Command, Joint, Kind, List, Pipeline, Word};

/// Whether the shell exits under `set -e` when a command of this kind fails.
fn leaves(kind: &Kind) -> bool {
    // POSIX: compound commands other than subshells pass on what their own commands have done.
    matches!(
        kind,
        Kind::Simple { .. } | Kind::Subshell(_) | Kind::Condition(_) | Kind::Arithmetic(_)
    )
}

impl Machine<'_> {
    /// Runs commands one after another; the status of the last.
    pub(crate) fn list(&mut self, list: &List) -> Run {
        let mut status = 0;
        for item in list {
            status = self.and_or(item)?;
        }
        Ok(status)
    }

    /// Runs something whose failure is tested, as in a condition.
    pub(crate) fn tested(&mut self, inner: impl FnOnce(&mut Self) -> Run) -> Run {
        let outer = std::mem::replace(&mut self.shell.tested, true);
        let result = inner(self);
        self.shell.tested = outer;
        result
    }

    fn and_or(&mut self, item: &AndOr) -> Run {
        if item.background {
            return self.unsupported("a command in the background (&)");
        }
        let pipelines = std::iter::once((None, &item.first))
            .chain(item.rest.iter().map(|(joint, pipeline)| (Some(*joint), pipeline)));
        let last = item.rest.len();
        let mut status = 0;
        for (number, (joint, pipeline)) in pipelines.enumerate() {
            let runs = match joint {
                None => true,
                Some(Joint::And) => status == 0,
                Some(Joint::Or) => status != 0,
            };
            if !runs {
                self.spend(1)?;
                continue;
            }
            status = if number < last {
                self.tested(|machine| machine.pipeline(pipeline))?
            } else {
                self.pipeline(pipeline)?
            };
        }
        Ok(status)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Run {
        let Pipeline { negated, commands } = pipeline;
        let status = match commands.as_slice() {
            [command] if *negated => self.tested(|machine| machine.command(command))?,
            [command] => return self.command(command),
            commands if *negated => self.tested(|machine| machine.pipe(commands))?,
            commands => self.pipe(commands)?,
        };
        let status = if *negated { i32::from(status == 0) } else { status };
        self.shell.status = status;
        if *negated { Ok(status) } else { self.checked(status) }
    }

    /// Ends the shell under `set -e` when a failure is not tested.
    fn checked(&mut self, status: i32) -> Run {
        self.shell.status = status;
        if status != 0 && self.shell.options.errexit && !self.shell.tested {
            return Err(Stop::Exit(status));
        }
        Ok(status)
    }

    fn pipe(&mut self, commands: &[Command]) -> Run {
        let (mut status, mut worst) = (0, 0);
        let mut input: Option<String> = None;
        for (number, command) in commands.iter().enumerate() {
            let (handle, captured) = Handle::capture();
            let is_last = number + 1 == commands.len();
            status = self.subshell(|machine| {
                if let Some(input) = input.take() {
                    machine.shell.handles.insert(0, Handle::input(input));
                }
                if !is_last {
                    machine.shell.handles.insert(1, handle);
                }
                machine.command(command)
            })?;
            if status != 0 {
                worst = status;
            }
            input = Some(captured.take());
        }
        Ok(if self.shell.options.pipefail { worst } else { status })
    }

    /// Runs in a copy of this shell; only what is written stays.
    pub(crate) fn subshell(&mut self, inner: impl FnOnce(&mut Self) -> Run) -> Run {
        let outer = self.shell.clone();
        self.spend(outer.size())?;
        // A script cannot leave a loop or a function from within a subshell.
        let result = self.nested(inner);
        self.shell = outer;
        match result {
            Ok(status) | Err(Stop::Exit(status) | Stop::Return(status)) => Ok(status),
            Err(Stop::Break(_) | Stop::Continue(_)) => Ok(0),
            Err(stop) => Err(stop),
        }
    }

    /// Runs commands in a subshell and returns their standard output, without trailing newlines.
    pub(crate) fn captured(&mut self, list: &List) -> Run<String> {
        let (handle, captured) = Handle::capture();
        let status = self.subshell(|machine| {
            machine.shell.handles.insert(1, handle);
            machine.shell.tested = false;
            machine.list(list)
        })?;
        self.shell.status = status;
        let mut text = captured.take();
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    pub(crate) fn command(&mut self, command: &Command) -> Run {
        self.step()?;
        self.line = command.line;
        self.nested(|machine| {
            if let Kind::Simple { assignments, words } = &command.kind {
                let status = machine.simple(command, assignments, words)?;
                return machine.checked(status);
            }
            let saved = machine.shell.handles.clone();
            if !machine.redirect(&command.redirections)? {
                machine.shell.handles = saved;
                return machine.checked(1);
            }
            let result = machine.compound(&command.kind);
            machine.shell.handles = saved;
            let status = result?;
            if leaves(&command.kind) { machine.checked(status) } else { machine.passed(status) }
        })
    }

    fn passed(&mut self, status: i32) -> Run {
        self.shell.status = status;
        Ok(status)
    }

    fn compound(&mut self, kind: &Kind) -> Run {
        match kind {
            Kind::Group(list) => self.list(list),
            Kind::Subshell(list) => self.subshell(|machine| machine.list(list)),
            Kind::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.tested(|machine| machine.list(condition))? == 0 {
                        return self.list(body);
                    }
                }
                otherwise.as_ref().map_or(Ok(0), |body| self.list(body))
            }
            Kind::For { variable, words, body } => {
                let values = match words {
                    Some(words) => self.fields(words)?,
                    None => self.shell.arguments.clone(),
                };
                self.for_loop(variable, values, body)
            }
            Kind::While { until, condition, body } => self.while_loop(*until, condition, body),
            Kind::Case { word, arms } => self.case(word, arms),
            Kind::Function { name, body } => {
                self.shell.functions.insert(name.clone(), Rc::clone(body));
                Ok(0)
            }
            Kind::Condition(condition) => Ok(i32::from(!self.condition(condition)?)),
            Kind::Arithmetic(word) => Ok(i32::from(self.arithmetic(word)? == 0)),
            Kind::Simple { .. } => Ok(0),
        }
    }

    /// One round of a loop: `None` where the loop ends with this status.
    fn round(&mut self, body: &List) -> Run<(i32, bool)> {
        match self.list(body) {
            Ok(status) => Ok((status, true)),
            Err(Stop::Break(1)) => Ok((0, false)),
            Err(Stop::Continue(1)) => Ok((0, true)),
            Err(Stop::Break(n)) => Err(Stop::Break(n - 1)),
            Err(Stop::Continue(n)) => Err(Stop::Continue(n - 1)),
            Err(stop) => Err(stop),
        }
    }

    fn for_loop(&mut self, variable: &str, values: Vec<String>, body: &List) -> Run {
        let mut status = 0;
        for value in values {
            self.step()?;
            self.shell.set(variable, value);
            let (last, goes_on) = self.round(body)?;
            status = last;
            if !goes_on {
                break;
            }
        }
        Ok(status)
    }

    fn while_loop(&mut self, until: bool, condition: &List, body: &List) -> Run {
        let mut status = 0;
        loop {
            self.step()?;
            if (self.tested(|machine| machine.list(condition))? == 0) == until {
                return Ok(status);
            }
            let (last, goes_on) = self.round(body)?;
            status = last;
            if !goes_on {
                return Ok(status);
            }
        }
    }

    fn case(&mut self, word: &Word, arms: &[Arm]) -> Run {
        let value = self.text(word)?;
        let mut falls = false;
        let mut status = 0;
        for arm in arms {
            let mut matches = falls;
            for pattern in &arm.patterns {
                if !matches {
                    let pattern = self.pattern(pattern)?;
                    matches = self.fits(&pattern, &value)?;
                }
            }
            if matches {
                status = self.list(&arm.body)?;
                falls = arm.falls_through;
                if !falls {
                    return Ok(status);
                }
            }
        }
        Ok(status)
    }

    /// Calls a function.
    pub(crate) fn call(&mut self, body: &Rc<Command>, arguments: &[String]) -> Run {
        let outer = std::mem::replace(&mut self.shell.arguments, arguments.to_vec());
        self.shell.locals.push(Vec::new());
        let line = self.line;
        let result = self.command(body);
        self.line = line;
        self.shell.leave();
        self.shell.arguments = outer;
        match result {
            Err(Stop::Return(status)) => Ok(status),
            Err(Stop::Break(_) | Stop::Continue(_)) => {
                self.refuse(Reason::Unsupported("a function that leaves its caller's loop".into()))
            }
            other => other,
        }
    }

    /// A pattern: what is quoted in the word stands for itself.
    pub(crate) fn pattern(&mut self, word: &Word) -> Run<Pattern> {
        let parts = self.parts(word)?;
        self.pattern_of(&parts)
    }
}
