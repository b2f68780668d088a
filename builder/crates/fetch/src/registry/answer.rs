//! One request for a manifest or a list, and its answer, of which no more is read than it may have.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use super::{Registry, RegistryError};
use crate::http::chain;

/// The most that is read of an answer that refuses.
const REFUSAL: u64 = 64 << 10;

/// A request.
pub(super) struct Request<'r> {
    method: Method,
    url: String,
    /// For messages.
    what: &'r str,
    accept: Option<&'static str>,
    body: Option<(&'r str, &'r [u8])>,
    limit: u64,
    /// Whether it says who asks.
    with_login: bool,
    /// Whether a login that has run out is made anew.
    once: bool,
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

impl Registry<'_> {
    /// Asks, and asks again where that may help.
    pub(super) fn ask(&self, request: &Request<'_>) -> Result<Answer, RegistryError> {
        let retry = &self.settings.options.retry;
        let mut failures = 0;
        let mut logged_in = request.once || !request.with_login;
        loop {
            let (why, asked) = match self.wait(request.what, || 0, self.send(request))? {
                Ok(answer) if matches!(answer.status, 408 | 429 | 500..=599) => {
                    let asked = answer.headers.get(RETRY_AFTER).and_then(|text| {
                        text.to_str().ok()?.trim().parse().ok().map(std::time::Duration::from_secs)
                    });
                    (answer.words(), asked)
                }
                Ok(answer) if answer.status == 401 && !logged_in => {
                    // A token that has run out.
                    logged_in = true;
                    self.log_in()?;
                    continue;
                }
                Ok(answer) => return Ok(answer),
                Err(Broken::TooLarge) => {
                    let (what, limit) = (request.what.to_owned(), request.limit);
                    return Err(RegistryError::TooLarge { what, limit });
                }
                Err(Broken::Failed(why)) => (why, None),
            };
            failures += 1;
            let what = request.what;
            let Some(delay) = retry.delay(failures, asked) else {
                return Err(RegistryError::Network { what: what.to_owned(), why });
            };
            self.again(what, &why, delay)?;
        }
    }

    /// Says that something is done again, and waits before it is.
    pub(super) fn again(
        &self,
        what: &str,
        why: &str,
        delay: std::time::Duration,
    ) -> Result<(), RegistryError> {
        let seconds = delay.as_secs_f32();
        self.settings.progress.note(&format!("{what}: {why}; again in {seconds} s"));
        if self.settings.cancel.sleep(delay) {
            Ok(())
        } else {
            Err(RegistryError::Interrupted { what: what.to_owned() })
        }
    }

    async fn send(&self, request: &Request<'_>) -> Result<Answer, Broken> {
        let mut sent = self.requests.request(request.method.clone(), &request.url);
        if let Some(media_types) = request.accept {
            sent = sent.header(ACCEPT, media_types);
        }
        if let Some((media_type, body)) = request.body {
            sent = sent.header(CONTENT_TYPE, media_type).body(body.to_vec());
        }
        let authorization = self.authorization.borrow().clone();
        if let Some(authorization) = authorization.filter(|_| request.with_login) {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        let failed = |error| Broken::Failed(chain(error));
        let mut response = sent.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let refuses = !(200..=299).contains(&status);
        let limit = if refuses { REFUSAL } else { request.limit };
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() as u64 > limit {
                if refuses {
                    break;
                }
                return Err(Broken::TooLarge);
            }
        }
        Ok(Answer { status, headers, body })
    }
}

/// Why there is no answer.
enum Broken {
    Failed(String),
    TooLarge,
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
