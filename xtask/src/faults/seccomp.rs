//! A program whose system calls are answered by another: seccomp's user notification (seccomp_unotify(2)).
#![allow(unsafe_code)] // The interface of the kernel, which no library of ours wraps.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Where the kernel asks.
pub struct Listener(OwnedFd);

/// What it asks: whether a thread may make a call.
pub struct Question {
    /// The kernel's number of this question.
    id: u64,
    /// The thread.
    pub thread: u32,
    /// The number of the call.
    pub call: libc::c_long,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// The answer.
pub enum Answer {
    /// The kernel makes the call as if nothing had been asked.
    Go,
    /// It is not made, and gives this back.
    Value(i64),
    /// It is not made, and fails with this error.
    Error(i32),
}

/// Makes the program that `command` starts ask for each of these calls; the other end of the returned socket gets the
/// listener when it has started.
pub fn ask_for(command: &mut Command, calls: &[libc::c_long]) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut filter = program(calls)?;
    // SAFETY: between fork and exec, only system calls are made, on memory that was made before.
    unsafe {
        command.pre_exec(move || {
            let listener = install(&mut filter)?;
            send(&theirs, listener.as_fd())
        });
    }
    Ok(ours)
}

/// The filter, in the language of Berkeley's packet filter: these calls are asked for, all others are made.
fn program(calls: &[libc::c_long]) -> io::Result<Vec<libc::sock_filter>> {
    let word = |code: u32, jump: u8, value: u32| libc::sock_filter {
        code: code as u16,
        jt: jump,
        jf: 0,
        k: value,
    };
    // The number of the call is the first field of `seccomp_data`.
    let mut filter = vec![word(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0)];
    for (place, call) in calls.iter().enumerate() {
        // Over the other comparisons and the word that lets a call pass.
        let over = u8::try_from(calls.len() - place).map_err(io::Error::other)?;
        let call = u32::try_from(*call).map_err(io::Error::other)?;
        filter.push(word(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, over, call));
    }
    filter.push(word(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW));
    filter.push(word(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF));
    Ok(filter)
}

fn install(filter: &mut [libc::sock_filter]) -> io::Result<OwnedFd> {
    rustix::thread::set_no_new_privs(true)?;
    let program =
        libc::sock_fprog { len: filter.len() as libc::c_ushort, filter: filter.as_mut_ptr() };
    // SAFETY: the program lives until the call is over, which copies it.
    let listener = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        )
    };
    match i32::try_from(listener) {
        // SAFETY: a descriptor that the kernel has just made.
        Ok(listener) if listener >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(listener) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn send(socket: &UnixStream, listener: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = [listener];
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(socket, &[IoSlice::new(b"f")], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

impl Listener {
    /// Waits for the listener of the program that is being started; nothing if it never was.
    pub fn receive(socket: &UnixStream) -> io::Result<Option<Self>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let flags = RecvFlags::CMSG_CLOEXEC;
        recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags)?;
        let listener = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        Ok(listener.map(Listener))
    }

    /// The next question; nothing when no process is left to ask one.
    pub fn next(&self) -> io::Result<Option<Question>> {
        loop {
            let mut poll =
                libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one structure, which lives until the call is over.
            if unsafe { libc::poll(&raw mut poll, 1, -1) } < 0 {
                return Err(io::Error::last_os_error());
            }
            if poll.revents & libc::POLLIN == 0 {
                return Ok(None);
            }
            // SAFETY: of numbers only, and zero as the kernel wants it.
            let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
            if self.control(libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut asked)? {
                return Ok(Some(Question {
                    id: asked.id,
                    thread: asked.pid,
                    call: libc::c_long::from(asked.data.nr),
                    arguments: asked.data.args,
                }));
            }
        }
    }

    /// Answers a question. Who asked may have ended meanwhile.
    pub fn answer(&self, question: &Question, answer: &Answer) -> io::Result<()> {
        let (val, error, flags) = match answer {
            Answer::Go => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32),
            Answer::Value(value) => (*value, 0, 0),
            Answer::Error(error) => (0, -error, 0),
        };
        let mut response = libc::seccomp_notif_resp { id: question.id, val, error, flags };
        self.control(libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response)?;
        Ok(())
    }

    /// One request to the kernel; false if the process that it is about has ended, or was interrupted.
    fn control<T>(&self, request: libc::Ioctl, argument: *mut T) -> io::Result<bool> {
        // SAFETY: each request is made with the structure that it is for.
        if unsafe { libc::ioctl(self.0.as_raw_fd(), request, argument) } == 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::EINTR) => Ok(false),
            _ => Err(error),
        }
    }
}
