//! Redirections (POSIX.1-2024, 2.7).

use super::handles::Handle;
use super::machine::{Machine, Run};
use crate::error::Reason;
use crate::files::{Entry, Kind};
use crate::syntax::{Redirection, RedirectionKind};

impl Machine<'_> {
    /// Opens what the redirections name; `false` where one cannot be opened.
    pub(crate) fn redirect(&mut self, redirections: &[Redirection]) -> Run<bool> {
        for redirection in redirections {
            if !self.redirect_one(redirection)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn redirect_one(&mut self, redirection: &Redirection) -> Run<bool> {
        let fd = |default| redirection.fd.unwrap_or(default);
        let (fd, handle) = match &redirection.kind {
            RedirectionKind::Input(word) => {
                let path = self.text(word)?;
                (fd(0), self.open_input(&path)?)
            }
            RedirectionKind::Output { to, append } => {
                let path = self.text(to)?;
                (fd(1), self.open_output(&path, *append)?)
            }
            RedirectionKind::Both { to, append } => {
                let path = self.text(to)?;
                let handle = self.open_output(&path, *append)?;
                if let Some(handle) = &handle {
                    self.shell.handles.insert(2, handle.clone());
                }
                (1, handle)
            }
            RedirectionKind::ReadWrite => return self.unsupported("a file opened by <>"),
            RedirectionKind::DuplicateInput(word) | RedirectionKind::DuplicateOutput(word) => {
                let input = matches!(redirection.kind, RedirectionKind::DuplicateInput(_));
                let from = self.text(word)?;
                let fd = fd(u32::from(!input));
                if from == "-" {
                    self.shell.handles.remove(&fd);
                    return Ok(true);
                }
                let Ok(number) = from.parse::<u32>() else {
                    return self.unsupported(format!("a redirection to the descriptor {from:?}"));
                };
                // What debconf's confmodule opens as 3 is the script's own output here.
                let handle = self.shell.handles.get(&number).cloned();
                (fd, handle.or_else(|| (number == 3).then_some(Handle::Said)))
            }
            RedirectionKind::Here(text) => {
                let text = match text.get() {
                    Some(word) => self.text(word)?,
                    None => String::new(),
                };
                (fd(0), Some(Handle::input(text)))
            }
        };
        match handle {
            Some(handle) => {
                if self.shell.handles.len() > 64 {
                    return self.refuse(Reason::Limit("more than 64 open files".into()));
                }
                self.shell.handles.insert(fd, handle);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn open_input(&mut self, path: &str) -> Run<Option<Handle>> {
        match path {
            "/dev/null" => return Ok(Some(Handle::Null)),
            "/dev/stdin" => return Ok(self.shell.handles.get(&0).cloned()),
            _ => {}
        }
        match self.read_text(path)? {
            Some(text) => Ok(Some(Handle::input(text))),
            None => {
                self.write_to(2, &format!("cannot open {path}: No such file\n"))?;
                Ok(None)
            }
        }
    }

    fn open_output(&mut self, path: &str, append: bool) -> Run<Option<Handle>> {
        match path {
            "/dev/null" => return Ok(Some(Handle::Null)),
            "/dev/stdout" => return Ok(self.shell.handles.get(&1).cloned()),
            "/dev/stderr" => return Ok(self.shell.handles.get(&2).cloned()),
            // No terminal is there to be written to.
            "/dev/tty" | "/dev/console" => return Ok(None),
            _ => {}
        }
        let real = match self.resolve(path, true)? {
            Some(real) if real.starts_with("/dev/") => {
                return self.unsupported(format!("a device is written to: {path}"));
            }
            Some(real) => real,
            None => {
                self.write_to(2, &format!("cannot create {path}: Directory nonexistent\n"))?;
                return Ok(None);
            }
        };
        match self.files.lookup(&real) {
            Some(Entry { kind: Kind::Directory, .. }) => {
                self.write_to(2, &format!("cannot create {path}: Is a directory\n"))?;
                return Ok(None);
            }
            Some(Entry { kind: Kind::Special, .. }) => {
                return self.unsupported(format!("a device or pipe is written to: {path}"));
            }
            Some(_) if append => {}
            _ => self.put(&real, Vec::new())?,
        }
        Ok(Some(Handle::File(real)))
    }
}
