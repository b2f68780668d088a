//! Objects by HTTP: GET, and PUT (RFC 9110), at the addresses of a folder or of a bucket. A name and password may
//! stand in a folder's URL.

use std::fs::File;
use std::io::Seek as _;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Body;

use super::super::http::{Answer, Client, HttpError};
use super::super::http_options::HttpOptions;
use super::{Objects, Put, Sink};
use wifibox_ground::cancel::Cancel;

/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 50_000;

/// The delays after which a server that is overloaded or broken for a moment is asked again.
const AGAIN: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(1500)];

/// The bytes that are read of an answer that refuses.
const REFUSAL: usize = 4 << 10;

/// The two requests that are made.
#[derive(Clone, Copy)]
pub(super) enum Method {
    Get,
    Put,
}

/// Where the objects are.
pub(super) trait Address: Send + Sync {
    /// The address of an object for a request.
    fn of(&self, method: Method, name: &str) -> Result<Url, String>;
    /// What to add to the message where the server does not know who asks.
    fn advice(&self) -> &'static str;
}

/// A folder of an HTTP server.
pub(super) struct Folder(Url);

impl Folder {
    pub(super) fn new(mut url: Url) -> Result<Self, String> {
        if url.cannot_be_a_base() {
            return Err("it is no folder".to_owned());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Folder(url))
    }
}

impl Address for Folder {
    fn of(&self, _: Method, name: &str) -> Result<Url, String> {
        self.0.join(name).map_err(|error| error.to_string())
    }

    fn advice(&self) -> &'static str {
        ""
    }
}

/// Objects at such addresses.
pub(super) struct Server<A> {
    place: A,
    client: Client,
    cancel: Cancel,
}

impl<A: Address> Server<A> {
    pub(super) fn new(place: A, options: &HttpOptions, cancel: &Cancel) -> Result<Self, String> {
        Ok(Server { place, client: Client::new(options)?, cancel: cancel.clone() })
    }

    /// Puts what `body` makes, anew for each attempt. Only a refusal of putting as such says that others' objects may
    /// still be read: a bucket that is not there, or a server that is full or broken, is no cache to anybody.
    fn send(
        &self,
        name: &str,
        length: u64,
        body: &mut dyn FnMut() -> Result<Body, String>,
    ) -> Result<Put, String> {
        let patience = Duration::from_secs(30 + length / SLOWEST);
        let mut delays = AGAIN.iter();
        loop {
            let url = self.place.of(Method::Put, name)?;
            match self.client.put(&url, body()?, patience, REFUSAL)? {
                (200..=299, _) => return Ok(Put::Kept),
                (status @ (401 | 403 | 405), text) => {
                    return Ok(Put::NotAllowed(self.refusal("PUT", name, status, &text)));
                }
                (status, _) if self.waits(status, &mut delays) => {}
                (status, text) => return Err(self.refusal("PUT", name, status, &text)),
            }
        }
    }

    /// Whether to ask again after this status, for which it then has waited.
    fn waits<'d>(&self, status: u16, delays: &mut impl Iterator<Item = &'d Duration>) -> bool {
        matches!(status, 408 | 429 | 500..=599)
            && delays.next().is_some_and(|delay| self.cancel.sleep(*delay))
    }

    fn refusal(&self, method: &str, name: &str, status: u16, text: &[u8]) -> String {
        let reason = reason(text).map(|reason| format!(" ({reason})")).unwrap_or_default();
        let advice = if matches!(status, 401 | 403) { self.place.advice() } else { "" };
        format!("{method} {name}: HTTP status {status}{reason}{advice}")
    }
}

impl<A: Address> Objects for Server<A> {
    fn get(&self, name: &str, sink: Sink<'_>) -> Result<bool, String> {
        let cancel = &self.cancel;
        let words = |error: HttpError| match error {
            HttpError::Failed(why) | HttpError::Refused(why) => format!("GET {name}: {why}"),
            HttpError::Cancelled => "interrupted".to_owned(),
        };
        let mut delays = AGAIN.iter();
        let mut answer = loop {
            let url = self.place.of(Method::Get, name)?;
            let mut answer = self.client.get(&url, 0, cancel).map_err(words)?;
            match answer.head.status {
                200 => break answer,
                404 | 410 => return Ok(false),
                status if self.waits(status, &mut delays) => {}
                status => {
                    let text = begin(&mut answer, cancel);
                    return Err(self.refusal("GET", name, status, &text));
                }
            }
        };
        while let Some(piece) = answer.next(cancel).map_err(words)? {
            sink(&piece)?;
        }
        Ok(true)
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<Put, String> {
        let length = bytes.len() as u64;
        self.send(name, length, &mut || Ok(Body::from(bytes.clone())))
    }

    fn put_file(&self, name: &str, file: File, length: u64) -> Result<Put, String> {
        self.send(name, length, &mut || {
            let mut file = file.try_clone().map_err(|error| error.to_string())?;
            file.rewind().map_err(|error| error.to_string())?;
            Ok(Body::sized(file, length))
        })
    }
}

/// The beginning of an answer's body, as far as it can be read.
fn begin(answer: &mut Answer, cancel: &Cancel) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < REFUSAL {
        let Ok(Some(piece)) = answer.next(cancel) else { break };
        text.extend_from_slice(&piece);
    }
    text.truncate(REFUSAL);
    text
}

/// The reason in the XML that S3 answers with: `SignatureDoesNotMatch`, `NoSuchBucket`, `ExpiredToken`.
fn reason(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    let plain =
        !code.is_empty() && code.len() < 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| code.to_owned())
}
