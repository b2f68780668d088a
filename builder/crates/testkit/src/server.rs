//! A web server on loopback that serves a folder and misbehaves on request.
//!
//! HTTP/1.1, one request per connection, GET only, `Range: bytes=N-`. Faults are set per path and
//! are used up in order, one per request; without any left the file is served as it should be.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A way in which the server mishandles one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Only this many bytes of the body are sent, although all are announced.
    Cut(usize),
    /// One byte of the body is changed.
    Corrupt(usize),
    /// An answer of this status, without a useful body.
    Status(u16),
    /// The same with a header `Retry-After`, in seconds.
    RetryAfter(u16, u64),
    /// `Range` is ignored: all of the file is sent.
    IgnoreRange,
    /// `Range` is answered with another range.
    WrongRange,
    /// Nothing is sent for this long, after this many bytes of the body.
    Stall(usize, Duration),
    /// So many bytes of the body at a time, and this long a pause after each.
    Slow(usize, Duration),
    /// The connection is closed without a word.
    Drop,
    /// Another address is given.
    Redirect(String),
    /// The body is sent without announcing its length, and is this.
    Body(Vec<u8>),
    /// As it should be.
    None,
}

#[derive(Default)]
struct State {
    faults: BTreeMap<String, VecDeque<Fault>>,
    always: BTreeMap<String, Fault>,
    requests: Vec<Request>,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub range: Option<u64>,
}

/// Serves a folder until it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let stop = Arc::<AtomicBool>::default();
        let (shared, stopped, folder) = (Arc::clone(&state), Arc::clone(&stop), folder.to_owned());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, folder) = (Arc::clone(&shared), folder.clone());
                // A client that goes away is no fault of the server.
                std::thread::spawn(move || stream.and_then(|s| serve(s, &folder, &shared)));
            }
        });
        Server { address, state, stop, thread: Some(thread) }
    }

    /// The address of the folder.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests for `path` (`a/b`) go wrong in these ways, in this order.
    pub fn faults(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.entry(path.to_owned()).or_default().extend(faults);
    }

    /// All requests for `path` without another fault go wrong in this way.
    pub fn always(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().always.insert(path.to_owned(), fault);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many requests for `path` came.
    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An address of loopback at which nothing listens.
pub fn dead_url() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn serve(mut stream: TcpStream, folder: &Path, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let mut range = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: bytes=") {
            range = value.trim_end_matches('-').parse::<u64>().ok();
        }
    }
    let fault = {
        let mut state = state.lock().unwrap();
        state.requests.push(Request { path: path.clone(), range });
        let next = state.faults.get_mut(&path).and_then(VecDeque::pop_front);
        next.or_else(|| state.always.get(&path).cloned()).unwrap_or(Fault::None)
    };
    let empty = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n{more}\r\n")
    };
    match &fault {
        Fault::Drop => return Ok(()),
        Fault::Status(status) => return stream.write_all(empty(*status, "").as_bytes()),
        Fault::RetryAfter(status, seconds) => {
            let more = format!("Retry-After: {seconds}\r\n");
            return stream.write_all(empty(*status, &more).as_bytes());
        }
        Fault::Redirect(to) => {
            let more = format!("Location: {to}\r\n");
            return stream.write_all(empty(302, &more).as_bytes());
        }
        Fault::Body(body) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            return stream.write_all(body);
        }
        _ => {}
    }
    let file: PathBuf = folder.join(percent_decoded(&path));
    let Ok(mut body) = fs::read(file) else {
        return stream.write_all(empty(404, "").as_bytes());
    };
    let total = body.len() as u64;
    let mut head = String::from("HTTP/1.1 200 OK\r\n");
    match (range, &fault) {
        (Some(_), Fault::IgnoreRange) | (None, _) => {}
        (Some(_), Fault::WrongRange) => {
            head = format!(
                "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-{}/{total}\r\n",
                total.saturating_sub(1)
            );
        }
        (Some(from), _) if from >= total => {
            return stream.write_all(empty(416, "").as_bytes());
        }
        (Some(from), _) => {
            body.drain(..usize::try_from(from).unwrap());
            head = format!(
                "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{}/{total}\r\n",
                total - 1
            );
        }
    }
    head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    match fault {
        Fault::Cut(at) => stream.write_all(&body[..at.min(body.len())])?,
        Fault::Corrupt(at) => {
            body[at] ^= 0x55;
            stream.write_all(&body)?;
        }
        Fault::Stall(at, time) => {
            stream.write_all(&body[..at])?;
            stream.flush()?;
            std::thread::sleep(time);
            stream.write_all(&body[at..])?;
        }
        Fault::Slow(bytes, pause) => {
            for piece in body.chunks(bytes) {
                stream.write_all(piece)?;
                stream.flush()?;
                std::thread::sleep(pause);
            }
        }
        _ => stream.write_all(&body)?,
    }
    stream.flush()
}

fn percent_decoded(path: &str) -> String {
    let mut out = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [a, b, after @ ..]) => {
                let digits = [*a, *b];
                let text = std::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(text, 16).unwrap());
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).unwrap()
}
