//! A bucket of an S3-compatible service, by `object_store`: signatures, retries, large files in parts.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::poll_fn;
use std::io::Read as _;
use std::ops::Range;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    ClientOptions, GetOptions, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig,
};
use reqwest::Url;
use tokio::runtime::Runtime;
use wifibox_ground::cancel::Cancel;

use super::super::http_options::HttpOptions;
use super::{Objects, Sink};

/// The size of one part of an upload or a download, in bytes; S3 wants parts of at least 5 MiB.
const PART: u64 = 8 << 20;

pub(super) struct Bucket {
    store: AmazonS3,
    prefix: Path,
    runtime: Runtime,
    cancel: Cancel,
}

impl Bucket {
    pub(super) fn new(
        url: &Url,
        settings: &BTreeMap<String, String>,
        options: &HttpOptions,
        cancel: Cancel,
    ) -> Result<Self, String> {
        let Some(bucket) = url.host_str() else { return Err("it names no bucket".to_owned()) };
        // As for every other connection, there is one provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new();
        let mut allow_http = false;
        for (name, value) in settings {
            // As object_store itself does with the environment: other names are other tools'.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                let endpoint = name.to_ascii_uppercase().contains("ENDPOINT");
                allow_http |= endpoint && value.starts_with("http://");
                builder = builder.with_config(key, value);
            }
        }
        let client = ClientOptions::new()
            .with_connect_timeout(options.connect_timeout)
            .with_timeout(options.stall_timeout.max(Duration::from_secs(60)))
            .with_allow_http(allow_http);
        let retry = RetryConfig {
            max_retries: 3,
            retry_timeout: Duration::from_secs(30),
            ..RetryConfig::default()
        };
        let builder = builder.with_bucket_name(bucket).with_client_options(client);
        let store = builder.with_retry(retry).build().map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("remote cache")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Bucket { store, prefix: Path::from(url.path()), runtime, cancel })
    }

    fn at(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }
}

impl Bucket {
    /// Hands a part of an object to `sink` as it comes. A server may send more than it was asked for: that is not read.
    async fn part(
        &self,
        at: &Path,
        range: Range<u64>,
        name: &str,
        sink: Sink<'_>,
    ) -> Result<(), String> {
        let mut left = range.end.saturating_sub(range.start);
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let mut pieces = self.store.get_opts(at, options).await.map_err(words)?.into_stream();
        while let Some(piece) = poll_fn(|context| pieces.as_mut().poll_next(context)).await {
            let piece = piece.map_err(words)?;
            left = left
                .checked_sub(piece.len() as u64)
                .ok_or_else(|| format!("{name}: more came than was asked for"))?;
            sink(&piece)?;
        }
        if left > 0 { Err(format!("{name}: it was cut off")) } else { Ok(()) }
    }
}

fn words(error: object_store::Error) -> String {
    error.to_string()
}

impl Objects for Bucket {
    fn get(&self, name: &str, sink: Sink<'_>) -> Result<bool, String> {
        let at = self.at(name);
        let size = match self.runtime.block_on(self.store.head(&at)) {
            Ok(meta) => meta.size,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(words(error)),
        };
        let mut from = 0;
        while from < size {
            if self.cancel.is_cancelled() {
                return Err("interrupted".to_owned());
            }
            let to = size.min(from + PART);
            self.runtime.block_on(self.part(&at, from..to, name, &mut *sink))?;
            from = to;
        }
        Ok(true)
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let at = self.at(name);
        let put = self.store.put(&at, PutPayload::from(bytes));
        self.runtime.block_on(put).map(drop).map_err(words)
    }

    fn put_file(&self, name: &str, mut file: File, length: u64) -> Result<(), String> {
        let at = self.at(name);
        let mut part = |length: u64| -> Result<Vec<u8>, String> {
            let mut bytes = Vec::new();
            let read = file.by_ref().take(length).read_to_end(&mut bytes);
            read.map_err(|error| error.to_string()).map(|_| bytes)
        };
        if length <= PART {
            return self.put(name, part(length)?);
        }
        let upload = self.runtime.block_on(self.store.put_multipart(&at));
        let mut upload = upload.map_err(words)?;
        let mut sent = 0;
        while sent < length {
            let bytes = part(PART.min(length - sent))?;
            if bytes.is_empty() {
                let _ = self.runtime.block_on(upload.abort());
                return Err(format!("{name}: the file got shorter"));
            }
            sent += bytes.len() as u64;
            let done = self.runtime.block_on(upload.put_part(PutPayload::from(bytes)));
            if let Err(error) = done {
                let _ = self.runtime.block_on(upload.abort());
                return Err(words(error));
            }
        }
        self.runtime.block_on(upload.complete()).map(drop).map_err(words)
    }
}
