//! A registry on loopback, in memory: the OCI distribution protocol as far as guests need it, and the ways in which
//! registries differ and misbehave.
//!
//! HTTP/1.1, one request per connection. Faults are set for requests by a part of `METHOD /path`, and are used up in
//! order.

mod answers;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use wifibox_ground::digest::Sha256;

/// A way in which one request goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// An answer of this status.
    Status(u16),
    /// Only so many bytes of the body are sent, although all are announced.
    Cut(usize),
    /// The connection is closed without a word, before the request's body is read.
    Drop,
    /// Nothing is said for so long.
    Stall(Duration),
    /// A body that does not end.
    Endless,
    /// As it should be.
    None,
}

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub enum Asks {
    /// Everybody.
    #[default]
    Nobody,
    /// Who has this name and password.
    Basic(&'static str, &'static str),
    /// Who has a token, which is for this name and password.
    Bearer(&'static str, &'static str),
}

/// How the registry behaves.
#[derive(Debug, Clone, Default)]
pub struct Manners {
    /// Who may ask.
    pub asks: Asks,
    /// Whether it lists what is about a manifest.
    pub lists_referrers: bool,
    /// Whether it sends who wants a blob to another host.
    pub redirects: bool,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `METHOD /path?query`.
    pub line: String,
    /// The host that was asked.
    pub host: String,
    /// The header `Authorization`.
    pub login: Option<String>,
    /// The header `Range`.
    pub range: Option<String>,
    /// The bytes of its body.
    pub length: usize,
}

#[derive(Default)]
struct State {
    manners: Manners,
    /// By repository and digest.
    blobs: BTreeMap<(String, String), Vec<u8>>,
    /// Media type and bytes, by repository and tag or digest.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    /// By repository and digest of the subject.
    referrers: BTreeMap<(String, String), Vec<Value>>,
    faults: Vec<(String, Fault)>,
    requests: Vec<Request>,
}

/// A registry until it is dropped.
pub struct Registry {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registry {
    pub fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { manners, ..State::default() }));
        let stop = Arc::<AtomicBool>::default();
        let (shared, stopped) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A client that goes away is no fault of the registry.
                std::thread::spawn(move || stream.and_then(|s| serve(s, address, &shared)));
            }
        });
        Registry { address, state, stop, thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// From now on it behaves so.
    pub fn behaves(&self, manners: Manners) {
        self.state.lock().unwrap().manners = manners;
    }

    /// The next requests with `part` in their first line go wrong in these ways.
    pub fn faults(&self, part: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (part.to_owned(), fault));
        self.state.lock().unwrap().faults.extend(faults);
    }

    /// The requests since this was asked last.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    /// The manifest at a tag or digest.
    pub fn manifest(&self, repository: &str, at: &str) -> Value {
        let state = self.state.lock().unwrap();
        let (_, bytes) = &state.manifests[&(repository.to_owned(), at.to_owned())];
        serde_json::from_slice(bytes).unwrap()
    }

    /// Puts a manifest at a tag, whatever it says; gives back its digest.
    pub fn set_manifest(&self, repository: &str, at: &str, bytes: &[u8]) -> String {
        let digest = format!("sha256:{}", Sha256::of(bytes));
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        let mut state = self.state.lock().unwrap();
        for at in [at, &digest] {
            let key = (repository.to_owned(), at.to_owned());
            state.manifests.insert(key, (media_type.clone(), bytes.to_vec()));
        }
        digest
    }

    /// Puts a blob under its digest, or under another one.
    pub fn set_blob(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let key = (repository.to_owned(), digest.to_owned());
        self.state.lock().unwrap().blobs.insert(key, bytes.to_vec());
    }

    /// The bytes of a blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Vec<u8> {
        self.state.lock().unwrap().blobs[&(repository.to_owned(), digest.to_owned())].clone()
    }

    /// Forgets all that is about manifests.
    pub fn forget_referrers(&self) {
        let mut state = self.state.lock().unwrap();
        state.referrers.clear();
        state.manifests.retain(|(_, at), _| !at.starts_with("sha256-"));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An answer.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn error(status: u16, code: &str) -> Self {
        let body = json!({ "errors": [{ "code": code, "message": "of the test", "detail": {} }] });
        Answer::new(status).body(body.to_string())
    }
}

fn serve(mut stream: TcpStream, own: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let line = format!("{method} {path}");
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let fault = {
        let mut state = state.lock().unwrap();
        let at = state.faults.iter().position(|(part, _)| line.contains(part));
        at.map(|at| state.faults.remove(at).1)
    };
    if let Some(Fault::Drop) = fault {
        return Ok(());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request {
        line: line.clone(),
        host: headers.get("host").cloned().unwrap_or_default(),
        login: headers.get("authorization").cloned(),
        range: headers.get("range").cloned(),
        length,
    };
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push(request.clone());
        match fault {
            Some(Fault::Status(status)) => Answer::error(status, "UNSUPPORTED"),
            _ => state.answer(method, path, &request, &headers, &body, own),
        }
    };
    if let Some(Fault::Stall(time)) = fault {
        std::thread::sleep(time);
    }
    let mut head = format!("HTTP/1.1 {} Word\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(Fault::Endless) = fault {
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        loop {
            stream.write_all(&[b' '; 1 << 16])?;
        }
    }
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", answer.body.len()).as_bytes())?;
    let sent = match fault {
        Some(Fault::Cut(at)) => &answer.body[..at.min(answer.body.len())],
        _ => &answer.body[..],
    };
    if method != "HEAD" {
        stream.write_all(sent)?;
    }
    stream.flush()
}
