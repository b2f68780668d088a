//! A registry on loopback, in memory: the OCI distribution protocol as far as guests need it, and the ways in which
//! registries differ and misbehave.
//!
//! HTTP/1.1, one request per connection. Faults are set for requests by a part of `METHOD /path`, and are used up in
//! order.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
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

/// The token of those who may ask.
const TOKEN: &str = "a-token";

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

impl State {
    fn answer(
        &mut self,
        method: &str,
        path: &str,
        request: &Request,
        headers: &BTreeMap<String, String>,
        body: &[u8],
        own: SocketAddr,
    ) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, value.replace("%3A", ":").replace("%2F", "/")))
            .collect();
        if path == "/token" {
            let Asks::Bearer(name, password) = self.manners.asks else { return Answer::new(404) };
            return match request.login == Some(basic(name, password)) {
                true => Answer::new(200).body(json!({ "token": TOKEN }).to_string()),
                false => Answer::error(401, "UNAUTHORIZED"),
            };
        }
        if let Some(rest) = path.strip_prefix("/elsewhere/") {
            let (repository, digest) = rest.split_once("/blobs/").unwrap_or_default();
            return self.get_blob(repository, digest, request);
        }
        if let Some(refusal) = self.refusal(request, own) {
            return refusal;
        }
        let rest = path.strip_prefix("/v2/").unwrap_or_default();
        if rest.is_empty() {
            return Answer::new(200).body("{}");
        }
        if let Some((repository, rest)) = rest.split_once("/blobs/uploads/") {
            return self.upload(method, repository, rest, &query, body);
        }
        if let Some((repository, digest)) = rest.split_once("/blobs/") {
            if self.manners.redirects && method == "GET" {
                let port = own.port();
                let other =
                    format!("http://localhost:{port}/elsewhere/{repository}/blobs/{digest}");
                return Answer::new(307).with("Location", other);
            }
            return self.get_blob(repository, digest, request);
        }
        if let Some((repository, at)) = rest.split_once("/manifests/") {
            return match method {
                "PUT" => self.put_manifest(repository, at, headers, body),
                _ => match self.manifests.get(&(repository.to_owned(), at.to_owned())) {
                    Some((media_type, bytes)) => {
                        Answer::new(200).with("Content-Type", media_type).body(bytes.clone())
                    }
                    None => Answer::error(404, "MANIFEST_UNKNOWN"),
                },
            };
        }
        if let (Some((repository, digest)), true) =
            (rest.split_once("/referrers/"), self.manners.lists_referrers)
        {
            let key = (repository.to_owned(), digest.to_owned());
            let manifests = self.referrers.get(&key).cloned().unwrap_or_default();
            return Answer::new(200).body(index(&manifests).to_string());
        }
        Answer::new(404).body("404 page not found\n")
    }

    /// What is said to who may not ask.
    fn refusal(&self, request: &Request, own: SocketAddr) -> Option<Answer> {
        let (expected, challenge) = match self.manners.asks {
            Asks::Nobody => return None,
            Asks::Basic(name, password) => {
                (basic(name, password), "Basic realm=\"test\"".to_owned())
            }
            Asks::Bearer(..) => {
                let realm = format!("Bearer realm=\"http://{own}/token\",service=\"test\"");
                (format!("Bearer {TOKEN}"), realm)
            }
        };
        let refused = Answer::error(401, "UNAUTHORIZED").with("WWW-Authenticate", challenge);
        (request.login != Some(expected)).then_some(refused)
    }

    fn get_blob(&self, repository: &str, digest: &str, request: &Request) -> Answer {
        let Some(bytes) = self.blobs.get(&(repository.to_owned(), digest.to_owned())) else {
            return Answer::error(404, "BLOB_UNKNOWN");
        };
        let from = request.range.as_deref().and_then(|range| {
            range.strip_prefix("bytes=")?.trim_end_matches('-').parse::<usize>().ok()
        });
        match from.and_then(|from| bytes.get(from..)) {
            Some(rest) => Answer::new(206).body(rest),
            None => Answer::new(200).body(bytes.clone()),
        }
    }

    fn upload(
        &mut self,
        method: &str,
        repository: &str,
        session: &str,
        query: &BTreeMap<&str, String>,
        body: &[u8],
    ) -> Answer {
        if method == "POST" {
            if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from"))
                && let Some(bytes) = self.blobs.get(&(from.clone(), digest.clone())).cloned()
            {
                self.blobs.insert((repository.to_owned(), digest.clone()), bytes);
                return Answer::new(201)
                    .with("Location", format!("/v2/{repository}/blobs/{digest}"));
            }
            return Answer::new(202)
                .with("Location", format!("/v2/{repository}/blobs/uploads/one?a=b"));
        }
        let digest = query.get("digest").cloned().unwrap_or_default();
        if method != "PUT" || session.is_empty() || digest != format!("sha256:{}", Sha256::of(body))
        {
            return Answer::error(400, "DIGEST_INVALID");
        }
        self.blobs.insert((repository.to_owned(), digest.clone()), body.to_vec());
        Answer::new(201).with("Location", format!("/v2/{repository}/blobs/{digest}"))
    }

    /// Takes a manifest of which all blobs are there, as registries do.
    fn put_manifest(
        &mut self,
        repository: &str,
        at: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Answer {
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "MANIFEST_INVALID");
        };
        let digest = format!("sha256:{}", Sha256::of(body));
        let digests = |list: &Value| {
            let list = list.as_array().cloned().unwrap_or_default();
            list.into_iter().map(|one| one["digest"].as_str().unwrap_or_default().to_owned())
        };
        let blobs = digests(&document["layers"]).chain(digests(&json!([document["config"]])));
        let is_index = document["manifests"].is_array();
        let missing = !is_index
            && blobs
                .into_iter()
                .any(|blob| !self.blobs.contains_key(&(repository.to_owned(), blob)))
            || digests(&document["manifests"])
                .any(|one| !self.manifests.contains_key(&(repository.to_owned(), one)));
        if missing || at.starts_with("sha256:") && at != digest {
            return Answer::error(400, "MANIFEST_BLOB_UNKNOWN");
        }
        let media_type = headers.get("content-type").cloned().unwrap_or_default();
        for at in [at, &digest] {
            let key = (repository.to_owned(), at.to_owned());
            self.manifests.insert(key, (media_type.clone(), body.to_vec()));
        }
        // No Location: there are registries that give none.
        let answer = Answer::new(201);
        match document["subject"]["digest"].as_str() {
            Some(subject) if self.manners.lists_referrers => {
                let key = (repository.to_owned(), subject.to_owned());
                let list = self.referrers.entry(key).or_default();
                if list.iter().all(|one| one["digest"] != digest.as_str()) {
                    list.push(json!({
                        "mediaType": media_type, "digest": digest, "size": body.len(),
                        "artifactType": document["artifactType"],
                    }));
                }
                answer.with("OCI-Subject", subject)
            }
            _ => answer,
        }
    }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{name}:{password}")))
}

fn index(manifests: &[Value]) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    })
}
