//! Who asks, and what is asked: the login, and requests for manifests and lists, again where that may help.

use std::time::Duration;

use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};

use super::answer::{Answer, REFUSAL, Request};
use super::{Login, Purpose, Reference, Registry, RegistryError, Settings};
use crate::http::chain;

impl<'a> Registry<'a> {
    /// Connects to the registry of `reference`, and logs in if it wants that.
    ///
    /// # Errors
    /// [`RegistryError`]: it cannot be reached, or refuses the login.
    pub fn connect(
        reference: &Reference,
        purpose: Purpose,
        settings: Settings<'a>,
    ) -> Result<Self, RegistryError> {
        let registry = Registry::new(reference, purpose, settings)?;
        registry.log_in()?;
        Ok(registry)
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
                        text.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
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
        delay: Duration,
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

    /// Finds out whether the registry wants to know who asks, and tells it.
    fn log_in(&self) -> Result<(), RegistryError> {
        let host = || self.reference.host.clone();
        self.authorization.replace(None);
        let greeting = Request::get(self.address(""), &self.reference.host).without_login();
        let answer = self.ask(&greeting)?;
        match answer.status {
            200..=299 => return Ok(()),
            401 => {}
            status => {
                let why = format!("it does not answer as a registry does (HTTP status {status})");
                return Err(RegistryError::Answer { what: host(), why });
            }
        }
        let login = self.settings.login.as_ref();
        let refused = || match login {
            Some(login) => {
                RegistryError::WrongLogin { host: host(), username: login.username.clone() }
            }
            None => RegistryError::NoLogin { host: host() },
        };
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE);
        let challenges: Vec<&str> =
            challenges.iter().filter_map(|text| text.to_str().ok()).collect();
        let bearer = challenges.iter().find(|text| is_scheme(text, "bearer"));
        match (bearer, login) {
            (Some(challenge), _) => self.check_realm(challenge)?,
            (None, None) => return Err(refused()),
            (None, Some(_)) => {}
        }
        let auth = match login {
            Some(Login { username, password }) => {
                RegistryAuth::Basic(username.clone(), password.clone())
            }
            None => RegistryAuth::Anonymous,
        };
        let asked = self.blobs.auth(&self.image, &auth, self.operation);
        let token = match self.wait(&self.reference.host, || 0, asked)? {
            Ok(token) => token,
            Err(OciDistributionError::AuthenticationFailure(_)) => return Err(refused()),
            Err(error) => {
                let why = error.to_string();
                return Err(RegistryError::Answer { what: host(), why });
            }
        };
        let header = match (token, login) {
            (Some(token), _) => format!("Bearer {token}"),
            (None, Some(login)) => basic(login),
            (None, None) => return Err(refused()),
        };
        let Ok(mut header) = HeaderValue::from_str(&header) else {
            let why = "its token has characters that none may have".to_owned();
            return Err(RegistryError::Answer { what: host(), why });
        };
        header.set_sensitive(true);
        self.authorization.replace(Some(header));
        if bearer.is_none() {
            // Known at once, instead of at the first blob.
            let again = Request::get(self.address(""), &self.reference.host).once();
            if self.ask(&again)?.status == 401 {
                return Err(refused());
            }
        }
        Ok(())
    }

    /// Tokens are asked for over TLS, where the registry is.
    fn check_realm(&self, challenge: &str) -> Result<(), RegistryError> {
        let realm = challenge.split_once("realm=\"").and_then(|(_, rest)| rest.split_once('"'));
        let realm = realm.map(|(realm, _)| realm).unwrap_or_default();
        if realm.starts_with("https://") || self.scheme == "http" && realm.starts_with("http://") {
            return Ok(());
        }
        let why = format!("it wants the login to be sent to {realm:?}, without TLS");
        Err(RegistryError::Answer { what: self.reference.host.clone(), why })
    }
}

/// Why there is no answer.
enum Broken {
    Failed(String),
    TooLarge,
}

fn basic(login: &Login) -> String {
    use base64::Engine as _;
    let Login { username, password } = login;
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    format!("Basic {text}")
}

fn is_scheme(challenge: &str, scheme: &str) -> bool {
    let word = challenge.trim_start().split(' ').next().unwrap_or_default();
    word.eq_ignore_ascii_case(scheme)
}
