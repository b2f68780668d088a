//! The remote cache: an HTTP folder that takes PUT, and, where `WIFIBOX_BUILD_TEST_S3` is the URL of an
//! S3-compatible server with a bucket `wifibox`, that too (`ci/remote-cache.sh` starts one).

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use wifibox_testkit::guest::Guest;

/// A folder in memory, served on loopback.
#[derive(Clone)]
struct Shelf {
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// Whether PUT is refused.
    closed: Arc<AtomicBool>,
    /// What was asked for once, where each request fails the first time.
    failed: Arc<Mutex<Option<BTreeSet<String>>>>,
    url: String,
}

impl Shelf {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/cache", listener.local_addr().unwrap());
        let shelf =
            Shelf { files: Arc::default(), closed: Arc::default(), failed: Arc::default(), url };
        let served = shelf.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let served = served.clone();
                std::thread::spawn(move || drop(served.answer(stream.unwrap())));
            }
        });
        shelf
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut request = String::new();
        reader.read_line(&mut request)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let words: Vec<&str> = request.split(' ').collect();
        let mut files = self.files.lock().unwrap();
        let mut failed = self.failed.lock().unwrap();
        let first = failed.as_mut().is_some_and(|seen| seen.insert(words[..2].join(" ")));
        let (status, body) = match (words[0], words[1].strip_prefix("/cache/")) {
            _ if first => ("503 Slow Down", b"<Code>SlowDown</Code>".to_vec()),
            ("PUT", _) if self.closed.load(Ordering::SeqCst) => ("403 Forbidden", Vec::new()),
            ("PUT", Some(name)) => {
                files.insert(name.to_owned(), body);
                ("201 Created", Vec::new())
            }
            ("GET", Some(name)) => match files.get(name) {
                Some(bytes) => ("200 OK", bytes.clone()),
                None => ("404 Not Found", Vec::new()),
            },
            _ => ("405 Method Not Allowed", Vec::new()),
        };
        drop(files);
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let files = self.files.lock().unwrap();
        files.keys().filter(|name| name.starts_with(folder)).cloned().collect()
    }
}

/// Builds with an empty cache of its own, from `mirror`; gives back the hashes and what was said.
fn build(
    guest: &Guest,
    out: &str,
    mirror: &str,
    remote: &str,
    aws: &[(&str, &str)],
) -> (String, String) {
    let path = |name: &str| guest.path(name).to_str().unwrap().to_owned();
    let mut command = Command::new(wifibox_testkit::program());
    command
        .args(["--verbose", "--locked", "--flavor", "f", "--out", &path(out)])
        .args([
            "--recipes",
            &path(""),
            "--lock-file",
            &path("lock"),
            "--trust-key",
            &path("key.gpg"),
        ])
        .args([
            "--cache-dir",
            &path(&format!("cache-{out}")),
            "--mirror",
            &format!("test={mirror}"),
        ])
        .env("WIFIBOX_BUILD_REMOTE_CACHE", remote)
        .env_remove("SOURCE_DATE_EPOCH")
        .env("no_proxy", "127.0.0.1");
    command.envs(aws.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    (fs::read_to_string(guest.path(out).join("SHA256SUMS")).unwrap(), text)
}

/// A guest with its lock, and the folder that its packages are in.
fn locked() -> (Guest, String, String) {
    let guest = Guest::new();
    let first = guest.build("f", "plain");
    let mirror = guest.path("mirror").to_str().unwrap().to_owned();
    let sums = fs::read_to_string(first.join("SHA256SUMS")).unwrap();
    (guest, mirror, sums)
}

/// A second machine builds the same guest without fetching or compressing.
fn is_shared(remote: &str, aws: &[(&str, &str)]) {
    let (guest, mirror, plain) = locked();
    let (sums, text) = build(&guest, "one", &mirror, remote, aws);
    assert_eq!(sums, plain);
    assert!(!text.contains("warning"), "{text}");
    let added = text.lines().find(|line| line.starts_with("remote cache: ")).unwrap();
    assert!(added.starts_with("remote cache: 0 found, "), "{added}");
    // The mirror is gone.
    let nowhere = guest.path("nowhere").to_str().unwrap().to_owned();
    let (sums, text) = build(&guest, "two", &nowhere, remote, aws);
    assert_eq!(sums, plain);
    assert!(!text.contains("warning"), "{text}");
    let line = text.lines().find(|line| line.starts_with("remote cache: ")).unwrap();
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    assert!(words[2].parse::<u32>().unwrap() >= 7, "packages and blocks: {line}");
    assert!(line.ends_with("0 wrong, 0 added"), "{line}");
}

#[test]
fn machines_share_by_http() {
    let shelf = Shelf::start();
    is_shared(&shelf.url, &[]);
    assert_eq!(shelf.names("store/sha256/").len(), 6);
    assert!(!shelf.names("blocks/").is_empty());
}

#[test]
fn a_server_that_is_overloaded_for_a_moment_is_asked_again() {
    let shelf = Shelf::start();
    *shelf.failed.lock().unwrap() = Some(BTreeSet::new());
    is_shared(&shelf.url, &[]);
    let asked = shelf.failed.lock().unwrap().as_ref().unwrap().len();
    assert!(asked > 14, "each request failed once: {asked}");
}

#[test]
fn who_may_only_read_reads_on() {
    let (guest, mirror, plain) = locked();
    let shelf = Shelf::start();
    let only = [("WIFIBOX_BUILD_REMOTE_CACHE_READ_ONLY", "1")];
    let (sums, text) = build(&guest, "one", &mirror, &shelf.url, &only);
    assert_eq!((sums == plain, text.contains("warning")), (true, false), "{text}");
    assert!(shelf.files.lock().unwrap().is_empty());
    build(&guest, "two", &mirror, &shelf.url, &[]);
    // A server that does not let us put anything in: half of it is there.
    shelf.closed.store(true, Ordering::SeqCst);
    let mut number = 0;
    shelf.files.lock().unwrap().retain(|_, _| {
        number += 1;
        number % 2 == 0
    });
    let (sums, text) = build(&guest, "three", &mirror, &shelf.url, &[]);
    assert_eq!(sums, plain);
    assert_eq!(text.matches("is only read from here on").count(), 1, "{text}");
    let line = text.lines().find(|line| line.starts_with("remote cache: ")).unwrap();
    let found: usize = line.split_ascii_whitespace().nth(2).unwrap().parse().unwrap();
    assert!(found >= number / 2 - 1 && line.ends_with("0 wrong, 0 added"), "{number}: {line}");
}

#[test]
fn machines_share_by_s3() {
    let Ok(endpoint) = std::env::var("WIFIBOX_BUILD_TEST_S3") else { return };
    let aws = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "us-east-1"),
    ];
    let unique = format!("s3://wifibox/run-{}", std::process::id());
    is_shared(&unique, &aws);
    // A bucket that is not there is a warning.
    let (guest, mirror, plain) = locked();
    let (sums, text) = build(&guest, "three", &mirror, "s3://not-there/x", &aws);
    assert_eq!(sums, plain);
    assert_eq!(text.matches("is not used any more").count(), 1, "{text}");
}

