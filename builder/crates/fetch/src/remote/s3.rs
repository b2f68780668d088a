//! A bucket of an S3-compatible service: an HTTP folder whose addresses are signed for a while (AWS Signature
//! Version 4 in the query, by `rusty-s3`).

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};

use super::http::{Address, Method};

/// How long a signed address is valid; a request begins at once.
const VALID: Duration = Duration::from_secs(3600);

/// Where objects are in a bucket, and who asks for them.
pub(super) struct Signed {
    bucket: Bucket,
    prefix: String,
    /// Without them, the bucket is asked as the public may.
    credentials: Option<Credentials>,
}

impl Signed {
    /// The place `s3://BUCKET/PREFIX`, by the settings of AWS's own tools. As with these, the prefix is taken as it
    /// stands, without escapes.
    pub(super) fn new(url: &str, settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let (_, place) = url.split_once("://").unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err("it names no bucket".to_owned());
        }
        let get = |names: &[&str]| {
            let values = names.iter().filter_map(|name| settings.get(*name));
            values.map(String::as_str).find(|value| !value.is_empty())
        };
        let region = get(&["AWS_REGION", "AWS_DEFAULT_REGION"]).unwrap_or("us-east-1");
        let given = get(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
        let endpoint =
            given.map_or_else(|| format!("https://s3.{region}.amazonaws.com"), str::to_owned);
        let endpoint: Url =
            endpoint.parse().map_err(|why| format!("its endpoint {endpoint:?}: {why}"))?;
        // A certificate of *.s3.REGION.amazonaws.com does not hold for a name with a dot; other servers seldom
        // have a host for each bucket.
        let own_host = match get(&["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"]) {
            Some(choice) => choice.eq_ignore_ascii_case("true"),
            None => given.is_none() && !bucket.contains('.'),
        };
        let style = if own_host { UrlStyle::VirtualHost } else { UrlStyle::Path };
        let bucket = Bucket::new(endpoint, style, bucket.to_owned(), region.to_owned())
            .map_err(|why| format!("its endpoint: {why}"))?;
        let credentials = match (get(&["AWS_ACCESS_KEY_ID"]), get(&["AWS_SECRET_ACCESS_KEY"])) {
            (Some(key), Some(secret)) => Some(match get(&["AWS_SESSION_TOKEN"]) {
                Some(token) => Credentials::new_with_token(key, secret, token),
                None => Credentials::new(key, secret),
            }),
            _ => None,
        };
        Ok(Signed { bucket, prefix: prefix.trim_matches('/').to_owned(), credentials })
    }
}

impl Address for Signed {
    fn of(&self, method: Method, name: &str) -> Result<Url, String> {
        let key = match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        let credentials = self.credentials.as_ref();
        Ok(match method {
            Method::Get => self.bucket.get_object(credentials, &key).sign(VALID),
            Method::Put => self.bucket.put_object(credentials, &key).sign(VALID),
        })
    }

    fn advice(&self) -> &'static str {
        match self.credentials {
            Some(_) => "",
            None => {
                "; neither AWS_ACCESS_KEY_ID nor AWS_SECRET_ACCESS_KEY is set (`aws configure \
                 export-credentials --format env` prints them)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str, settings: &[(&str, &str)]) -> String {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let place = Signed::new(url, &settings).unwrap();
        place.of(Method::Get, "blocks/ab/abc").unwrap().to_string()
    }

    #[test]
    fn a_bucket_is_found_as_awss_own_tools_find_it() {
        let bare = address("s3://cache/ci/", &[("AWS_REGION", "eu-west-1")]);
        assert_eq!(bare, "https://cache.s3.eu-west-1.amazonaws.com/ci/blocks/ab/abc");
        let dotted = address("s3://my.cache", &[("AWS_DEFAULT_REGION", "eu-west-1")]);
        assert_eq!(dotted, "https://s3.eu-west-1.amazonaws.com/my.cache/blocks/ab/abc");
        let endpoint = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000"),
            ("AWS_ACCESS_KEY_ID", "someone"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_SESSION_TOKEN", "for-an-hour"),
        ];
        let own = address("s3://cache/a b", &endpoint);
        assert!(own.starts_with("http://127.0.0.1:9000/cache/a%20b/blocks/ab/abc?X-Amz-"), "{own}");
        assert!(
            own.contains("X-Amz-Security-Token=for-an-hour") && own.contains("X-Amz-Signature=")
        );
        assert!(!own.contains("hidden"), "{own}");
    }
}
