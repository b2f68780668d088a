//! What the registry answers, when nothing goes wrong.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use super::{Answer, Asks, Request, State};
use wifibox_ground::digest::Sha256;

/// The token of those who may ask.
const TOKEN: &str = "a-token";

impl State {
    pub(super) fn answer(
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
