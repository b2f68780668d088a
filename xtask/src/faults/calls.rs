//! The system calls that touch files, and what each does.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// What a call does to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Takes room: makes a file or a folder, writes.
    Taking,
    /// Changes something, and needs no room: removes, sets a mode or a time, gives to the disk.
    Changing,
    /// Opens, reads, lists, asks.
    Reading,
}

/// Where the path of a call is among its arguments.
#[derive(Clone, Copy)]
enum Names {
    /// A path at this place.
    Path(usize),
    /// A file descriptor at this place.
    File(usize),
}

/// A system call.
pub struct Call {
    number: libc::c_long,
    name: &'static str,
    class: Class,
    names: Names,
}

impl Call {
    /// Its number on this architecture.
    pub fn number(&self) -> libc::c_long {
        self.number
    }
}

const fn call(number: libc::c_long, name: &'static str, class: Class, names: Names) -> Call {
    Call { number, name, class, names }
}

/// All that are looked at. What is not here is done without a question.
pub const CALLS: &[Call] = &[
    call(libc::SYS_openat, "openat", Class::Reading, Names::Path(1)),
    call(libc::SYS_mkdirat, "mkdirat", Class::Taking, Names::Path(1)),
    call(libc::SYS_renameat, "renameat", Class::Taking, Names::Path(1)),
    call(libc::SYS_renameat2, "renameat2", Class::Taking, Names::Path(1)),
    call(libc::SYS_linkat, "linkat", Class::Taking, Names::Path(3)),
    call(libc::SYS_symlinkat, "symlinkat", Class::Taking, Names::Path(2)),
    call(libc::SYS_unlinkat, "unlinkat", Class::Changing, Names::Path(1)),
    call(libc::SYS_write, "write", Class::Taking, Names::File(0)),
    call(libc::SYS_pwrite64, "pwrite64", Class::Taking, Names::File(0)),
    call(libc::SYS_writev, "writev", Class::Taking, Names::File(0)),
    call(libc::SYS_copy_file_range, "copy_file_range", Class::Taking, Names::File(2)),
    call(libc::SYS_sendfile, "sendfile", Class::Taking, Names::File(0)),
    call(libc::SYS_fallocate, "fallocate", Class::Taking, Names::File(0)),
    call(libc::SYS_ftruncate, "ftruncate", Class::Taking, Names::File(0)),
    call(libc::SYS_fsync, "fsync", Class::Changing, Names::File(0)),
    call(libc::SYS_fdatasync, "fdatasync", Class::Changing, Names::File(0)),
    call(libc::SYS_fchmod, "fchmod", Class::Changing, Names::File(0)),
    call(libc::SYS_fchmodat, "fchmodat", Class::Changing, Names::Path(1)),
    call(libc::SYS_utimensat, "utimensat", Class::Changing, Names::Path(1)),
    call(libc::SYS_flock, "flock", Class::Changing, Names::File(0)),
    call(libc::SYS_read, "read", Class::Reading, Names::File(0)),
    call(libc::SYS_pread64, "pread64", Class::Reading, Names::File(0)),
    call(libc::SYS_getdents64, "getdents64", Class::Reading, Names::File(0)),
    call(libc::SYS_statx, "statx", Class::Reading, Names::Path(1)),
    call(libc::SYS_fstat, "fstat", Class::Reading, Names::File(0)),
    call(libc::SYS_readlinkat, "readlinkat", Class::Reading, Names::Path(1)),
    // Those of before there were folders as descriptors; Arm never had them.
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_open, "open", Class::Reading, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_mkdir, "mkdir", Class::Taking, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_rename, "rename", Class::Taking, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_link, "link", Class::Taking, Names::Path(1)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_symlink, "symlink", Class::Taking, Names::Path(1)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_unlink, "unlink", Class::Changing, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_rmdir, "rmdir", Class::Changing, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_chmod, "chmod", Class::Changing, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_stat, "stat", Class::Reading, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_lstat, "lstat", Class::Reading, Names::Path(0)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_readlink, "readlink", Class::Reading, Names::Path(0)),
];

/// A call that a thread of the program is about to make.
pub struct Asked<'c> {
    call: &'c Call,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// The thread.
    pub thread: u32,
}

impl<'c> Asked<'c> {
    /// The call with this number, if it is one of [`CALLS`].
    pub fn new(number: libc::c_long, arguments: [u64; 6], thread: u32) -> Option<Self> {
        let call: &'c Call = CALLS.iter().find(|call| call.number == number)?;
        Some(Asked { call, arguments, thread })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.call.name
    }

    /// What it does. To open a file takes room where that makes it.
    pub fn class(&self) -> Class {
        let flags = match self.call.name {
            "openat" => self.arguments[2],
            "open" => self.arguments[1],
            _ => return self.call.class,
        };
        if flags & libc::O_CREAT as u64 == 0 { self.call.class } else { Class::Taking }
    }

    /// The file that it is about, as the program names it; nothing for a pipe, a socket or a terminal.
    pub fn path(&self) -> Option<String> {
        let thread = self.thread;
        match self.call.names {
            Names::File(place) => {
                let file = format!("/proc/{thread}/fd/{}", self.arguments[place] as i32);
                let path = std::fs::read_link(file).ok()?.to_string_lossy().into_owned();
                (path.starts_with('/') && !path.starts_with("/dev/")).then_some(path)
            }
            Names::Path(place) => {
                let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
                let mut bytes = vec![0; libc::PATH_MAX as usize];
                let length = memory.read_at(&mut bytes, self.arguments[place]).ok()?;
                let end = bytes[..length].iter().position(|byte| *byte == 0)?;
                bytes.truncate(end);
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }

    /// The bytes that it would write, for a plain write.
    pub fn written(&self) -> Option<Vec<u8>> {
        if !matches!(self.call.name, "write" | "pwrite64") {
            return None;
        }
        let memory = File::open(format!("/proc/{}/mem", self.thread)).ok()?;
        let mut bytes = vec![0; usize::try_from(self.arguments[2]).ok()?];
        memory.read_exact_at(&mut bytes, self.arguments[1]).ok()?;
        Some(bytes)
    }
}
