//! HTTP: one GET at a time, from an offset, read piece by piece so that it can be cancelled.
//!
//! Each request runs in its own thread and hands its pieces over through a short channel.
//! The side that waits looks at the cancellation flag many times a second and gives up when nothing has arrived for
//! the stall time, whatever the connection does; how long all of a file takes does not matter. Redirects are limited and never lead from https to http.
//! The TLS provider is handed to the client, so that no process-wide state is needed.

use std::error::Error as _;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use reqwest::blocking::{Body, Client as Inner, Response};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderMap, RANGE, RETRY_AFTER};
use reqwest::{Proxy, Url, redirect};

use super::http_options::{HttpOptions, ProxyChoice};
use wifibox_ground::cancel::{Cancel, LOOK_EVERY};

/// A bound on the threads of requests that were given up. Whoever waits gives up much earlier, but only where nothing
/// arrives: a large file may take hours.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Makes requests.
#[derive(Debug, Clone)]
pub(super) struct Client {
    inner: Inner,
    stall: Duration,
    /// Why https does not work here, if it does not.
    no_tls: Option<String>,
}

/// A client that is made when it is first needed: reading the root certificates takes a while.
#[derive(Debug)]
pub(super) struct LazyClient {
    options: HttpOptions,
    client: OnceLock<Result<Client, String>>,
}

impl LazyClient {
    pub(super) fn new(options: &HttpOptions) -> Self {
        LazyClient { options: options.clone(), client: OnceLock::new() }
    }

    /// The client, or why it could not be made.
    pub(super) fn get(&self) -> Result<&Client, String> {
        self.client.get_or_init(|| Client::new(&self.options)).as_ref().map_err(Clone::clone)
    }
}

/// The status and the headers of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the body, if announced.
    pub(super) length: Option<u64>,
    /// Where the body begins in the whole file, if the server said so.
    pub(super) range_start: Option<u64>,
    /// How long the server asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

/// Why a request ended early.
#[derive(Debug)]
pub(super) enum HttpError {
    /// For a reason that may pass.
    Failed(String),
    /// For good.
    Refused(String),
    /// By the user.
    Cancelled,
}

/// An answer whose body is being read.
pub(super) struct Answer {
    pub(super) head: Head,
    pieces: Receiver<Message>,
    stall: Duration,
}

enum Message {
    Head(Head),
    Piece(Vec<u8>),
    End,
    Failed(HttpError),
}

impl Client {
    /// A client. Nothing is connected yet.
    pub(super) fn new(options: &HttpOptions) -> Result<Self, String> {
        let (inner, no_tls) = match builder(options)?.build() {
            Ok(inner) => (inner, None),
            // A machine without root certificates can still use http mirrors: packages are
            // recognised by signature and hash, not by the connection they come through.
            Err(why) => match builder(options)?.tls_certs_only([]).build() {
                Ok(inner) => (inner, Some(chain(why))),
                Err(why) => return Err(chain(why)),
            },
        };
        Ok(Client { inner, stall: options.stall_timeout, no_tls })
    }

    /// Asks for `url` from byte `offset` on and waits for the head of the answer.
    pub(super) fn get(&self, url: &Url, offset: u64, cancel: &Cancel) -> Result<Answer, HttpError> {
        if let (Some(why), "https") = (&self.no_tls, url.scheme()) {
            return Err(HttpError::Refused(format!("https does not work on this machine: {why}")));
        }
        let mut request =
            self.inner.get(url.clone()).header(ACCEPT_ENCODING, "identity").timeout(LONGEST);
        if offset > 0 {
            request = request.header(RANGE, format!("bytes={offset}-"));
        }
        let (sender, pieces) = mpsc::sync_channel(4);
        std::thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || match request.send() {
                Ok(response) => pump(response, &sender),
                Err(error) => {
                    let gone_in_circles = error.is_redirect();
                    let text = chain(error);
                    let error = if gone_in_circles {
                        HttpError::Refused(text)
                    } else {
                        HttpError::Failed(text)
                    };
                    // Nobody listens any more when the request was given up.
                    let _ = sender.send(Message::Failed(error));
                }
            })
            .map_err(|error| HttpError::Failed(format!("cannot start a thread: {error}")))?;
        match wait(&pieces, self.stall, cancel)? {
            Message::Head(head) => Ok(Answer { head, pieces, stall: self.stall }),
            Message::Failed(error) => Err(error),
            Message::Piece(_) | Message::End => {
                Err(HttpError::Failed("the answer has no head".to_owned()))
            }
        }
    }
}

