//! The machine: tree, world, shell and bounds, and how a script is refused.

use std::collections::{BTreeMap, HashSet};

use super::handles::Handle;
use super::shell::Shell;
use crate::effect::Effect;
use crate::error::{Reason, Refused};
use crate::files::Files;
use crate::syntax::{List, SyntaxError, parse};
use crate::world::{Script, World};

/// Why evaluation does not go on with the next command.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Box<Refused>),
    Exit(i32),
    Return(i32),
    Break(u32),
    Continue(u32),
}

/// A result of evaluation: by default, an exit status.
pub(crate) type Run<T = i32> = Result<T, Stop>;

/// The search path for programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The most commands a script may run.
const STEP_LIMIT: u64 = 50_000;
/// Bytes that all commands of a script together may read, make and write.
const BYTE_LIMIT: u64 = 64 << 20;
/// What one of many things (a field, a line, a word) takes beside its text, in bytes.
pub(crate) const ITEM: usize = 128;
/// What a byte of a file that is read in as a script takes, once it is parsed.
const PARSED: usize = 64;
/// The most characters that `IFS` may have: each character of a text is looked for among them.
const SEPARATORS_LIMIT: usize = 64;
/// The deepest nesting of running commands.
const DEPTH_LIMIT: u32 = 100;
/// The most bytes of output kept for the report.
const SAID_LIMIT: usize = 64 << 10;

