//! One request for a manifest or a list, and its answer, of which no more is read than it may have.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::Deserialize;

/// The most that is read of an answer that refuses.
pub(super) const REFUSAL: u64 = 64 << 10;

/// A request.
pub(super) struct Request<'r> {
    pub(super) method: Method,
    pub(super) url: String,
    /// For messages.
    pub(super) what: &'r str,
    pub(super) accept: Option<&'static str>,
    pub(super) body: Option<(&'r str, &'r [u8])>,
    pub(super) limit: u64,
    /// Whether it says who asks.
    pub(super) with_login: bool,
    /// Whether a login that has run out is made anew.
    pub(super) once: bool,
}

impl<'r> Request<'r> {
    pub(super) fn get(url: String, what: &'r str) -> Self {
        Request {
            method: Method::GET,
            url,
            what,
            accept: None,
            body: None,
            limit: REFUSAL,
            with_login: true,
            once: false,
        }
    }

    pub(super) fn head(url: String, what: &'r str) -> Self {
        Request { method: Method::HEAD, ..Request::get(url, what) }
    }

    pub(super) fn put(url: String, what: &'r str, media_type: &'r str, body: &'r [u8]) -> Self {
        let body = Some((media_type, body));
        Request { method: Method::PUT, body, ..Request::get(url, what) }
    }

    pub(super) fn accepting(self, media_types: &'static str, limit: u64) -> Self {
        Request { accept: Some(media_types), limit, ..self }
    }

    pub(super) fn without_login(self) -> Self {
        Request { with_login: false, ..self }
    }

    pub(super) fn once(self) -> Self {
        Request { once: true, ..self }
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// What a registry says of its refusal, or the status.
    pub(super) fn words(&self) -> String {
        let status = format!("HTTP status {}", self.status);
        match words(&self.body) {
            Some(words) => format!("{status} ({words})"),
            None => status,
        }
    }
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    code: String,
    #[serde(default)]
    message: String,
}

/// The errors in a registry's refusal, as far as they are in the protocol's form.
fn words(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let one = refusal.errors.into_iter().next()?;
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let (code, message) = (plain(&one.code), plain(&one.message));
    Some(if message.is_empty() { code } else { format!("{code}: {message}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_the_registrys_words() {
        let body = br#"{"errors":[{"code":"DENIED","message":"not\u001b[31m yours","detail":{}}]}"#;
        assert_eq!(words(body).as_deref(), Some("DENIED: not[31m yours"));
        assert_eq!(words(br#"{"errors":[{"code":"DENIED"}]}"#).as_deref(), Some("DENIED"));
        assert_eq!(words(b"<html>"), None);
        assert_eq!(words(br#"{"errors":[]}"#), None);
    }
}