#[test]
fn what_others_put_there_is_not_believed() {
    let shelf = Shelf::start();
    let (guest, mirror, plain) = locked();
    build(&guest, "one", &mirror, &shelf.url, &[]);
    // Wrong bytes; and blocks that are well-formed, but another block's.
    let mut files = shelf.files.lock().unwrap();
    let blocks: Vec<Vec<u8>> =
        files.iter().filter(|(name, _)| name.starts_with("blocks/")).map(|f| f.1.clone()).collect();
    let mut others = blocks.iter().cycle().skip(1);
    for (name, bytes) in files.iter_mut() {
        if name.starts_with("store/") {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        } else {
            *bytes = others.next().unwrap().clone();
        }
    }
    drop(files);
    let (sums, text) = build(&guest, "two", &mirror, &shelf.url, &[]);
    assert_eq!(sums, plain);
    assert_eq!(text.matches("is not what it should be").count(), 6, "{text}");
    assert!(text.contains("remote cache: "), "{text}");
}

#[test]
fn a_remote_cache_that_fails_is_a_warning() {
    let (guest, mirror, plain) = locked();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://me:secret@{}/", listener.local_addr().unwrap());
    drop(listener);
    let (sums, text) = build(&guest, "one", &mirror, &closed, &[]);
    assert_eq!(sums, plain);
    assert_eq!(text.matches("is not used any more").count(), 1, "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn nonsense_is_a_usage_error_and_offline_asks_nobody() {
    let (guest, ..) = locked();
    let path = |name: &str| guest.path(name).to_str().unwrap().to_owned();
    let (lock, cache, out) = (path("lock"), path("cache"), path("out"));
    let words = ["--flavor", "f", "--lock-file", &lock, "--cache-dir", &cache, "--out", &out];
    for nonsense in ["ftp://x/y", "folder", "s3://"] {
        let (code, _, text) =
            guest.run(&[&words[..], &["--remote-cache", nonsense, "--locked"]].concat());
        assert_eq!(code, Some(2), "{nonsense}: {text}");
        assert!(text.contains("s3://BUCKET/PREFIX"), "{text}");
    }
    let shelf = Shelf::start();
    let (code, _, text) =
        guest.run(&[&words[..], &["--remote-cache", &shelf.url, "--frozen"]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(shelf.files.lock().unwrap().is_empty());
}