/// The commands that are not part of the shell.
pub(crate) struct Vocabulary {
    /// Runs a command by its name.
    pub run: fn(&mut Machine<'_>, &str, &[String]) -> Run,
    /// Says where commands are, as the command named last does.
    pub which: fn(&mut Machine<'_>, &[String], &str) -> Run,
    /// Reads in a file that has a stand-in; `None` where it has none.
    pub source: fn(&mut Machine<'_>, &str) -> Run<Option<i32>>,
}

/// Everything that a script works on.
pub(crate) struct Machine<'a> {
    pub files: &'a mut dyn Files,
    pub world: &'a World,
    pub vocabulary: &'static Vocabulary,
    pub script: &'a Script<'a>,
    /// Whether the script is bash's, where it differs from what `/bin/sh` is.
    pub is_bash: bool,
    pub shell: Shell,
    pub effects: Vec<Effect>,
    /// The same, to find out which are there.
    told: HashSet<Effect>,
    pub said: String,
    /// The line of the script that runs, and the command that does.
    pub line: usize,
    pub command: String,
    /// The file of the tree whose commands run, where it is not the script itself.
    pub source: Option<String>,
    /// The command set by `trap ... EXIT`.
    pub exit_trap: Option<String>,
    /// debconf's answers, by question.
    pub answers: BTreeMap<String, String>,
    steps: u64,
    bytes: u64,
    depth: u32,
    temporary: u32,
}

impl<'a> Machine<'a> {
    pub fn new(
        files: &'a mut dyn Files,
        world: &'a World,
        vocabulary: &'static Vocabulary,
        script: &'a Script<'a>,
    ) -> Self {
        let arguments = script.arguments(world.ecosystem);
        let mut shell = Shell::new(&script.path(world.ecosystem), &arguments);
        for (name, value) in script.environment(world) {
            shell.set(name, value);
            shell.export(name);
        }
        shell.set("PATH", PATH);
        shell.export("PATH");
        shell.set("OPTIND", "1");
        Machine {
            files,
            world,
            vocabulary,
            script,
            is_bash: is_bash(script.text),
            shell,
            effects: Vec::new(),
            told: HashSet::new(),
            said: String::new(),
            line: 1,
            command: String::new(),
            source: None,
            exit_trap: None,
            answers: world.answers.clone(),
            steps: 0,
            bytes: 0,
            depth: 0,
            temporary: 0,
        }
    }

    /// Runs the whole script.
    pub(crate) fn script(&mut self) -> Run<()> {
        if self.script.text.len() > crate::SIZE_LIMIT {
            return self.refuse(Reason::Limit("a script of more than 1 MiB".into()));
        }
        let text = String::from_utf8_lossy(self.script.text).into_owned();
        self.interpreter(&text)?;
        let list = match parse(&text) {
            Ok(list) => list,
            Err(error) => {
                self.line = error.line;
                return self.refuse(Reason::Syntax(error.to_string()));
            }
        };
        let result = self.list(&list);
        let status = match result {
            Ok(status) | Err(Stop::Exit(status) | Stop::Return(status)) => status,
            Err(Stop::Break(_) | Stop::Continue(_)) => 0,
            Err(stop) => return Err(stop),
        };
        self.run_exit_trap()?;
        if status != 0 {
            let said = self.said.lines().last().unwrap_or_default().to_owned();
            return self.refuse(Reason::Fails { status, said });
        }
        self.command.clear();
        Ok(())
    }

    /// Only the shells' own scripts are read; their first line may set options.
    fn interpreter(&mut self, text: &str) -> Run<()> {
        let first = text.lines().next().unwrap_or_default();
        let Some(line) = first.strip_prefix("#!") else {
            if text.as_bytes().starts_with(b"\x7fELF") {
                return self.refuse(Reason::Interpreter("no interpreter: it is a program".into()));
            }
            return Ok(());
        };
        let mut words = line.split_whitespace();
        let program = words.next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        let name = match name {
            "env" | "busybox" => words.next().unwrap_or_default(),
            name => name,
        };
        if !matches!(name, "sh" | "dash" | "bash" | "ash") {
            return self.refuse(Reason::Interpreter(program.to_owned()));
        }
        for option in words.filter(|word| word.starts_with('-')) {
            self.shell.options.errexit |= option.contains('e');
            self.shell.options.nounset |= option.contains('u');
        }
        Ok(())
    }

    /// The script is not understood.
    pub(crate) fn refuse<T>(&self, reason: Reason) -> Run<T> {
        let around = match &self.source {
            None => around(self.script.text, self.line),
            Some(_) => String::new(),
        };
        Err(Stop::Refused(Box::new(Refused {
            package: self.script.package.to_owned(),
            script: self.script.name.to_owned(),
            file: self.source.clone(),
            line: self.line,
            command: self.command.clone(),
            reason,
            around,
        })))
    }

    /// The command under way is known, but not this use of it.
    pub(crate) fn unsupported<T>(&self, what: impl Into<String>) -> Run<T> {
        self.refuse(Reason::Unsupported(what.into()))
    }

    /// One command more.
    pub(crate) fn step(&mut self) -> Run<()> {
        self.steps += 1;
        if self.steps > STEP_LIMIT {
            return self.refuse(Reason::Limit(format!("more than {STEP_LIMIT} commands")));
        }
        Ok(())
    }

    /// So many bytes more were read, made or written.
    pub(crate) fn spend(&mut self, bytes: usize) -> Run<()> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > BYTE_LIMIT {
            return self
                .refuse(Reason::Limit(format!("more than {} MiB of text", BYTE_LIMIT >> 20)));
        }
        Ok(())
    }

    /// So many things more were made, with so many bytes in all.
    pub(crate) fn spend_items(&mut self, count: usize, bytes: usize) -> Run<()> {
        self.spend(count.saturating_mul(ITEM).saturating_add(bytes))
    }

    /// Parses a text that is not the script itself.
    pub(crate) fn parsed(&mut self, text: &str) -> Run<Result<List, SyntaxError>> {
        self.spend(text.len().saturating_mul(PARSED))?;
        Ok(parse(text))
    }

    /// What splits fields: the value of `IFS`.
    pub(crate) fn separators(&mut self) -> Run<String> {
        let separators = self.shell.get("IFS").unwrap_or(" \t\n").to_owned();
        if separators.len() > SEPARATORS_LIMIT {
            let what = format!("IFS of more than {SEPARATORS_LIMIT} bytes");
            return self.refuse(Reason::Limit(what));
        }
        Ok(separators)
    }

    /// Evaluates one level deeper.
    pub(crate) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        if self.depth >= DEPTH_LIMIT {
            let what = format!("more than {DEPTH_LIMIT} commands inside of each other");
            return self.refuse(Reason::Limit(what));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Something that the report tells.
    pub(crate) fn effect(&mut self, effect: Effect) {
        if self.told.insert(effect.clone()) {
            self.effects.push(effect);
        }
    }

    /// A command has no effect on the tree: why.
    pub(crate) fn nothing(&mut self, why: &'static str) -> Run {
        let command = self.command.clone();
        self.spend(command.len())?;
        self.effect(Effect::Nothing { command, why });
        Ok(0)
    }

    /// A number for the name of a temporary file.
    pub(crate) fn temporary(&mut self) -> u32 {
        self.temporary += 1;
        self.temporary
    }

    /// Writes to standard output.
    pub(crate) fn out(&mut self, text: &str) -> Run<()> {
        self.write_to(1, text)
    }

    /// Writes a line to standard error, and gives the status of a failed command.
    pub(crate) fn fail(&mut self, status: i32, message: &str) -> Run {
        self.write_to(2, &format!("{message}\n"))?;
        Ok(status)
    }

    /// Writes to a file descriptor; nothing happens where it is closed.
    pub(crate) fn write_to(&mut self, fd: u32, text: &str) -> Run<()> {
        self.spend(text.len())?;
        match self.shell.handles.get(&fd).cloned() {
            Some(Handle::Said) => {
                if self.said.len() + text.len() <= SAID_LIMIT {
                    self.said.push_str(text);
                }
            }
            Some(Handle::Captured(captured)) => captured.borrow_mut().push_str(text),
            Some(Handle::File(path)) => self.append(&path, text)?,
            Some(Handle::Null | Handle::Input(_)) | None => {}
        }
        Ok(())
    }

    /// All that is left of standard input.
    pub(crate) fn input(&mut self) -> Run<String> {
        let text = match self.shell.handles.get(&0).cloned() {
            Some(Handle::Input(input)) => input.borrow_mut().rest(),
            Some(Handle::File(path)) => self.text_of(&path)?,
            _ => String::new(),
        };
        self.spend(text.len())?;
        Ok(text)
    }
}

fn is_bash(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).contains("bash")
}

/// The lines of a text around `line`, with their numbers.
fn around(text: &[u8], line: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let first = line.saturating_sub(2);
    let lines = text.lines().enumerate().skip(first).take(line + 1 - first);
    lines
        .map(|(number, text)| {
            let number = number + 1;
            let mark = if number == line { '>' } else { ' ' };
            let text: String = text.chars().take(160).collect();
            format!("  {mark} {number:4} | {text}\n")
        })
        .collect()
}
