//! Paths of the tree: links are followed here, and what is the host's is refused.

use super::machine::{Machine, Run};
use crate::effect::Effect;
use crate::error::Reason;
use crate::files::{Entry, Kind, Meta};

/// Links followed on the way to one path, as in Linux.
const LINK_LIMIT: usize = 40;
/// The most bytes of a path, as in Linux.
const PATH_LIMIT: usize = 4096;

/// A path below a directory; an absolute one stays.
pub(crate) fn join(directory: &str, path: &str) -> String {
    match path {
        path if path.starts_with('/') => path.to_owned(),
        path if directory.ends_with('/') => format!("{directory}{path}"),
        path => format!("{directory}/{path}"),
    }
}

/// The directory that a real path is in.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

/// Whether a real path is a directory itself, or in it.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    let rest = path.strip_prefix(directory.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Machine<'_> {
    /// Where `path` really is: links on the way are followed, and the last one where `follow`. What
    /// does not exist stays as it is written; `None` where its directory does not exist.
    pub fn resolve(&mut self, path: &str, follow: bool) -> Run<Option<String>> {
        self.spend(path.len() + 16)?;
        if path.is_empty() {
            return Ok(None);
        }
        let path = join(&self.shell.directory, path);
        if path.len() > PATH_LIMIT {
            return self.refuse(Reason::Limit(format!("a path of more than {PATH_LIMIT} bytes")));
        }
        let parts = |path: &str| -> Vec<String> {
            let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
            parts.rev().map(str::to_owned).collect()
        };
        let mut rest = parts(&path);
        let mut done = String::from("/");
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == ".." {
                done = parent(&done).to_owned();
                continue;
            }
            let next = join(&done, &part);
            self.spend(next.len())?;
            if !rest.is_empty() {
                self.host(&next)?;
            }
            match self.files.lookup(&next).map(|entry| entry.kind) {
                Some(Kind::Link(target)) if follow || !rest.is_empty() => {
                    links += 1;
                    self.spend(target.len())?;
                    if links > LINK_LIMIT {
                        return Ok(None);
                    }
                    if target.starts_with('/') {
                        done = "/".to_owned();
                    }
                    rest.extend(parts(&target));
                }
                Some(Kind::Directory) => done = next,
                _ if rest.is_empty() => return Ok(Some(next)),
                _ => return Ok(None),
            }
        }
        Ok(Some(done))
    }

    /// Refuses to enter a directory whose content only exists on a running system.
    fn host(&self, path: &str) -> Run<()> {
        match path {
            "/proc" | "/sys" => self.refuse(Reason::Host(format!("what is in {path}"))),
            _ => Ok(()),
        }
    }

    /// The entry at a path, if there is one.
    pub(crate) fn entry(&mut self, path: &str, follow: bool) -> Run<Option<Entry>> {
        if matches!(path, "/dev/null" | "/dev/tty" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr") {
            return Ok(Some(Entry { kind: Kind::Special, meta: Meta::with_mode(0o666) }));
        }
        let Some(real) = self.resolve(path, follow)? else { return Ok(None) };
        // `path/` is a directory or nothing.
        let entry = self.files.lookup(&real);
        Ok(entry.filter(|entry| !path.ends_with('/') || entry.kind == Kind::Directory))
    }

    pub(crate) fn exists(&mut self, path: &str, follow: bool) -> Run<bool> {
        Ok(self.entry(path, follow)?.is_some())
    }

    pub(crate) fn is_directory(&mut self, path: &str) -> Run<bool> {
        Ok(self.entry(path, true)?.is_some_and(|entry| entry.kind == Kind::Directory))
    }

    /// The names in a directory; none where there is no directory.
    pub(crate) fn names_in(&mut self, path: &str) -> Run<Vec<String>> {
        match self.resolve(path, true)? {
            Some(real) => {
                let names = self.files.list(&real);
                self.spend(names.iter().map(String::len).sum())?;
                Ok(names)
            }
            None => Ok(Vec::new()),
        }
    }

    /// The text of the file that `path` leads to; `None` where no file is.
    pub(crate) fn read_text(&mut self, path: &str) -> Run<Option<String>> {
        let Some(real) = self.resolve(path, true)? else { return Ok(None) };
        match self.files.lookup(&real).map(|entry| entry.kind) {
            Some(Kind::File(_)) => self.text_of(&real).map(Some),
            Some(Kind::Special) => self.unsupported(format!("a device or pipe is read: {path}")),
            _ => Ok(None),
        }
    }

    /// The text of the file at a real path.
    pub(crate) fn text_of(&mut self, real: &str) -> Run<String> {
        if let Some(Entry { kind: Kind::File(size), .. }) = self.files.lookup(real) {
            self.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
        }
        match self.files.read(real).map(String::from_utf8) {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(_)) => self.unsupported(format!("{real} is read and is no text")),
            Err(error) => self.refuse(Reason::Tree(error.to_string())),
        }
    }

    /// Writes the file at a real path, whose permissions stay where it is there already.
    pub(crate) fn put(&mut self, real: &str, content: impl Into<Vec<u8>>) -> Run<()> {
        let content = content.into();
        self.spend(content.len())?;
        let meta = match self.files.lookup(real) {
            Some(Entry { kind: Kind::File(_), meta }) => meta,
            _ => Meta::with_mode(0o666 & !self.shell.umask),
        };
        self.effect(Effect::Writes(real.to_owned()));
        let written = self.files.write(real, content, meta);
        self.done(written)
    }

    /// Adds to the end of the file at a real path.
    pub(crate) fn append(&mut self, real: &str, text: &str) -> Run<()> {
        let mut content = match self.files.lookup(real) {
            Some(Entry { kind: Kind::File(size), .. }) => {
                self.spend(usize::try_from(size).unwrap_or(usize::MAX))?;
                let read = self.files.read(real);
                self.done(read)?
            }
            _ => Vec::new(),
        };
        content.extend_from_slice(text.as_bytes());
        self.put(real, content)
    }

    /// Takes the tree's answer.
    pub(crate) fn done<T>(&mut self, result: std::io::Result<T>) -> Run<T> {
        result.or_else(|error| self.refuse(Reason::Tree(error.to_string())))
    }

    /// Makes a directory at a real path.
    pub(crate) fn make(&mut self, real: &str, meta: Meta) -> Run<()> {
        self.effect(Effect::Directory(real.to_owned()));
        let made = self.files.make_directory(real, meta);
        self.done(made)
    }

    /// Makes a directory with those above it, all of them mode 0755; one that exists stays.
    pub(crate) fn make_all(&mut self, path: &str) -> Run<()> {
        let mut at = String::from("/");
        for part in path.split('/').filter(|part| !part.is_empty()) {
            at = join(&at, part);
            let Some(real) = self.resolve(&at, true)? else { continue };
            if self.files.lookup(&real).is_none() {
                self.make(&real, Meta::with_mode(0o755))?;
            }
            at = real;
        }
        Ok(())
    }

    /// Makes a symbolic link at a real path, in place of a link or file that is there.
    pub fn link(&mut self, real: &str, target: &str) -> Run<()> {
        match self.files.lookup(real).map(|entry| entry.kind) {
            Some(Kind::Link(old)) if old == target => return Ok(()),
            Some(Kind::Directory) => {
                return self.refuse(Reason::Tree(format!("{real} is a directory")));
            }
            Some(_) => {
                let removed = self.files.remove(real);
                self.done(removed)?;
            }
            None => {}
        }
        self.effect(Effect::Link { path: real.to_owned(), target: target.to_owned() });
        let made = self.files.make_link(real, target);
        self.done(made)
    }

    /// Moves what is at a real path, with all below it, to another, where nothing is.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Run<()> {
        let mut todo = vec![from.to_owned()];
        while let Some(path) = todo.pop() {
            self.spend_items(1, path.len())?;
            if matches!(self.files.lookup(&path), Some(Entry { kind: Kind::Directory, .. })) {
                todo.extend(self.files.list(&path).iter().map(|name| join(&path, name)));
            }
        }
        self.effect(Effect::Moves { from: from.to_owned(), to: to.to_owned() });
        let moved = self.files.rename(from, to);
        self.done(moved)
    }

    /// Takes away what is at a real path, with all below it.
    pub(crate) fn remove_all(&mut self, real: &str) -> Run<()> {
        self.nested(|machine| {
            if matches!(machine.files.lookup(real), Some(Entry { kind: Kind::Directory, .. })) {
                for name in machine.files.list(real) {
                    machine.step()?;
                    machine.remove_all(&join(real, &name))?;
                }
            }
            machine.remove_one(real)
        })
    }

    /// Takes away what is at a real path: a file, a link, an empty directory.
    pub(crate) fn remove_one(&mut self, real: &str) -> Run<()> {
        if real == "/" {
            return self.unsupported("the root directory is removed");
        }
        self.effect(Effect::Removes(real.to_owned()));
        let removed = self.files.remove(real);
        self.done(removed)
    }

    /// Changes permissions and owner at a real path.
    pub(crate) fn change(&mut self, real: &str, meta: Meta) -> Run<()> {
        let Some(Entry { meta: old, .. }) = self.files.lookup(real) else { return Ok(()) };
        if old.mode != meta.mode {
            self.effect(Effect::Mode { path: real.to_owned(), mode: meta.mode });
        }
        if (old.uid, old.gid) != (meta.uid, meta.gid) {
            let (uid, gid) = (meta.uid, meta.gid);
            self.effect(Effect::Owner { path: real.to_owned(), uid, gid });
        }
        let changed = self.files.set_meta(real, meta);
        self.done(changed)
    }
}
