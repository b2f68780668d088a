//! A folder of an HTTP server: GET, and PUT (RFC 9110). A name and password may stand in the URL.

use std::fs::File;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Body;

use super::super::http::{Client, HttpError};
use super::super::http_options::HttpOptions;
use super::{Objects, Sink};
use wifibox_ground::cancel::Cancel;

/// The slowest upload that is waited for, in bytes a second.
const SLOWEST: u64 = 50_000;

pub(super) struct Folder {
    url: Url,
    client: Client,
    cancel: Cancel,
}

impl Folder {
    pub(super) fn new(mut url: Url, options: &HttpOptions, cancel: Cancel) -> Result<Self, String> {
        if url.cannot_be_a_base() {
            return Err("it is no folder".to_owned());
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Folder { url, client: Client::new(options)?, cancel })
    }

    fn at(&self, name: &str) -> Result<Url, String> {
        self.url.join(name).map_err(|error| error.to_string())
    }

    fn send(&self, name: &str, body: Body, length: u64) -> Result<(), String> {
        let patience = Duration::from_secs(30 + length / SLOWEST);
        match self.client.put(&self.at(name)?, body, patience)? {
            200..=299 => Ok(()),
            status => Err(format!("PUT {name}: HTTP status {status}")),
        }
    }
}

impl Objects for Folder {
    fn get(&self, name: &str, sink: Sink<'_>) -> Result<bool, String> {
        let words = |error: HttpError| match error {
            HttpError::Failed(why) | HttpError::Refused(why) => format!("GET {name}: {why}"),
            HttpError::Cancelled => "interrupted".to_owned(),
        };
        let mut answer = self.client.get(&self.at(name)?, 0, &self.cancel).map_err(words)?;
        match answer.head.status {
            200 => {}
            404 | 410 => return Ok(false),
            status => return Err(format!("GET {name}: HTTP status {status}")),
        }
        while let Some(piece) = answer.next(&self.cancel).map_err(words)? {
            sink(&piece)?;
        }
        Ok(true)
    }

    fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let length = bytes.len() as u64;
        self.send(name, Body::from(bytes), length)
    }

    fn put_file(&self, name: &str, file: File, length: u64) -> Result<(), String> {
        self.send(name, Body::sized(file, length), length)
    }
}