impl Client {
    /// Sends `body` to `url` and waits for the status of the answer, at most for `patience`; with it comes the
    /// beginning of the answer's body, `limit` bytes at most.
    pub(super) fn put(
        &self,
        url: &Url,
        body: Body,
        patience: Duration,
        limit: usize,
    ) -> Result<(u16, Vec<u8>), String> {
        if let (Some(why), "https") = (&self.no_tls, url.scheme()) {
            return Err(format!("https does not work on this machine: {why}"));
        }
        let request = self.inner.put(url.clone()).timeout(patience).body(body);
        let response = request.send().map_err(chain)?;
        let status = response.status().as_u16();
        let mut text = Vec::new();
        // Only a message is made of it: what cannot be read is left out.
        let _ = response.take(limit as u64).read_to_end(&mut text);
        Ok((status, text))
    }
}

impl Answer {
    /// The next piece of the body; `None` after the last one.
    pub(super) fn next(&mut self, cancel: &Cancel) -> Result<Option<Vec<u8>>, HttpError> {
        match wait(&self.pieces, self.stall, cancel)? {
            Message::Piece(bytes) => Ok(Some(bytes)),
            Message::End => Ok(None),
            Message::Failed(error) => Err(error),
            Message::Head(_) => Err(HttpError::Failed("a second head".to_owned())),
        }
    }
}

/// Follows so many redirects, and none from https to http.
pub(super) fn redirects(most: usize) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let was_secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
        if attempt.previous().len() > most {
            attempt.error(format!("more than {most} redirects"))
        } else if was_secure && attempt.url().scheme() != "https" {
            attempt.error("a redirect from https to http")
        } else {
            attempt.follow()
        }
    })
}

fn builder(options: &HttpOptions) -> Result<reqwest::blocking::ClientBuilder, String> {
    // The provider is process-wide for rustls. Whoever installed one first wins, and it is the
    // only one that is compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Inner::builder()
        .user_agent(&options.user_agent)
        .connect_timeout(options.connect_timeout)
        // So that the thread of a request that was given up ends, when the other side is gone.
        .tcp_keepalive(options.stall_timeout)
        .redirect(redirects(options.redirects))
        .referer(false)
        // Retries are counted in one place, in `transfer`.
        .retry(reqwest::retry::never());
    Ok(match &options.proxy {
        ProxyChoice::System => builder,
        ProxyChoice::Direct => builder.no_proxy(),
        ProxyChoice::Url(url) => {
            let proxy = Proxy::all(url).map_err(|error| format!("proxy {url:?}: {error}"))?;
            builder.no_proxy().proxy(proxy)
        }
    })
}

/// Reads the answer and hands it over until it ends or nobody listens any more.
fn pump(mut response: Response, sender: &SyncSender<Message>) {
    let head = Head {
        status: response.status().as_u16(),
        length: response.content_length(),
        range_start: range_start(response.headers()),
        retry_after: seconds(response.headers()),
    };
    if sender.send(Message::Head(head)).is_err() {
        return;
    }
    loop {
        let mut piece = vec![0; 1 << 16];
        let message = match response.read(&mut piece) {
            Ok(0) => Message::End,
            Ok(got) => {
                piece.truncate(got);
                Message::Piece(piece)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let inner = error.source().map(|inner| format!(": {}", causes(inner)));
                let text = format!("{error}{}", inner.unwrap_or_default());
                Message::Failed(HttpError::Failed(text))
            }
        };
        let last = !matches!(message, Message::Piece(_));
        if sender.send(message).is_err() || last {
            return;
        }
    }
}

fn wait(
    pieces: &Receiver<Message>,
    stall: Duration,
    cancel: &Cancel,
) -> Result<Message, HttpError> {
    let begun = Instant::now();
    loop {
        if cancel.is_cancelled() {
            return Err(HttpError::Cancelled);
        }
        match pieces.recv_timeout(LOOK_EVERY) {
            Ok(message) => return Ok(message),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(HttpError::Failed("the connection ended without a word".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) if begun.elapsed() >= stall => {
                let text = format!("no answer for {} s", stall.as_secs_f32());
                return Err(HttpError::Failed(text));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// `Content-Range: bytes 100-199/200` -> 100.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    text.trim().strip_prefix("bytes")?.trim_start().split_once('-')?.0.trim().parse().ok()
}

/// `Retry-After` in seconds; its other form, a date, is not needed by mirrors.
fn seconds(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// An error with all its causes; without its address, which may hold a password.
pub(super) fn chain(error: reqwest::Error) -> String {
    causes(&error.without_url())
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}
