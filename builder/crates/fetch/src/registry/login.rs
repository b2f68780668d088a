//! Who asks: a name and a password, as `docker login` and `podman login` write them down.
//!
//! Their file is JSON; under `auths` it has for each registry the name, a colon and the password, in base64. Where it
//! names a program that keeps passwords instead, that is said: no program of others is run.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

/// Why a file gives no login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// It is not what these programs write.
    #[error("is no file that docker or podman wrote: {0}")]
    Malformed(String),
    /// Another program has the password.
    #[error(
        "leaves the password of {host} to the program docker-credential-{helper}, which this program does not run"
    )]
    Helper {
        /// The registry.
        host: String,
        /// The program's name without what all have in common.
        helper: String,
    },
    /// There is a token instead of a password.
    #[error("has a token for {host} instead of a name and a password, which is not supported")]
    Token {
        /// The registry.
        host: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// The login for a repository of a registry in the text of such a file; `None` where it has none for it. podman's
/// entries may be for a part of a registry's repositories: the longest that fits counts.
///
/// # Errors
/// [`LoginError`].
pub fn stored_login(text: &str, host: &str, repository: &str) -> Result<Option<Login>, LoginError> {
    let file: File =
        serde_json::from_str(text).map_err(|error| LoginError::Malformed(error.to_string()))?;
    let helper = file.cred_helpers.get(host);
    if let Some(helper) = helper.filter(|helper| !helper.is_empty()) {
        return Err(LoginError::Helper { host: host.to_owned(), helper: helper.clone() });
    }
    let whole = format!("{host}/{repository}");
    let fits = |name: &str| {
        let rest = whole.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let entries = file.auths.iter().map(|(name, entry)| (plain_name(name), entry));
    let entry = entries.filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len());
    let Some((_, entry)) = entry else { return Ok(None) };
    if let (Some(username), Some(password)) = (&entry.username, &entry.password) {
        return Ok(Some(Login { username: username.clone(), password: password.clone() }));
    }
    let host = host.to_owned();
    if entry.identitytoken.as_ref().is_some_and(|token| !token.is_empty()) {
        return Err(LoginError::Token { host });
    }
    match (entry.auth.as_deref().filter(|auth| !auth.is_empty()), file.creds_store) {
        (Some(auth), _) => decode(auth).map(Some).ok_or_else(|| {
            LoginError::Malformed(format!("auths: {host}: auth is no name and password in base64"))
        }),
        // An entry without anything in it says that the store has it.
        (None, Some(helper)) => Err(LoginError::Helper { host, helper }),
        (None, None) => Ok(None),
    }
}

/// docker writes addresses, too: `https://index.docker.io/v1/`.
fn plain_name(name: &str) -> &str {
    let name =
        name.strip_prefix("https://").or_else(|| name.strip_prefix("http://")).unwrap_or(name);
    let name = name.trim_end_matches('/');
    name.strip_suffix("/v1").or_else(|| name.strip_suffix("/v2")).unwrap_or(name)
}

fn decode(auth: &str) -> Option<Login> {
    let text = String::from_utf8(BASE64.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = password.trim_end_matches('\0');
    Some(Login { username: username.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, host: &str, repository: &str) -> Result<Option<Login>, LoginError> {
        stored_login(text, host, repository)
    }

    #[test]
    fn entries_are_read_as_docker_and_podman_write_them() {
        let auth = |text: &str| BASE64.encode(text);
        let text = format!(
            r#"{{"auths": {{"r.example": {{"auth": "{}"}}, "r.example/team": {{"auth": "{}"}},
            "https://old.example/v1/": {{"auth": "{}"}}, "named": {{"username": "u", "password": "p"}}}}}}"#,
            auth("me:a:b"),
            auth("team:t"),
            auth("old:o"),
        );
        let login = |username: &str, password: &str| {
            Ok(Some(Login { username: username.to_owned(), password: password.to_owned() }))
        };
        assert_eq!(read(&text, "r.example", "a"), login("me", "a:b"));
        assert_eq!(read(&text, "r.example", "teams"), login("me", "a:b"));
        assert_eq!(read(&text, "r.example", "team/x"), login("team", "t"));
        assert_eq!(read(&text, "old.example", "x"), login("old", "o"));
        assert_eq!(read(&text, "named", "x"), login("u", "p"));
        assert_eq!(read(&text, "other.example", "x"), Ok(None));
        assert_eq!(read("{}", "r", "x"), Ok(None));
    }

    #[test]
    fn programs_that_keep_passwords_are_named() {
        let helper = |text: &str| match read(text, "r", "x") {
            Err(LoginError::Helper { helper, .. }) => helper,
            other => panic!("{other:?}"),
        };
        assert_eq!(helper(r#"{"credHelpers": {"r": "pass"}}"#), "pass");
        assert_eq!(helper(r#"{"auths": {"r": {}}, "credsStore": "desktop"}"#), "desktop");
        assert_eq!(read(r#"{"credsStore": "desktop"}"#, "r", "x"), Ok(None));
        let token = r#"{"auths": {"r": {"identitytoken": "t"}}}"#;
        assert_eq!(read(token, "r", "x"), Err(LoginError::Token { host: "r".to_owned() }));
        for bad in
            ["", "7", r#"{"auths": {"r": {"auth": "?"}}}"#, r#"{"auths": {"r": {"auth": "YQ=="}}}"#]
        {
            assert!(matches!(read(bad, "r", "x"), Err(LoginError::Malformed(_))), "{bad}");
        }
        assert_eq!(
            format!("{:?}", Login { username: "u".into(), password: "p".into() }),
            "Login(u)"
        );
    }
}
